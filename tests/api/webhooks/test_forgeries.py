"""Ten thousand deliveries that Stripe never made: nothing happens, and nobody is told why."""

import base64
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from tests.api.arrivals import (
    FOREIGN,
    FORMER,
    SECRETS,
    delivery,
    event_of,
    signed,
    written,
)
from tests.api.webhooks.doors import AT, knock

CARD = "4242424242424242"
PERSON = "mrs.canary@example.com"
CHARGE = {
    "id": "pi_1",
    "object": "payment_intent",
    "client_secret": "pi_1_secret_canary",
    "receipt_email": PERSON,
    "metadata": {"note": f"paid with {CARD}"},
}
RAW = written(event_of("payment_intent.succeeded", CHARGE, at=AT))
GOOD = signed(RAW, SECRETS["live"], at=AT)
CANARIES = (CARD, PERSON, "secret_canary", *SECRETS.values(), FORMER, FOREIGN, GOOD[-64:])

type Forge = Callable[[random.Random], tuple[bytes, str | None]]


def changed(raw: bytes, chance: random.Random) -> bytes:
    """The bytes with one of them changed, lost or new."""
    place = chance.randrange(len(raw))
    match chance.randrange(3):
        case 0:
            return raw[:place] + bytes([raw[place] ^ (1 << chance.randrange(8))]) + raw[place + 1 :]
        case 1:
            return raw[:place] + raw[place + 1 :]
        case _:
            return raw[:place] + bytes([chance.randrange(256)]) + raw[place:]


def stale(chance: random.Random) -> tuple[bytes, str]:
    seconds = chance.choice([-1, 1]) * chance.randint(301, 10**7)
    return RAW, signed(RAW, SECRETS["live"], at=AT + seconds)


def changed_header(chance: random.Random) -> tuple[bytes, str | None]:
    # The time and the signature: what stands between them is for whoever comes later.
    at, mac = GOOD.removeprefix("t=").split(",v1=")
    if chance.random() < 0.3:
        return RAW, f"t={changed(at.encode(), chance).decode('latin-1')},v1={mac}"
    return RAW, f"t={at},v1={changed(mac.encode(), chance).decode('latin-1')}"


def written_anew(chance: random.Random) -> tuple[bytes, str]:
    indent = chance.choice([None, 0, 1, 3, 4, "\t"])
    return json.dumps(json.loads(RAW), indent=indent).encode(), GOOD


def of_another_body(chance: random.Random) -> tuple[bytes, str]:
    other = json.loads(RAW)
    other["data"]["object"]["amount"] = chance.randrange(10**9)
    return written(other), GOOD


HEADERS = (
    None, "", " ", "t=", "v1=", ",", "=", f"t={AT}", GOOD.partition(",")[2], GOOD.upper(),
    GOOD.replace("v1", "v0"), GOOD.replace("v1", "v2"), f"{GOOD},t={AT}", f"t=0{AT},{GOOD[13:]}",
    f"t={AT},v1={sha256(RAW).hexdigest()}", f"t={AT},v1={'0' * 64}", f"t={AT}," + "v1=a," * 3_000,
    GOOD.replace(",", ";"), GOOD.replace("=", ":"), f"t={AT},v1=é{GOOD[-63:]}", f"{GOOD}\0",
    "Bearer hf_live_0123456789", '{"t":1}', f"t={AT}.0,{GOOD[13:]}", f"t=-{AT},{GOOD[13:]}",
)  # fmt: skip

