"""Every call to Stripe, met by everything that can become of a call."""

import json
import socket
from collections.abc import Callable
from contextlib import closing

import pytest

from holdfast.errors import (
    AuthenticationRequired,
    InvariantBroken,
    KeyInUse,
    PaymentDeclined,
    StripeUnavailable,
)
from holdfast.gateways.stripe import StripeGateway
from tests.gateways.stripe_sites import SECRET, SITES, Desk, Scene, Site, scene

ATTEMPTS = 3
ANY = pytest.mark.parametrize("site", SITES.values(), ids=SITES)
WRITING = {name: site for name, site in SITES.items() if site.writes}
READING = {name: site for name, site in SITES.items() if not site.writes}
EACH_WRITE = pytest.mark.parametrize("site", WRITING.values(), ids=WRITING)
EACH_READ = pytest.mark.parametrize("site", READING.values(), ids=READING)

DECLINED = {
    "error": {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": "Your card 4242424242424242 has insufficient funds.",
        "payment_intent": {"id": "pi_9", "object": "payment_intent", "client_secret": "pi_9_s"},
    }
}
UNCONFIRMED = {
    "error": {
        "type": "card_error",
        "code": "authentication_required",
        "decline_code": "authentication_required",
        "message": "This transaction requires authentication.",
        "payment_intent": {"id": "pi_9", "object": "payment_intent", "client_secret": "pi_9_s"},
    }
}


def answers(desk: Desk, status: int, body: object, *, times: int = 1) -> None:
    """Let the next calls be answered with this, and do nothing."""
    text = body if isinstance(body, str) else json.dumps(body)
    desk.fails(kind="answer", status=status, body=text, times=times)


def impatient(desk: Desk, attempt_seconds: float) -> Desk:
    """The same desk, and a gateway that waits so long for an answer."""
    gateway = StripeGateway(
        lambda: SECRET,
        api_base=desk.address,
        attempt_seconds=attempt_seconds,
        pause_seconds=0,
    )
    return Desk(desk.address, gateway)


def untouched(site: Site, set_: Scene, before: object) -> bool:
    """Whether Stripe knows what it knew before, now that nothing fails any more."""
    set_.desk.control("DELETE", "faults")
    return site.shows(set_) == before or site.done == "made"


@ANY
def test_a_call_is_answered_and_has_one_effect_however_often_it_is_made(site, desk):
    set_ = scene(desk, site)

    first = site.call(set_)
    again = site.call(set_)

    assert first is not None
    assert again == first
    if site.writes:
        assert site.shows(set_) == site.done


@ANY
def test_a_decline_is_told_by_its_code_and_nothing_else(site, desk):
    set_ = scene(desk, site)
    before = site.shows(set_)
    answers(desk, 402, DECLINED)

    with pytest.raises(PaymentDeclined) as refused:
        site.call(set_)

    assert refused.value.details == {
        "decline_code": "insufficient_funds",
        "payment_intent_id": "pi_9",
    }
    assert "4242" not in f"{refused.value!r}{refused.value}{refused.value.__context__!r}"
    assert untouched(site, set_, before)


@ANY
def test_a_card_whose_owner_is_asked_for_is_told_with_what_they_confirm_with(site, desk):
    set_ = scene(desk, site)
    before = site.shows(set_)
    answers(desk, 402, UNCONFIRMED)

    with pytest.raises(AuthenticationRequired) as refused:
        site.call(set_)

    assert refused.value.details == {"payment_intent_id": "pi_9", "client_secret": "pi_9_s"}
    assert untouched(site, set_, before)


@ANY
@pytest.mark.parametrize("status", [429, 409], ids=["too many", "locked"])
def test_what_stripe_has_not_begun_is_known_not_to_have_happened(site, status, desk):
    set_ = scene(desk, site)
    before = site.shows(set_)
    desk.fails(kind="error", status=status, times=ATTEMPTS)

    with pytest.raises(StripeUnavailable) as refused:
        site.call(set_)

    assert refused.value.details == {"outcome_unknown": False}
    assert untouched(site, set_, before)


@EACH_WRITE
@pytest.mark.parametrize("kind", ["error", "reset", "close"])
def test_of_a_change_that_nobody_answered_the_outcome_is_unknown(site, kind, desk):
    set_ = scene(desk, site)
    before = site.shows(set_)
    desk.fails(kind=kind, times=ATTEMPTS)

    with pytest.raises(StripeUnavailable) as refused:
        site.call(set_)

    assert refused.value.details == {"outcome_unknown": True}
    assert untouched(site, set_, before)
    assert site.call(set_) is not None
    assert site.shows(set_) == site.done


@EACH_WRITE
@pytest.mark.parametrize("kind", ["error", "reset", "close"])
def test_a_change_whose_answers_were_all_lost_happened_once(site, kind, desk):
    set_ = scene(desk, site)
    desk.fails(kind=kind, is_done=True, times=ATTEMPTS)

    with pytest.raises(StripeUnavailable) as refused:
        site.call(set_)

    assert refused.value.details == {"outcome_unknown": True}
    assert site.shows(set_) == site.done
    assert site.call(set_) is not None
    assert site.shows(set_) == site.done


