"""On a running stack: every sample event does what its name says; strangers get nowhere."""

import http.client
import json
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.places import ROOT
from tests.e2e.laptop import Laptop, running

EVENTS = ROOT / "events"
MESSAGE = "059f36b4-87a3-44ab-83d2-000000000002"

# In the order of the story they tell: a hold is placed before one is captured.
ANSWERS: dict[str, Any] = {
    "authorizer/request": {"isAuthorized": True, "context": {"denied": "malformed_token"}},
    "overview/health": 200,
    "catalog/plans": 200,
    "catalog/billing_plans": 200,
    "catalog/plan": 200,
    "catalog/dns_plans": 200,
    "wallet/wallet": 200,
    "wallet/deposit": 201,
    "wallet/balance": 200,
    "wallet/usage": 201,
    "wallet/entries": 200,
    "wallet/agents_balance": 200,
    "wallet/account_balance": 200,
    "wallet/adjustment": 200,
    "wallet/agents_withdraw": 201,
    "wallet/workspace_credits": 404,
    "wallet/zap": 200,
    "wallet/wrong_method": 405,
    "wallet/denied": 401,
    "holds/place": 201,
    "holds/capture": 404,
    "holds/quote": 201,
    "holds/not_json": 415,
    "accounts/accounts": 200,
    "accounts/profile": 200,
    "accounts/workspace": 201,
    "accounts/open": 201,
    "accounts/member": 404,
    "accounts/api_key": 201,
    "accounts/billing_info": 200,
    "credits/grant": 201,
    "credits/balance": 200,
    "credits/starter": 201,
    "credits/void": 404,
    "credits/coupon": 201,
    "credits/redeem": 200,
    "payment_methods/stripe_config": 200,
    "payment_methods/attach": 201,
    "payment_methods/cards": 200,
    "payment_methods/setup_page": 201,
    "payment_methods/setup_intent": 201,
    "payment_methods/save": 201,
    "payment_methods/describe": 404,
    "payment_methods/tokenize": 503,
    "payment_methods/begin_setup": 201,
    # Nobody but Stripe could have signed these.
    "stripe_webhook/billing": 400,
    "stripe_webhook/commerce": 400,
    "stripe_webhook/function_url": 400,
    "stripe_webhook/unknown_provider": 404,
    "stripe_events/direct": {"batchItemFailures": []},
    "stripe_events/partner": {"batchItemFailures": []},
    "stripe_events/one_broken": {"batchItemFailures": [{"itemIdentifier": MESSAGE}]},
    "funding/page": 200,
    "funding/unknown_card": 404,
    "funding/confirm": 404,
    "funding/recovery": 200,
    "funding/attempts": 200,
    "funding/success_page": 200,
    "funding/x402": 404,
    "payments/intent": 201,
    "payments/refunds": 200,
    "payments/customer": 200,
    "payments/orders": 200,
    "payments/order_of_a_subscription": 409,
    "payments/status": 404,
    "recharge/low_wallet": {"batchItemFailures": []},
    "recharge/one_broken": "100000000000000000002",
    "reconciliation/nightly": {"differences": 0, "reports": 2},
    "ledger_stream/entries": {"batchItemFailures": []},
    "ledger_stream/one_broken": "100000000000000000002",
    "billing_cycle/tick": {"queued": 0},
    "billing_cycle/sweep": {"batchItemFailures": []},
    "billing_cycle/sweep_one_broken": {"batchItemFailures": [{"itemIdentifier": MESSAGE}]},
}


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with running(tmp_path_factory.mktemp("stack")) as started:
        yield started


def function_of(event: str) -> str:
    package, _, name = event.partition("/")
    if package == "billing_cycle":
        return f"holdfast-{name.partition('_')[0]}"
    return f"holdfast-{package.replace('_', '-')}"


def test_every_sample_event_is_tried():
    there = {str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.rglob("*.json")}

    assert there == set(ANSWERS)


