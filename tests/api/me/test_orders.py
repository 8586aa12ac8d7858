"""Orders: `/v1/me/wallet/orders`."""

import pytest

from holdfast.services import payments
from tests.api.agents.test_funding import charges
from tests.api.cards import attach
from tests.api.checkout import confirms
from tests.api.world import BOB, TEST_ALICE, ZOE, Like, Refusal
from tests.http.events import ADMIN, ALICE

ORDERS = "/v1/me/wallet/orders"
ORDER_ID = Like(r"ord_[0-9a-z]{36}_usd")
NOON = "2026-11-21T12:00:00.000Z"
NOT_ENABLED = Refusal(409, "subscriptions_not_enabled", None, {})
NOT_REFUNDABLE = Refusal(409, "order_not_refundable", None, {})
NO_CARD = Refusal(404, "payment_method_not_found", None, {})
UNKNOWN = Refusal(404, "payment_not_found", None, {})


def order(world, card=None, plan="credits-10", *, key="k1", by=ALICE, **more):
    """A plan bought by a card on file; by a new one, if none is named."""
    card = card or attach(world, by=by)["id"]
    body = {"payment_method_id": card, "plan_id": plan, "idempotency_key": key, **more}
    return world.ask("POST", ORDERS, by=by, body=body)


def give_back(world, order_id, *, by=ALICE, key=None):
    return world.ask("POST", f"{ORDERS}/{order_id}/refund", by=by, key=key)


def listed(world, *, by=ALICE, **query):
    return world.get(ORDERS, by=by, query=query)["data"]


def made(world, count=3, plans=("credits-10", "credits-50", "credits-10")):
    """The ids of some orders, a second apart, the oldest first."""
    card = attach(world)["id"]
    ids = []
    for number, plan in zip(range(count), plans, strict=False):
        ids.append(order(world, card, plan, key=f"k{number}").body["id"])
        world.wait(seconds=1)
    return ids


def ids_of(world, **query):
    return [each["id"] for each in listed(world, **query)]


# --- Buying ---------------------------------------------------------------------------------------


def test_a_plan_is_paid_and_its_money_is_in_the_wallet(world):
    card = attach(world)["id"]

    answer = order(world, card)

    assert answer.status == 201
    assert answer.body == {
        "id": ORDER_ID,
        "plan_id": "credits-10",
        "status": "succeeded",
        "currency": "usd",
        "amount": 1000,
        "is_refundable": True,
        "payment_method_id": card,
        "created_at": NOON,
        "refunded_at": None,
        "payment_intent_id": Like(r"pi_\w{24}"),
    }
    assert (world.cents(), charges(world)) == ((2000, 0), [1000])
    shown = {name: told for name, told in answer.body.items() if name != "payment_intent_id"}
    assert listed(world) == [shown]


@pytest.mark.parametrize(
    ("plan", "cents"), [("credits-10", 1000), ("credits-50", 5000), ("credits-100", 10_000)]
)
def test_each_plan_costs_its_price(world, plan, cents):
    assert order(world, plan=plan).body["amount"] == cents
    assert charges(world) == [cents]


@pytest.mark.parametrize(
    ("amount", "status"),
    [(499, 422), (500, 201), (501, 201), (999_999, 201), (1_000_000, 201), (1_000_001, 422)],
)
def test_a_buyer_names_the_amount_within_the_bounds_of_the_plan(world, amount, status):
    answer = order(world, plan="credits-custom", amount=amount)

    assert answer.status == status
    if status == 201:
        assert (answer.body["amount"], charges(world)) == (amount, [amount])
    else:
        assert (answer.refusal.param, listed(world), charges(world)) == ("amount", [], [])


@pytest.mark.parametrize(
    ("plan", "more"),
    [
        ("credits-custom", {}),
        ("credits-custom", {"amount": None}),
        ("credits-custom", {"amount": 0}),
        ("credits-custom", {"amount": -500}),
        ("credits-custom", {"amount": 10**30}),
        ("credits-10", {"amount": 1000}),
        ("credits-10", {"amount": 1}),
    ],
)
def test_an_amount_that_is_not_the_plans_is_refused_by_name(world, plan, more):
    body = {"plan_id": plan, "payment_method_id": attach(world)["id"], **more}

    refusal = world.refused("POST", ORDERS, body={**body, "idempotency_key": "k1"})

    assert (refusal.status, refusal.param) == (422, "amount")