FORGERIES: dict[str, Forge] = {
    "under another secret": lambda chance: (
        RAW,
        signed(RAW, chance.choice([FOREIGN, FORMER, "", SECRETS["live"] + "0"]), at=AT),
    ),
    "too old or too new": stale,
    "a changed body": lambda chance: (changed(RAW, chance), GOOD),
    "a changed signature": changed_header,
    "cut off": lambda chance: (RAW[: chance.randrange(len(RAW))], GOOD),
    "written anew": written_anew,
    "the signature of another body": of_another_body,
    "an odd header": lambda chance: (RAW, chance.choice(HEADERS)),
    "noise": lambda chance: (chance.randbytes(chance.randrange(400)), GOOD),
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_of_ten_thousand_forged_deliveries_none_has_an_effect(world, capsys, record_property, kind):
    chance = random.Random(f"forgeries {kind}")
    forge, number = FORGERIES[kind], 10_000 // len(FORGERIES) + 1
    answers: Counter[tuple[int, str]] = Counter()
    told: set[str] = set()
    began = time.process_time()
    for turn in range(number):
        raw, signature = forge(chance)
        is_base64 = chance.random() < 0.5
        path = chance.choice(["/v1/billing/stripe/webhook", "/api/v1/billing/webhooks/stripe", "/"])
        domain = "x.lambda-url.us-east-1.on.aws" if path == "/" else "x.execute-api.amazonaws.com"
        sent = delivery(raw, signature, path=path, domain=domain, is_base64=is_base64)
        answer = knock(world, sent)
        answers[answer.status, answer.refusal.code] += 1
        assert answer.refusal.details == {}
        if turn % 50 == 0:
            told.add(answer.text + str(answer.headers))

    # A text that is no text in UTF-8 cannot even be handed over as one.
    assert set(answers) <= {(400, "invalid_signature"), (400, "unreadable_body")}
    assert answers[400, "invalid_signature"] > number * 0.4
    assert world.simulator.call_count == 0
    assert world.items() == []
    assert world.arrivals.messages.taken == []
    captured = capsys.readouterr()
    everything = captured.out + captured.err + "".join(told)
    assert [canary for canary in CANARIES if canary in everything] == []
    each = (time.process_time() - began) / number * 1000
    record_property("figure", f"forged delivery ({kind}): {number:,}, {each:.2f} ms each")


def test_the_good_one_among_them_is_let_in(world):
    assert knock(world, delivery(RAW, GOOD)).status == 200
    assert world.simulator.call_count == 1


def test_a_good_delivery_leaves_nothing_of_its_body_anywhere(world, capsys):
    for path in ("/v1/billing/stripe/webhook", "/api/v1/billing/webhooks/stripe"):
        answer = knock(world, delivery(RAW, GOOD, path=path))
        assert answer.status == 200

    captured = capsys.readouterr()
    kept = json.dumps(world.items()) + "".join(world.arrivals.messages.taken)
    everything = captured.out + captured.err + kept + answer.text
    assert "evt_1" in everything
    assert [canary for canary in CANARIES if canary in everything] == []


ODD: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "no body": {"body": None},
    "a body that is a list": {"body": [RAW.decode()]},
    "a body that is a number": {"body": 7},
    "a body that is an object": {"body": json.loads(RAW)},
    "a surrogate": {"body": "\ud800"},
    "no base64": {"isBase64Encoded": True, "body": "é!"},
    "base64 with breaks": {"isBase64Encoded": True, "body": base64.encodebytes(RAW).decode()},
    "base64 of something long": {
        "isBase64Encoded": True,
        "body": base64.b64encode(RAW.ljust(300_000)).decode(),
    },
    "headers that are a list": {"headers": [["stripe-signature", GOOD]]},
    "a signature that is a list": {"headers": {"stripe-signature": [GOOD]}},
    "a context that is a text": {"requestContext": "POST"},
    "a domain that is a number": {"requestContext": {"domainName": 7}},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_no_gateway_would_hand_over_is_refused_all_the_same(world, odd):
    sent = {**delivery(RAW, GOOD), **odd} if isinstance(odd, dict) else odd

    answer = knock(world, sent)

    assert 400 <= answer.status < 500
    assert world.simulator.call_count == 0


def test_one_caller_leaves_nothing_for_the_next(world):
    assert knock(world, delivery(RAW, GOOD)).status == 200

    without = {**delivery(RAW, GOOD), "body": None}
    assert knock(world, without).refusal[:2] == (400, "invalid_signature")
    unsigned = delivery(RAW, None)
    assert knock(world, unsigned).refusal[:2] == (400, "invalid_signature")
    assert world.arrivals.messages.ids == ["evt_1"]
