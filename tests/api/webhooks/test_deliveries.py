"""Stripe's events at the door: let in by their signature, noted once, queued, answered at once."""

import json
from functools import partial
from typing import Any

import pytest
import stripe

from holdfast.domain.stripe_events import StripeEvent
from holdfast.services import stripe_inbox
from holdfast.store import items
from local.stripe.webhooks import signature
from tests.api.arrivals import (
    FOREIGN,
    FORMER,
    NAMES,
    SECRETS,
    delivery,
    each_way,
    event_of,
    signed,
    written,
)
from tests.api.webhooks.doors import AT, knock
from tests.api.world import NOON, World
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import AFTER, BEFORE, CONFLICT, KILLED_AFTER, RETRIED, THROTTLED
from tests.simulator.scheduler import interleave

INTENT = {"id": "pi_1", "object": "payment_intent", "customer": "cus_1", "metadata": {"é": "ü"}}
EVENT = event_of("payment_intent.succeeded", INTENT, at=AT)
RAW = written(EVENT)
WAYS = ("billing", "commerce", "function URL")
RECEIVED: dict[str, dict[str, object]] = {
    "billing": {"received": True},
    "commerce": {"received": True, "type": "payment_intent.succeeded", "id": "evt_1"},
    "function URL": {"received": True},
}


def good(raw: bytes = RAW, secret: str = SECRETS["live"], **more: Any) -> dict[str, Any]:
    """A delivery as Stripe makes it, at noon."""
    return delivery(raw, signed(raw, secret, at=AT), **more)


def noted(world: World) -> list[tuple[str, str]]:
    """The events that are known, and how far they are."""
    return [
        (item["pk"]["S"], item["status"]["S"])
        for item in world.items()
        if item["sk"]["S"] == "EVENT"
    ]


def calls(world: World) -> int:
    return world.simulator.call_count


@pytest.mark.parametrize("way", WAYS)
def test_an_event_is_noted_and_queued_in_one_call_of_the_table(world, way):
    sent = dict(each_way(RAW, signed(RAW, SECRETS["live"], at=AT)))[way]

    answer = knock(world, sent)

    assert (answer.status, answer.body) == (200, RECEIVED[way])
    assert noted(world) == [("STRIPE#evt_1", "received")]
    assert calls(world) == 1
    assert [json.loads(body) for body in world.arrivals.messages.taken] == [
        {
            "event": {
                "id": "evt_1",
                "mode": "live",
                "type": "payment_intent.succeeded",
                "object_type": "payment_intent",
                "object_id": "pi_1",
                "customer_id": "cus_1",
                "created_at": "2026-11-21T12:00:00.000Z",
            }
        }
    ]


def test_nothing_that_an_event_says_of_its_object_is_kept(world):
    knock(world, good())

    kept = json.dumps(world.items(), ensure_ascii=False) + "".join(world.arrivals.messages.taken)
    assert "metadata" not in kept
    assert "ü" not in kept


def test_what_the_laptops_stripe_and_its_library_sign_is_let_in(world):
    """The one signs in test mode with a second scheme beside it; the other is the provider's."""
    theirs = stripe.WebhookSignature._compute_signature(f"{AT}.{RAW.decode()}", SECRETS["live"])
    for header in (
        signature([FOREIGN, SECRETS["live"]], timestamp=AT, body=RAW),
        f"t={AT},v1={theirs}",
    ):
        assert knock(world, delivery(RAW, header)).body == {"received": True}


@pytest.mark.parametrize("is_base64", [False, True])
def test_the_bytes_count_whichever_way_the_gateway_writes_them(world, is_base64):
    answer = knock(world, good(is_base64=is_base64))

    assert answer.status == 200
    assert world.arrivals.messages.ids == ["evt_1"]


def test_a_text_that_is_said_to_be_base64_is_not_what_was_signed(world):
    answer = knock(world, {**good(), "isBase64Encoded": True})

    assert answer.refusal[:2] == (400, "unreadable_body")
    assert calls(world) == 0


