"""What survives a clean restart, and how the server starts as a program."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import stripe

from local.stripe.knobs import Knobs
from local.stripe.server import running
from tests.local.stripe.asking import CARD_ONLY, Clock, ask, client
from tests.local.stripe.receiving import SECRET, receiving

ROOT = Path(__file__).parents[3]


def test_everything_comes_back_after_a_restart(tmp_path: Path):
    clock = Clock()
    with running(state=tmp_path, clock=clock) as server:
        v1 = client(server.address).v1
        customer = v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "k1"})
        card = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        session = v1.checkout.sessions.create(
            {"mode": "setup", "currency": "usd", "success_url": "https://shop.example/"}
        )
        Knobs(server.address).advance(1000)

    with running(state=tmp_path, clock=clock) as server:
        v1 = client(server.address).v1
        again = v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "k1"})
        paid = v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "customer": customer.id,
                "payment_method": card.id,
                "confirm": True,
                "automatic_payment_methods": CARD_ONLY,
            }
        )
        page = v1.checkout.sessions.retrieve(session.id).url
        address = server.address

    assert again.id == customer.id
    assert (paid.status, paid.created) == ("succeeded", int(clock.now) + 1000)
    assert page == f"{address}/c/pay/{session.id}"


def test_ids_are_never_made_twice(tmp_path: Path):
    made = []
    for _ in range(2):
        with running(state=tmp_path, seed="same") as server:
            made.append(client(server.address).v1.customers.create().id)

    assert len(set(made)) == 2


def test_the_same_seed_makes_the_same_ids():
    made = []
    for seed in ("same", "same", "other"):
        with running(seed=seed, clock=Clock()) as server:
            made.append(client(server.address).v1.customers.create().id)

    assert made[0] == made[1] != made[2]


def test_events_that_were_not_delivered_are_delivered_later(tmp_path: Path):
    with running(
        state=tmp_path, webhook_url="http://127.0.0.1:1/", webhook_secret=SECRET
    ) as server:
        client(server.address).v1.customers.create()

    with (
        receiving() as receiver,
        running(state=tmp_path, webhook_url=receiver.url, webhook_secret=SECRET) as server,
    ):
        Knobs(server.address).flush()
        client(server.address).v1.customers.list()

    assert receiver.types() == ["customer.created"]


def test_what_is_kept_is_the_users_alone(tmp_path: Path):
    with running(state=tmp_path):
        pass

    kept = tmp_path / "stripe.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text("utf-8"))["world"]["objects"] == {}


def test_one_key_can_be_the_only_one():
    with running(secret_key="sk_test_the_one") as server:
        assert client(server.address, key="sk_test_the_one").v1.customers.list().data == []
        with pytest.raises(stripe.AuthenticationError):
            client(server.address, key="sk_test_another").v1.customers.list()


def test_it_runs_as_a_program_and_stops_when_told(tmp_path: Path):
    command = [sys.executable, "-m", "local.stripe", "--port", "0", "--state", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        made = client(found[0]).v1.customers.create().id
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()

    kept = json.loads((tmp_path / "stripe.json").read_text("utf-8"))
    assert list(kept["world"]["objects"]["customer"]) == [made]


@pytest.mark.parametrize(
    ("options", "status"), [(["--webhook", "http://127.0.0.1:1/"], 2), (["--port", "{taken}"], 1)]
)
def test_a_program_that_cannot_run_says_why(options: list[str], status: int):
    with running() as server:
        taken = server.address.rpartition(":")[2]
        ended = subprocess.run(
            [sys.executable, "-m", "local.stripe", *[o.format(taken=taken) for o in options]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    assert ended.returncode == status
    assert "--secret" in ended.stderr or "is taken" in ended.stderr


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /v1/customers HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /v1/customers HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST /v1/customers HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"431"),
    ],
)
def test_what_is_no_request_is_refused_and_the_server_goes_on(sent: bytes, status: bytes):
    import socket

    with running() as server:
        port = int(server.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(sent)
            answer = connection.recv(100)
        after = ask(server.address, "GET", "/v1/customers")

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert after.status == 200
