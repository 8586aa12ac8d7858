"""Billing plumbing: a customer, an intent, a page, a look after cards, and the way back."""

import pytest

from tests.api.agents.test_funding import charges, deposits, status_of
from tests.api.cards import attach
from tests.api.checkout import confirms, pays, time_passes
from tests.api.me.test_payment_methods import BAD, GOOD, HOME, NOT_ALLOWED
from tests.api.world import BOB, TEST_ALICE, Like, Refusal
from tests.http.events import ADMIN, ALICE

STRIPE = "/v1/billing/stripe"
INTENT_ID = Like(r"pi_\w{24}")
SECRET = Like(r"pi_\w{24}_secret_\w+")
SESSION_ID = Like(r"cs_test_\w{24}")
NO_CARD = Refusal(404, "payment_method_not_found", None, {})
NOT_ENABLED = Refusal(409, "subscriptions_not_enabled", None, {})
BOTH_URLS = ("success_url", "cancel_url")
EMPTY = {"balance_cents": 1000, "held_cents": 0, "available_cents": 1000, "currency": "usd"}


def ask(world, name, body=None, **asked):
    return world.ask("POST", f"{STRIPE}/{name}", body=body or {}, **asked)


def intent(world, cents=2500, card="pm_card_visa", **more):
    """A payment that is tried at once."""
    key = more.pop("key", None)
    body = {"amount_cents": cents, "payment_method_id": card, "confirm": True, **more}
    return ask(world, "payment-intent", body, key=key)


def page(world, cents=2500, **more):
    """The id of a page to pay on."""
    answer = ask(world, "checkout-session", {"mode": "payment", "amount_cents": cents, **more})
    return answer.body["session_id"]


def at_stripe(world, kind, mode="live"):
    return list(world.provider.counter(mode).every(kind))


# --- The customer ---------------------------------------------------------------------------------


def test_an_account_becomes_a_customer_once(world):
    answers = [ask(world, "customer") for _ in range(3)]

    customer_id = answers[0].body["customer_id"]
    assert [each.status for each in answers] == [201, 200, 200]
    assert answers[0].body == {"customer_id": Like(r"cus_\w+"), "created": True}
    assert [each.body for each in answers[1:]] == [
        {"customer_id": customer_id, "created": False}
    ] * 2
    assert len(at_stripe(world, "customer")) == 1


def test_what_is_told_of_a_customer_is_known_at_stripe(world):
    ask(world, "customer")
    told = {"email": "alice@example.com", "name": "Alice", "metadata": {"team": "lab"}}

    ask(world, "customer", told)

    (customer,) = at_stripe(world, "customer")
    assert (customer["email"], customer["name"]) == ("alice@example.com", "Alice")
    assert customer["metadata"]["team"] == "lab"
    assert customer["metadata"]["org"] == "acme"


@pytest.mark.parametrize("name", ["org", "mode", "account_id"])
def test_whose_a_customer_is_is_not_the_callers_to_say(world, name):
    body = {"metadata": {name: "globex"}}

    refusal = world.refused("POST", f"{STRIPE}/customer", body=body)

    assert (refusal.status, refusal.param) == (422, "metadata")
    assert at_stripe(world, "customer") == []


@pytest.mark.parametrize("email", ["alice", "a@b@c", "a b@example.com", "", "a" * 250 + "@x.io"])
def test_an_address_has_to_be_one(world, email):
    refusal = world.refused("POST", f"{STRIPE}/customer", body={"email": email})

    assert (refusal.status, refusal.param) == (422, "email")


# --- An intent ------------------------------------------------------------------------------------


def test_an_intent_is_begun_with_what_a_browser_goes_on_with(world):
    answer = ask(world, "payment-intent", {"amount_cents": 2500})

    assert answer.status == 201
    assert answer.body == {
        "payment_intent_id": INTENT_ID,
        "client_secret": SECRET,
        "status": "requires_payment_method",
        "amount_cents": 2500,
        "currency": "usd",
    }
    assert (world.cents(), charges(world)) == ((1000, 0), [])


