"""Setups on the commerce surface, against a simulated Stripe on a socket."""

import pytest

from tests.api.cards import NUMBERS, SETUPS, at_stripe, attach, on_file
from tests.api.world import BOB, OTHER_ADMIN, TEST_ADMIN, Like, Refusal, account_of
from tests.http.events import ADMIN, ALICE

NOT_FOUND = Refusal(404, "not_found", None, {})
UNKNOWN_CARD = Refusal(404, "payment_method_not_found", None, {})
THREE_D_SECURE = "pm_card_threeDSecure2Required"


def begin(world, *, by=ADMIN, user="acme/alice", **more):
    return world.post(SETUPS, by=by, body={"customerId": user, **more})


def state(status):
    return Refusal(409, "payment_state", None, {"status": status})


def shown(begun):
    """A setup as every look after the first shows it."""
    return {name: value for name, value in begun.items() if name != "clientSecret"}


def test_a_setup_is_shown_with_its_secret_once(world, desk):
    answer = world.ask("POST", SETUPS, by=ADMIN, body={"customerId": "acme/alice"})

    assert answer.status == 201
    assert answer.body == {
        "id": Like(r"seti_\w{24}"),
        "customerId": "acme/alice",
        "status": "requires_payment_method",
        "usage": "off_session",
        "created": "2026-11-21T12:00:00.000Z",
        "clientSecret": Like(r"seti_\w{24}_secret_\w+"),
    }
    assert world.get(f"{SETUPS}/{answer.body['id']}", by=ADMIN) == shown(answer.body)


def test_a_setup_that_begins_with_a_card_waits_to_be_confirmed(world, desk):
    card = attach(world)

    begun = begin(world, user="alice", paymentMethodId=card["id"], usage="on_session")

    assert (begun["status"], begun["paymentMethodId"]) == ("requires_confirmation", card["id"])
    assert begun["usage"] == "on_session"


def test_an_account_is_named_by_its_id_where_it_is_not_its_owners_default_one(world, desk):
    world.wallet()
    other = world.post("/api/v1/billing/accounts", body={"name": "project"})["id"]

    assert begin(world, user=other)["customerId"] == other
    assert begin(world, user=account_of(ALICE))["customerId"] == "acme/alice"


def test_a_card_is_on_file_once_its_setup_succeeds(world, desk):
    begun = begin(world)

    answer = world.ask(
        "POST",
        f"{SETUPS}/{begun['id']}/confirm",
        by=ADMIN,
        body={"paymentMethodId": "pm_card_visa"},
    )

    done = {**shown(begun), "status": "succeeded", "paymentMethodId": Like(r"pm_\w{24}")}
    assert (answer.status, answer.body) == (200, done)
    assert on_file(world) == [("4242", True)]
    assert at_stripe(desk) == ["4242"]


def test_confirming_what_has_succeeded_is_answered_the_same_and_saves_nothing_more(world, desk):
    begun = begin(world, paymentMethodId="pm_card_visa")
    path = f"{SETUPS}/{begun['id']}/confirm"
    first = world.ask("POST", path, by=ADMIN, body={})

    again = world.ask("POST", path, by=ADMIN, body={})

    assert (again.status, again.body) == (200, first.body)
    assert at_stripe(desk) == ["4242"]


def test_where_the_bank_asks_for_the_holder_nothing_is_on_file_until_they_confirm(world, desk):
    begun = begin(world, paymentMethodId=THREE_D_SECURE)

    answer = world.ask("POST", f"{SETUPS}/{begun['id']}/confirm", by=ADMIN, body={})

    assert (answer.status, answer.body["status"]) == (200, "requires_action")
    assert on_file(world) == []
    assert world.get(f"{SETUPS}/{begun['id']}", by=ADMIN)["status"] == "requires_action"


def test_a_decline_saves_nothing_and_is_told_at_the_next_look(world, desk):
    begun = begin(world, paymentMethodId="pm_card_chargeDeclinedInsufficientFunds")

    refusal = world.refused("POST", f"{SETUPS}/{begun['id']}/confirm", by=ADMIN, body={})

    details = {"declineCode": "insufficient_funds", "paymentIntentId": None}
    assert refusal == (402, "payment_declined", None, details)
    seen = world.get(f"{SETUPS}/{begun['id']}", by=ADMIN)
    assert seen["status"] == "requires_payment_method"
    assert seen["lastError"] == {
        "code": "card_declined",
        "declineCode": "insufficient_funds",
        "message": "The card has not enough funds.",
    }
    assert on_file(world) == []


def test_after_a_decline_another_card_may_be_tried_under_the_same_key(world, desk):
    begun = begin(world, paymentMethodId="pm_card_chargeDeclined")
    path = f"{SETUPS}/{begun['id']}/confirm"
    assert world.refused("POST", path, by=ADMIN, body={}, key="k1").status == 402

    answer = world.ask("POST", path, by=ADMIN, body={"paymentMethodId": "pm_card_visa"}, key="k1")

    assert (answer.status, answer.body["status"]) == (200, "succeeded")


@pytest.mark.parametrize("card_id", ["pm_nobodys", "cus_1"])
def test_a_card_that_there_is_not_is_not_found(world, desk, card_id):
    begun = begin(world)

    body = {"customerId": "alice", "paymentMethodId": card_id}
    assert world.refused("POST", SETUPS, by=ADMIN, body=body) == UNKNOWN_CARD
    path = f"{SETUPS}/{begun['id']}/confirm"
    assert world.refused("POST", path, by=ADMIN, body={"paymentMethodId": card_id}) == UNKNOWN_CARD


