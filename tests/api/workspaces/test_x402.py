"""Paying into a workspace's account over x402: `POST …/billing/checkout/x402`."""

import json
import random
from base64 import b64decode, b64encode
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain import x402
from holdfast.domain.accounts import Tenant
from holdfast.domain.x402_outcomes import Verdict
from holdfast.gateways.x402_facilitator import X402Facilitator
from holdfast.services import x402 as payments
from holdfast.store import keys, pages
from local.facilitator.app import Facilitator
from local.facilitator.payer import header_of, offer_in, payment_for
from tests.api.workspaces.places import WORKSPACE_ID, member_of, open_account, open_workspace
from tests.api.world import (
    BOB,
    ENTRY_ID,
    NOON,
    OTHER_ADMIN,
    PUBLIC_URL,
    TEST_ADMIN,
    TEST_ALICE,
    Answer,
    Like,
    Refusal,
    World,
    account_of,
)
from tests.domain.x402_samples import PAY_TO, PAYER, SIGNATURE, authorization, header, paid
from tests.gateways.facilitators import served
from tests.http.events import ALICE
from tests.services.till import NO_MONEY, Till

CHECKOUT_ID = Like(r"cx402_[a-z2-7]{26}")
CENTS = 500
NO_WORKSPACE = Refusal(404, "workspace_not_found", None, {})
UNKNOWN_WORKSPACE = "ws_" + "a" * 26
MUTATIONS = 10_000
TEST_BOB = {**BOB, "mode": "test"}

_NONCES = count(1)


