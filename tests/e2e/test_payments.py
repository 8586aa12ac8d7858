"""Money comes in with policies enforced: by card, by a page, by itself, over x402."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local import payer
from local.demo import Answer
from local.facilitator.payer import header_of, offer_in, payment_for
from local.places import ROOT
from tests.e2e.laptop import Laptop, happens, running

FUND = "/api/agents/v1/wallet/fund"
REDIRECTED = re.compile(r"http://127\.0\.0\.1:\d+/checkout/success\?session_id=(cs_live_\w+)")


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with running(tmp_path_factory.mktemp("stack"), auth=True) as started:
        yield started


def balance(laptop: Laptop, who: str) -> int:
    return int(laptop.call(who, "GET", "/v1/billing/wallet").body["balance_cents"])


def card_of(laptop: Laptop, who: str) -> str:
    cards = laptop.call(who, "GET", "/v1/me/payment-methods").body["data"]
    return str(cards[0]["id"])


def attempts(laptop: Laptop, who: str) -> list[str]:
    listed = laptop.call(who, "GET", "/v1/billing/auto-recharge/attempts").body["data"]
    return [attempt["status"] for attempt in listed]


def keyed(laptop: Laptop, who: str, path: str, body: Any, *, method: str = "POST") -> Answer:
    """A call under a key that no other has."""
    return laptop.call(who, method, path, body, key=os.urandom(12).hex())


def test_a_page_is_paid_and_the_webhook_credits_the_wallet_once(laptop: Laptop):
    before = balance(laptop, "bob")
    page = keyed(laptop, "bob", FUND, {"amount": 25.0}).body["data"]

    sent_to = payer.pay(page["checkout_url"])

    found = REDIRECTED.fullmatch(sent_to)
    assert found is not None
    assert found[1] == page["session_id"]
    assert happens(lambda: balance(laptop, "bob") == before + 2500, seconds=30)
    told = {"session_id": page["session_id"]}
    confirmed = keyed(laptop, "bob", "/api/agents/v1/wallet/confirm-checkout", told)
    assert confirmed.body["data"]["already_confirmed"] is True
    assert balance(laptop, "bob") == before + 2500
    with urllib.request.urlopen(sent_to, timeout=30) as shown:
        assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert page["session_id"] in shown.read().decode()


def test_a_card_that_is_declined_on_the_page_leaves_the_wallet_alone(laptop: Laptop):
    before = balance(laptop, "bob")
    page = keyed(laptop, "bob", FUND, {"amount": 25.0}).body["data"]

    with pytest.raises(payer.NotPaid):
        payer.pay(page["checkout_url"], card="4000 0000 0000 9995")

    assert balance(laptop, "bob") == before


def test_a_wallet_that_falls_below_its_threshold_is_recharged_by_itself(laptop: Laptop):
    before = balance(laptop, "agent")
    wanted = {"auto_charge_amount": 30.0, "charge_threshold": 5.0}
    path = "/api/agents/v1/wallet/auto-funding"
    on = keyed(laptop, "agent", path, wanted, method="PUT")
    tried = keyed(laptop, "agent", "/v1/billing/auto-recharge/test", {})

    used = {"user": "acme/agent", "amount": before - 400}
    keyed(laptop, "admin", "/api/v1/billing/usage", used)

    assert (on.status, on.body["data"]["enabled"]) == (200, True)
    assert (tried.status, tried.body["would_trigger"]) == (200, False)
    assert happens(lambda: balance(laptop, "agent") == 400 + 3000, seconds=30)
    # The wallet has its money before the attempt is closed.
    assert happens(lambda: attempts(laptop, "agent") == ["succeeded", "skipped"], seconds=30)
    assert keyed(laptop, "agent", path, None, method="DELETE").status == 200


def test_an_agent_pays_a_workspaces_bill_over_x402(laptop: Laptop):
    before = balance(laptop, "bob")
    workspace = keyed(laptop, "bob", "/workspaces", {"name": "Bob's"}).body["id"]
    path = f"/workspaces/{workspace}/billing/checkout/x402"
    body = {"amountCents": 1500}
    asked = keyed(laptop, "bob", path, body)

    offer = offer_in(asked.headers["payment-required"])
    payment = payment_for(offer, nonce=os.urandom(32), now_seconds=int(time.time()))
    request = urllib.request.Request(
        f"{laptop.address}{path}",
        json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {laptop.api.session['tokens']['bob']}",
            "Content-Type": "application/json",
            "PAYMENT-SIGNATURE": header_of(payment),
        },
    )
    with urllib.request.urlopen(request, timeout=35) as paid:
        status = paid.status

    assert asked.status == 402
    assert status == 200
    assert balance(laptop, "bob") == before + 1500


def test_every_operation_of_payments_may_do_what_it_needs(laptop: Laptop):
    card = card_of(laptop, "alice")
    top_up = {
        "userId": "acme/alice",
        "amountCents": 2500,
        "currency": "usd",
        "paymentMethodId": card,
    }
    by_token = {"userId": "acme/alice", "amountCents": 2500, "currency": "usd"}
    order = {"plan_id": "credits-10", "payment_method_id": card, "idempotency_key": "first"}
    intent = {
        "customerId": "acme/alice",
        "amount": 1500,
        "currency": "usd",
        "paymentMethodId": card,
    }
    stripe = "/v1/billing/stripe"
    answers = [
        keyed(laptop, "alice", FUND, {"amount": 25.0, "payment_method_id": card}),
        keyed(laptop, "admin", "/api/v1/billing/topup", top_up),
        keyed(laptop, "alice", "/api/v1/billing/topup/token", by_token | {"sourceId": card}),
        keyed(laptop, "alice", f"{stripe}/customer", {}),
        keyed(laptop, "alice", f"{stripe}/payment-intent", {"amount_cents": 2500}),
        keyed(
            laptop, "alice", f"{stripe}/checkout-session", {"mode": "payment", "amount_cents": 900}
        ),
        keyed(laptop, "alice", f"{stripe}/portal-session", {}),
        keyed(laptop, "alice", "/v1/me/wallet/orders", order),
        keyed(
            laptop,
            "admin",
            "/v1/billing/coupons",
            {"code": "MAYFLY", "kind": "credit", "amount": 9},
        ),
        keyed(laptop, "alice", "/api/agents/v1/wallet/coupons/redeem", {"coupon_code": "MAYFLY"}),
    ]
    made = keyed(laptop, "admin", "/api/v1/billing/payment-intents", intent)
    one = f"/api/v1/billing/payment-intents/{made.body['id']}"
    answers += [made, keyed(laptop, "admin", f"{one}/confirm", {})]
    refund = {"paymentIntentId": made.body["id"], "amount": 500}
    answers += [keyed(laptop, "admin", "/api/v1/billing/refunds", refund)]
    answers += [
        laptop.call("alice", "GET", path)
        for path in (
            "/v1/me/wallet/orders",
            "/v1/billing/recovery-status",
            "/v1/billing/auto-recharge/attempts",
        )
    ]
    answers += [
        laptop.call("admin", "GET", path)
        for path in (
            one,
            "/api/v1/billing/payment-intents?customerId=acme/alice",
            "/api/v1/billing/refunds",
            "/v1/billing/coupons",
        )
    ]

    assert [answer for answer in answers if answer.status >= 300] == []


def test_the_day_is_reconciled_and_nothing_differs(laptop: Laptop):
    invoked = laptop.aws("lambda").invoke(FunctionName="holdfast-reconciliation", Payload=b"{}")
    by_hand = subprocess.run(
        [sys.executable, "-m", "local.reconcile", "--day", datetime.now(UTC).date().isoformat()],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOLDFAST_LOCAL": str(laptop.places.folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "FunctionError" not in invoked
    assert json.loads(invoked["Payload"].read())["differences"] == 0
    assert by_hand.returncode == 0, by_hand.stdout + by_hand.stderr
    assert " 0 differences" in by_hand.stdout


def test_nothing_that_was_paid_with_is_in_a_log_or_in_the_table(laptop: Laptop):
    table = laptop.aws("dynamodb")
    (name,) = table.list_tables()["TableNames"]
    pages = table.get_paginator("scan").paginate(TableName=name)
    kept = json.dumps([page["Items"] for page in pages])
    logged = "".join(path.read_text() for path in laptop.places.logs.glob("*.log"))

    secrets = [
        one[kind]
        for one in laptop.api.session["stripe"].values()
        for kind in ("key", "endpoint_secret")
    ]
    numbers = [payer.CARD, "4000 0000 0000 9995"]
    hidden = [*secrets, *numbers, *(number.replace(" ", "") for number in numbers)]
    assert [one for one in hidden if one in kept or one in logged] == []
    assert "pi_" in kept
