"""Payment intents on the commerce surface: by card and from the wallet, in one step and in two."""

from typing import Any

import pytest

from holdfast.domain.accounts import Tenant, owner_of
from holdfast.services import payments
from holdfast.services.refs import wallet_of
from tests.api.agents.test_funding import charges
from tests.api.cards import attach
from tests.api.checkout import confirms
from tests.api.keyed import keyed
from tests.api.world import (
    BOB,
    OTHER_ADMIN,
    TEST_ADMIN,
    Like,
    Refusal,
    account_of,
)
from tests.http.events import ADMIN, ALICE

INTENTS = "/api/v1/billing/payment-intents"
PAYMENT_ID = Like(r"pay_[0-9a-z]{36}_usd")
INTENT_ID = Like(r"pi_\w{24}")
SECRET = Like(r"pi_\w{24}_secret_\w+")
NOON = "2026-11-21T12:00:00.000Z"
UNKNOWN = Refusal(404, "payment_not_found", None, {})
NO_CARD = Refusal(404, "payment_method_not_found", None, {})
NOBODYS = "pay_" + "0" * 36 + "_usd"
CHALLENGED = "pm_card_authenticationRequired"
CUSTOMER = "acme/alice"
LIVE = Tenant("acme", "live")


def begin(world, cents=500, *, by=ADMIN, user=CUSTOMER, key=None, **more):
    body = {"customerId": user, "amount": cents, **more}
    answer = world.ask("POST", INTENTS, by=by, body=body, key=key)
    assert answer.status == 201, answer.text
    return answer.body


def step(world, intent, name, *, by=ADMIN, key=None, **body):
    """One step of an intent: `confirm`, `capture` or `cancel`."""
    return world.ask("POST", f"{INTENTS}/{intent['id']}/{name}", by=by, body=body, key=key)


def refused(world, intent, name, *, by=ADMIN, **body):
    return world.refused("POST", f"{INTENTS}/{intent['id']}/{name}", by=by, body=body)


def look(world, intent, *, by=ADMIN):
    return world.get(f"{INTENTS}/{intent['id']}", by=by)


def state(status):
    return Refusal(409, "payment_state", None, {"status": status})


def aside(world, method=None, *, cents=500):
    """An intent for which the money is set aside: by a bank, or in the wallet."""
    method = method or attach(world)["id"]
    made = begin(world, cents, captureMethod="manual", paymentMethodId=method)
    told = step(world, made, "confirm").body
    assert told["status"] == "requires_capture"
    return told


def paid(world, method=None, *, cents=500):
    method = method or attach(world)["id"]
    told = step(world, begin(world, cents, paymentMethodId=method), "confirm").body
    assert told["status"] == "succeeded"
    return told


def at_stripe(world):
    """What became of the intents at Stripe, oldest first: their states, and what came in."""
    found = world.provider.counter("live").every("payment_intent")
    return [(each["status"], each["amount_received"]) for each in reversed(list(found))]


def hear(world, intent):
    """What an event makes known."""
    stripe_id = intent["providerRef"]
    payments.fulfil(world.store, world.stripes, "live", stripe_id, now=world.now)


