"""Whether an event is Stripe's: what is signed, when, with which secret, and what is in it."""

import hmac
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
import stripe

from holdfast.domain.clock import Instant
from holdfast.errors import InvalidSignature, InvariantBroken, TooLarge, Unreadable
from holdfast.gateways.stripe import Event, verified

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
SECRET, FORMER, FOREIGN = "whsec_now", "whsec_former", "whsec_foreign"
BODY: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "account": "acct_9",
    "api_version": "2026-10-28.endive",
    "created": AT,
    "data": {"object": {"id": "pi_1", "object": "payment_intent", "metadata": {"é": "ü"}}},
    "livemode": False,
    "type": "payment_intent.succeeded",
}
RAW = json.dumps(BODY, ensure_ascii=False, indent=2).encode()


def mac(raw: bytes = RAW, *, at: object = AT, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + raw, sha256).hexdigest()


def header(raw: bytes = RAW, *, at: object = AT, secret: str = SECRET) -> str:
    return f"t={at},v1={mac(raw, at=at, secret=secret)}"


def read(raw: bytes = RAW, signature: str | None = None, *, now: Instant = NOW) -> Event:
    return verified(raw, header(raw) if signature is None else signature, [SECRET], now)


def test_an_event_that_stripe_signed_is_read():
    assert read() == Event(
        id="evt_1",
        type="payment_intent.succeeded",
        object_id="pi_1",
        object_type="payment_intent",
        account_id="acct_9",
        created=NOW,
        livemode=False,
    )


def test_what_the_sdk_takes_is_taken_here():
    signature = header()

    told = stripe.Webhook.construct_event(RAW, signature, SECRET, tolerance=10**9)

    assert told.id == read(signature=signature).id


@pytest.mark.parametrize("seconds", [-300, -299, -1, 0, 1, 299, 300])
def test_a_signature_counts_for_five_minutes_either_way(seconds):
    assert read(signature=header(at=AT + seconds)).id == "evt_1"


@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 86_400])
def test_a_signature_counts_no_longer(seconds):
    with pytest.raises(InvalidSignature):
        read(signature=header(at=AT + seconds))


def test_the_last_millisecond_of_the_tolerance_is_its_own():
    signature = header(at=AT - 300)

    assert read(signature=signature).id == "evt_1"
    with pytest.raises(InvalidSignature):
        read(signature=signature, now=NOW + timedelta(milliseconds=1))


def test_while_a_secret_is_changed_both_count_and_then_the_former_no_more():
    assert verified(RAW, header(), [SECRET, FORMER], NOW).id == "evt_1"
    assert verified(RAW, header(secret=FORMER), [SECRET, FORMER], NOW).id == "evt_1"

    with pytest.raises(InvalidSignature):
        verified(RAW, header(secret=FORMER), [SECRET], NOW)


def test_of_several_signatures_one_has_to_fit():
    both = f"t={AT},v1={mac(secret=FOREIGN)},v1={mac()},v0={mac()}"

    assert read(signature=both).id == "evt_1"


