"""Refunds on the commerce surface: to the card, to the wallet, and those that Stripe tells of."""

from typing import Any

import pytest

from holdfast.services import refunds
from local.stripe import refunds as refunds_there
from tests.api.agents.test_funding import charges
from tests.api.cards import attach
from tests.api.commerce.test_payment_intents import (
    INTENT_ID,
    NOBODYS,
    NOON,
    aside,
    begin,
    look,
    lots,
    paid,
    state,
    statement,
    step,
)
from tests.api.keyed import keyed
from tests.api.world import BOB, OTHER_ADMIN, TEST_ADMIN, Like, Refusal
from tests.http.events import ADMIN, ALICE

REFUNDS = "/api/v1/billing/refunds"
REFUND_ID = Like(r"ref_[0-9a-z]{36}_usd")
UNKNOWN = Refusal(404, "payment_not_found", None, {})
METHODS = pytest.mark.parametrize("method", [None, "balance"], ids=["by card", "by balance"])


def give_back(world, of, cents=None, *, by=ADMIN, key=None, **more):
    """A refund of a payment, which is named by its id."""
    body = {"paymentIntentId": of, **({} if cents is None else {"amount": cents}), **more}
    return world.ask("POST", REFUNDS, by=by, body=body, key=key)


def refused(world, of, cents=None, *, by=ADMIN):
    body = {"paymentIntentId": of, **({} if cents is None else {"amount": cents})}
    return world.refused("POST", REFUNDS, by=by, body=body)


def exceeded(asked, refundable):
    details = {"asked": asked, "refundable": refundable, "currency": "usd"}
    return Refusal(422, "refund_exceeded", "amount", details)


