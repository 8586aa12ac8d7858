"""Top-ups on the agents surface: by card at once, and by its challenge."""

import pytest

from holdfast.services import payments
from local.stripe.knobs import Knobs
from tests.api.cards import attach
from tests.api.checkout import confirms
from tests.api.world import BOB, ENTRY_ID, NOON_TEXT, TEST_ALICE, ZOE, Like, Refusal
from tests.http.events import ADMIN, ALICE

FUND = "/api/agents/v1/wallet/fund"
INTENT_ID = Like(r"pi_\w{24}")
UNKNOWN = Refusal(404, "payment_not_found", None, {})
NO_CARD = Refusal(404, "payment_method_not_found", None, {})


def fund(world, amount="25.00", card="pm_card_visa", *, by=ALICE, key=None):
    body = f'{{"amount":{amount},"payment_method_id":"{card}"}}'
    return world.ask("POST", FUND, by=by, body=body, key=key)


def status_of(world, intent_id, *, by=ALICE):
    return world.get(f"/api/agents/v1/payments/{intent_id}/status", by=by)


def charges(world, mode="live"):
    """What was charged at Stripe, in cents."""
    found = world.provider.counter(mode).every("charge")
    return [each["amount"] for each in found if each["status"] == "succeeded"]


def deposits(world):
    """The deposits of all wallets, in cents."""
    return [
        int(item["amount"]["N"]) // 10_000
        for item in world.items()
        if item.get("type") == {"S": "deposit"}
    ]


# --- By card --------------------------------------------------------------------------------------


def test_a_card_is_charged_and_the_wallet_credited_at_once(world):
    answer = fund(world)

    assert answer.status == 200
    assert answer.data == {
        "message": "The wallet was funded.",
        "balance": 35,
        "payment": {
            "status": "succeeded",
            "payment_intent_id": INTENT_ID,
            "amount": 25,
            "currency": "USD",
        },
        "transaction": {
            "id": 2,
            "source": "stripe",
            "transaction_id": ENTRY_ID,
            "type": "credit",
            "amount": 25,
            "status": "success",
            "usecase": "wallet_funding",
            "created_at": NOON_TEXT,
        },
    }
    assert '"balance":35.00' in answer.text
    assert (world.cents(), charges(world)) == ((3500, 0), [2500])


def test_the_transaction_is_the_one_in_the_list(world):
    told = fund(world).data["transaction"]

    assert world.get("/api/agents/v1/wallet/transactions")["items"][0] == told


def test_a_card_on_file_pays_as_well(world):
    card = attach(world)

    assert fund(world, card=card["id"]).status == 200
    assert world.cents() == (3500, 0)


def test_what_was_paid_in_is_cash_that_can_be_taken_out(world):
    fund(world)

    body = {"user": "acme/alice", "amount": 2500}
    assert world.ask("POST", "/api/v1/billing/withdraw", body=body).status == 201


@pytest.mark.parametrize(
    ("amount", "status"),
    [
        ("9.99", 422),
        ("10", 200),
        ("10.00", 200),
        ("10.01", 200),
        ("9999.99", 200),
        ("10000.00", 200),
        ("10000.01", 422),
        ("10.001", 422),
        ("1e3", 200),
        ("1e9", 422),
    ],
)
def test_an_amount_is_ten_to_ten_thousand_dollars(world, amount, status):
    mark = world.mark()

    answer = fund(world, amount)

    assert answer.status == status
    if status == 422:
        assert (answer.refusal.param, world.written_since(mark)) == ("amount", [])
        assert charges(world) == []


@pytest.mark.parametrize("card", ["pm_nobodys", "pm_" + "a" * 24, "tok_visa", "cus_1", "balance"])
def test_a_card_that_there_is_not_is_not_found_and_nothing_is_written(world, card):
    body = {"amount": 25, "payment_method_id": card}

    assert world.refused("POST", FUND, body=body) == NO_CARD
    assert charges(world) == []


def test_somebody_elses_card_is_as_unknown_as_nobodys(world):
    card = attach(world, by=BOB)["id"]
    body = {"amount": 25, "payment_method_id": card}

    for by in (ALICE, ADMIN, ZOE):
        assert world.refused("POST", FUND, by=by, body=body) == NO_CARD
    assert charges(world) == []


def test_a_replay_is_the_first_answer_and_charges_nothing(world):
    first = fund(world, key="k1")
    world.use(500)
    mark = world.mark()

    again = fund(world, key="k1")

    told = again.text.replace(',"idempotency_replay":true', "")
    assert (again.status, told, again.replayed) == (200, first.text, True)
    assert (world.written_since(mark), charges(world)) == ([], [2500])


def test_a_key_is_good_for_one_amount(world):
    fund(world, key="k1")

    other = fund(world, "26.00", key="k1")

    assert other.refusal[:2] == (422, "idempotency_key_reused")
    assert charges(world) == [2500]


# --- Declined -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedStolenCard", "generic_decline"),
        ("pm_card_chargeDeclinedLostCard", "generic_decline"),
    ],
)
def test_a_decline_is_told_and_credits_nothing(world, card, code):
    refusal = fund(world, card=card).refusal

    details = {"decline_code": code, "payment_intent_id": INTENT_ID}
    assert refusal == Refusal(402, "payment_declined", None, details)
    assert world.cents() == (1000, 0)
    told = status_of(world, refusal.details["payment_intent_id"])
    assert told["status"] == "failed"