class Checkout:
    """A workspace of Alice's in test mode, and the requests to pay into its account."""

    def __init__(self, world: World, *, by: dict[str, str] = TEST_ALICE) -> None:
        self.world = world
        self.by = by
        self.workspace = open_workspace(world, by=by, name="lab")

    @property
    def path(self) -> str:
        return f"/workspaces/{self.workspace}/billing/checkout/x402"

    def offer(self, cents: int = CENTS) -> x402.Offer:
        tenant = Tenant(self.by["org"], self.by["mode"])
        url = f"{PUBLIC_URL}{self.path}"
        return x402.offer_of(tenant, pay_to=PAY_TO, amount_micros=cents * 10_000, url=url)

    def signed(self, cents: int = CENTS, *, version: int = 2, **changed: Any) -> dict[str, Any]:
        """A payment with a nonce of its own."""
        signed = {"nonce": f"0x{next(_NONCES):064x}", "value": str(cents * 10_000), **changed}
        return paid(version, offer=self.offer(cents), **signed)

    def ask(
        self,
        document: dict[str, Any] | None = None,
        *,
        cents: object = CENTS,
        headers: dict[str, str] | None = None,
        by: dict[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        """The answer to a request, with a payment in the header of its version."""
        if document is not None:
            name = "X-PAYMENT" if document["x402Version"] == 1 else "PAYMENT-SIGNATURE"
            headers = {name: header(document)}
        body = {"amountCents": cents, **more}
        return self.world.ask("POST", self.path, by=by or self.by, body=body, headers=headers)

    def cents(self) -> tuple[int, int]:
        return self.world.cents(by=self.by)

    def sweep(self) -> None:
        """What the schedule does now."""
        world = self.world
        for shard in range(keys.DUE_SHARDS):
            for due in pages.due(world.store, shard, now=world.now):
                if due.noun == "X402":
                    payments.sweep(world.store, world.facilitators, due.name, now=world.now)


@pytest.fixture
def checkout(world) -> Checkout:
    return Checkout(world)


def read(answer: Answer, name: str) -> Any:
    """The document in a header of an answer."""
    return json.loads(b64decode(answer.headers[name], validate=True))


def challenged(answer: Answer, *, error: str | None = None) -> Any:
    """The body of a 402, whose header says the same in the other version of the protocol."""
    assert answer.status == 402, answer.text
    told = read(answer, "PAYMENT-REQUIRED")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "PAYMENT-REQUIRED" in answer.headers["Access-Control-Expose-Headers"]
    assert told["error"] == (error or "Payment required")
    assert answer.body["error"] == (error or "X-PAYMENT header is required")
    (v2,), (v1,) = told["accepts"], answer.body["accepts"]
    for name in ("scheme", "asset", "payTo", "maxTimeoutSeconds", "extra"):
        assert v1[name] == v2[name]
    assert v1["maxAmountRequired"] == v2["amount"]
    assert v1["resource"] == told["resource"]["url"]
    return answer.body


# --- What there is to pay -------------------------------------------------------------------------


def test_whoever_has_not_paid_is_told_what_to_pay_in_both_versions(checkout):
    mark = checkout.world.mark()

    answer = checkout.ask(successUrl="https://a.example", cancelUrl="https://b.example")

    url = f"https://api.example.com/workspaces/{checkout.workspace}/billing/checkout/x402"
    required = {
        "scheme": "exact",
        "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "payTo": PAY_TO,
        "maxTimeoutSeconds": 300,
        "extra": {"name": "USDC", "version": "2"},
    }
    about = {"description": "Wallet top-up", "mimeType": "application/json"}
    assert read(answer, "PAYMENT-REQUIRED") == {
        "x402Version": 2,
        "error": "Payment required",
        "resource": {"url": url, **about},
        "accepts": [{**required, "network": "eip155:84532", "amount": "5000000"}],
        "extensions": {},
    }
    assert challenged(answer) == {
        "x402Version": 1,
        "error": "X-PAYMENT header is required",
        "accepts": [
            {
                **required,
                "network": "base-sepolia",
                "maxAmountRequired": "5000000",
                "resource": url,
                **about,
                "outputSchema": None,
            }
        ],
        "checkoutId": CHECKOUT_ID,
        "workspaceId": checkout.workspace,
        "billingAccountId": account_of(TEST_ALICE),
        "status": "payment_required",
        "paymentState": "unused",
        "amountCents": 500,
        "currency": "usd",
        "expiresAt": "2026-11-21T12:05:00.000Z",
    }
    assert checkout.world.written_since(mark) == []


def test_the_same_request_is_told_the_same_at_any_time(checkout):
    first = checkout.ask()
    checkout.world.wait(days=9)

    again = checkout.ask()

    assert again.headers["PAYMENT-REQUIRED"] == first.headers["PAYMENT-REQUIRED"]
    assert again.body["checkoutId"] == first.body["checkoutId"]


def test_play_money_is_not_asked_of_live_tenants(world):
    live = Checkout(world, by=ALICE)

    (required,) = read(live.ask(), "PAYMENT-REQUIRED")["accepts"]

    assert (required["network"], required["extra"]["name"]) == ("eip155:8453", "USD Coin")


def test_the_address_that_is_paid_for_is_not_the_one_that_the_client_says(checkout):
    answer = checkout.ask(headers={"host": "evil.example.com", "x-forwarded-host": "evil"})

    assert read(answer, "PAYMENT-REQUIRED")["resource"]["url"].startswith(PUBLIC_URL)


@pytest.mark.parametrize("cents", [500, 501, 999_999, 1_000_000])
def test_an_amount_within_the_limits_is_asked_for(checkout, cents):
    (required,) = challenged(checkout.ask(cents=cents))["accepts"]

    assert required["maxAmountRequired"] == str(cents * 10_000)


@pytest.mark.parametrize("cents", [None, 0, -1, 499, 1_000_001, 10**30, 500.0, "500", True])
@pytest.mark.parametrize("is_paid", [False, True])
def test_an_amount_that_is_none_or_out_of_bounds_is_refused_by_name(checkout, cents, is_paid):
    document = checkout.signed() if is_paid else None

    answer = checkout.ask(document, cents=cents)

    assert answer.refusal[:3] == (422, "invalid_field", "amountCents")
    assert "PAYMENT-REQUIRED" not in answer.headers
    assert checkout.world.till.calls == []


# --- Who may pay ----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_paid", [False, True])
def test_nobody_pays_for_a_workspace_that_they_have_no_part_in(checkout, is_paid):
    document = checkout.signed() if is_paid else None
    mark = checkout.world.mark()

    for by in (TEST_BOB, ALICE, OTHER_ADMIN):
        assert checkout.ask(document, by=by).refusal == NO_WORKSPACE
    checkout.workspace = UNKNOWN_WORKSPACE
    assert checkout.ask(document).refusal == NO_WORKSPACE

    assert checkout.world.till.calls == []
    assert checkout.world.written_since(mark) == []


@pytest.mark.parametrize(
    ("role", "may_pay"), [("admin", True), ("member", False), ("viewer", False)]
)
def test_the_owner_and_admins_of_the_account_pay(checkout, role, may_pay):
    member_of(checkout.world, account_of(TEST_ALICE), TEST_BOB, role, by=TEST_ALICE)
    document = checkout.signed()

    answers = [checkout.ask(by=TEST_BOB), checkout.ask(document, by=TEST_BOB)]

    if may_pay:
        assert [answer.status for answer in answers] == [402, 200]
        assert checkout.cents() == (1500, 0)
        return
    assert [answer.refusal for answer in answers] == [Refusal(403, "forbidden", None, {})] * 2
    assert checkout.cents() == (1000, 0)


def test_an_admin_of_the_org_pays_for_a_workspace_of_its_users(checkout):
    assert checkout.ask(checkout.signed(), by=TEST_ADMIN).status == 200
    assert checkout.cents() == (1500, 0)


def test_a_stranger_is_told_nothing(checkout):
    answer = checkout.world.ask("POST", checkout.path, by=None, body={"amountCents": 500})

    assert answer.refusal[:2] == (401, "unauthenticated")


@pytest.mark.parametrize(
    "lacking", [{"x402_pay_to": {}}, {"x402_pay_to": {"test": "0x12"}}, {"public_url": ""}], ids=str
)
def test_an_installation_that_takes_no_such_payments_says_so(checkout, lacking):
    for name, value in lacking.items():
        setattr(checkout.world, name, value)

    answers = [checkout.ask(), checkout.ask(checkout.signed())]

    for answer in answers:
        assert (answer.status, answer.body["error"]["code"]) == (501, "x402_not_configured")


# --- Paid -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "response", "network"),
    [(1, "X-PAYMENT-RESPONSE", "base-sepolia"), (2, "PAYMENT-RESPONSE", "eip155:84532")],
)
def test_a_payment_is_in_the_wallet(checkout, version, response, network):
    answer = checkout.ask(checkout.signed(700, version=version), cents=700)

    transfer = {"network": network, "transaction": f"0x{1:064x}", "payer": PAYER.lower()}
    assert answer.status == 200
    assert answer.body == {
        "checkoutId": CHECKOUT_ID,
        "workspaceId": WORKSPACE_ID,
        "billingAccountId": account_of(TEST_ALICE),
        "status": "completed",
        "paymentState": "settled",
        "amountCents": 700,
        "currency": "usd",
        "balanceCents": 1700,
        "transactionId": ENTRY_ID,
        "payment": transfer,
    }
    assert read(answer, response) == {"success": True, **transfer}
    assert checkout.cents() == (1700, 0)


def test_what_was_paid_stands_in_the_statement_of_the_workspace(checkout):
    entry_id = checkout.ask(checkout.signed()).body["transactionId"]

    path = f"/workspaces/{checkout.workspace}/billing/transactions"
    (shown,) = checkout.world.get(path, by=TEST_ALICE)["data"]

    told = ("id", "type", "source", "amountCents", "balanceAfterCents", "workspaceId")
    assert [shown[name] for name in told] == [
        entry_id,
        "credit",
        "x402",
        500,
        1500,
        checkout.workspace,
    ]


@pytest.mark.parametrize("name", ["payment-signature", "PAYMENT-SIGNATURE", "Payment-Signature"])
def test_the_header_may_be_spelled_in_any_case(checkout, name):
    assert checkout.ask(headers={name: header(checkout.signed())}).status == 200


def test_the_checkout_that_is_paid_is_the_one_that_was_offered(checkout):
    offered = checkout.ask().body["checkoutId"]

    assert checkout.ask(checkout.signed()).body["checkoutId"] == offered


def test_the_money_goes_to_the_account_that_is_the_default_one_when_it_is_paid(checkout):
    checkout.ask()
    other = open_account(checkout.world, by=TEST_ALICE, currency="eur")
    path = f"/workspaces/{checkout.workspace}/billing/accounts/link"
    body = {"billingAccountId": other, "setDefault": True}
    checkout.world.post(path, by=TEST_ALICE, body=body)

    answer = checkout.ask(checkout.signed())

    assert (answer.body["billingAccountId"], answer.body["balanceCents"]) == (other, 500)
    assert checkout.cents() == (1000, 0)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("days", [0, 400])
def test_a_payment_that_comes_again_is_answered_as_it_was(checkout, version, days):
    document = checkout.signed(version=version, validBefore=str(int(NOON.timestamp()) + 60))
    first = checkout.ask(document)
    checkout.world.start_anew()
    checkout.world.wait(days=days)
    charge = {"user": "acme/alice", "amount": 1}
    checkout.world.post("/api/v1/billing/usage", by=TEST_ADMIN, body=charge)
    mark = checkout.world.mark()

    again = checkout.ask(document)

    assert (again.status, again.text, again.headers) == (200, first.text, first.headers)
    assert checkout.world.written_since(mark) == []
    assert checkout.world.till.calls == ["verify", "settle"]


def test_a_payment_is_answered_in_the_version_that_it_comes_in(checkout):
    nonce = f"0x{next(_NONCES):064x}"
    checkout.ask(checkout.signed(nonce=nonce))

    again = checkout.ask(checkout.signed(version=1, nonce=nonce))

    assert read(again, "X-PAYMENT-RESPONSE")["network"] == "base-sepolia"
    assert checkout.cents() == (1500, 0)


def test_a_payment_is_good_for_one_workspace_and_one_amount(checkout):
    document = checkout.signed(version=1)
    checkout.ask(document)
    other = Checkout(checkout.world)
    mark = checkout.world.mark()

    answers = [other.ask(document), checkout.ask(document, cents=501)]

    used = Refusal(409, "payment_already_used", None, {})
    assert [answer.refusal for answer in answers] == [used, used]
    assert checkout.world.written_since(mark) == []


# --- Not taken ------------------------------------------------------------------------------------

BROKEN = {
    "nothing": "",
    "no base64": "%%%",
    "no padding": "e30",
    "no JSON": b64encode(b"{").decode(),
    "a list": b64encode(b"[]").decode(),
    "no payload": b64encode(b'{"x402Version":2,"accepted":{}}').decode(),
    "no UTF-8": b64encode(b'{"x402Version":"\xff"}').decode(),
    "two": f"{header(paid())},{header(paid())}",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("name", ["payment-signature", "x-payment"])
def test_a_payment_that_cannot_be_read_is_no_missing_one(checkout, text, name):
    mark = checkout.world.mark()

    answer = checkout.ask(headers={name: text})

    assert answer.refusal[:2] == (400, "invalid_payload")
    assert checkout.world.written_since(mark) == []


@pytest.mark.parametrize("version", [0, 3, "2", None, True, 2.0])
def test_another_version_of_the_protocol_is_not_spoken(checkout, version):
    answer = checkout.ask(headers={"x-payment": header({**paid(), "x402Version": version})})

    assert answer.refusal == Refusal(400, "invalid_x402_version", None, {})


def test_two_payments_at_once_are_none(checkout):
    both = {"payment-signature": header(checkout.signed()), "x-payment": header(paid(1))}

    assert checkout.ask(headers=both).refusal[:2] == (400, "invalid_payload")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scheme", "upto"),
        ("network", "eip155:8453"),
        ("amount", "4999999"),
        ("asset", PAY_TO),
        ("payTo", PAY_TO.lower()),
        ("maxTimeoutSeconds", 301),
        ("extra", {"name": "USDC"}),
    ],
)
def test_a_payment_for_another_offer_is_told_this_one_again(checkout, name, value):
    document = checkout.signed()
    document["accepted"] = {**document["accepted"], name: value}
    mark = checkout.world.mark()

    answer = checkout.ask(document)

    told = challenged(answer, error="No matching payment requirements")
    assert (told["paymentState"], told["retryAction"]) == ("unused", "resign")
    assert "PAYMENT-RESPONSE" not in answer.headers
    assert checkout.world.till.calls == []
    assert checkout.world.written_since(mark) == []