@EACH_READ
@pytest.mark.parametrize("kind", ["error", "reset", "close"])
def test_of_a_question_that_nobody_answered_nothing_is_unknown(site, kind, desk):
    set_ = scene(desk, site)
    desk.fails(kind=kind, times=ATTEMPTS)

    with pytest.raises(StripeUnavailable) as refused:
        site.call(set_)

    assert refused.value.details == {"outcome_unknown": False}
    assert site.call(set_) is not None


@ANY
@pytest.mark.parametrize("kind", ["error", "reset", "close", "hang"])
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after it happened"])
def test_one_answer_that_is_lost_is_asked_for_again(site, kind, is_done, desk):
    set_ = scene(impatient(desk, 0.15), site)
    desk.fails(kind=kind, is_done=is_done)

    assert site.call(set_) is not None

    if site.writes:
        assert site.shows(set_) == site.done


@ANY
def test_where_nobody_listens_nothing_has_happened(site, desk):
    set_ = scene(desk, site)
    before = site.shows(set_)
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    nowhere = StripeGateway(lambda: SECRET, api_base=f"http://127.0.0.1:{port}", pause_seconds=0)
    elsewhere = Scene(Desk(desk.address, nowhere), set_.customer_id, set_.card_id, set_.things)

    with pytest.raises(StripeUnavailable) as refused:
        site.call(elsewhere)

    assert refused.value.details == {"outcome_unknown": False}
    assert untouched(site, set_, before)


@ANY
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"type": "idempotency_error", "message": "sk_test_gateway"}),
        (400, {"type": "invalid_request_error", "code": "parameter_unknown", "param": "x"}),
        (401, {"type": "invalid_request_error", "message": "sk_test_gateway"}),
        (403, {"type": "invalid_request_error", "message": "sk_test_gateway"}),
    ],
    ids=["a key used twice", "a parameter of ours", "our key", "what our key may do"],
)
def test_what_only_we_can_get_wrong_is_no_refusal_and_tells_nothing(site, status, error, desk):
    set_ = scene(desk, site)
    before = site.shows(set_)
    answers(desk, status, {"error": error})

    with pytest.raises(InvariantBroken) as broken:
        site.call(set_)

    assert SECRET not in f"{broken.value!r}{broken.value.__context__!r}"
    assert untouched(site, set_, before)


@ANY
def test_what_does_not_exist_is_not_found(site, desk):
    set_ = scene(desk, site)
    answers(desk, 404, {"error": {"type": "invalid_request_error", "code": "resource_missing"}})

    with pytest.raises(site.missing) as refused:
        site.call(set_)

    assert type(refused.value) is site.missing


@EACH_WRITE
def test_a_request_that_is_running_is_told_to_whoever_sends_it_again(site, desk):
    set_ = scene(desk, site)
    before = site.shows(set_)
    running = {"type": "idempotency_error", "code": "idempotency_key_in_use"}
    answers(desk, 409, {"error": running}, times=ATTEMPTS)

    with pytest.raises(KeyInUse):
        site.call(set_)

    assert untouched(site, set_, before)


@ANY
@pytest.mark.parametrize(
    "body",
    ["<html>Sign in</html>", "", '{"object": "list"', "\xff" * 3, "[" * 100_000],
    ids=["a page", "nothing", "half of it", "no text", "depth"],
)
def test_an_answer_that_is_not_stripes_leaves_open_what_happened(site, body, desk):
    set_ = scene(desk, site)
    answers(desk, 200, body)

    with pytest.raises(StripeUnavailable) as refused:
        site.call(set_)

    assert refused.value.details == {"outcome_unknown": site.writes}


@ANY
@pytest.mark.parametrize("body", [[], None, {}, {"object": "other"}, 7, "text"], ids=repr)
def test_an_answer_of_another_shape_is_found_where_it_came_in(site, body, desk):
    set_ = scene(desk, site)
    answers(desk, 200, json.dumps(body))

    with pytest.raises(InvariantBroken, match="cannot be read"):
        site.call(set_)


@EACH_WRITE
def test_a_loss_is_not_forgotten_over_what_the_next_attempt_meets(site, desk):
    set_ = scene(desk, site)
    desk.fails(kind="reset", is_done=True)
    desk.fails(kind="error", status=429)

    with pytest.raises(StripeUnavailable) as refused:
        site.call(set_)

    assert refused.value.details == {"outcome_unknown": True}
    assert site.shows(set_) == site.done


@pytest.mark.parametrize(
    "call",
    [
        lambda gateway, odd: gateway.payment_intents.retrieve(odd),
        lambda gateway, odd: gateway.payment_intents.cancel(odd, key="k"),
        lambda gateway, odd: gateway.cards.detach(odd, key="k"),
        lambda gateway, odd: gateway.checkout.expire(odd, key="k"),
        lambda gateway, odd: gateway.refunds.retrieve(odd),
        lambda gateway, odd: gateway.customers.retrieve(odd),
        lambda gateway, odd: gateway.disputes.retrieve(odd),
    ],
)
@pytest.mark.parametrize(
    "odd", ["", "../customers", "pi_1/cancel", "pi_1?x=1", "pi 1", "pi_1\n", "pí_1", "p" * 256]
)
def test_an_id_that_no_thing_has_is_not_asked_for(
    call: Callable[[StripeGateway, str], object], odd, desk
):
    with pytest.raises(SITES["disputes.retrieve"].missing):
        call(desk.gateway, odd)

    assert desk.control("GET", "requests")["requests"] == []