def test_a_decline_is_the_answer_to_its_key_whatever_happens_to_the_card(world):
    first = fund(world, card="pm_card_chargeDeclined", key="k1")
    world.start_anew()
    mark = world.mark()

    again = fund(world, card="pm_card_chargeDeclined", key="k1")

    assert (again.status, again.text) == (402, first.text)
    assert world.written_since(mark) == []
    assert len(list(world.provider.counter("live").every("payment_intent"))) == 1


def test_after_a_decline_another_key_is_another_attempt(world):
    fund(world, card="pm_card_chargeDeclined", key="k1")

    assert fund(world, key="k2").status == 200
    assert world.cents() == (3500, 0)


# --- A card whose owner has to confirm ------------------------------------------------------------


def test_a_challenge_is_told_with_what_goes_on_at_stripe(world):
    answer = fund(world, card="pm_card_authenticationRequired", key="k1")

    assert answer.status == 202
    assert answer.data == {
        "message": answer.data["message"],
        "payment": {
            "status": "requires_action",
            "payment_intent_id": INTENT_ID,
            "client_secret": Like(r"pi_\w{24}_secret_\w+"),
            "amount": 25,
            "currency": "USD",
        },
    }
    again = fund(world, card="pm_card_authenticationRequired", key="k1")
    told = again.text.replace(',"idempotency_replay":true', "")
    assert (again.status, told, again.replayed) == (202, answer.text, True)
    assert (world.cents(), charges(world)) == ((1000, 0), [])


def test_once_the_owner_has_confirmed_the_poll_credits(world):
    payment = fund(world, card="pm_card_authenticationRequired").data["payment"]
    intent_id = payment["payment_intent_id"]
    shown = {"payment_intent_id": intent_id, "amount": 25, "currency": "usd"}
    assert status_of(world, intent_id) == {"status": "pending", **shown}

    confirms(world, intent_id)

    for _ in range(3):
        assert status_of(world, intent_id) == {"status": "succeeded", **shown}
    assert (world.cents(), deposits(world)) == ((3500, 0), [2500])


def test_an_owner_who_does_not_confirm_pays_nothing(world):
    payment = fund(world, card="pm_card_authenticationRequired").data["payment"]

    world.wait(seconds=1)
    confirms(world, payment["payment_intent_id"], done=False)

    assert status_of(world, payment["payment_intent_id"])["status"] == "failed"
    assert (world.cents(), charges(world)) == ((1000, 0), [])


def test_whoever_asks_again_after_confirming_is_told_that_it_is_paid(world):
    card = "pm_card_authenticationRequired"
    payment = fund(world, card=card, key="k1").data["payment"]
    confirms(world, payment["payment_intent_id"])

    again = fund(world, card=card, key="k1")

    assert (again.status, again.body["data"]["payment"]["status"]) == (200, "succeeded")
    assert (world.cents(), charges(world)) == ((3500, 0), [2500])


@pytest.mark.parametrize("first", ["poll", "webhook", "again"])
def test_whoever_comes_first_credits_and_the_others_do_not(world, first):
    card = "pm_card_authenticationRequired"
    intent_id = fund(world, card=card, key="k1").data["payment"]["payment_intent_id"]
    confirms(world, intent_id)
    ways = {
        "poll": lambda: status_of(world, intent_id),
        "webhook": lambda: payments.fulfil(
            world.store, world.stripes, "live", intent_id, now=world.now
        ),
        "again": lambda: fund(world, card=card, key="k1"),
    }

    for name in (first, *ways, *ways):
        ways[name]()

    assert (world.cents(), deposits(world)) == ((3500, 0), [2500])


# --- Whose ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [BOB, ADMIN, ZOE, TEST_ALICE], ids=lambda by: by["user"])
def test_somebody_elses_payment_is_as_unknown_as_nobodys(world, by):
    intent_id = fund(world).data["payment"]["payment_intent_id"]

    path = f"/api/agents/v1/payments/{intent_id}/status"

    assert world.refused("GET", path, by=by) == UNKNOWN


@pytest.mark.parametrize("intent_id", ["pi_" + "a" * 24, "pi_x", "pay_1", "cs_test_1", "ch_1"])
def test_a_payment_that_there_is_not_is_not_found(world, intent_id):
    assert world.refused("GET", f"/api/agents/v1/payments/{intent_id}/status") == UNKNOWN


def test_somebody_elses_intent_at_stripe_is_not_the_callers(world):
    made = world.provider.gateway("live").payment_intents.create(
        key="elsewhere",
        amount_micros=25_000_000,
        currency="usd",
        customer_id=world.provider.gateway("live").customers.create(key="c", metadata={}).id,
        metadata={"org": "globex"},
    )

    path = f"/api/agents/v1/payments/{made.id}/status"

    assert world.refused("GET", path) == UNKNOWN


def test_live_and_test_money_never_meet(world):
    fund(world, by=TEST_ALICE)

    assert (world.cents(), world.cents(by=TEST_ALICE)) == ((1000, 0), (3500, 0))
    assert (charges(world), charges(world, "test")) == ([], [2500])


# --- A Stripe that is not there -------------------------------------------------------------------


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after it happened"])
def test_a_charge_that_was_not_answered_is_made_once_by_the_next_delivery(world, desk, is_done):
    attach(world)
    path = "/v1/payment_intents"
    Knobs(desk.address).fault("close", method="POST", path=path, times=3, is_done=is_done)

    lost = fund(world, key="k1")
    again = fund(world, key="k1")

    assert lost.refusal[:2] == (502, "stripe_unavailable")
    assert (again.status, world.cents()) == (200, (3500, 0))
    assert [each["amount"] for each in desk.listed("charges")] == [2500]