FORGERIES = {
    "nothing": "",
    "a space": " ",
    "no signature": f"t={AT}",
    "no time": f"v1={mac()}",
    "the time twice": f"t={AT},t={AT},v1={mac()}",
    "another time first": f"t={AT - 1},t={AT},v1={mac()}",
    "an empty time": f"t=,v1={mac(at='')}",
    "a time before the epoch": header(at=-AT),
    "a time with a sign": header(at=f"+{AT}"),
    "a time with zeros before it": header(at=f"0{AT}"),
    "a time with a space": header(at=f" {AT}"),
    "a time with a break": header(at=f"{AT}\n"),
    "a time with underscores": header(at=f"{AT:_}"),
    "a time with a fraction": header(at=f"{AT}.0"),
    "a time in full-width digits": header(at="１７９５２６２４００"),
    "a time in hexadecimal": header(at=hex(AT)),
    "an endless time": header(at="9" * 400),
    "no number": header(at="now"),
    "zero": header(at=0),
    "the signature of another time": f"t={AT},v1={mac(at=AT - 1)}",
    "another secret": header(secret=FOREIGN),
    "the secret with a space": header(secret=f"{SECRET} "),
    "only the older scheme": f"t={AT},v0={mac()}",
    "a later scheme": f"t={AT},v2={mac()}",
    "another name in capitals": f"t={AT},V1={mac()}",
    "a name with a space": f"t={AT}, v1={mac()}",
    "in capitals": f"t={AT},v1={mac().upper()}",
    "an empty signature": f"t={AT},v1=",
    "half of it": f"t={AT},v1={mac()[:32]}",
    "one digit less": f"t={AT},v1={mac()[:-1]}",
    "one digit more": f"t={AT},v1={mac()}0",
    "in quotes": f't={AT},v1="{mac()}"',
    "not hexadecimal": f"t={AT},v1={'z' * 64}",
    "zeros": f"t={AT},v1={'0' * 64}",
    "not ASCII": f"t={AT},v1=é{mac()[1:]}",
    "full-width digits": f"t={AT},v1={mac().translate(str.maketrans('0123', '０１２３'))}",
    "a surrogate": f"t={AT},v1=\ud800{mac()[1:]}",
    "a NUL": f"t={AT},v1={mac()}\0",
    "semicolons": f"t={AT};v1={mac()}",
    "colons": f"t:{AT},v1:{mac()}",
    "json": json.dumps({"t": AT, "v1": mac()}),
    "of the body alone": f"t={AT},v1={hmac.new(SECRET.encode(), RAW, sha256).hexdigest()}",
    "of nothing": f"t={AT},v1={mac(b'')}",
    "a digest without a secret": f"t={AT},v1={sha256(f'{AT}.'.encode() + RAW).hexdigest()}",
    "a header without an end": f"t={AT},v1={mac()}," + "v1=0," * 1_000,
}


@pytest.mark.parametrize("signature", FORGERIES.values(), ids=FORGERIES)
def test_a_forgery_is_refused_without_a_word(signature):
    with pytest.raises(InvalidSignature) as refused:
        read(signature=signature)

    assert refused.value.details == {}


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a byte more": lambda raw: raw + b" ",
    "a byte less": lambda raw: raw[:-1],
    "a byte before": lambda raw: b"\n" + raw,
    "a mark of order before": lambda raw: b"\xef\xbb\xbf" + raw,
    "written anew": lambda raw: json.dumps(json.loads(raw)).encode(),
    "other breaks": lambda raw: raw.replace(b"\n", b"\r\n"),
    "another amount": lambda raw: raw.replace(b"pi_1", b"pi_2"),
    "nothing": lambda raw: b"",
    "no text": lambda raw: b"\xff\xfe" + raw,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_body_that_was_changed_on_the_way_is_refused(change):
    with pytest.raises(InvalidSignature):
        read(change(RAW), header())


def test_of_ten_thousand_changed_requests_none_is_let_in():
    chance = random.Random(20_261_121)
    signature = header().encode()
    for _ in range(10_000):
        raw, signed = bytearray(RAW), bytearray(signature)
        part = raw if chance.random() < 0.5 else signed
        place = chance.randrange(len(part))
        match chance.randrange(3):
            case 0:
                part[place] ^= 1 << chance.randrange(8)
            case 1:
                del part[place]
            case _:
                part.insert(place, chance.randrange(256))
        try:
            read(bytes(raw), signed.decode("latin-1"))
        except InvalidSignature:
            continue
        # What is let in says the same: a word more in the header, which nobody looks at.
        assert raw == RAW
        assert {f"t={AT}".encode(), f"v1={mac()}".encode()} <= set(bytes(signed).split(b","))