def test_an_intent_with_a_card_waits_to_be_confirmed(world):
    body = {"amount_cents": 2500, "payment_method_id": "pm_card_visa"}

    answer = ask(world, "payment-intent", body)

    assert (answer.status, answer.body["status"]) == (201, "requires_confirmation")
    assert charges(world) == []


def test_an_intent_that_the_browser_confirms_is_credited_by_the_poll(world):
    begun = ask(world, "payment-intent", {"amount_cents": 2500}).body
    world.provider.gateway("live").payment_intents.confirm(
        begun["payment_intent_id"], key="browser", payment_method_id="pm_card_visa"
    )

    assert status_of(world, begun["payment_intent_id"])["status"] == "succeeded"
    assert (world.cents(), deposits(world)) == ((3500, 0), [2500])


def test_an_intent_that_is_tried_at_once_is_credited_at_once(world):
    answer = intent(world)

    assert (answer.status, answer.body) == (
        201,
        {
            "payment_intent_id": INTENT_ID,
            "client_secret": None,
            "status": "succeeded",
            "amount_cents": 2500,
            "currency": "usd",
        },
    )
    assert (world.cents(), charges(world)) == ((3500, 0), [2500])


def test_a_card_whose_owner_has_to_confirm_is_accepted_and_not_paid(world):
    answer = intent(world, card="pm_card_authenticationRequired", key="k1")

    assert (answer.status, answer.body["status"]) == (202, "requires_action")
    assert answer.body["client_secret"] == SECRET
    assert world.cents() == (1000, 0)
    again = intent(world, card="pm_card_authenticationRequired", key="k1")
    assert (again.status, again.text) == (202, answer.text)
    confirms(world, answer.body["payment_intent_id"])
    assert intent(world, card="pm_card_authenticationRequired", key="k1").status == 201
    assert (world.cents(), deposits(world)) == ((3500, 0), [2500])


def test_a_decline_is_the_answer_to_its_key(world):
    answers = [intent(world, card="pm_card_chargeDeclined", key="k1") for _ in range(2)]

    details = {"decline_code": "generic_decline", "payment_intent_id": INTENT_ID}
    assert answers[0].refusal == Refusal(402, "payment_declined", None, details)
    assert answers[0].text == answers[1].text
    assert (world.cents(), len(at_stripe(world, "payment_intent"))) == ((1000, 0), 1)


def test_a_card_is_saved_where_that_is_asked_for(world):
    intent(world)
    assert world.get("/v1/me/payment-methods")["data"] == []

    intent(world, card="pm_card_amex", save_payment_method=True)

    assert [each["last4"] for each in world.get("/v1/me/payment-methods")["data"]] == ["0005"]


def test_to_confirm_takes_a_card(world):
    body = {"amount_cents": 2500, "confirm": True}

    refusal = world.refused("POST", f"{STRIPE}/payment-intent", body=body)

    told = {"reason": "required to confirm"}
    assert refusal == Refusal(422, "invalid_field", "payment_method_id", told)


@pytest.mark.parametrize("confirm", [False, True])
def test_a_card_that_there_is_not_is_not_found_and_nothing_is_written(world, confirm):
    other = attach(world, by=BOB)["id"]
    for card in ("pm_nobodys", other):
        body = {"amount_cents": 2500, "payment_method_id": card, "confirm": confirm}

        assert world.refused("POST", f"{STRIPE}/payment-intent", body=body) == NO_CARD
    assert charges(world) == []


@pytest.mark.parametrize(
    ("cents", "status"),
    [(0, 422), (49, 422), (50, 201), (51, 201), (1_000_000, 201), (1_000_001, 422)],
)
@pytest.mark.parametrize("confirm", [False, True])
def test_an_intent_is_for_fifty_cents_to_ten_thousand_dollars(world, cents, status, confirm):
    mark = world.mark()

    answer = intent(world, cents, confirm=confirm)

    assert answer.status == status
    if status == 422:
        assert (answer.refusal.param, world.written_since(mark)) == ("amount_cents", [])


