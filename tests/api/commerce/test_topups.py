"""Top-ups on the commerce surface: a card on file, or one that is used once."""

import pytest

from holdfast.services import payments
from tests.api.agents.test_funding import charges, deposits
from tests.api.cards import attach
from tests.api.checkout import confirms
from tests.api.world import BOB, ENTRY_ID, OTHER_ADMIN, TEST_ADMIN, Like, Refusal, account_of
from tests.http.events import ADMIN, ALICE

TOPUP = "/api/v1/billing/topup"
TOKEN = "/api/v1/billing/topup/token"
NO_CARD = Refusal(404, "payment_method_not_found", None, {})
INTENT_ID = Like(r"pi_\w{24}")
SECRET = Like(r"pi_\w{24}_secret_\w+")


def top_up(world, card, cents=2500, *, by=ADMIN, user="acme/alice", key=None, **more):
    body = {"userId": user, "paymentMethodId": card, "amountCents": cents, **more}
    return world.ask("POST", TOPUP, by=by, body=body, key=key)


def by_token(world, card="pm_card_visa", cents=2500, *, by=ALICE, key=None, **more):
    body = {"sourceId": card, "amountCents": cents, **more}
    return world.ask("POST", TOKEN, by=by, body=body, key=key)


def cash(world, user="acme/alice", currency="usd"):
    query = {"user": user, "currency": currency}
    return world.get("/api/v1/billing/balance", by=ADMIN, query=query)["balance"]


# --- By a card on file ----------------------------------------------------------------------------


def test_a_card_on_file_is_charged_and_what_is_told_is_cash(world):
    card = attach(world)["id"]

    answer = top_up(world, card)

    assert (answer.status, answer.body) == (
        200,
        {"transactionId": ENTRY_ID, "balanceCents": 2500, "status": "ok"},
    )
    assert (cash(world), world.cents(), charges(world)) == (2500, (3500, 0), [2500])


def test_the_transaction_is_a_deposit_in_the_list(world):
    told = top_up(world, attach(world)["id"]).body["transactionId"]

    query = {"user": "acme/alice"}
    newest = world.get("/api/v1/billing/transactions", query=query)["transactions"][0]
    assert (newest["id"], newest["type"], newest["amount"]) == (told, "deposit", 2500)


@pytest.mark.parametrize("user", ["alice", " ACME/Alice", account_of(ALICE)])
def test_a_user_is_the_same_by_every_name(world, user):
    card = attach(world)["id"]

    assert top_up(world, card, user=user).status == 200
    assert cash(world) == 2500


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_nobodys", "balance"])
def test_a_card_that_is_not_on_file_is_not_found_and_nothing_is_written(world, card):
    attach(world)
    body = {"userId": "acme/alice", "paymentMethodId": card, "amountCents": 2500}

    assert world.refused("POST", TOPUP, by=ADMIN, body=body) == NO_CARD
    assert charges(world) == []


def test_another_users_card_pays_for_nobody_but_them(world):
    attach(world)
    card = attach(world, by=BOB)["id"]
    body = {"userId": "acme/alice", "paymentMethodId": card, "amountCents": 2500}

    assert world.refused("POST", TOPUP, by=ADMIN, body=body) == NO_CARD
    assert (charges(world), cash(world, "acme/bob")) == ([], 0)


@pytest.mark.parametrize("by", [ALICE, BOB], ids=lambda by: by["user"])
def test_users_do_not_charge_cards_by_name(world, by):
    body = {"userId": "acme/alice", "paymentMethodId": attach(world)["id"], "amountCents": 2500}

    assert world.refused("POST", TOPUP, by=by, body=body).status == 403


def test_another_orgs_user_and_the_other_mode_are_nobody(world):
    body = {"userId": "acme/alice", "paymentMethodId": attach(world)["id"], "amountCents": 2500}

    assert world.refused("POST", TOPUP, by=OTHER_ADMIN, body=body).status == 404
    assert world.refused("POST", TOPUP, by=TEST_ADMIN, body=body) == NO_CARD
    assert charges(world) == []


LIMITS = [
    (0, 422),
    (49, 422),
    (50, 200),
    (51, 200),
    (999_999, 200),
    (1_000_000, 200),
    (1_000_001, 422),
]


@pytest.mark.parametrize(("cents", "status"), LIMITS)
def test_a_card_on_file_pays_from_fifty_cents_to_ten_thousand_dollars(world, cents, status):
    card = attach(world)["id"]
    mark = world.mark()

    answer = top_up(world, card, cents)

    assert answer.status == status
    if status == 422:
        assert (answer.refusal.param, world.written_since(mark)) == ("amountCents", [])
        assert charges(world) == []