NO_EVENTS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"event",
    "half of it": RAW[:-20],
    "no text": b'{"id": "\xff"}',
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "a text": b'"evt_1"',
    "depth": b'{"a":' * 50_000,
    "another object": json.dumps({**BODY, "object": "charge"}).encode(),
    "an event of the other kind": json.dumps({**BODY, "object": "v2.core.event"}).encode(),
    "no id": json.dumps({**BODY, "id": None}).encode(),
    "an id that is a number": json.dumps({**BODY, "id": 7}).encode(),
    "no type": json.dumps({**BODY, "type": None}).encode(),
    "no data": json.dumps({**BODY, "data": None}).encode(),
    "data that are a text": json.dumps({**BODY, "data": "pi_1"}).encode(),
    "no object": json.dumps({**BODY, "data": {}}).encode(),
    "an object without a kind": json.dumps({**BODY, "data": {"object": {"id": "x"}}}).encode(),
    "a time that is a text": json.dumps({**BODY, "created": str(AT)}).encode(),
    "a time beyond the calendar": json.dumps({**BODY, "created": 10**15}).encode(),
    "a mode that is a word": json.dumps({**BODY, "livemode": "false"}).encode(),
}


@pytest.mark.parametrize("raw", NO_EVENTS.values(), ids=NO_EVENTS)
def test_what_is_signed_and_no_event_is_unreadable(raw):
    with pytest.raises(Unreadable) as refused:
        read(raw)

    assert type(refused.value) is Unreadable
    assert refused.value.details == {}


def test_an_object_without_an_id_has_none():
    raw = json.dumps({**BODY, "data": {"object": {"object": "balance"}}}).encode()

    assert (read(raw).object_id, read(raw).object_type) == (None, "balance")


@pytest.mark.parametrize(
    ("about", "before", "customer_id"),
    [
        ({"customer": "cus_1"}, None, "cus_1"),
        ({"customer": {"id": "cus_1", "object": "customer"}}, None, "cus_1"),
        ({"customer": None}, {"customer": "cus_1"}, "cus_1"),
        ({"customer": "cus_2"}, {"customer": "cus_1"}, "cus_2"),
        ({"customer": None}, {"customer": None}, None),
        ({}, {}, None),
    ],
)
def test_an_event_names_the_customer_whose_object_it_is_or_was(about, before, customer_id):
    data = {"object": {"id": "pm_1", "object": "payment_method", **about}}
    data |= {} if before is None else {"previous_attributes": before}

    assert read(json.dumps({**BODY, "data": data}).encode()).customer_id == customer_id


def test_an_event_of_our_own_account_names_none():
    own = {name: value for name, value in BODY.items() if name != "account"}

    assert read(json.dumps(own).encode()).account_id is None


@pytest.mark.parametrize(("length", "fits"), [(262_143, True), (262_144, True), (262_145, False)])
def test_no_event_is_longer_than_a_body_may_be(length, fits):
    raw = RAW + b" " * (length - len(RAW))

    if fits:
        assert read(raw).id == "evt_1"
    else:
        with pytest.raises(TooLarge):
            read(raw)


@pytest.mark.parametrize("secrets", [[], [""], [SECRET, ""], [SECRET, FORMER, FOREIGN]])
def test_without_a_secret_nobody_is_let_in(secrets):
    with pytest.raises(InvariantBroken):
        verified(RAW, header(secret=""), secrets, NOW)


@pytest.mark.parametrize("tolerance", [0, -1])
def test_the_age_of_a_signature_cannot_be_left_out(tolerance):
    with pytest.raises(AssertionError):
        verified(RAW, header(), [SECRET], NOW, tolerance)


def test_a_text_is_not_taken_for_the_bytes_that_came():
    with pytest.raises(AssertionError):
        verified(RAW.decode(), header(), [SECRET], NOW)  # type: ignore[arg-type]


def test_a_flood_of_forgeries_is_turned_away_cheaply(record_property):
    raw, signature = RAW.ljust(262_144), header(secret=FOREIGN)
    times = []
    for _ in range(200):
        began = time.process_time()
        with pytest.raises(InvalidSignature):
            read(raw, signature)
        times.append(time.process_time() - began)

    slowest = sorted(times)[-3] * 1000
    record_property("figure", f"forged event of 256 KiB: p99 {slowest:.2f} ms")
    assert slowest < 5