def test_an_authorisation_that_is_over_is_told_so(checkout):
    ends = [str(int(NOON.timestamp()) + seconds) for seconds in (5, 6)]

    answers = [checkout.ask(checkout.signed(validBefore=end)) for end in ends]

    challenged(answers[0], error="invalid_exact_evm_payload_authorization_valid_before")
    assert answers[1].status == 200


def test_a_payment_that_the_facilitator_does_not_take_is_not_stored(checkout):
    checkout.world.till.faults = {0: "refused"}
    mark = checkout.world.mark()

    answer = checkout.ask(checkout.signed())

    challenged(answer, error="insufficient_funds")
    assert "PAYMENT-RESPONSE" not in answer.headers
    assert checkout.world.written_since(mark) == []


def test_a_facilitator_that_does_not_say_is_asked_again_with_the_same_payment(checkout):
    checkout.world.till.faults = {0: "before"}
    document, mark = checkout.signed(), checkout.world.mark()

    answer = checkout.ask(document)

    assert answer.refusal == Refusal(502, "facilitator_unavailable", None, {})
    assert checkout.world.written_since(mark) == []
    assert checkout.ask(document).status == 200


# --- Failed, and nobody knows ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "response"), [(1, "X-PAYMENT-RESPONSE"), (2, "PAYMENT-RESPONSE")]
)
def test_a_settlement_that_fails_is_told_with_what_to_pay(checkout, version, response):
    checkout.world.till.faults = {1: "refused"}
    document = checkout.signed(version=version)

    answer = checkout.ask(document)

    told = challenged(answer, error=NO_MONEY.reason)
    assert (told["paymentState"], told["retryAction"]) == ("unused", "resign")
    settled = read(answer, response)
    assert (settled["success"], settled["errorReason"]) == (False, "insufficient_funds")
    assert settled["transaction"] == ""
    assert checkout.ask(document).status == 200


