"""Pages that an agent forwards to a human: opened, paid, and credited once, whoever asks first."""

from itertools import permutations
from random import Random

import pytest

from holdfast.services import payments
from tests.api.agents.test_funding import FUND, charges, deposits, status_of
from tests.api.cards import attach
from tests.api.checkout import CARD, CHALLENGED, DECLINED, confirms, is_refused, pays, time_passes
from tests.api.world import BOB, PUBLIC_URL, TEST_ALICE, ZOE, Like, Refusal
from tests.http.events import ADMIN, ALICE

LINK = "/api/agents/v1/billing/payment-link"
CONFIRM = "/api/agents/v1/wallet/confirm-checkout"
RECONCILE = "/v1/billing/stripe/reconcile-checkout"
SESSION_ID = Like(r"cs_test_\w{24}")
UNKNOWN = Refusal(404, "payment_not_found", None, {})
NOT_ENABLED = Refusal(409, "subscriptions_not_enabled", None, {})


def link(world, amount=25, *, by=ALICE, key=None):
    """The id of a page to pay on."""
    body = {"purpose": "fund", "amount": amount}
    return world.post(LINK, by=by, body=body, key=key)["data"]["session_id"]


def confirm(world, session_id, *, by=ALICE):
    return world.ask("POST", CONFIRM, by=by, body={"session_id": session_id})


def session(world, session_id):
    return world.provider.counter("live").find("checkout.session", session_id)


# --- The link -------------------------------------------------------------------------------------


def test_a_link_is_told_in_the_envelope_and_beside_it(world):
    answer = world.ask("POST", LINK, body={"purpose": "fund", "amount": 25})

    assert answer.status == 201
    assert answer.data == {
        "payment_url": Like(r"https://checkout\.stripe\.com/c/pay/cs_test_\w+"),
        "session_id": SESSION_ID,
        "purpose": "fund",
        "amount": 25,
        "expires_at": "2026-11-22T12:00:00.000Z",
        "instructions": answer.data["instructions"],
    }
    assert {name: answer.body[name] for name in answer.data} == answer.data
    assert world.cents() == (1000, 0)


def test_the_page_sends_people_to_ours_with_the_id_of_the_session(world):
    session_id = link(world)

    assert session(world, session_id)["cancel_url"] == (
        f"{PUBLIC_URL}/checkout/success?outcome=canceled"
    )
    assert pays(world, session_id) == f"{PUBLIC_URL}/checkout/success?session_id={session_id}"


def test_without_a_card_funding_opens_a_page(world):
    answer = world.ask("POST", FUND, body={"amount": 25})

    assert answer.status == 200
    assert answer.data == {
        "message": answer.data["message"],
        "checkout_url": Like(r"https://checkout\.stripe\.com/c/pay/cs_test_\w+"),
        "session_id": SESSION_ID,
        "expires_at": "2026-11-22T12:00:00.000Z",
    }
    pays(world, answer.data["session_id"])
    assert confirm(world, answer.data["session_id"]).data["balance"] == 35


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"purpose": "fund"}, "amount"),
        ({"purpose": "fund", "amount": None}, "amount"),
        ({"purpose": "fund", "amount": 25, "plan_id": 1}, "plan_id"),
        ({"purpose": "give", "amount": 25}, "purpose"),
        ({"amount": 25}, "purpose"),
        ({"purpose": "fund", "amount": "25"}, "amount"),
        ({"purpose": "subscribe"}, "plan_id"),
        ({"purpose": "subscribe", "plan_id": 0}, "plan_id"),
        ({"purpose": "subscribe", "plan_id": 1, "amount": 25}, "amount"),
        ({"purpose": "subscribe", "plan_id": "credits-10"}, "plan_id"),
    ],
)
def test_what_is_wrong_with_a_link_is_told_by_name(world, body, param):
    refusal = world.refused("POST", LINK, body=body)

    assert (refusal.status, refusal.param.split(".")[0]) == (422, param)


@pytest.mark.parametrize("name", ["success_url", "cancel_url"])
def test_where_people_come_back_to_is_not_the_agents_choice(world, name):
    body = {"purpose": "fund", "amount": 25, name: "https://app.example.com/"}

    assert world.refused("POST", LINK, body=body) == Refusal(422, "unknown_field", name, {})