def lots(world):
    """What is left in the lots of the customer's wallet, in cents: all that is not plain cash."""
    wallet = world.store.read(wallet_of(owner_of(LIVE, CUSTOMER), "usd"))
    return {lot.id: lot.remaining_micros // 10_000 for lot in wallet.lots}


def statement(world):
    """The transactions of the customer's wallet, newest first: types and cents."""
    found = world.get("/v1/billing/entries")["data"]
    return [(each["type"], each["amount"]) for each in found]


# --- Beginning ------------------------------------------------------------------------------------


def test_an_intent_is_begun_and_nobody_is_asked_for_anything(world):
    answer = world.ask("POST", INTENTS, by=ADMIN, body={"customerId": CUSTOMER, "amount": 500})

    assert answer.status == 201
    assert answer.body == {
        "id": PAYMENT_ID,
        "customerId": "acme/alice",
        "amount": 500,
        "currency": "usd",
        "status": "requires_payment_method",
        "captureMethod": "automatic",
        "confirmationMethod": "automatic",
        "amountCapturable": 0,
        "amountReceived": 0,
        "amountRefunded": 0,
        "created": NOON,
    }
    assert look(world, answer.body) == answer.body
    assert (at_stripe(world), world.cents()) == ([], (1000, 0))


def test_all_that_is_told_is_shown(world):
    card = attach(world)["id"]

    told = begin(
        world,
        currency="EUR",
        paymentMethodId=card,
        captureMethod="manual",
        confirmationMethod="manual",
        setupFutureUsage="off_session",
        description="A robot\nand its arm",
        receiptEmail="alice@example.com",
        metadata={"order": "17"},
    )

    assert told["currency"] == "eur"
    assert told["status"] == "requires_confirmation"
    assert (told["captureMethod"], told["confirmationMethod"]) == ("manual", "manual")
    assert told["paymentMethodId"] == card
    assert told["description"] == "A robot\nand its arm"
    assert told["metadata"] == {"order": "17"}
    assert look(world, told) == told


def test_what_is_told_is_known_at_stripe_too(world):
    made = begin(
        world,
        paymentMethodId=attach(world)["id"],
        description="A robot",
        receiptEmail="alice@example.com",
    )

    step(world, made, "confirm")

    (there,) = world.provider.counter("live").every("payment_intent")
    assert (there["description"], there["receipt_email"]) == ("A robot", "alice@example.com")
    assert there["metadata"]["payment_id"] == made["id"]


@pytest.mark.parametrize("user", ["alice", " ACME/Alice", account_of(ALICE)])
def test_a_customer_is_the_same_by_every_name(world, user):
    world.wallet()
    made = begin(world, user=user)

    assert [each["id"] for each in listed(world)] == [made["id"]]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 10**12}, "amount"),
        ({"captureMethod": "later"}, "captureMethod"),
        ({"confirmationMethod": "later"}, "confirmationMethod"),
        ({"setupFutureUsage": "later"}, "setupFutureUsage"),
        ({"receiptEmail": "alice"}, "receiptEmail"),
        ({"invoiceId": "inv_1"}, "invoiceId"),
        ({"currency": "usdt"}, "currency"),
        ({"metadata": {"a": 1}}, "metadata.a"),
    ],
)
def test_what_cannot_be_paid_is_refused_by_name(world, body, param):
    world.wallet()

    refusal = world.refused("POST", INTENTS, by=ADMIN, body={**SMALL, **body})

    assert (refusal.status, refusal.param) == (422, param)


SMALL = {"customerId": CUSTOMER, "amount": 500}


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_nobodys"])
def test_a_card_that_is_not_on_file_begins_nothing(world, card):
    attach(world)

    body = {**SMALL, "paymentMethodId": card}
    assert world.refused("POST", INTENTS, by=ADMIN, body=body) == NO_CARD


def test_another_users_card_begins_nothing(world):
    attach(world)
    theirs = attach(world, by=BOB)["id"]

    body = {**SMALL, "paymentMethodId": theirs}
    assert world.refused("POST", INTENTS, by=ADMIN, body=body) == NO_CARD


# --- By card, in one step -------------------------------------------------------------------------


def test_a_card_pays_and_the_purchase_passes_through_the_wallet(world):
    card = attach(world)["id"]
    made = begin(world, paymentMethodId=card)

    answer = step(world, made, "confirm")

    assert answer.status == 200
    assert answer.body == {
        **made,
        "status": "succeeded",
        "amountReceived": 500,
        "providerRef": INTENT_ID,
    }
    assert look(world, made) == answer.body
    assert (charges(world), world.cents()) == ([500], (1000, 0))
    assert statement(world)[0] == ("card_purchase", 500)


def test_a_card_that_is_named_now_goes_before_the_one_named_before(world):
    made = begin(world, paymentMethodId=attach(world)["id"])
    other = attach(world, "pm_card_mastercard")["id"]

    told = step(world, made, "confirm", paymentMethodId=other).body

    assert (told["status"], told["paymentMethodId"]) == ("succeeded", other)
    (charge,) = world.provider.counter("live").every("charge")
    assert charge["payment_method_details"]["card"]["brand"] == "mastercard"