def test_the_same_key_is_the_same_intent(world):
    body = {"amount_cents": 2500}

    answers = [ask(world, "payment-intent", body, key="k1") for _ in range(2)]

    assert answers[0].text == answers[1].text
    assert [each.replayed for each in answers] == [False, True]
    assert len(at_stripe(world, "payment_intent")) == 1


# --- A page ---------------------------------------------------------------------------------------


def test_a_page_to_pay_on_is_opened(world):
    answer = ask(world, "checkout-session", {"mode": "payment", "amount_cents": 2500})

    assert answer.status == 201
    assert answer.body == {
        "session_id": SESSION_ID,
        "url": Like(r"https://checkout\.stripe\.com/c/pay/cs_test_\w+"),
        "expires_at": "2026-11-22T12:00:00.000Z",
        "mode": "payment",
        "amount_cents": 2500,
    }
    (session,) = at_stripe(world, "checkout.session")
    assert (session["success_url"], session["cancel_url"]) == (HOME, HOME)


def test_a_page_to_save_a_card_on_is_opened_and_found_by_the_way_back(world):
    answer = ask(world, "checkout-session", {"mode": "setup"})
    session_id = answer.body["session_id"]
    pays(world, session_id)

    told = ask(world, "reconcile-checkout", {"session_id": session_id}).body

    assert (answer.status, answer.body["mode"], answer.body["amount_cents"]) == (201, "setup", None)
    assert told == {
        "session_id": session_id,
        "payment_status": "no_payment_required",
        "credited": False,
        "already_credited": False,
        "amount_cents": None,
        "wallet": EMPTY,
    }
    assert [each["last4"] for each in world.get("/v1/me/payment-methods")["data"]] == ["4242"]


def test_subscriptions_are_not_sold_yet_and_nothing_is_opened(world):
    body = {"mode": "subscription", "price_id": "price_1"}

    assert world.refused("POST", f"{STRIPE}/checkout-session", body=body) == NOT_ENABLED
    assert at_stripe(world, "customer") == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "mode"),
        ({"mode": "pay", "amount_cents": 2500}, "mode"),
        ({"mode": "payment"}, "amount_cents"),
        ({"mode": "payment", "amount_cents": 49}, "amount_cents"),
        ({"mode": "payment", "amount_cents": 1_000_001}, "amount_cents"),
        ({"mode": "payment", "amount_cents": 2500, "price_id": "price_1"}, "price_id"),
        ({"mode": "setup", "amount_cents": 2500}, "amount_cents"),
        ({"mode": "setup", "price_id": "price_1"}, "price_id"),
    ],
)
def test_what_is_wrong_with_a_page_is_told_by_name(world, body, param):
    refusal = world.refused("POST", f"{STRIPE}/checkout-session", body=body)

    assert (refusal.status, refusal.param) == (422, param)
    assert at_stripe(world, "customer") == []


@pytest.mark.parametrize("cents", [50, 1_000_000])
def test_a_page_is_for_fifty_cents_to_ten_thousand_dollars(world, cents):
    pays(world, page(world, cents))

    assert charges(world) == [cents]


@pytest.mark.parametrize(
    ("name", "body", "fields"),
    [
        (
            "checkout-session",
            {"mode": "payment", "amount_cents": 50},
            ("success_url", "cancel_url"),
        ),
        ("checkout-session", {"mode": "setup"}, BOTH_URLS),
        ("portal-session", {}, ("return_url",)),
    ],
    ids=["pay", "save", "portal"],
)
def test_a_person_comes_back_to_an_origin_that_is_allowed_and_nowhere_else(
    world, name, body, fields
):
    for field in fields:
        for url in GOOD:
            assert ask(world, name, {**body, field: url}).status == 201
        for url in BAD:
            refusal = world.refused("POST", f"{STRIPE}/{name}", body={**body, field: url})
            assert refusal == Refusal(422, "invalid_field", field, NOT_ALLOWED)