@pytest.mark.parametrize(
    ("amount", "status"),
    [("9.99", 422), ("10", 201), ("10.01", 201), ("10000.00", 201), ("10000.01", 422)],
)
@pytest.mark.parametrize("path", [LINK, FUND])
def test_a_page_is_for_ten_to_ten_thousand_dollars(world, path, amount, status):
    purpose = '"purpose":"fund",' if path == LINK else ""

    answer = world.ask("POST", path, body=f'{{{purpose}"amount":{amount}}}')

    assert answer.status == (200 if (path, status) == (FUND, 201) else status)


@pytest.mark.parametrize("plan_id", [1, 12, "pro", "enterprise", "developer"])
def test_subscriptions_are_not_sold_yet_and_nothing_is_opened(world, plan_id):
    body = {"purpose": "subscribe", "plan_id": plan_id}

    assert world.refused("POST", LINK, body=body) == NOT_ENABLED
    assert list(world.provider.counter("live").every("customer")) == []


@pytest.mark.parametrize("plan_id", [13, 10**6, "nothing"])
def test_a_plan_that_there_is_not_is_not_found(world, plan_id):
    body = {"purpose": "subscribe", "plan_id": plan_id}

    refusal = world.refused("POST", LINK, body=body)

    assert refusal == Refusal(404, "plan_not_found", None, {})


def test_where_nobody_knows_our_address_there_is_no_link(world):
    world.public_url = ""

    for path, body in ((LINK, {"purpose": "fund", "amount": 25}), (FUND, {"amount": 25})):
        assert world.ask("POST", path, body=body).status == 501
    assert list(world.provider.counter("live").every("customer")) == []


def test_the_same_key_is_the_same_page(world):
    answers = [
        world.ask("POST", LINK, body={"purpose": "fund", "amount": 25}, key="k1") for _ in range(2)
    ]

    texts = [each.text.replace(',"idempotency_replay":true', "") for each in answers]
    assert texts[0] == texts[1]
    assert [each.replayed for each in answers] == [False, True]
    assert len(list(world.provider.counter("live").every("checkout.session"))) == 1


def test_while_stripe_is_down_there_is_no_link_and_then_there_is_one(world, desk):
    attach(world)
    body = {"purpose": "fund", "amount": 25}
    desk.fails(kind="close", times=9)
    assert world.ask("POST", LINK, body=body, key="k1").status == 502
    desk.control("DELETE", "faults")

    assert world.ask("POST", LINK, body=body, key="k1").status == 201
    assert len(desk.listed("checkout/sessions")) == 1


# --- Confirming -----------------------------------------------------------------------------------


def test_until_it_is_paid_a_page_is_pending_and_asking_goes_on(world):
    session_id = link(world)

    for _ in range(3):
        answer = confirm(world, session_id)
        assert (answer.status, answer.data) == (
            202,
            {"status": "pending", "session_id": session_id},
        )
    pays(world, session_id)
    assert confirm(world, session_id).status == 200


def test_a_page_that_is_paid_is_confirmed_once_and_said_so_ever_after(world):
    session_id = link(world)
    pays(world, session_id)

    answers = [confirm(world, session_id) for _ in range(3)]

    told = {"status": "confirmed", "session_id": session_id, "amount": 25, "balance": 35}
    assert [(each.status, each.data) for each in answers] == [
        (200, {**told, "already_confirmed": False}),
        (200, {**told, "already_confirmed": True}),
        (200, {**told, "already_confirmed": True}),
    ]
    assert '"amount":25.00,"balance":35.00' in answers[0].text
    assert (world.cents(), charges(world)) == ((3500, 0), [2500])


def test_the_balance_that_is_told_is_the_one_now(world):
    session_id = link(world)
    pays(world, session_id)
    confirm(world, session_id)

    world.use(500)

    assert confirm(world, session_id).data["balance"] == 30


def test_a_card_that_is_declined_on_the_page_leaves_it_open(world):
    session_id = link(world)
    assert is_refused(world, session_id, number=DECLINED)
    world.wait(seconds=1)
    assert confirm(world, session_id).status == 202

    pays(world, session_id, number=CARD)

    assert confirm(world, session_id).data["balance"] == 35