@pytest.mark.parametrize("fault", ["before", "after", "pending"])
def test_a_settlement_that_nobody_knows_of_is_never_402(checkout, fault):
    checkout.world.till.faults = {1: fault}
    document = checkout.signed()

    answers = [checkout.ask(document) for _ in range(2)]

    for answer in answers:
        assert answer.status == 202
        assert answer.body == {
            "checkoutId": CHECKOUT_ID,
            "workspaceId": checkout.workspace,
            "billingAccountId": account_of(TEST_ALICE),
            "status": "settling",
            "paymentState": "in_flight",
            "retryAction": "retry_same_payment",
            "amountCents": 500,
            "currency": "usd",
        }
        assert answer.headers["Retry-After"] == "5"
        assert not {"PAYMENT-REQUIRED", "PAYMENT-RESPONSE"} & set(answer.headers)
    assert checkout.cents() == (1000, 0)


@pytest.mark.parametrize("by_whom", ["the schedule", "the client"])
def test_it_is_settled_by_whoever_sends_the_same_again_in_time(checkout, by_whom):
    checkout.world.till.faults = {1: "after"}
    document = checkout.signed()
    checkout.ask(document)
    checkout.world.wait(seconds=15)

    if by_whom == "the schedule":
        checkout.sweep()

    assert checkout.ask(document).status == 200
    assert checkout.cents() == (1500, 0)
    assert checkout.world.till.calls == ["verify", "settle", "settle"]