@pytest.mark.parametrize("name", ["checkout-session", "portal-session"])
def test_where_nobody_may_come_back_to_there_is_no_page(world, name):
    world.return_urls = ()
    body = {"mode": "payment", "amount_cents": 50} if name == "checkout-session" else {}

    assert ask(world, name, body).status == 501
    assert at_stripe(world, "customer") == []


def test_the_same_key_is_the_same_page(world):
    body = {"mode": "payment", "amount_cents": 2500}

    answers = [ask(world, "checkout-session", body, key="k1") for _ in range(2)]

    assert answers[0].text == answers[1].text
    assert [each.replayed for each in answers] == [False, True]
    assert len(at_stripe(world, "checkout.session")) == 1


def test_a_portal_is_opened_also_for_who_was_no_customer(world):
    answer = ask(world, "portal-session", {"return_url": f"{HOME}/cards"})

    assert (answer.status, set(answer.body)) == (201, {"url"})
    (session,) = at_stripe(world, "billing_portal.session")
    assert session["return_url"] == f"{HOME}/cards"
    assert len(at_stripe(world, "customer")) == 1


# --- The way back ---------------------------------------------------------------------------------


def test_before_it_is_paid_a_page_is_not_credited(world):
    session_id = page(world)

    answer = ask(world, "reconcile-checkout", {"session_id": session_id})

    assert (answer.status, answer.body) == (
        200,
        {
            "session_id": session_id,
            "payment_status": "unpaid",
            "credited": False,
            "already_credited": False,
            "amount_cents": 2500,
            "wallet": EMPTY,
        },
    )


def test_once_it_is_paid_a_page_is_credited_and_said_so_ever_after(world):
    session_id = page(world)
    pays(world, session_id)

    answers = [ask(world, "reconcile-checkout", {"session_id": session_id}) for _ in range(3)]

    full = {**EMPTY, "balance_cents": 3500, "available_cents": 3500}
    assert [each.body["already_credited"] for each in answers] == [False, True, True]
    assert all(each.body["credited"] and each.body["wallet"] == full for each in answers)
    assert {each.body["payment_status"] for each in answers} == {"paid"}
    assert (deposits(world), charges(world)) == ([2500], [2500])


def test_a_page_in_another_currency_tells_the_wallet_of_that_currency(world):
    session_id = page(world, 500, currency="eur")
    pays(world, session_id)

    told = ask(world, "reconcile-checkout", {"session_id": session_id}).body

    assert (told["wallet"]["currency"], told["wallet"]["balance_cents"]) == ("eur", 500)


def test_a_page_whose_day_is_over_is_not_credited(world):
    session_id = page(world)
    time_passes(world, days=1)

    told = ask(world, "reconcile-checkout", {"session_id": session_id}).body

    assert (told["payment_status"], told["credited"]) == ("unpaid", False)


@pytest.mark.parametrize("by", [BOB, ADMIN, TEST_ALICE], ids=lambda by: by["user"])
def test_somebody_elses_page_is_as_unknown_as_nobodys(world, by):
    session_id = page(world)
    pays(world, session_id)
    path = f"{STRIPE}/reconcile-checkout"

    for named in (session_id, "cs_test_nobodys"):
        refusal = world.refused("POST", path, by=by, body={"session_id": named})
        assert refusal == Refusal(404, "payment_not_found", None, {})
    assert ask(world, "reconcile-checkout", {"session_id": session_id}, by=ALICE).status == 200


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("payment-intent", {"amount_cents": 2500}),
        ("payment-intent", {"amount_cents": 50, "payment_method_id": "pm_card_visa"}),
        ("checkout-session", {"mode": "payment", "amount_cents": 50}),
        ("checkout-session", {"mode": "setup"}),
        ("portal-session", {}),
        ("customer", {"name": "Alice"}),
        ("reconcile-checkout", {"session_id": "cs_test_1"}),
    ],
)
def test_while_stripe_is_down_that_is_what_is_said(world, desk, name, body):
    attach(world)
    desk.fails(kind="close", times=9)

    assert ask(world, name, body).refusal[:2] == (502, "stripe_unavailable")