def test_another_customers_card_is_not_found(world, desk):
    theirs = attach(world, by=BOB)
    begun = begin(world)
    path = f"{SETUPS}/{begun['id']}/confirm"

    refusal = world.refused("POST", path, by=ADMIN, body={"paymentMethodId": theirs["id"]})

    assert refusal == UNKNOWN_CARD
    assert on_file(world) == []


def test_without_a_card_there_is_nothing_to_confirm(world, desk):
    begun = begin(world)

    refusal = world.refused("POST", f"{SETUPS}/{begun['id']}/confirm", by=ADMIN, body={})

    assert refusal == state("requires_payment_method")


def test_a_setup_is_given_up_once_and_for_all(world, desk):
    begun = begin(world, paymentMethodId="pm_card_visa")
    path = f"{SETUPS}/{begun['id']}"

    body = {"cancellationReason": "abandoned"}
    answers = [world.ask("POST", f"{path}/cancel", by=ADMIN, body=body) for _ in range(2)]

    gone = {**shown(begun), "status": "canceled", "paymentMethodId": Like(r"pm_\w{24}")}
    assert [(each.status, each.body) for each in answers] == [(200, gone)] * 2
    assert desk.found(f"setup_intents/{begun['id']}")["cancellation_reason"] == "abandoned"
    assert world.refused("POST", f"{path}/confirm", by=ADMIN, body={}) == state("canceled")


def test_what_has_succeeded_is_not_given_up(world, desk):
    begun = begin(world, paymentMethodId="pm_card_visa")
    world.ask("POST", f"{SETUPS}/{begun['id']}/confirm", by=ADMIN, body={})

    refusal = world.refused("POST", f"{SETUPS}/{begun['id']}/cancel", by=ADMIN, body={})

    assert refusal == state("succeeded")
    assert on_file(world) == [("4242", True)]


@pytest.mark.parametrize("by", [OTHER_ADMIN, TEST_ADMIN], ids=["another org", "test mode"])
def test_a_setup_of_another_org_or_mode_is_as_unknown_as_nobodys(world, desk, by):
    """Both are one account of Stripe's here: what keeps them apart is what is written beside."""
    begun = begin(world, paymentMethodId="pm_card_visa")

    for setup_id in (begun["id"], "seti_nobodys", "pm_1", "a..b"):
        path = f"{SETUPS}/{setup_id}"
        assert world.refused("GET", path, by=by) == NOT_FOUND
        assert world.refused("POST", f"{path}/confirm", by=by, body={}) == NOT_FOUND
        assert world.refused("POST", f"{path}/cancel", by=by, body={}) == NOT_FOUND

    assert world.get(f"{SETUPS}/{begun['id']}", by=ADMIN) == {
        **shown(begun),
        "paymentMethodId": Like(r"pm_\w{24}"),
    }


def test_setups_are_for_admins(world, desk):
    begun = begin(world)
    path = f"{SETUPS}/{begun['id']}"

    for method, place, body in [
        ("POST", SETUPS, {"customerId": "alice"}),
        ("GET", path, None),
        ("POST", f"{path}/confirm", {}),
        ("POST", f"{path}/cancel", {}),
    ]:
        assert world.refused(method, place, body=body)[:2] == (403, "forbidden")


def test_a_replay_of_each_write_is_the_first_answer_byte_for_byte(world, desk):
    body = {"customerId": "acme/alice", "paymentMethodId": attach(world)["id"]}
    first = world.ask("POST", SETUPS, by=ADMIN, body=body, key="begin")
    path = f"{SETUPS}/{first.body['id']}"
    tried = [
        ("begin", SETUPS, body),
        ("confirm", f"{path}/confirm", {}),
        ("begin", SETUPS, body),
        ("cancel", f"{SETUPS}/{begin(world)['id']}/cancel", {}),
    ]
    answers = {"begin": first}
    for key, place, asked in tried:
        answer = answers.setdefault(key, world.ask("POST", place, by=ADMIN, body=asked, key=key))
        world.start_anew()
        mark = world.mark()

        again = world.ask("POST", place, by=ADMIN, body=asked, key=key)

        assert (again.status, again.text, again.replayed) == (answer.status, answer.text, True)
        assert world.written_since(mark) == []


def test_while_stripe_is_down_nothing_can_be_said_of_a_setup(world, desk):
    begun = begin(world)
    path = f"{SETUPS}/{begun['id']}"
    desk.fails(kind="close", times=50)

    for method, place, body in [
        ("POST", SETUPS, {"customerId": "alice"}),
        ("GET", path, None),
        ("POST", f"{path}/confirm", {}),
        ("POST", f"{path}/cancel", {}),
    ]:
        refusal = world.refused(method, place, by=ADMIN, body=body)
        assert refusal[:2] == (502, "stripe_unavailable")


def test_no_number_of_a_card_and_no_client_secret_is_kept_or_logged(world, desk, caplog, capfd):
    begun = begin(world)
    body = {"paymentMethodId": "pm_card_visa"}
    world.ask("POST", f"{SETUPS}/{begun['id']}/confirm", by=ADMIN, body=body)
    later = world.ask("GET", f"{SETUPS}/{begun['id']}", by=ADMIN).text

    told = repr(world.items()) + caplog.text + "".join(capfd.readouterr()) + later
    assert begun["clientSecret"] not in told
    assert not any(number in told for number in NUMBERS)