def test_without_a_method_there_is_nothing_to_confirm(world):
    made = begin(world)

    refusal = refused(world, made, "confirm")

    assert refusal[:3] == (422, "invalid_field", "paymentMethodId")
    assert look(world, made) == made


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_nobodys"])
def test_a_card_that_is_not_on_file_confirms_nothing(world, card):
    made = begin(world, paymentMethodId=attach(world)["id"])

    assert refused(world, made, "confirm", paymentMethodId=card) == NO_CARD
    assert (look(world, made), at_stripe(world)) == (made, [])


def test_somebody_elses_card_confirms_nothing(world):
    theirs = attach(world, by=BOB)["id"]
    made = begin(world)

    assert refused(world, made, "confirm", paymentMethodId=theirs) == NO_CARD


def test_what_is_paid_is_not_paid_again(world):
    made = paid(world)

    assert refused(world, made, "confirm") == state("succeeded")
    assert refused(world, made, "capture") == state("succeeded")
    assert refused(world, made, "cancel") == state("succeeded")
    assert charges(world) == [500]


def test_two_confirmations_at_once_charge_once(world):
    made = begin(world, paymentMethodId=attach(world)["id"])

    answers = [step(world, made, "confirm", key=key) for key in ("k1", "k2")]

    assert [answer.status for answer in answers] == [200, 409]
    assert charges(world) == [500]


@pytest.mark.parametrize("currency", ["eur", "JPY"])
def test_a_purchase_is_in_a_currency_of_its_own(world, currency):
    card = attach(world)["id"]
    made = begin(world, 700, currency=currency, paymentMethodId=card)

    told = step(world, made, "confirm").body

    assert (told["amountReceived"], told["currency"]) == (700, currency.lower())
    assert world.cents(currency=currency.lower()) == (0, 0)


@pytest.mark.parametrize(("cents", "is_paid"), [(1, False), (49, False), (50, True), (51, True)])
def test_a_card_pays_fifty_cents_at_least(world, cents, is_paid):
    made = begin(world, cents, paymentMethodId=attach(world)["id"])

    answer = step(world, made, "confirm")

    if is_paid:
        assert answer.body["amountReceived"] == cents
        return
    assert answer.refusal[:3] == (422, "invalid_field", "amount")
    assert charges(world) == []
    # It is not stuck: the wallet may pay what is too little for a card, or it is given up.
    assert step(world, made, "cancel").body["status"] == "canceled"


# --- Declined -------------------------------------------------------------------------------------


def test_a_decline_is_told_and_kept(world):
    made = begin(world, paymentMethodId=attach(world, "pm_card_chargeCustomerFail")["id"])

    answer = step(world, made, "confirm")

    assert answer.refusal[:3] == (402, "payment_declined", None)
    assert answer.refusal.details["declineCode"] == "generic_decline"
    told = look(world, made)
    assert told["status"] == "requires_payment_method"
    assert told["lastError"] == {"code": "card_declined", "declineCode": "generic_decline"}
    assert (told["amountReceived"], world.cents()) == (0, (1000, 0))


def test_a_decline_is_the_answer_to_its_key_and_asks_no_bank_again(world):
    made = begin(world, paymentMethodId=attach(world, "pm_card_chargeCustomerFail")["id"])
    first = step(world, made, "confirm", key="k1")
    asked = len(list(world.provider.counter("live").every("charge")))
    world.start_anew()

    again = step(world, made, "confirm", key="k1")

    assert (again.status, again.text) == (402, first.text)
    assert len(list(world.provider.counter("live").every("charge"))) == asked


def test_after_a_decline_another_card_may_pay(world):
    made = begin(world, paymentMethodId=attach(world, "pm_card_chargeCustomerFail")["id"])
    step(world, made, "confirm", key="k1")
    good = attach(world)["id"]

    told = step(world, made, "confirm", key="k2", paymentMethodId=good).body

    assert (told["status"], told["paymentMethodId"]) == ("succeeded", good)
    assert "lastError" not in told
    assert (charges(world), at_stripe(world)) == ([500], [("succeeded", 500)])