@pytest.mark.parametrize("path", ["/", "", "/v1/health", "/a/b?c", "/v1/billing/stripe/webhook"])
def test_a_function_url_has_one_thing_behind_it_wherever_one_knocks(world, path):
    sent = good(path=path, domain="abc123.lambda-url.us-east-1.on.aws", rawQueryString="x=1&x=2")

    assert knock(world, sent).body == {"received": True}


@pytest.mark.parametrize("mode", ["live", "test"])
def test_each_mode_has_a_secret_of_its_own(world, mode):
    raw = written({**EVENT, "livemode": mode == "live"})

    answer = knock(world, good(raw, SECRETS[mode]))

    assert answer.body == {"received": True}
    assert json.loads(world.arrivals.messages.taken[0])["event"]["mode"] == mode


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("raw", "secret"),
    [
        (written({**EVENT, "livemode": False}), SECRETS["live"]),
        (RAW, SECRETS["test"]),
        (written({**EVENT, "account": "acct_9"}), SECRETS["live"]),
    ],
    ids=["of test mode at the live door", "of live mode at the test door", "of another account"],
)
def test_what_is_signed_and_not_for_us_is_ignored_and_counted(world, capsys, way, raw, secret):
    sent = dict(each_way(raw, signed(raw, secret, at=AT)))[way]

    answer = knock(world, sent)

    assert (answer.status, answer.body) == (200, RECEIVED[way] | {"ignored": True})
    assert world.arrivals.messages.taken == []
    assert calls(world) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["StripeEventsIgnored"] for each in told if "StripeEventsIgnored" in each] == [[1]]


@pytest.mark.parametrize("livemode", [True, False])
def test_a_secret_that_both_endpoints_share_lets_in_either_mode(world, livemode):
    world.arrivals.parameters.values[NAMES["test"]] = SECRETS["live"]
    raw = written({**EVENT, "livemode": livemode})

    assert knock(world, good(raw)).body == {"received": True}
    assert len(world.arrivals.messages.taken) == 1


# --- Secrets --------------------------------------------------------------------------------------


def test_while_a_secret_is_changed_both_count_and_then_the_former_no_more(world):
    former = good(written({**EVENT, "id": "evt_2"}), FORMER)
    assert knock(world, former).refusal[:2] == (400, "invalid_signature")

    world.arrivals.parameters.values[f"{NAMES['live']}-previous"] = FORMER
    world.arrivals.seconds += 299.9
    assert knock(world, former).refusal[:2] == (400, "invalid_signature")
    world.arrivals.seconds += 0.1
    assert knock(world, former).status == 200
    assert knock(world, good()).status == 200

    del world.arrivals.parameters.values[f"{NAMES['live']}-previous"]
    world.arrivals.seconds += 300
    assert knock(world, former).refusal[:2] == (400, "invalid_signature")
    assert world.arrivals.parameters.calls == 3


@pytest.mark.parametrize(
    "values",
    [
        {},
        {NAMES["live"]: "to be set", NAMES["test"]: "-"},
        {NAMES["live"]: "", NAMES["test"]: " "},
        {NAMES["live"]: "whsec_", NAMES["test"]: "whsec_é0123456789"},
        {NAMES["live"]: "sk_live_0123456789012345"},
        {"/another/parameter": SECRETS["live"]},
    ],
    ids=["nothing", "words", "empty", "a prefix alone", "another kind", "elsewhere"],
)
@pytest.mark.parametrize("secret", ["", "whsec_", "to be set", SECRETS["live"]])
def test_without_a_secret_nobody_is_let_in(world, values, secret):
    world.arrivals.parameters.values = values

    for way, sent in each_way(RAW, signed(RAW, secret, at=AT)):
        answer = knock(world, sent)
        assert answer.refusal[:2] == (503, "unavailable"), way
        assert answer.headers["Retry-After"] == "60"

    assert calls(world) == 0
    assert world.arrivals.messages.taken == []


def test_an_installation_without_endpoints_lets_nobody_in(world):
    world.arrivals.names = {"live": "", "test": ""}
    world.arrivals.start_anew()

    assert knock(world, good()).refusal[:2] == (503, "unavailable")
    assert world.arrivals.parameters.calls == 0