def test_a_card_that_is_challenged_on_the_page_is_paid_once_its_owner_has_confirmed(world):
    session_id = link(world)
    pays(world, session_id, number=CHALLENGED)
    assert confirm(world, session_id).status == 202

    confirms(world, session(world, session_id)["payment_intent"])

    assert confirm(world, session_id).data["balance"] == 35


@pytest.mark.parametrize(
    ("hours", "minutes", "status"), [(23, 59, 202), (24, 0, 410), (24, 1, 410)]
)
def test_a_page_is_open_for_a_day(world, hours, minutes, status):
    session_id = link(world)

    time_passes(world, hours=hours, minutes=minutes)

    answer = confirm(world, session_id)
    assert answer.status == status
    if status == 410:
        assert answer.refusal == Refusal(410, "session_expired", None, {})


def test_a_page_that_was_paid_in_time_is_confirmed_whenever_somebody_asks(world):
    session_id = link(world)
    pays(world, session_id)

    time_passes(world, days=40)

    assert confirm(world, session_id).data["status"] == "confirmed"


@pytest.mark.parametrize("by", [BOB, ADMIN, ZOE, TEST_ALICE], ids=lambda by: by["user"])
def test_somebody_elses_page_is_as_unknown_as_nobodys_paid_or_not(world, by):
    session_id = link(world)
    for path in (CONFIRM, RECONCILE):
        assert world.refused("POST", path, by=by, body={"session_id": session_id}) == UNKNOWN
    pays(world, session_id)

    for path in (CONFIRM, RECONCILE):
        assert world.refused("POST", path, by=by, body={"session_id": session_id}) == UNKNOWN
    assert confirm(world, session_id).data["already_confirmed"] is False


@pytest.mark.parametrize(
    "session_id", ["cs_test_nothing", "cs_live_1", "pi_1", "x", "cs_test_1..2"]
)
def test_a_page_that_there_is_not_is_not_found(world, session_id):
    assert world.refused("POST", CONFIRM, body={"session_id": session_id}) == UNKNOWN


def test_a_page_on_which_a_card_is_saved_is_no_payment(world):
    opened = world.post("/v1/me/payment-methods", body={})

    assert confirm(world, opened["session_id"]).refusal == UNKNOWN


def test_a_card_that_paid_on_a_page_is_not_put_on_file(world):
    session_id = link(world)
    pays(world, session_id)
    confirm(world, session_id)

    assert world.get("/api/agents/v1/billing/payment-methods")["count"] == 0


# --- Whoever comes first --------------------------------------------------------------------------


def ways(world, session_id):
    """All the ways in which we hear that a page was paid."""
    intent_id = session(world, session_id)["payment_intent"]
    body = {"session_id": session_id}

    def fulfil(stripe_id):
        payments.fulfil(world.store, world.stripes, "live", stripe_id, now=world.now)

    return {
        "poll": lambda: status_of(world, intent_id),
        "confirm": lambda: world.post(CONFIRM, body=body),
        "reconcile": lambda: world.post(RECONCILE, body=body),
        "webhook of the session": lambda: fulfil(session_id),
        "webhook of the intent": lambda: fulfil(intent_id),
    }


@pytest.mark.parametrize(
    "order", list(permutations(range(5))), ids=lambda order: "".join(map(str, order))
)
def test_in_all_orders_and_repeated_there_is_one_credit(world, order):
    session_id = link(world)
    pays(world, session_id)
    named = list(ways(world, session_id).values())

    for place in (*order, *reversed(order)):
        named[place]()
        assert world.cents() == (3500, 0)

    assert (deposits(world), charges(world)) == ([2500], [2500])


@pytest.mark.parametrize("seed", range(5))
def test_a_hundred_confirms_among_all_else_are_one_credit(world, seed):
    session_id = link(world)
    pays(world, session_id)
    asked = [*ways(world, session_id).values()] * 5
    asked += [lambda: confirm(world, session_id)] * 100
    Random(seed).shuffle(asked)

    for one in asked:
        one()

    assert (world.cents(), deposits(world)) == ((3500, 0), [2500])


def test_two_pages_are_two_credits(world):
    for amount in (25, 10):
        session_id = link(world, amount)
        pays(world, session_id)
        confirm(world, session_id)

    assert (world.cents(), deposits(world)) == ((4500, 0), [2500, 1000])