def test_a_decline_stays_a_decline_after_another_card_has_paid(world):
    made = begin(world, paymentMethodId=attach(world, "pm_card_chargeCustomerFail")["id"])
    first = step(world, made, "confirm", key="k1")
    step(world, made, "confirm", key="k2", paymentMethodId=attach(world)["id"])

    again = step(world, made, "confirm", key="k1")

    assert (again.status, again.refusal.code) == (402, first.refusal.code)
    assert charges(world) == [500]


def test_what_was_declined_may_be_given_up(world):
    made = begin(world, paymentMethodId=attach(world, "pm_card_chargeCustomerFail")["id"])
    step(world, made, "confirm")

    told = step(world, made, "cancel").body

    assert told["status"] == "canceled"
    assert at_stripe(world) == [("canceled", 0)]
    assert refused(world, made, "confirm", paymentMethodId=attach(world)["id"]) == state("canceled")


# --- Challenged -----------------------------------------------------------------------------------


def challenged(world, **more):
    made = begin(world, paymentMethodId=attach(world, CHALLENGED)["id"], **more)
    answer = step(world, made, "confirm", key="k1")
    assert (answer.status, answer.body["status"]) == (200, "requires_action")
    return answer.body


def test_where_the_bank_asks_for_the_holder_a_browser_goes_on_with_a_secret(world):
    told = challenged(world)

    assert told["clientSecret"] == SECRET
    assert (told["amountReceived"], charges(world)) == (0, [])
    assert "clientSecret" not in look(world, told)


def test_once_the_holder_has_confirmed_it_is_paid(world):
    told = challenged(world)

    confirms(world, told["providerRef"])
    for _ in range(2):
        hear(world, told)

    assert look(world, told)["status"] == "succeeded"
    assert (charges(world), statement(world)[0]) == ([500], ("card_purchase", 500))
    again = step(world, told, "confirm", key="k1")
    assert (again.status, again.body["status"], again.replayed) == (200, "succeeded", True)


def test_a_holder_who_does_not_confirm_has_paid_nothing(world):
    told = challenged(world)

    confirms(world, told["providerRef"], done=False)
    world.wait(seconds=1)
    hear(world, told)

    seen = look(world, told)
    assert (seen["status"], seen["amountReceived"]) == ("requires_payment_method", 0)
    assert step(world, told, "confirm", paymentMethodId=attach(world)["id"]).body["status"] == (
        "succeeded"
    )
    assert charges(world) == [500]


def test_a_challenge_is_given_up_and_nobody_can_confirm_it_then(world):
    told = challenged(world)

    assert step(world, told, "cancel").body["status"] == "canceled"
    confirms(world, told["providerRef"])
    hear(world, told)

    assert (look(world, told)["status"], charges(world)) == ("canceled", [])


def test_while_the_holder_is_asked_nothing_else_pays(world):
    told = challenged(world)

    for method in (attach(world)["id"], "balance"):
        refusal = refused(world, told, "confirm", paymentMethodId=method)
        assert refusal == state("requires_action")
    assert refused(world, told, "capture") == state("requires_action")


def test_a_challenge_of_two_steps_is_captured_after_it(world):
    told = challenged(world, captureMethod="manual")
    confirms(world, told["providerRef"])
    hear(world, told)
    assert look(world, told)["amountCapturable"] == 500

    assert step(world, told, "capture").body["amountReceived"] == 500


# --- By card, in two steps ------------------------------------------------------------------------


def test_a_bank_sets_the_amount_aside_and_nothing_has_come_in(world):
    told = aside(world)

    assert (told["amountCapturable"], told["amountReceived"]) == (500, 0)
    assert (world.cents(), at_stripe(world)) == ((1000, 0), [("requires_capture", 0)])


@pytest.mark.parametrize("body", [{}, {"amountToCapture": None}, {"amountToCapture": 0},
                                  {"amountToCapture": -1}, {"amountToCapture": 500}])  # fmt: skip
@pytest.mark.parametrize("method", [None, "balance"])
def test_all_of_it_is_taken_unless_a_part_is_named(world, method, body):
    told = aside(world, method)

    done = step(world, told, "capture", **body).body

    assert done["status"] == "succeeded"
    assert (done["amountReceived"], done["amountCapturable"]) == (500, 0)
    assert look(world, told) == done