@pytest.mark.parametrize("plan", ["pro", "developer", "dns-free", "enterprise"])
def test_plans_that_are_paid_again_and_again_are_not_sold_yet(world, plan):
    body = {"plan_id": plan, "payment_method_id": attach(world)["id"], "idempotency_key": "k1"}

    assert world.refused("POST", ORDERS, body=body) == NOT_ENABLED
    assert charges(world) == []


def test_a_plan_that_there_is_not_is_not_found(world):
    body = {"plan_id": "nothing", "payment_method_id": attach(world)["id"], "idempotency_key": "k"}

    assert world.refused("POST", ORDERS, body=body) == Refusal(404, "plan_not_found", None, {})


@pytest.mark.parametrize("card", ["pm_nobodys", "pm_card_visa", "cus_1"])
def test_a_card_that_is_not_on_file_is_not_found(world, card):
    attach(world)
    body = {"plan_id": "credits-10", "payment_method_id": card, "idempotency_key": "k1"}

    assert world.refused("POST", ORDERS, body=body) == NO_CARD
    assert listed(world) == []


def test_somebody_elses_card_buys_nothing(world):
    card = attach(world)["id"]
    body = {"plan_id": "credits-10", "payment_method_id": card, "idempotency_key": "k1"}

    for by in (BOB, ADMIN, ZOE):
        assert world.refused("POST", ORDERS, by=by, body=body) == NO_CARD
    assert charges(world) == []


@pytest.mark.parametrize("key", [None, "", "a b", "x" * 256])
def test_a_key_has_to_be_in_the_body(world, key):
    body = {"plan_id": "credits-10", "payment_method_id": attach(world)["id"]}
    told = {} if key is None else {"idempotency_key": key}

    refusal = world.refused("POST", ORDERS, body={**body, **told})

    assert refusal.status == 422
    assert refusal.code == ("invalid_field" if key is None else "idempotency_key_invalid")


def test_the_same_key_is_the_same_order_whatever_has_become_of_it(world):
    card = attach(world)["id"]
    first = order(world, card)
    give_back(world, first.body["id"])
    world.wait(days=30)

    again = order(world, card)

    assert (again.status, again.text, again.replayed) == (201, first.text, True)
    assert charges(world) == [1000]


@pytest.mark.parametrize(
    "more", [{"plan": "credits-50"}, {"plan": "credits-custom", "amount": 700}]
)
def test_a_key_is_good_for_one_plan(world, more):
    card = attach(world)["id"]
    order(world, card)

    assert order(world, card, **more).refusal[:2] == (422, "idempotency_key_reused")
    assert charges(world) == [1000]


# --- Declined, or challenged ----------------------------------------------------------------------


def test_a_declined_order_is_kept_as_failed_and_is_the_answer_to_its_key(world):
    card = attach(world, "pm_card_chargeCustomerFail")["id"]

    answers = [order(world, card) for _ in range(2)]

    assert answers[0].refusal[:2] == (402, "payment_declined")
    assert answers[0].text == answers[1].text
    (kept,) = listed(world)
    assert (kept["status"], kept["is_refundable"], kept["amount"]) == ("failed", False, 1000)
    assert (world.cents(), charges(world)) == ((1000, 0), [])
    assert give_back(world, kept["id"]).refusal == NOT_REFUNDABLE


def test_after_a_decline_another_key_is_another_order(world):
    order(world, attach(world, "pm_card_chargeCustomerFail")["id"])

    assert order(world, key="k2").status == 201
    assert [each["status"] for each in listed(world)].count("failed") == 1