def topped_up(world, cents=1000, *, card="pm_card_visa"):
    """A top-up by card: Stripe's id of it."""
    fund = {"amount": cents // 100, "payment_method_id": card}
    told = world.post("/api/agents/v1/wallet/fund", body=fund)["data"]
    return told["payment"]["payment_intent_id"]


def there(world):
    """The refunds at Stripe, oldest first: cents and states."""
    found = sorted(counter(world).every("refund"), key=lambda each: each["created"])
    return [(each["amount"], each["status"]) for each in found]


def counter(world):
    return world.provider.counter("live")


def hear(world, stripe_id):
    """What an event makes known of a refund, or of all refunds of a charge."""
    return refunds.take_in(world.store, world.stripes, "live", stripe_id, now=world.now)


def sent_back(world, refund):
    """The bank sends a refund back, and we hear of it, and hear of it again."""
    found = counter(world).find("refund", refund["providerRef"])
    refunds_there.fail(counter(world), found, "expired_or_canceled_card")
    for _ in range(2):
        hear(world, found["id"])


def on_the_dashboard(world, cents):
    """Somebody gives a charge back at Stripe, without a word to us; the id of the refund there."""
    (charge,) = counter(world).every("charge")
    made = refunds_there._refund(counter(world), charge, cents, {})
    return made["id"], charge["id"]


def read(world, refund, *, by=ADMIN):
    return world.get(f"{REFUNDS}/{refund['id']}", by=by)


def listed(world, *, by=ADMIN, **query):
    return world.get(REFUNDS, by=by, query={"customerId": "acme/alice", **query})["refunds"]


# --- Of a purchase --------------------------------------------------------------------------------


def test_a_purchase_by_card_goes_back_to_its_card(world):
    bought = paid(world)

    answer = give_back(world, bought["id"], reason="requested_by_customer")

    assert answer.status == 201
    assert answer.body == {
        "id": REFUND_ID,
        "amount": 500,
        "currency": "usd",
        "status": "succeeded",
        "paymentIntentId": bought["id"],
        "reason": "requested_by_customer",
        "providerRef": Like(r"re_\w{24}"),
        "created": NOON,
    }
    assert read(world, answer.body) == answer.body
    assert (there(world), world.cents()) == ([(500, "succeeded")], (1000, 0))
    assert look(world, bought) == {**bought, "amountRefunded": 500}
    assert statement(world)[0] == ("card_refund", 500)


def test_a_purchase_by_balance_goes_back_to_the_wallet(world):
    bought = paid(world, "balance")

    answer = give_back(world, bought["id"], reason="duplicate")

    assert answer.status == 201
    assert answer.body == {
        "id": REFUND_ID,
        "amount": 500,
        "currency": "usd",
        "status": "succeeded",
        "paymentIntentId": bought["id"],
        "reason": "duplicate",
        "created": NOON,
    }
    assert (there(world), world.cents()) == ([], (1000, 0))
    assert look(world, bought)["amountRefunded"] == 500
    assert statement(world)[0] == ("refund", 500)


def test_what_the_wallet_paid_goes_back_to_the_very_same_lots(world):
    body = {"userId": "alice", "amountCents": 300, "expiresIn": "48h"}
    world.post("/api/v1/billing/credit-grants", by=ADMIN, body=body)
    world.deposit(2000)
    before = lots(world)
    bought = paid(world, "balance", cents=1500)
    assert (lots(world), world.cents()) == ({}, (1800, 0))

    # What was drawn first goes back first: the grant that ends.
    give_back(world, bought["id"], 200)
    assert list(lots(world).values()) == [200]
    give_back(world, bought["id"])

    assert (lots(world), world.cents()) == (before, (3300, 0))


def test_credit_that_is_over_by_then_does_not_come_back(world):
    body = {"userId": "alice", "amountCents": 300, "expiresIn": "48h"}
    world.post("/api/v1/billing/credit-grants", by=ADMIN, body=body)
    bought = paid(world, "balance", cents=300)
    world.wait(hours=48)

    told = give_back(world, bought["id"]).body

    assert (told["status"], told["amount"]) == ("succeeded", 300)
    assert world.cents() == (1000, 0)


@METHODS
def test_a_purchase_that_was_captured_in_part_goes_back_as_far(world, method):
    bought = aside(world, method)
    step(world, bought, "capture", amountToCapture=300)

    assert refused(world, bought["id"], 301) == exceeded(301, 300)
    assert give_back(world, bought["id"]).body["amount"] == 300
    assert world.cents() == (1000, 0)


@METHODS
def test_a_purchase_goes_back_in_parts_and_never_more_than_came_in(world, method):
    bought = paid(world, method)

    for cents in (1, 199, 300):
        world.wait(seconds=1)
        assert give_back(world, bought["id"], cents).body["amount"] == cents

    assert refused(world, bought["id"], 1).status == 422
    assert refused(world, bought["id"]).code == "refund_exceeded"
    assert look(world, bought)["amountRefunded"] == 500
    assert [each["amount"] for each in listed(world)] == [300, 199, 1]
    assert world.cents() == (1000, 0)


@METHODS
@pytest.mark.parametrize(("cents", "fits"), [(299, True), (300, True), (301, False)])
def test_what_is_left_is_what_can_be_given_back(world, method, cents, fits):
    bought = paid(world, method)
    give_back(world, bought["id"], 200)

    if fits:
        assert give_back(world, bought["id"], cents).status == 201
        return
    assert refused(world, bought["id"], cents) == exceeded(301, 300)
    assert look(world, bought)["amountRefunded"] == 200


@METHODS
@pytest.mark.parametrize("amount", [None, 0])
def test_without_an_amount_all_that_is_left_goes_back(world, method, amount):
    bought = paid(world, method)
    give_back(world, bought["id"], 200)

    assert give_back(world, bought["id"], amount).body["amount"] == 300


@pytest.mark.parametrize(("method", "code"), [(None, "not_refundable"), ("balance", None)])
def test_what_went_back_as_a_transaction_does_not_go_back_as_a_payment_too(world, method, code):
    bought = paid(world, method)
    newest = world.get("/v1/billing/entries")["data"][0]["id"]
    body = {"user": "acme/alice", "amount": 400, "originalTransactionId": newest}

    answer = world.ask("POST", "/api/v1/billing/refund", by=ADMIN, body=body)

    if code:
        assert answer.refusal.code == code
        assert give_back(world, bought["id"]).body["amount"] == 500
        return
    assert (answer.status, world.cents()) == (201, (900, 0))
    assert refused(world, bought["id"], 101) == exceeded(101, 100)
    assert give_back(world, bought["id"], 100).status == 201
    assert world.cents() == (1000, 0)


def test_a_negative_amount_is_refused(world):
    bought = paid(world)

    assert refused(world, bought["id"], -1)[:3] == (422, "invalid_field", "amount")


@pytest.mark.parametrize("how", ["begun", "aside", "balance aside", "canceled", "declined"])
def test_what_is_not_paid_is_not_given_back(world, how):
    card = attach(world)["id"]
    if how == "begun":
        made = begin(world, paymentMethodId=card)
    elif how == "declined":
        made = begin(world, paymentMethodId=attach(world, "pm_card_chargeCustomerFail")["id"])
        step(world, made, "confirm")
    else:
        made = aside(world, "balance" if how.startswith("balance") else card)
        if how == "canceled":
            step(world, made, "cancel")

    status = {
        "begun": "pending",
        "declined": "failed",
        "canceled": "canceled",
    }.get(how, "requires_capture")
    assert refused(world, made["id"]) == state(status)
    assert there(world) == []


# --- Of a top-up ----------------------------------------------------------------------------------


def test_a_top_up_is_named_by_stripes_id_of_it_and_leaves_the_wallet(world):
    intent_id = topped_up(world)
    assert world.cents() == (2000, 0)

    told = give_back(world, intent_id, 400).body

    assert (told["amount"], told["status"]) == (400, "succeeded")
    assert told["paymentIntentId"] == Like(r"pay_[0-9a-z]{36}_usd")
    assert (there(world), world.cents()) == ([(400, "succeeded")], (1600, 0))
    assert statement(world)[0] == ("card_refund", 400)


@pytest.mark.parametrize("name", ["ours", "Stripe's"])
def test_a_purchase_is_named_by_either_id(world, name):
    bought = paid(world)
    assert bought["providerRef"] == INTENT_ID

    told = give_back(world, bought["id" if name == "ours" else "providerRef"]).body

    assert told["paymentIntentId"] == bought["id"]


@pytest.mark.parametrize(("cents", "fits"), [(399, True), (400, True), (401, False)])
def test_of_a_top_up_that_was_spent_what_is_there_goes_back(world, cents, fits):
    intent_id = topped_up(world)
    # Ten dollars of credit go first.
    world.use(1600)

    if fits:
        assert give_back(world, intent_id, cents).status == 201
        assert world.cents() == (400 - cents, 0)
        return
    assert refused(world, intent_id, cents) == exceeded(401, 400)
    assert refused(world, intent_id) == exceeded(1000, 400)
    assert (there(world), world.cents()) == ([], (400, 0))


def test_cash_that_is_held_does_not_go_back(world):
    intent_id = topped_up(world)
    world.hold(1700)

    assert refused(world, intent_id) == exceeded(1000, 300)
    assert give_back(world, intent_id, 300).status == 201
    assert world.cents() == (1700, 1700)


def test_credit_is_no_cash_to_give_back(world):
    intent_id = topped_up(world)
    world.post("/api/v1/billing/withdraw", by=ADMIN, body={"user": "acme/alice", "amount": 1000})
    assert world.cents() == (1000, 0)

    assert refused(world, intent_id) == exceeded(1000, 0)


def test_a_refund_is_not_given_back(world):
    refund = give_back(world, paid(world)["id"], 100).body

    assert refused(world, refund["id"]) == state("succeeded")


# --- At once --------------------------------------------------------------------------------------


def raced(world, of, first, second):
    """Two refunds at once: the second is made while the first is about to be written."""
    answers = []

    def meanwhile(*args, **kwargs):
        del world.simulator.transact_write_items
        answers.append(give_back(world, of, second))
        return world.simulator.transact_write_items(*args, **kwargs)

    world.simulator.transact_write_items = meanwhile
    answers.append(give_back(world, of, first))
    return answers


@METHODS
@pytest.mark.parametrize(("first", "second", "fit"), [(300, 200, True), (301, 200, False)])
def test_two_refunds_at_once_are_never_more_than_came_in(world, method, first, second, fit):
    bought = paid(world, method)

    answers = raced(world, bought["id"], first, second)

    assert [answer.status for answer in answers] == [201, 201 if fit else 422]
    if not fit:
        assert answers[1].refusal == exceeded(301, 300)
    given = 500 if fit else 200
    assert look(world, bought)["amountRefunded"] == given
    assert sum(cents for cents, _ in there(world)) == (0 if method else given)


def test_two_refunds_of_a_top_up_at_once_never_take_more_than_is_there(world):
    intent_id = topped_up(world)
    world.use(1500)

    answers = raced(world, intent_id, 300, 300)

    assert [answer.status for answer in answers] == [201, 422]
    assert answers[1].refusal == exceeded(300, 200)
    assert (there(world), world.cents()) == ([(300, "succeeded")], (200, 0))


# --- The same again -------------------------------------------------------------------------------


@METHODS
def test_a_refund_is_made_once_for_its_key(world, method):
    bought = paid(world, method)
    first = give_back(world, bought["id"], 200, key="k1")
    give_back(world, bought["id"], 300, key="k2")
    world.start_anew()
    world.wait(days=400)
    mark = world.mark()

    again = give_back(world, bought["id"], 200, key="k1")
    other = give_back(world, bought["id"], 201, key="k1")

    assert (again.status, again.text, again.replayed) == (201, first.text, True)
    assert other.refusal == Refusal(422, "idempotency_key_reused", None, {})
    assert world.written_since(mark) == []
    assert len(listed(world)) == 2


def test_a_refund_that_was_sent_back_since_is_answered_as_it_was(world):
    intent_id = topped_up(world)
    first = give_back(world, intent_id, 400, key="k1")
    world.wait(seconds=1)
    sent_back(world, first.body)
    assert read(world, first.body)["status"] == "failed"

    again = give_back(world, intent_id, 400, key="k1")

    assert (again.status, again.text, again.replayed) == (201, first.text, True)
    assert world.cents() == (2000, 0)


@METHODS
def test_all_that_was_left_is_the_same_when_nothing_is_left_any_more(world, method):
    bought = paid(world, method)
    give_back(world, bought["id"], 200)
    first = give_back(world, bought["id"], key="k1")

    again = give_back(world, bought["id"], key="k1")

    assert (again.text, again.replayed, again.body["amount"]) == (first.text, True, 300)


# --- What the bank, and Stripe, make of it --------------------------------------------------------


def test_a_refund_that_the_bank_sends_back_is_in_the_wallet_again(world):
    intent_id = topped_up(world)
    refund = give_back(world, intent_id, 400).body
    assert world.cents() == (1600, 0)

    sent_back(world, refund)

    told = read(world, refund)
    assert (told["status"], told["failureReason"]) == ("failed", "expired_or_canceled_card")
    assert world.cents() == (2000, 0)
    assert statement(world)[0] == ("card_refund_failed", 400)
    # What came back can go to the card again.
    assert give_back(world, intent_id).body["amount"] == 1000


def test_a_refund_of_a_purchase_that_the_bank_sends_back_stays_with_the_house(world):
    bought = paid(world)
    refund = give_back(world, bought["id"]).body

    sent_back(world, refund)

    assert read(world, refund)["status"] == "failed"
    assert (look(world, bought)["amountRefunded"], world.cents()) == (0, (1000, 0))
    assert give_back(world, bought["id"]).body["amount"] == 500


def test_a_refund_is_pending_while_the_bank_thinks(world):
    card = attach(world, "pm_card_pendingRefund")["id"]
    refund = give_back(world, paid(world, card)["id"]).body
    assert refund["status"] == "pending"

    world.wait(seconds=61)
    refunds_there.settle(counter(world))
    hear(world, refund["providerRef"])

    assert read(world, refund)["status"] == "succeeded"


def test_a_refund_that_stripe_refuses_takes_nothing(world):
    intent_id = topped_up(world)
    (charge,) = counter(world).every("charge")
    charge["disputed"] = True

    answer = give_back(world, intent_id, 400, key="k1")

    assert answer.refusal == Refusal(409, "refund_refused", None, {})
    assert world.cents() == (2000, 0)
    again = give_back(world, intent_id, 400, key="k1")
    assert (again.status, again.text) == (409, answer.text)
    assert there(world) == []


def test_a_refund_that_stripe_does_not_answer_is_pending_and_goes_on(world, desk):
    bought = paid(world)
    desk.fails(kind="close", times=9)

    first = give_back(world, bought["id"], key="k1")

    assert (first.status, first.body["status"]) == (201, "pending")
    assert look(world, bought)["amountRefunded"] == 500
    desk.control("DELETE", "faults")
    again = give_back(world, bought["id"], key="k1")
    assert (again.body["status"], len(desk.listed("refunds"))) == ("succeeded", 1)


# --- Made on Stripe's own pages -------------------------------------------------------------------


@pytest.mark.parametrize("told_of", ["refund", "charge"])
def test_a_refund_that_was_made_at_stripe_leaves_the_wallet_once(world, told_of):
    intent_id = topped_up(world)
    refund_id, charge_id = on_the_dashboard(world, 400)

    for _ in range(3):
        hear(world, refund_id if told_of == "refund" else charge_id)

    (told,) = listed(world)
    assert (told["amount"], told["status"], told["providerRef"]) == (400, "succeeded", refund_id)
    assert world.cents() == (1600, 0)
    assert refused(world, intent_id, 601) == exceeded(601, 600)


@pytest.mark.parametrize(("spent", "left"), [(1599, 1), (1600, 0), (1601, -1), (2000, -400)])
def test_what_was_given_back_at_stripe_may_leave_a_debt_that_the_next_deposit_pays(
    world, spent, left
):
    topped_up(world)
    world.use(spent)
    refund_id, _ = on_the_dashboard(world, 400)

    hear(world, refund_id)

    query = {"user": "acme/alice"}
    owed = world.get("/api/v1/billing/balance", by=ADMIN, query=query)
    assert owed["balance"] == left
    world.deposit(500)
    assert world.cents() == (500 + left, 0)


def test_a_purchase_that_was_given_back_at_stripe_leaves_the_wallet_alone(world):
    bought = paid(world)
    refund_id, _ = on_the_dashboard(world, 500)

    hear(world, refund_id)

    assert (look(world, bought)["amountRefunded"], world.cents()) == (500, (1000, 0))
    assert refused(world, bought["id"]).code == "refund_exceeded"


def test_a_refund_made_at_stripe_that_is_sent_back_is_in_the_wallet_again(world):
    topped_up(world)
    refund_id, _ = on_the_dashboard(world, 400)
    hear(world, refund_id)

    sent_back(world, {"providerRef": refund_id})

    assert [each["status"] for each in listed(world)] == ["failed"]
    assert world.cents() == (2000, 0)


def test_a_refund_that_was_sent_back_before_anybody_heard_of_it_changes_nothing(world):
    topped_up(world)
    refund_id, _ = on_the_dashboard(world, 400)

    sent_back(world, {"providerRef": refund_id})

    assert [each["status"] for each in listed(world)] == ["failed"]
    assert world.cents() == (2000, 0)


# --- Lists ----------------------------------------------------------------------------------------


def test_refunds_are_listed_by_customer_and_by_payment_newest_first(world):
    first, second = paid(world), paid(world, "balance")
    made = []
    for of, cents in ((first, 10), (second, 20), (first, 30)):
        world.wait(seconds=1)
        made.append(give_back(world, of["id"], cents).body)

    assert listed(world) == made[::-1]
    assert listed(world, paymentIntentId=first["id"]) == [made[2], made[0]]
    assert listed(world, paymentIntentId=first["providerRef"]) == [made[2], made[0]]
    assert listed(world, paymentIntentId=second["id"]) == [made[1]]
    assert listed(world, customerId="acme/bob") == []


def test_a_refund_made_at_stripe_in_the_very_same_second_is_listed_too(world):
    # Stripe counts in whole seconds.
    world.wait(milliseconds=900)
    intent_id = topped_up(world)
    refund_id, _ = on_the_dashboard(world, 400)
    hear(world, refund_id)

    assert [each["amount"] for each in listed(world)] == [400]
    assert [each["amount"] for each in listed(world, paymentIntentId=intent_id)] == [400]


@pytest.mark.parametrize("of_payment", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_pages_make_up_the_list(world, of_payment, limit):
    bought, other = paid(world), paid(world, "balance")
    for cents in range(1, 6):
        world.wait(seconds=1)
        give_back(world, bought["id"], cents)
        give_back(world, other["id"], cents)
    query = {"paymentIntentId": bought["id"]} if of_payment else {"customerId": "alice"}
    whole = world.get(REFUNDS, by=ADMIN, query=query)["refunds"]
    assert len(whole) == (5 if of_payment else 10)

    found: list[Any] = []
    cursor = None
    while not found or cursor is not None:
        asked = {**query, "limit": limit, **({"cursor": cursor} if cursor else {})}
        page = world.get(REFUNDS, by=ADMIN, query=asked)
        assert page["count"] == len(page["refunds"]) <= limit
        found, cursor = found + page["refunds"], page["nextCursor"]

    assert found == whole


def test_a_cursor_is_good_for_its_own_list(world):
    bought = paid(world)
    for cents in (1, 2):
        give_back(world, bought["id"], cents)
    query = {"customerId": "alice", "limit": 1}
    cursor = world.get(REFUNDS, by=ADMIN, query=query)["nextCursor"]

    for other in ({"customerId": "bob"}, {"paymentIntentId": bought["id"]}):
        refusal = world.refused("GET", REFUNDS, by=ADMIN, query={**other, "cursor": cursor})
        assert refusal[:3] == (422, "invalid_cursor", "cursor")


def test_no_invoice_was_paid_so_none_was_refunded(world):
    give_back(world, paid(world)["id"])

    empty = {"refunds": [], "count": 0, "nextCursor": None}
    assert world.get(REFUNDS, by=ADMIN, query={"invoiceId": "inv_1"}) == empty
    refusal = world.refused("POST", REFUNDS, by=ADMIN, body={"invoiceId": "inv_1"})
    assert refusal[:3] == (422, "invalid_field", "invoiceId")


def test_a_payment_has_to_be_named(world):
    refusal = world.refused("POST", REFUNDS, by=ADMIN, body={"amount": 10})

    assert refusal[:3] == (422, "invalid_field", "paymentIntentId")


# --- Who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [OTHER_ADMIN, TEST_ADMIN], ids=["another org", "test mode"])
def test_a_payment_and_a_refund_of_another_org_or_mode_are_as_unknown_as_nobodys(world, by):
    bought = paid(world)
    refund = give_back(world, bought["id"], 100).body

    for named in (bought["id"], bought["providerRef"], refund["id"], NOBODYS, "pi_nobodys"):
        assert refused(world, named, by=by) == UNKNOWN
        query = {"paymentIntentId": named}
        assert world.refused("GET", REFUNDS, by=by, query=query) == UNKNOWN
        assert world.refused("GET", f"{REFUNDS}/{named}", by=by) == UNKNOWN
    assert look(world, bought)["amountRefunded"] == 100


def test_a_payment_is_no_refund(world):
    bought = paid(world)

    assert world.refused("GET", f"{REFUNDS}/{bought['id']}", by=ADMIN) == UNKNOWN


def test_refunds_are_for_admins(world):
    bought = paid(world)
    refund = give_back(world, bought["id"], 100).body

    for by in (ALICE, BOB):
        assert refused(world, bought["id"], by=by)[:2] == (403, "forbidden")
        for path in (REFUNDS, f"{REFUNDS}/{refund['id']}"):
            assert world.refused("GET", path, by=by)[:2] == (403, "forbidden")
    assert charges(world) == [500]


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (("payments:read", "payments:write", "admin"), 200, 201),
        (("payments:read", "admin"), 200, 403),
        (("payments:write", "admin"), 403, 201),
        (("payments:read", "payments:write"), 403, 403),
        (("wallet:read", "wallet:write", "admin"), 403, 403),
    ],
)
def test_a_key_needs_the_scope_for_it(world, scopes, reads, writes):
    bought = paid(world)
    by = keyed(ADMIN, *scopes)

    assert world.ask("GET", REFUNDS, by=by).status == reads
    assert give_back(world, bought["id"], 100, by=by).status == writes