@pytest.mark.parametrize("cents", [1, 200, 499])
def test_of_a_part_that_is_taken_from_a_card_the_rest_is_let_go(world, cents):
    told = aside(world)

    done = step(world, told, "capture", amountToCapture=cents).body

    assert (done["status"], done["amount"]) == ("succeeded", 500)
    assert (done["amountReceived"], done["amountCapturable"]) == (cents, 0)
    assert at_stripe(world) == [("succeeded", cents)]
    assert statement(world)[0] == ("card_purchase", cents)
    assert refused(world, told, "capture") == state("succeeded")


@pytest.mark.parametrize("method", [None, "balance"])
def test_more_than_was_set_aside_is_not_taken(world, method):
    told = aside(world, method)

    refusal = refused(world, told, "capture", amountToCapture=501)

    details = {"asked": 501, "remaining": 500, "currency": "usd"}
    assert refusal == (422, "hold_exceeded", "amountToCapture", details)
    assert look(world, told)["status"] == "requires_capture"
    assert step(world, told, "capture", amountToCapture=500).status == 200


@pytest.mark.parametrize("method", [None, "balance"])
def test_what_was_set_aside_is_not_set_aside_again(world, method):
    told = aside(world, method)

    assert refused(world, told, "confirm") == state("requires_capture")


def test_an_intent_that_is_not_confirmed_has_nothing_to_take(world):
    made = begin(world, captureMethod="manual", paymentMethodId=attach(world)["id"])

    assert refused(world, made, "capture") == state("pending")


def test_what_a_bank_has_set_aside_is_let_go(world):
    told = aside(world)

    done = step(world, told, "cancel", cancellationReason="the customer went away").body

    assert (done["status"], done["amountCapturable"]) == ("canceled", 0)
    assert at_stripe(world) == [("canceled", 0)]
    assert refused(world, told, "capture") == state("canceled")


# --- From the wallet ------------------------------------------------------------------------------


def test_the_wallet_pays_credit_first_and_then_cash(world):
    world.deposit(2000)

    told = paid(world, "balance", cents=1200)

    assert told["paymentMethodId"] == "balance"
    assert (told["amountReceived"], "providerRef" in told) == (1200, False)
    assert (world.cents(), charges(world)) == ((1800, 0), [])
    assert statement(world)[0] == ("purchase", 1200)


@pytest.mark.parametrize(("cents", "is_there"), [(999, True), (1000, True), (1001, False)])
@pytest.mark.parametrize("how", ["automatic", "manual"])
def test_the_wallet_pays_what_it_has_and_no_more(world, cents, is_there, how):
    world.wallet()
    made = begin(world, cents, captureMethod=how)

    if is_there:
        status = {"automatic": "succeeded", "manual": "requires_capture"}[how]
        assert step(world, made, "confirm", paymentMethodId="balance").body["status"] == status
        return
    refusal = refused(world, made, "confirm", paymentMethodId="balance")
    details = {"needed": 1001, "available": 1000, "currency": "usd"}
    assert refusal == (402, "insufficient_funds", None, details)
    assert (look(world, made), world.cents()) == (made, (1000, 0))
    world.deposit(1)
    assert step(world, made, "confirm", paymentMethodId="balance").status == 200


def test_the_wallet_sets_money_aside_and_takes_a_part_of_it(world):
    world.deposit(1000)
    told = aside(world, "balance", cents=1500)
    assert (told["amountCapturable"], world.cents()) == (1500, (2000, 1500))

    done = step(world, told, "capture", amountToCapture=1100).body

    assert (done["status"], done["amountReceived"]) == ("succeeded", 1100)
    assert world.cents() == (900, 0)


def test_what_the_wallet_has_set_aside_goes_back_to_the_very_same_credit(world):
    body = {"userId": "alice", "amountCents": 300, "expiresIn": "48h"}
    world.post("/api/v1/billing/credit-grants", by=ADMIN, body=body)
    before = lots(world)
    told = aside(world, "balance", cents=700)
    assert sorted(lots(world).values()) == [0, 600]

    done = step(world, told, "cancel").body

    assert done["status"] == "canceled"
    assert lots(world) == before
    assert sorted(before.values()) == [300, 1000]