def test_an_order_that_has_to_be_confirmed_waits_for_it(world):
    card = attach(world, "pm_card_authenticationRequired")["id"]
    answer = order(world, card)
    intent_id = answer.body["payment_intent_id"]

    assert (answer.status, answer.body["status"]) == (202, "requires_action")
    assert answer.body["client_secret"] == Like(r"pi_\w{24}_secret_\w+")
    assert [each["status"] for each in listed(world)] == ["requires_action"]
    confirms(world, intent_id)
    for _ in range(3):
        payments.fulfil(world.store, world.stripes, "live", intent_id, now=world.now)
    assert [each["status"] for each in listed(world)] == ["succeeded"]
    assert (order(world, card).status, world.cents()) == (201, (2000, 0))


# --- Giving back ----------------------------------------------------------------------------------


def test_an_order_is_given_back_to_its_card(world):
    bought = order(world).body

    answer = give_back(world, bought["id"])

    assert answer.status == 200
    del bought["payment_intent_id"]
    told = {**bought, "status": "refunded", "is_refundable": False, "refunded_at": NOON}
    refund = {"id": Like(r"ref_[0-9a-z]{36}_usd"), "amount": 1000, "status": "succeeded"}
    assert answer.body == {**told, "refund": refund}
    assert listed(world) == [told]
    assert world.cents() == (1000, 0)
    (made_there,) = world.provider.counter("live").every("refund")
    assert made_there["amount"] == 1000


def test_an_order_is_given_back_once(world):
    order_id = order(world).body["id"]
    first = give_back(world, order_id, key="back")

    again = give_back(world, order_id, key="back")
    other = give_back(world, order_id)

    assert (again.status, again.text, again.replayed) == (200, first.text, True)
    assert other.refusal == NOT_REFUNDABLE
    assert (world.cents(), len(list(world.provider.counter("live").every("refund")))) == (
        (1000, 0),
        1,
    )


@pytest.mark.parametrize(
    ("passed", "is_refundable"),
    [
        ({"days": 13, "hours": 23}, True),
        ({"days": 14}, False),
        ({"days": 14, "seconds": 1}, False),
    ],
)
def test_an_order_can_be_given_back_for_a_fortnight(world, passed, is_refundable):
    order_id = order(world).body["id"]

    world.wait(**passed)

    assert [each["is_refundable"] for each in listed(world)] == [is_refundable]
    answer = give_back(world, order_id)
    assert answer.status == (200 if is_refundable else 409)
    if not is_refundable:
        assert answer.refusal == NOT_REFUNDABLE


@pytest.mark.parametrize(("spent", "is_refundable"), [(999, True), (1000, True), (1001, False)])
def test_an_order_can_be_given_back_while_all_of_its_money_is_there(world, spent, is_refundable):
    order_id = order(world).body["id"]

    # Credit goes first: of it there are ten dollars.
    world.use(spent)

    assert [each["is_refundable"] for each in listed(world)] == [is_refundable]
    assert give_back(world, order_id).status == (200 if is_refundable else 409)


def test_money_that_is_held_is_not_there(world):
    order_id = order(world).body["id"]
    world.hold(1001)

    assert give_back(world, order_id).refusal == NOT_REFUNDABLE
    assert [each["is_refundable"] for each in listed(world)] == [False]


def test_two_orders_share_what_is_there(world):
    first, second = made(world, 2, ("credits-10", "credits-10"))
    world.use(1500)

    assert [each["is_refundable"] for each in listed(world)] == [True, True]
    assert give_back(world, first).status == 200
    assert [each["is_refundable"] for each in listed(world)] == [False, False]
    assert give_back(world, second).refusal == NOT_REFUNDABLE


@pytest.mark.parametrize("by", [BOB, ADMIN, ZOE, TEST_ALICE], ids=lambda by: by["user"])
def test_somebody_elses_order_is_as_unknown_as_nobodys(world, by):
    order_id = order(world).body["id"]

    for named in (order_id, "ord_" + "0" * 36 + "_usd", "ord_1"):
        assert world.refused("POST", f"{ORDERS}/{named}/refund", by=by) == UNKNOWN
    assert listed(world)[0]["status"] == "succeeded"