def test_what_nobody_tries_any_more_is_for_somebody_to_look_at(checkout):
    checkout.world.till.faults = {1: "after"}
    checkout.world.till.repeats = False
    document = checkout.signed(validBefore=str(int(NOON.timestamp()) + 60))
    checkout.ask(document)
    checkout.world.wait(minutes=2)
    checkout.sweep()

    answer = checkout.ask(document)

    assert (answer.status, answer.body["retryAction"]) == (202, "human_required")


# --- With real signatures -------------------------------------------------------------------------


@pytest.fixture
def signed_for_real(checkout, tmp_path):
    """The checkout at a facilitator that recovers who signed, over a socket."""
    application = Facilitator(clock=NOON.timestamp)
    with served(application, tmp_path / "http.log") as url:
        checkout.world.facilitators = lambda mode: X402Facilitator(url)
        yield checkout


def test_the_published_vector_is_paid(signed_for_real):
    required = x402.requirements(signed_for_real.offer(), 2)
    payload = {"signature": SIGNATURE, "authorization": authorization()}
    vector = {"x402Version": 2, "accepted": required, "payload": payload}

    answer = signed_for_real.ask(vector)
    again = signed_for_real.ask(vector)

    assert answer.status == 200
    assert read(answer, "PAYMENT-RESPONSE")["payer"] == PAYER.lower()
    assert (again.text, again.headers) == (answer.text, answer.headers)
    assert signed_for_real.cents() == (1500, 0)