def test_money_that_was_set_aside_comes_back_by_itself_after_a_week(world):
    told = aside(world, "balance")
    world.wait(days=7)

    refusal = step(world, told, "capture").refusal

    assert refusal.status == 409
    assert world.cents() == (1000, 0)
    assert step(world, told, "cancel").body["status"] == "canceled"


@pytest.mark.parametrize("how", ["swept", "given up"])
def test_what_was_set_aside_for_too_long_is_canceled(world, how):
    told = aside(world, "balance")
    world.wait(days=7)

    if how == "swept":
        payments.sweep(world.store, world.stripes, LIVE, told["id"], now=world.now)
    else:
        assert step(world, told, "cancel").status == 200

    assert look(world, told)["status"] == "canceled"
    assert (look(world, told)["amountCapturable"], world.cents()) == (0, (1000, 0))


def test_a_customer_who_lets_the_money_go_themselves_cancels_the_purchase(world):
    told = aside(world, "balance")
    (hold,) = world.get("/v1/billing/holds")["data"]
    world.post(f"/v1/billing/holds/{hold['id']}/release", body={})

    assert refused(world, told, "capture") == Refusal(
        409, "hold_closed", None, {"status": "released"}
    )
    assert step(world, told, "cancel").body["status"] == "canceled"
    assert world.cents() == (1000, 0)


def test_a_closed_account_buys_nothing(world):
    account = world.post("/api/v1/billing/accounts", body={"name": "project"})["id"]
    world.deposit(1000, user=account)
    made = begin(world, user=account)
    query = {"user": account, "amount": 1000}
    world.post("/api/v1/billing/withdraw", by=ADMIN, body=query)
    assert world.ask("DELETE", f"/api/v1/billing/accounts/{account}").status in (200, 204)

    refusal = refused(world, made, "confirm", paymentMethodId="balance")

    assert refusal[:2] == (409, "account_closed")
    body = {**SMALL, "customerId": account}
    assert world.refused("POST", INTENTS, by=ADMIN, body=body)[:2] == (409, "account_closed")


def test_the_wallet_pays_where_a_card_was_declined(world):
    made = begin(world, paymentMethodId=attach(world, "pm_card_chargeCustomerFail")["id"])
    step(world, made, "confirm")

    told = step(world, made, "confirm", paymentMethodId="balance").body

    assert (told["status"], told["paymentMethodId"]) == ("succeeded", "balance")
    assert world.cents() == (500, 0)
    # Nobody pays the same by card as well.
    assert at_stripe(world) == [("canceled", 0)]


def test_what_the_wallet_cannot_pay_a_card_may_still(world):
    declined = attach(world, "pm_card_chargeCustomerFail")["id"]
    made = begin(world, 5000, paymentMethodId=declined)
    step(world, made, "confirm")

    refusal = refused(world, made, "confirm", paymentMethodId="balance")
    told = step(world, made, "confirm", paymentMethodId=attach(world)["id"]).body

    assert refusal[:2] == (402, "insufficient_funds")
    assert told["status"] == "succeeded"
    assert at_stripe(world) == [("succeeded", 5000)]


def test_what_the_wallet_paid_by_hand_is_in_nobodys_cap_but_the_callers(world):
    scopes = ("payments:read", "payments:write", "admin")
    by = keyed(ADMIN, *scopes, cap=600)
    world.deposit(5000)

    first = step(world, begin(world, 400), "confirm", by=by, paymentMethodId="balance")
    second = begin(world, 400)
    refusal = refused(world, second, "confirm", by=by, paymentMethodId="balance")

    assert first.status == 200
    assert refusal[:2] == (402, "budget_exceeded")
    assert world.cents() == (5600, 0)


