"""The facilitator over a real socket: what it says is an outcome, and what it does not is none."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from holdfast.domain.x402_outcomes import UNREADABLE, NoWord, Refused, Settled, Verdict
from holdfast.domain.x402_settlements import request_of
from holdfast.errors import FacilitatorUnavailable, InvariantBroken
from holdfast.gateways.x402_facilitator import ANSWER_BYTES_MAX, UNREACHABLE, X402Facilitator
from local.facilitator.app import Facilitator
from local.facilitator.chain import Knobs
from local.server import free_port, listen, port_of
from tests.domain.x402_samples import NOW, PAYER, TRANSACTION, paid, settlement
from tests.gateways.facilitators import served

REQUEST = request_of(settlement())
DONE: dict[str, Any] = {
    "success": True,
    "transaction": TRANSACTION,
    "network": "eip155:84532",
    "payer": PAYER,
}
VALID = {"isValid": True, "payer": PAYER}
SETTLED = Settled(TRANSACTION, "eip155:84532", PAYER)


@dataclass(slots=True)
class Scripted:
    """A server that answers one connection after another with the bytes it was given."""

    listening: socket.socket
    answer: bytes
    drip_seconds: float = 0.0
    heard: list[bytes] = field(default_factory=list)

    def run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                with connection, suppress(OSError):
                    self.heard.append(_whole_request(connection))
                    self._say(connection)

    def _say(self, connection: socket.socket) -> None:
        if not self.drip_seconds:
            connection.sendall(self.answer)
            return
        for byte in self.answer:
            connection.sendall(bytes([byte]))
            time.sleep(self.drip_seconds)


def _whole_request(connection: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65_536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def scripted(answer: bytes, *, drip_seconds: float = 0.0) -> Iterator[tuple[str, Scripted]]:
    listening = listen(0)
    server = Scripted(listening, answer, drip_seconds)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port_of(listening)}", server
    finally:
        # A thread that waits for a connection is not woken by closing what it waits on.
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(timeout=5)


def http(document: Any, status: int = 200, *, length: int | None = None) -> bytes:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    stated = len(body) if length is None else length
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, stated, body)


def settle(answer: bytes, **named: Any) -> Any:
    with scripted(answer) as (url, _):
        return X402Facilitator(url, **named).settle(REQUEST)


def verify(answer: bytes) -> Verdict:
    with scripted(answer) as (url, _):
        return X402Facilitator(url).verify(REQUEST)


# --- What is said --------------------------------------------------------------------------------


def test_it_is_asked_with_what_it_needs_and_with_our_name():
    with scripted(http(VALID)) as (url, server):
        facilitator = X402Facilitator(f"{url}/base/", headers={"Authorization": "Bearer ours"})
        facilitator.verify(REQUEST)
        facilitator.settle(REQUEST)

    for heard, path in zip(server.heard, (b"verify", b"settle"), strict=True):
        head, _, body = heard.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /base/%b HTTP/1.1\r\n" % path)
        assert b"\r\nAuthorization: Bearer ours" in head
        assert b"\r\nContent-Type: application/json" in head
        assert json.loads(body) == REQUEST


def test_the_name_that_it_knows_us_by_is_never_told():
    facilitator = X402Facilitator("https://x.example.com", headers={"Authorization": "sesame"})

    assert "sesame" not in repr(facilitator)


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        (VALID, Verdict(is_valid=True, payer=PAYER)),
        ({"isValid": True}, Verdict(is_valid=True)),
        (
            {"isValid": False, "invalidReason": "insufficient_funds", "payer": PAYER},
            Verdict(is_valid=False, payer=PAYER, reason="insufficient_funds"),
        ),
        ({"isValid": False}, Verdict(is_valid=False, reason=UNREADABLE)),
        ({"isValid": False, "invalidReason": "a\nb"}, Verdict(is_valid=False, reason=UNREADABLE)),
    ],
)
def test_a_verdict_is_understood(said, understood):
    assert verify(http(said)) == understood


def test_a_refusal_is_one_with_a_status_of_its_own():
    said = {"isValid": False, "invalidReason": "invalid_payload"}

    assert verify(http(said, 400)) == Verdict(is_valid=False, reason="invalid_payload")


@pytest.mark.parametrize(
    "answer",
    [
        http(VALID, 201),
        http(VALID, 302),
        http(VALID, 500),
        http({"isValid": False}, 500),
        http({"isValid": 1}),
        http({"isValid": "true"}),
        http({}),
        http([]),
        http(b"not JSON"),
        http(b""),
        http(b"[" * 60_000),
        http(b"\xff"),
        http(VALID, length=9_999),
        b"",
        b"HTTP/1.1 200",
        b"nonsense\r\n\r\n",
    ],
    ids=lambda answer: str(answer[:60]),
)
def test_what_is_no_verdict_says_try_again(answer):
    with pytest.raises(FacilitatorUnavailable):
        verify(answer)


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        (DONE, SETTLED),
        (DONE | {"amount": "5000000"}, Settled(TRANSACTION, "eip155:84532", PAYER, "5000000")),
        (DONE | {"payer": None, "amount": ""}, Settled(TRANSACTION, "eip155:84532")),
        (
            {"success": False, "errorReason": "insufficient_funds", "transaction": ""},
            Refused("insufficient_funds"),
        ),
        (
            {"success": False, "errorReason": "settlement_pending", "transaction": TRANSACTION},
            Refused("settlement_pending", TRANSACTION),
        ),
        ({"success": False}, Refused(UNREADABLE)),
        ({"success": False, "errorReason": "x", "transaction": "soon"}, NoWord(UNREADABLE)),
        (DONE | {"transaction": ""}, NoWord(UNREADABLE)),
        (DONE | {"transaction": 7}, NoWord(UNREADABLE)),
        (DONE | {"network": None}, NoWord(UNREADABLE)),
        (DONE | {"payer": "somebody"}, NoWord(UNREADABLE)),
        (DONE | {"amount": 5_000_000}, NoWord(UNREADABLE)),
    ],
)
def test_a_settlement_is_understood_where_it_is_plain(said, understood):
    assert settle(http(said)) == understood


def test_a_definite_refusal_may_come_with_a_status_of_its_own():
    said = {"success": False, "errorReason": "invalid_payload"}

    assert settle(http(said, 400)) == Refused("invalid_payload")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(DONE, 201), "status_201"),
        (http(DONE, 500), "status_500"),
        (http({"success": False, "errorReason": "invalid_payload"}, 500), "status_500"),
        (http({}, 429), "status_429"),
        (http({"success": "true"}), "status_200"),
        (http(b"<html>Bad gateway", 502), UNREADABLE),
        (http(b"[]"), UNREADABLE),
        (http(b"[" * 60_000), UNREADABLE),
        (http(DONE, length=9_999), UNREACHABLE),
        (b"", UNREACHABLE),
        (b"HTTP/1.1 200", UNREADABLE),
        (b"nonsense\r\n\r\n", UNREACHABLE),
    ],
    ids=lambda value: str(value[:60]),
)
def test_what_is_no_outcome_is_none(answer, reason):
    assert settle(answer) == NoWord(reason)


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_an_answer_has_a_length_that_it_may_have(more, is_read):
    body = json.dumps(DONE).encode()
    body += b" " * (ANSWER_BYTES_MAX - len(body) + more)

    assert settle(http(body)) == (SETTLED if is_read else NoWord(UNREADABLE))


# --- What is not said ----------------------------------------------------------------------------


def test_nobody_there_is_no_refusal():
    facilitator = X402Facilitator(f"http://127.0.0.1:{free_port()}")

    assert facilitator.settle(REQUEST) == NoWord(UNREACHABLE)
    with pytest.raises(FacilitatorUnavailable):
        facilitator.verify(REQUEST)


@pytest.mark.parametrize("ending", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
def test_an_answer_that_drips_is_waited_for_no_longer_than_all_of_it_may_take(ending):
    body = json.dumps(DONE).encode()
    head = b"HTTP/1.1 200 X\r\n%bContent-Length: %d\r\n\r\n" % (ending, len(body))
    with scripted(head + body, drip_seconds=0.01) as (url, _):
        facilitator = X402Facilitator(url, settle_seconds=1.2)
        started_at = time.monotonic()

        outcome = facilitator.settle(REQUEST)

        assert outcome == NoWord(UNREACHABLE)
        assert time.monotonic() - started_at < 2.5


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x402.example.com",
        "http://x402.example.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "https://",
        "file:///etc/passwd",
    ],
)
def test_nobody_on_the_way_can_say_that_it_was_settled(url):
    with pytest.raises(InvariantBroken):
        X402Facilitator(url)


# --- The facilitator of the laptop ---------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_a_signed_payment_goes_all_the_way_and_comes_back_the_same(version, tmp_path):
    request = request_of(settlement(paid(version)))
    application = Facilitator(clock=NOW.timestamp)
    with served(application, tmp_path / "http.log") as url:
        facilitator = X402Facilitator(url)

        verdict = facilitator.verify(request)
        outcomes = [facilitator.settle(request) for _ in range(3)]

    assert verdict == Verdict(is_valid=True, payer=PAYER.lower())
    assert len(set(outcomes)) == 1
    assert isinstance(outcomes[0], Settled)
    assert len(application.chain.transfers) == 1


def test_a_settlement_whose_answer_was_lost_is_found_by_asking_again(tmp_path):
    application = Facilitator(knobs=Knobs(settle_hangs_seconds=1.0), clock=NOW.timestamp)
    with served(application, tmp_path / "http.log") as url:
        first = X402Facilitator(url, settle_seconds=0.4).settle(REQUEST)
        moved = len(application.chain.transfers)
        second = X402Facilitator(url).settle(REQUEST)

    assert first == NoWord(UNREACHABLE)
    assert moved == 1
    assert isinstance(second, Settled)
    assert len(application.chain.transfers) == 1