@pytest.mark.parametrize("version", [1, 2])
def test_a_client_that_signs_what_it_is_offered_has_paid(signed_for_real, version):
    told = signed_for_real.ask()
    offer = told.body if version == 1 else offer_in(told.headers["PAYMENT-REQUIRED"])
    payment = payment_for(offer, nonce=b"n" * 32, now_seconds=int(NOON.timestamp()))
    name = "x-payment" if version == 1 else "payment-signature"

    answer = signed_for_real.ask(headers={name: header_of(payment)})

    assert answer.status == 200
    assert signed_for_real.cents() == (1500, 0)


def test_a_signature_of_somebody_else_pays_nothing(signed_for_real):
    offer = offer_in(signed_for_real.ask().headers["PAYMENT-REQUIRED"])
    payment = payment_for(
        offer, nonce=b"n" * 32, now_seconds=int(NOON.timestamp()), private_key=f"0x{2:064x}"
    )
    payment["payload"]["authorization"]["from"] = PAYER
    mark = signed_for_real.world.mark()

    answer = signed_for_real.ask(headers={"payment-signature": header_of(payment)})

    challenged(answer, error="invalid_exact_evm_payload_signature")
    assert signed_for_real.world.written_since(mark) == []


# --- Whatever is sent -----------------------------------------------------------------------------


class Deaf(Till):
    """A facilitator that takes nothing."""

    def verify(self, request: Any) -> Verdict:
        return Verdict(is_valid=False, reason="invalid_exact_evm_payload_signature")


def test_ten_thousand_headers_that_nobody_wrote_store_nothing(checkout, record_property):
    chance = random.Random(402)
    checkout.world.till = Deaf()
    mark = checkout.world.mark()
    statuses: dict[int, int] = {}

    for number in range(MUTATIONS):
        name = chance.choice(["payment-signature", "x-payment", "PAYMENT-SIGNATURE"])
        answer = checkout.ask(headers={name: _mutated(checkout, chance)})

        assert answer.status in (400, 402), (number, answer.text)
        assert answer.refusal.code in (
            "invalid_payload",
            "invalid_x402_version",
            "payment_required",
        )
        statuses[int(answer.status)] = statuses.get(int(answer.status), 0) + 1
    assert checkout.world.written_since(mark) == []
    assert min(statuses.values()) > MUTATIONS // 20
    record_property("figure", f"x402 headers: {MUTATIONS:,} mutated, {statuses}")


_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, 1.5, "", "0x", "-1", "1e3", "٥", "exact", [], {}, [1], "x" * 400,
    "\0", "\ud800", "0x" + "f" * 130, str(2**256), "eip155:84532",
)  # fmt: skip


def _mutated(checkout: Checkout, chance: random.Random) -> str:
    """A good payment with something changed, in its fields, its JSON or its base64."""
    document: Any = checkout.signed(version=chance.choice([1, 2]))
    for _ in range(chance.randint(0, 3)):
        place = document
        while True:
            name = chance.choice(list(place))
            if not isinstance(place[name], dict) or not place[name] or chance.random() < 0.2:
                break
            place = place[name]
        if chance.random() < 0.2:
            del place[name]
            if not place:
                break
        else:
            place[name] = chance.choice(_ODD)
    raw = bytearray(json.dumps(document).encode())
    for _ in range(chance.choice([0, 0, 0, 1, 4])):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    text = b64encode(bytes(raw)).decode()
    if chance.random() < 0.2:
        where = chance.randrange(len(text))
        text = text[:where] + chance.choice(["", "=", "\n", "%", "é", "A" * 12_000]) + text[where:]
    return text


def test_all_of_it_leaves_a_sound_ledger(checkout):
    for fault in ("before", "refused", "after", "pending"):
        calls = len(checkout.world.till.calls)
        checkout.world.till.faults = {calls + 1: fault}
        checkout.ask(checkout.signed())
    checkout.world.now += timedelta(seconds=20)
    checkout.sweep()

    assert checkout.cents() == (2500, 0)
    assert audit_items(checkout.world.items()) == []