def test_a_top_up_is_no_order(world):
    world.post(
        "/api/agents/v1/wallet/fund", body={"amount": 25, "payment_method_id": "pm_card_visa"}
    )
    (item,) = [each for each in world.items() if each["sk"] == {"S": "PAYMENT"}]
    payment_id = item["pk"]["S"].split("#")[-1]

    assert world.refused("POST", f"{ORDERS}/{payment_id}/refund") == UNKNOWN
    assert listed(world) == []


def test_a_refund_that_stripe_does_not_answer_is_pending_and_its_money_is_set_aside(world, desk):
    order_id = order(world).body["id"]
    desk.fails(kind="close", times=9)

    answer = give_back(world, order_id, key="back")

    assert (answer.status, answer.body["status"]) == (200, "refund_pending")
    assert answer.body["refund"]["status"] == "pending"
    desk.control("DELETE", "faults")
    assert [each["status"] for each in listed(world)] == ["refund_pending"]
    assert give_back(world, order_id, key="back").body["status"] == "refunded"
    assert (world.cents(), len(desk.listed("refunds"))) == ((1000, 0), 1)


# --- The list -------------------------------------------------------------------------------------


def test_without_orders_the_list_is_empty(world):
    assert world.get(ORDERS) == {"data": [], "has_more": False, "next_cursor": None}


def test_orders_are_listed_newest_first_or_as_it_is_said(world):
    one, two, three = made(world)

    assert ids_of(world) == [three, two, one]
    assert ids_of(world, order_by_desc="created_at") == [three, two, one]
    assert ids_of(world, order_by_asc="created_at") == [one, two, three]
    assert ids_of(world, order_by_asc="amount") == [one, three, two]
    assert ids_of(world, order_by_desc="amount") == [two, three, one]


@pytest.mark.parametrize("field", ["created_at", "amount"])
@pytest.mark.parametrize("way", ["order_by_asc", "order_by_desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_make_up_the_list(world, field, way, limit):
    made(world)
    whole = ids_of(world, **{way: field})
    found, query = [], {way: field, "limit": limit}
    while True:
        page = world.get(ORDERS, query=query)
        found += [each["id"] for each in page["data"]]
        assert len(page["data"]) <= limit
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        assert page["next_cursor"] == found[-1]
        query["after_public_id"] = found[-1]

    assert found == whole


def test_a_page_has_twenty_orders_unless_it_is_said_otherwise(world):
    made(world, 21, ("credits-10",) * 21)

    page = world.get(ORDERS)

    assert (len(page["data"]), page["has_more"]) == (20, True)


@pytest.mark.parametrize(("limit", "status"), [(0, 422), (1, 200), (100, 200), (101, 422)])
def test_a_page_has_one_to_a_hundred_orders(world, limit, status):
    assert world.ask("GET", ORDERS, query={"limit": limit}).status == status


@pytest.mark.parametrize(
    "query", [{"order_by_asc": "id"}, {"order_by_desc": ""}, {"order_by_asc": "plan_id"}]
)
def test_orders_are_sorted_by_what_there_is(world, query):
    refusal = world.refused("GET", ORDERS, query=query)

    assert (refusal.status, refusal.param) == (422, next(iter(query)))


def test_orders_are_sorted_one_way(world):
    query = {"order_by_asc": "amount", "order_by_desc": "amount"}

    assert world.refused("GET", ORDERS, query=query)[:3] == (422, "invalid_field", "order_by_asc")


def test_a_list_goes_on_behind_an_order_of_its_own(world):
    order_id = made(world, 1)[0]
    attach(world, by=BOB)

    for by, named in ((BOB, order_id), (ALICE, "ord_" + "0" * 36 + "_usd"), (ALICE, "x")):
        refusal = world.refused("GET", ORDERS, by=by, query={"after_public_id": named})
        assert refusal[:3] == (422, "invalid_field", "after_public_id")


def test_everybody_sees_their_own_orders(world):
    made(world, 1)

    for by in (BOB, ADMIN, ZOE, TEST_ALICE):
        assert listed(world, by=by) == []