@pytest.mark.parametrize(("event", "wanted"), ANSWERS.items(), ids=ANSWERS)
def test_a_sample_event_does_what_its_name_says(laptop: Laptop, event: str, wanted: Any):
    answer = laptop.aws("lambda").invoke(
        FunctionName=function_of(event), Payload=(EVENTS / f"{event}.json").read_bytes()
    )

    said = answer["Payload"].read().decode()
    match wanted:
        case int():
            assert json.loads(said)["statusCode"] == wanted
        case str():
            # A stream's batch that failed in part is failed for the emulator, which asks no more.
            assert "FunctionError" in answer
            assert wanted in said
        case _:
            assert json.loads(said) == wanted


def test_a_warm_answer_is_a_matter_of_milliseconds(laptop: Laptop, record_property):
    def seconds(*request: Any) -> float:
        started_at = time.perf_counter()
        assert laptop.call(*request).status < 300
        return time.perf_counter() - started_at

    deposit = {"user": "acme/warm", "amount": 1}
    figures = {
        "health": ("alice", "GET", "/v1/health"),
        "wallet": ("bob", "GET", "/v1/billing/wallet"),
        "deposit": ("admin", "POST", "/api/v1/billing/deposit", deposit),
        "hold": ("bob", "POST", "/v1/billing/holds", {"amount": 1}),
    }
    medians = {
        name: statistics.median(seconds(*request) for _ in range(30))
        for name, request in figures.items()
    }

    said = ", ".join(f"{name} {median * 1000:.1f} ms" for name, median in medians.items())
    record_property("figure", f"laptop, warm p50: {said}")
    # Two orders of magnitude above what a quiet machine takes: a cold start each time would show.
    assert max(medians.values()) < 0.4


def test_sixteen_callers_are_served_at_once(laptop: Laptop, record_property):
    def deposit(number: int) -> int:
        body = {"user": f"acme/caller-{number % 16}", "amount": 100}
        return laptop.call("admin", "POST", "/api/v1/billing/deposit", body).status

    started_at = time.perf_counter()
    with ThreadPoolExecutor(16) as callers:
        statuses = list(callers.map(deposit, range(160)))

    assert statuses == [201] * 160
    rate = len(statuses) / (time.perf_counter() - started_at)
    record_property("figure", f"laptop, 16 callers: {rate:.0f} deposits/s")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/health", {}, 200),
        ("HEAD", "/v1/health", {}, 200),
        ("GET", "/v1/billing/wallet", {}, 401),
        ("GET", "/v1/billing/wallet", {"Authorization": "Bearer nonsense"}, 401),
        ("GET", "/v1/billing/wallet?access_token=nonsense", {}, 401),
        ("GET", "/v1/unknown", {}, 404),
        ("GET", "/_ministack/health", {}, 404),
    ],
)
def test_a_stranger_gets_no_further_than_health(
    laptop: Laptop, method: str, path: str, headers: dict[str, str], status: int
):
    connection = http.client.HTTPConnection(urlsplit(laptop.address).netloc, timeout=35)
    connection.request(method, path, headers=headers)

    assert connection.getresponse().status == status


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=["no HTTP", "no host", "no ASCII", "a huge header"],
)
def test_what_is_no_request_is_refused_and_nothing_breaks(laptop: Laptop, sent: bytes):
    host, port = urlsplit(laptop.address).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        answer = connection.recv(4096)

    assert answer.startswith(b"HTTP/1.1 4") or answer == b""
    assert laptop.call("alice", "GET", "/v1/health").status == 200


def test_the_embedded_aws_cannot_be_reached_from_another_machine(laptop: Laptop):
    url = urlsplit(laptop.places.emulator_address.read_text().strip())
    # Any address of the loop-back network but the first stands for the other interfaces here.
    for port in (url.port, urlsplit(laptop.address).port):
        with pytest.raises(OSError, match=r"refused|timed out|assign"):
            socket.create_connection(("127.0.0.2", port or 0), timeout=2)