def test_one_mode_alone_can_have_an_endpoint(world):
    del world.arrivals.parameters.values[NAMES["test"]]

    assert knock(world, good()).status == 200
    raw = written({**EVENT, "livemode": False})
    assert knock(world, good(raw, SECRETS["test"])).refusal[:2] == (400, "invalid_signature")


def test_secrets_that_were_read_once_serve_on_while_they_cannot_be_read_again(world):
    knock(world, good())
    world.arrivals.parameters.down = True
    world.arrivals.seconds += 300

    assert knock(world, good()).status == 200
    assert knock(world, good()).status == 200
    assert world.arrivals.parameters.calls == 2
    world.arrivals.seconds += 30
    assert knock(world, good()).status == 200
    assert world.arrivals.parameters.calls == 3


def test_secrets_that_nobody_could_read_let_nobody_in_until_they_can(world):
    world.arrivals.parameters.down = True
    assert knock(world, good()).refusal[:2] == (503, "unavailable")
    assert calls(world) == 0

    world.arrivals.parameters.down = False

    assert knock(world, good()).status == 200


def test_a_flood_does_not_ask_for_secrets_again_and_again(world):
    world.arrivals.parameters.values = {}
    for _ in range(50):
        assert knock(world, good()).status == 503

    assert world.arrivals.parameters.calls == 1
    world.arrivals.seconds += 30
    knock(world, good())
    assert world.arrivals.parameters.calls == 2


# --- Other providers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "provider", ["paypal", "square", "Stripe", "stripe%00", "stripe ", "stripes", "%2e", "x" * 300]
)
def test_a_provider_whose_events_nobody_could_tell_from_forged_ones_is_unknown(world, provider):
    answer = knock(world, good(path=f"/api/v1/billing/webhooks/{provider}"))

    assert answer.status == 404
    assert calls(world) == 0
    assert world.arrivals.parameters.calls == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", ""])
def test_events_are_posted(world, way, method):
    sent = dict(each_way(RAW, signed(RAW, SECRETS["live"], at=AT)))[way]
    sent["requestContext"]["http"]["method"] = method

    answer = knock(world, sent)

    # Nothing but the one operation is public: whoever asks for another has to say who is asking.
    assert answer.status == 401
    assert calls(world) == 0


# --- Again, and at once ---------------------------------------------------------------------------


def test_what_is_not_done_with_is_queued_again_whenever_it_comes(world):
    for _ in range(3):
        assert knock(world, good()).body == {"received": True}

    assert noted(world) == [("STRIPE#evt_1", "received")]
    assert world.arrivals.messages.ids == ["evt_1"] * 3


def test_what_is_done_with_is_answered_and_that_is_all(world):
    knock(world, good())
    (item,) = (item for item in world.items() if item["sk"]["S"] == "EVENT")
    world.simulator.put_item(TableName="holdfast", Item={**item, "status": {"S": "done"}})
    world.arrivals.messages.emptied()
    before = calls(world)

    for way, sent in each_way(RAW, signed(RAW, SECRETS["live"], at=AT)):
        answer = knock(world, sent)
        assert (answer.status, answer.body) == (200, RECEIVED[way])

    assert world.arrivals.messages.taken == []
    assert calls(world) - before == 3


@pytest.mark.parametrize("seed", range(10))
def test_sixteen_deliveries_at_once_are_one_note_and_all_are_answered(world, seed):
    run = interleave([partial(receive, world)] * 16, seed=seed)

    outcomes = [outcome.result() for outcome in run.outcomes]
    assert outcomes == ["queued"] * 16
    assert noted(world) == [("STRIPE#evt_1", "received")]
    assert set(world.arrivals.messages.ids) == {"evt_1"}


def receive(world: World) -> str:
    """A delivery below the framework, which cannot do two things at once."""
    return stripe_inbox.receive(
        world.store,
        world.arrivals.queue,
        world.arrivals.secrets.by_mode(),
        raw=RAW,
        signature=signed(RAW, SECRETS["live"], at=AT),
        now=world.now,
    ).outcome