# --- Giving up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("card", [False, True])
def test_what_was_not_confirmed_is_given_up(world, card):
    more = {"paymentMethodId": attach(world)["id"]} if card else {}
    made = begin(world, **more)

    told = step(world, made, "cancel", cancellationReason="abandoned").body

    assert told == {**made, "status": "canceled"}
    assert look(world, made) == told
    for name in ("confirm", "capture"):
        assert refused(world, made, name, **METHOD[name]) == state("canceled")


METHOD = {"confirm": {"paymentMethodId": "balance"}, "capture": {}}


@pytest.mark.parametrize("how", ["begun", "by card", "by balance", "challenged"])
def test_what_was_given_up_is_given_up_again_as_often_as_one_likes(world, how):
    makers: dict[str, Any] = {
        "begun": begin,
        "by card": aside,
        "by balance": lambda world: aside(world, "balance"),
        "challenged": challenged,
    }
    made = makers[how](world)

    answers = [step(world, made, "cancel") for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].body["status"] == "canceled"
    assert world.cents() == (1000, 0)


@pytest.mark.parametrize("how", ["automatic", "manual"])
def test_what_the_wallet_has_paid_is_not_given_up(world, how):
    if how == "automatic":
        told = paid(world, "balance")
    else:
        told = aside(world, "balance")
        step(world, told, "capture")

    for name in ("cancel", "confirm", "capture"):
        assert refused(world, told, name).status == 409
    assert world.cents() == (500, 0)


# --- The same again -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, "balance"])
def test_every_step_is_answered_the_same_whatever_has_become_of_it_since(world, method):
    method = method or attach(world)["id"]
    body = {**SMALL, "captureMethod": "manual"}
    steps: list[tuple[str, str, Any]] = [("begin", INTENTS, body)]
    answers = [world.ask("POST", INTENTS, by=ADMIN, body=body, key="begin")]
    path = f"{INTENTS}/{answers[0].body['id']}"
    for name, told in (
        ("confirm", {"paymentMethodId": method}),
        ("capture", {"amountToCapture": 300}),
    ):
        steps.append((name, f"{path}/{name}", told))
        answers.append(world.ask("POST", f"{path}/{name}", by=ADMIN, body=told, key=name))
    back = {"paymentIntentId": answers[0].body["id"], "amount": 100}
    world.post("/api/v1/billing/refunds", by=ADMIN, body=back)
    world.start_anew()
    world.wait(days=1)
    mark = world.mark()

    again = [world.ask("POST", place, by=ADMIN, body=told, key=key) for key, place, told in steps]

    assert [(each.status, each.text) for each in again] == [
        (each.status, each.text) for each in answers
    ]
    assert all(each.replayed for each in again)
    assert world.written_since(mark) == []


@pytest.mark.parametrize("method", [None, "balance"])
def test_a_confirmation_is_answered_the_same_after_it_was_given_up(world, method):
    made = begin(world, captureMethod="manual", paymentMethodId=method or attach(world)["id"])
    first = step(world, made, "confirm", key="k1")
    gone = step(world, made, "cancel", key="k2")

    assert step(world, made, "confirm", key="k1").text == first.text
    again = step(world, made, "cancel", key="k2")
    assert (again.text, again.replayed) == (gone.text, True)


# --- Lists ----------------------------------------------------------------------------------------


def listed(world, *, by=ADMIN, **query):
    query = {"customerId": CUSTOMER, **query}
    return world.get(INTENTS, by=by, query=query)["paymentIntents"]


def test_intents_are_listed_newest_first_page_by_page(world):
    made = []
    for cents in range(100, 107):
        made.append(begin(world, cents)["id"])
        world.wait(seconds=1)
    begin(world, user="acme/bob")

    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        query = {"customerId": "alice", "limit": 3, **({"cursor": cursor} if cursor else {})}
        page = world.get(INTENTS, by=ADMIN, query=query)
        assert page["count"] == len(page["paymentIntents"]) <= 3
        found += [each["id"] for each in page["paymentIntents"]]
        cursor, pages = page["nextCursor"], pages + 1

    assert (found, pages) == (made[::-1], 3)


def test_the_list_shows_what_a_look_shows_and_nothing_else(world):
    told = paid(world)
    world.post(
        "/api/v1/billing/topup",
        by=ADMIN,
        body={"userId": "alice", "paymentMethodId": attach(world)["id"], "amountCents": 1000},
    )

    assert listed(world) == [look(world, told)]