@pytest.mark.parametrize(("cents", "status"), LIMITS)
def test_a_token_pays_from_fifty_cents_to_ten_thousand_dollars(world, cents, status):
    mark = world.mark()

    answer = by_token(world, cents=cents)

    assert answer.status == status
    if status == 422:
        assert (answer.refusal.param, world.written_since(mark)) == ("amountCents", [])


@pytest.mark.parametrize("currency", ["eur", "JPY"])
def test_each_currency_has_a_wallet_of_its_own(world, currency):
    card = attach(world)["id"]

    answer = top_up(world, card, 500, currency=currency)

    assert (answer.status, answer.body["balanceCents"]) == (200, 500)
    assert (cash(world, currency=currency.lower()), cash(world)) == (500, 0)


def test_a_replay_tells_the_balance_of_the_first_answer(world):
    card = attach(world)["id"]
    first = top_up(world, card, key="k1")
    world.deposit(100)
    mark = world.mark()

    again = top_up(world, card, key="k1")

    assert (again.status, again.text, again.replayed) == (200, first.text, True)
    assert (world.written_since(mark), charges(world)) == ([], [2500])


def test_a_card_on_file_that_is_declined_credits_nothing_and_uses_the_key_up(world):
    card = attach(world, "pm_card_chargeCustomerFail")["id"]

    answers = [top_up(world, card, key="k1") for _ in range(2)]

    details = {"declineCode": "generic_decline", "paymentIntentId": INTENT_ID}
    assert answers[0].refusal == Refusal(402, "payment_declined", None, details)
    assert answers[0].text == answers[1].text
    assert (cash(world), charges(world)) == (0, [])


def test_nobody_is_there_to_confirm_a_charge_by_an_admin(world):
    card = attach(world, "pm_card_authenticationRequired")["id"]

    answers = [top_up(world, card, key="k1") for _ in range(2)]

    details = {"paymentIntentId": INTENT_ID, "clientSecret": SECRET}
    assert answers[0].refusal == Refusal(402, "authentication_required", None, details)
    assert answers[0].text == answers[1].text
    assert (cash(world), charges(world)) == (0, [])


# --- By a token -----------------------------------------------------------------------------------


def test_a_token_is_charged_once_and_is_not_put_on_file(world):
    answer = by_token(world)

    told = {"transactionId": ENTRY_ID, "balanceCents": 2500, "status": "ok"}
    assert (answer.status, answer.body) == (200, told)
    assert (cash(world), charges(world)) == (2500, [2500])
    assert world.get("/v1/me/payment-methods")["data"] == []


def test_a_token_that_was_used_is_good_for_nothing_more(world):
    counter = world.provider.counter("live")
    by_token(world)
    (intent,) = counter.every("payment_intent")

    again = by_token(world, intent["payment_method"])

    assert again.status in (402, 404)
    assert (cash(world), charges(world)) == (2500, [2500])


def test_users_top_themselves_up_and_admins_anybody(world):
    assert by_token(world, userId="acme/alice").status == 200
    assert by_token(world, by=ADMIN, userId="acme/alice").status == 200
    body = {"sourceId": "pm_card_visa", "amountCents": 2500, "userId": "acme/alice"}

    assert world.refused("POST", TOKEN, by=BOB, body=body).status == 403
    assert (cash(world), deposits(world)) == (5000, [2500, 2500])


@pytest.mark.parametrize("card", ["pm_nobodys", "cnon:card-nonce-ok", "tok_visa"])
def test_a_token_that_there_is_not_is_not_found_and_nothing_is_written(world, card):
    body = {"sourceId": card, "amountCents": 2500}

    assert world.refused("POST", TOKEN, body=body) == NO_CARD


def test_a_declined_token_is_declined_again_under_its_key(world):
    answers = [by_token(world, "pm_card_chargeDeclined", key="k1") for _ in range(2)]

    assert answers[0].refusal[:2] == (402, "payment_declined")
    assert answers[0].text == answers[1].text
    assert (cash(world), charges(world)) == (0, [])


def test_a_token_whose_owner_has_to_confirm_is_told_what_a_browser_goes_on_with(world):
    refusal = by_token(world, "pm_card_authenticationRequired", key="k1").refusal
    intent_id = refusal.details["paymentIntentId"]

    details = {"paymentIntentId": INTENT_ID, "clientSecret": SECRET}
    assert refusal == Refusal(402, "authentication_required", None, details)
    assert cash(world) == 0
    confirms(world, intent_id)
    payments.fulfil(world.store, world.stripes, "live", intent_id, now=world.now)
    again = by_token(world, "pm_card_authenticationRequired", key="k1")
    assert (again.status, again.body["status"], cash(world)) == (200, "ok", 2500)