# --- Crashes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [BEFORE, AFTER, THROTTLED])
def test_what_could_not_be_noted_has_to_come_again(world, fault):
    world.simulator.faults = world.simulator.from_now({0: fault})

    refusal = knock(world, good()).refusal

    assert refusal[:2] == (503, "unavailable")
    assert world.arrivals.messages.taken == []
    assert knock(world, good()).status == 200
    assert world.arrivals.messages.ids == ["evt_1"]
    assert noted(world) == [("STRIPE#evt_1", "received")]


@pytest.mark.parametrize("fault", [CONFLICT, RETRIED])
def test_what_was_noted_by_whomever_is_queued(world, fault):
    world.simulator.faults = world.simulator.from_now({0: fault})

    assert knock(world, good()).body == {"received": True}

    assert world.arrivals.messages.ids == ["evt_1"]
    assert calls(world) == 1


@pytest.mark.parametrize("fault", ["before", "after", "refused"])
def test_what_was_noted_and_not_queued_is_queued_when_it_comes_again(world, fault):
    world.arrivals.messages.faults = [fault]

    assert knock(world, good()).refusal[:2] == (503, "unavailable")

    world.arrivals.messages.emptied()
    assert knock(world, good()).status == 200
    assert world.arrivals.messages.ids == ["evt_1"]


def test_whoever_died_between_the_note_and_the_queue_is_made_good_by_the_next_delivery(world):
    world.simulator.faults = world.simulator.from_now({0: KILLED_AFTER})
    with pytest.raises(ProcessKilled):
        knock(world, good())
    assert noted(world) == [("STRIPE#evt_1", "received")]
    assert world.arrivals.messages.taken == []

    world.start_anew()

    assert knock(world, good()).status == 200
    assert world.arrivals.messages.ids == ["evt_1"]


# --- What is signed and odd -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "event_id", ["", " ", "evt#1", "evt_1#EVENT", "evt 1", "évt", "evt_1\n", "e" * 256]
)
def test_an_id_that_could_imitate_a_key_is_none(world, event_id):
    raw = written({**EVENT, "id": event_id})

    assert knock(world, good(raw)).refusal[:2] == (400, "unreadable_body")
    assert calls(world) == 0


@pytest.mark.parametrize("raw", [b"[]", b"null", b"{}", b"x", b'{"a":' * 50_000, b"\xff", b""])
def test_what_is_signed_and_no_event_is_unreadable(world, raw):
    answer = knock(world, good(raw, is_base64=True))

    assert answer.refusal[:2] == (400, "unreadable_body")
    assert calls(world) == 0


@pytest.mark.parametrize("is_base64", [False, True])
@pytest.mark.parametrize(("length", "status"), [(262_143, 200), (262_144, 200), (262_145, 413)])
def test_no_event_is_longer_than_a_body_may_be(world, length, status, is_base64):
    answer = knock(world, good(RAW.ljust(length), is_base64=is_base64))

    assert answer.status == status
    assert calls(world) == (status == 200)


@pytest.mark.parametrize("kind", ["customer.subscription.updated", "v1.new.thing", "ping"])
def test_a_type_that_nobody_knows_is_taken_in_all_the_same(world, kind):
    raw = written(event_of(kind, {"object": "balance"}, at=AT))

    assert knock(world, good(raw)).status == 200
    assert json.loads(world.arrivals.messages.taken[0])["event"]["object_id"] == ""


def test_who_vouches_for_a_caller_means_nothing_here(world):
    forged = delivery(RAW, signed(RAW, FOREIGN, at=AT), domain="x.lambda-url.us-east-1.on.aws")
    forged["requestContext"]["authorizer"] = {"lambda": {"org": "acme", "roles": '["platform"]'}}

    assert knock(world, forged).refusal[:2] == (400, "invalid_signature")
    assert calls(world) == 0


def test_an_event_that_was_noted_can_be_read(world):
    knock(world, good())

    (event,) = (items.to_record(item) for item in world.items())
    assert isinstance(event, StripeEvent)
    assert (event.id, event.mode, event.status) == ("evt_1", "live", "received")
    assert (event.object_id, event.customer_id) == ("pi_1", "cus_1")
    assert event.received_at == NOON