def test_an_admin_who_names_nobody_sees_their_own(world):
    begin(world)

    assert world.get(INTENTS, by=ADMIN) == {"paymentIntents": [], "count": 0, "nextCursor": None}


def test_a_cursor_is_good_for_its_own_customer(world):
    for _ in range(2):
        begin(world)
    cursor = world.get(INTENTS, by=ADMIN, query={"customerId": "alice", "limit": 1})["nextCursor"]

    refusal = world.refused("GET", INTENTS, by=ADMIN, query={"customerId": "bob", "cursor": cursor})

    assert refusal[:3] == (422, "invalid_cursor", "cursor")


# --- Who ------------------------------------------------------------------------------------------

EVERY_STEP: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("POST", "/confirm", {}),
    ("POST", "/capture", {}),
    ("POST", "/cancel", {}),
]


@pytest.mark.parametrize("by", [OTHER_ADMIN, TEST_ADMIN], ids=["another org", "test mode"])
def test_an_intent_of_another_org_or_mode_is_as_unknown_as_nobodys(world, by):
    made = aside(world)

    for named in (made["id"], NOBODYS, "pi_1", made["providerRef"], "a..b"):
        for method, name, body in EVERY_STEP:
            refusal = world.refused(method, f"{INTENTS}/{named}{name}", by=by, body=body)
            assert refusal.status == 404
    assert look(world, made)["status"] == "requires_capture"


def test_other_payments_are_no_intents(world):
    world.post(
        "/api/agents/v1/wallet/fund", body={"amount": 25, "payment_method_id": "pm_card_visa"}
    )
    (item,) = [each for each in world.items() if each["sk"] == {"S": "PAYMENT"}]
    payment_id = item["pk"]["S"].split("#")[-1]

    for method, name, body in EVERY_STEP:
        path = f"{INTENTS}/{payment_id}{name}"
        assert world.refused(method, path, by=ADMIN, body=body) == UNKNOWN


def test_intents_are_for_admins(world):
    made = begin(world)

    for by in (ALICE, BOB):
        assert world.refused("POST", INTENTS, by=by, body=SMALL)[:2] == (403, "forbidden")
        for method, name, body in EVERY_STEP:
            path = f"{INTENTS}/{made['id']}{name}"
            assert world.refused(method, path, by=by, body=body)[:2] == (403, "forbidden")


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (("payments:read", "payments:write", "admin"), 200, 201),
        (("payments:read", "admin"), 200, 403),
        (("payments:write", "admin"), 403, 201),
        (("payments:read", "payments:write"), 403, 403),
        (("funding:write", "wallet:write", "admin"), 403, 403),
    ],
)
def test_a_key_needs_the_scope_for_it(world, scopes, reads, writes):
    by = keyed(ADMIN, *scopes)

    assert world.ask("GET", INTENTS, by=by).status == reads
    assert world.ask("POST", INTENTS, by=by, body=SMALL).status == writes


# --- While Stripe is down -------------------------------------------------------------------------


def test_what_stripe_does_not_answer_is_asked_again_under_the_same_key(world, desk):
    made = begin(world, paymentMethodId=attach(world)["id"])
    desk.fails(kind="close", times=20)
    assert step(world, made, "confirm", key="k1").refusal[:2] == (502, "stripe_unavailable")
    assert look(world, made)["status"] == "processing"
    assert refused(world, made, "cancel").status in (409, 502)

    desk.control("DELETE", "faults")
    answer = step(world, made, "confirm", key="k1")

    assert (answer.status, answer.body["status"]) == (200, "succeeded")


def test_the_wallet_needs_no_stripe(world, desk):
    desk.fails(kind="close", times=50)

    told = aside(world, "balance")
    done = step(world, told, "capture", amountToCapture=100).body
    back = {"paymentIntentId": told["id"], "amount": 100}
    refund = world.post("/api/v1/billing/refunds", by=ADMIN, body=back)

    assert (done["amountReceived"], refund["status"]) == (100, "succeeded")
    assert world.cents() == (1000, 0)
