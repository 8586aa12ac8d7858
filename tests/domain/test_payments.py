"""Payments through Stripe: what is said of them in any order, any number of times."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import payment_states as states
from holdfast.domain import payments as rules
from holdfast.domain.payments import Observation, Payment
from holdfast.errors import InvalidField, InvariantBroken, PaymentState
from tests.domain.samples import ACCOUNT_ID, HOUR, MILLISECOND, NOW, TENANT, once

MINUTE = timedelta(minutes=1)
INTENT = "pi_1"
STATUSES = ["pending", "requires_action", "requires_capture", "succeeded", "failed", "canceled"]


def payment(**facts: object) -> Payment:
    """A top-up of five dollars that was just written down."""
    begun = rules.begin(
        once(),
        kind="topup",
        account_id=ACCOUNT_ID,
        amount_micros=5_000_000,
        currency="usd",
        surface="agents",
        customer_id="cus_1",
        payment_method_id="pm_1",
    )
    return replace(begun, **facts)  # type: ignore[arg-type]


def refund(**facts: object) -> Payment:
    """The refund of a top-up, whose money was taken from the wallet."""
    return payment(kind="refund", refund_of="pay_1", entry_id="ent_1", **facts)


def seen(status: rules.Status, minutes: int = 1, /, **facts: object) -> Observation:
    """What Stripe said so many minutes after the payment began."""
    told = Observation(status=status, at=NOW + minutes * MINUTE)
    if status == "succeeded":
        told = replace(told, received_micros=5_000_000, received_currency="usd")
    return replace(told, **facts)  # type: ignore[arg-type]


def after(begun: Payment, *news: Observation) -> Payment:
    """The payment after these were heard, in this order."""
    for number, told in enumerate(news, start=1):
        begun = states.observed(begun, told, now=NOW + number * HOUR)
    return begun


def facts_of(found: Payment) -> Payment:
    """The payment without when and how often it was written."""
    return replace(found, version=0, updated_at=NOW, due_at=None, sweeps=0, settled_at=None)


# --- A new payment -------------------------------------------------------------------------------


def test_a_payment_is_pending_before_stripe_is_asked():
    begun = payment()

    assert begun.status == "pending"
    assert begun.id == rules.new_id(once(), "topup", "usd")
    assert begun.id.startswith("pay_")
    assert begun.id.endswith("_usd")
    assert (begun.tenant, begun.account_id, begun.version) == (TENANT, ACCOUNT_ID, 1)
    assert begun.due_at == NOW + rules.SWEEP_AFTER
    assert (begun.final, begun.reached_stripe, begun.differs) == (False, False, False)


def test_the_same_request_makes_the_same_payment_and_another_one_another():
    assert rules.new_id(once(), "topup", "usd") == rules.new_id(once(), "topup", "usd")
    assert rules.new_id(once(), "topup", "usd") != rules.new_id(once("other"), "topup", "usd")


def test_ids_sort_by_time():
    later = once("a", now=NOW + MILLISECOND)

    assert rules.new_id(once("z"), "topup", "usd") < rules.new_id(later, "topup", "usd")


@pytest.mark.parametrize(
    ("amount_micros", "reason"),
    [
        (4_999_999, "at least 5.00 usd"),
        (5_000_000, None),
        (5_000_001, None),
        (9_999_999, None),
        (10_000_000, None),
        (10_000_001, "at most 10.00 usd"),
    ],
)
def test_an_amount_is_held_to_the_limits_of_its_surface_both_included(amount_micros, reason):
    told = None
    try:
        rules.require_between(
            amount_micros,
            "usd",
            minimum_micros=5_000_000,
            maximum_micros=10_000_000,
            param="amount_cents",
        )
    except InvalidField as refused:
        told = refused
    if reason is None:
        assert told is None
    else:
        assert told is not None
        assert (told.param, told.details) == ("amount_cents", {"reason": reason})


# --- One piece of news ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_news_are_taken_in_and_dated(status):
    told = seen(status, payment_intent_id=INTENT, charge_id="ch_1")

    found = states.observed(payment(), told, now=NOW + HOUR)

    assert (found.status, found.payment_intent_id, found.charge_id) == (status, INTENT, "ch_1")
    assert found.reached_stripe
    assert (found.version, found.updated_at) == (2, NOW + HOUR)
    assert found.final == (status in ("succeeded", "canceled"))


@pytest.mark.parametrize("status", STATUSES)
def test_the_same_news_again_change_nothing(status):
    told = seen(status, payment_intent_id=INTENT)
    found = after(payment(), told)

    assert states.observed(found, told, now=NOW + 2 * HOUR) is found


@pytest.mark.parametrize("final", ["succeeded", "canceled"])
@pytest.mark.parametrize("status", ["pending", "requires_action", "requires_capture", "failed"])
def test_what_is_final_takes_in_nothing_more(final, status):
    found = after(payment(), seen(final, 1))

    assert states.observed(found, seen(status, 9), now=NOW + HOUR) is found


def test_older_news_never_overwrite_newer():
    found = after(payment(), seen("requires_action", 5))

    assert states.observed(found, seen("failed", 4), now=NOW + HOUR) is found
    assert after(found, seen("failed", 6)).status == "failed"


def test_old_news_still_tell_what_things_are_called():
    found = after(payment(), seen("requires_action", 5, session_id="cs_1"))

    told = after(found, seen("pending", 1, payment_intent_id=INTENT))

    assert (told.status, told.session_id, told.payment_intent_id) == (
        "requires_action",
        "cs_1",
        INTENT,
    )


def test_a_declined_payment_that_is_paid_with_another_card_is_paid():
    declined = after(payment(), seen("failed", 1, failure_code="card_declined", decline_code="x"))
    assert (declined.failure_code, declined.decline_code) == ("card_declined", "x")

    paid = after(declined, seen("succeeded", 2, charge_id="ch_2"))

    assert (paid.status, paid.failure_code, paid.decline_code) == ("succeeded", "", "")


@pytest.mark.parametrize(
    ("received_micros", "currency", "differs"),
    [(5_000_000, "usd", False), (4_990_000, "usd", True), (5_000_000, "eur", True)],
)
def test_what_came_in_is_what_stripe_says_and_a_difference_shows(
    received_micros, currency, differs
):
    told = seen("succeeded", received_micros=received_micros, received_currency=currency)

    found = after(payment(), told)

    assert (found.received_micros, found.received_currency) == (received_micros, currency)
    assert (found.amount_micros, found.currency) == (5_000_000, "usd")
    assert found.differs is differs


@pytest.mark.parametrize("name", ["payment_intent_id", "session_id", "refund_id"])
def test_news_of_another_payment_are_a_mistake_of_ours(name):
    found = after(payment(), seen("pending", 1, **{name: "x_1"}))

    with pytest.raises(InvariantBroken):
        after(found, seen("succeeded", 2, **{name: "x_2"}))


# --- Any order, any number of times --------------------------------------------------------------

LIVES: dict[str, tuple[rules.Status, list[Observation]]] = {
    "paid at once": (
        "succeeded",
        [seen("pending", 1), seen("succeeded", 2, charge_id="ch_1")],
    ),
    "confirmed by the owner": (
        "succeeded",
        [
            seen("pending", 1),
            seen("requires_action", 2, payment_intent_id=INTENT),
            seen("succeeded", 3, payment_intent_id=INTENT, charge_id="ch_1"),
        ],
    ),
    "declined, then paid with another card": (
        "succeeded",
        [
            seen("requires_action", 1, payment_intent_id=INTENT),
            seen("failed", 2, failure_code="card_declined", charge_id="ch_1"),
            seen("requires_action", 3),
            seen("succeeded", 4, charge_id="ch_2"),
        ],
    ),
    "declined twice": (
        "failed",
        [
            seen("failed", 1, decline_code="insufficient_funds", charge_id="ch_1"),
            seen("pending", 2),
            seen("failed", 3, decline_code="expired_card", charge_id="ch_2"),
        ],
    ),
    "set aside, then given up": (
        "canceled",
        [
            seen("requires_action", 1),
            seen("requires_capture", 2, charge_id="ch_1"),
            seen("canceled", 3, charge_id="ch_1"),
        ],
    ),
    "a page, and its payment": (
        "succeeded",
        [
            seen("pending", 1, session_id="cs_1"),
            seen("failed", 2, session_id="cs_1", payment_intent_id=INTENT),
            seen("succeeded", 4, session_id="cs_1"),
            seen("succeeded", 4, payment_intent_id=INTENT, charge_id="ch_9"),
        ],
    ),
    "seen three times at one instant": (
        "requires_action",
        [seen("requires_action"), seen("failed"), seen("pending")],
    ),
}


@pytest.mark.parametrize(("end", "life"), LIVES.values(), ids=LIVES)
def test_every_order_of_a_life_ends_the_same_even_told_twice(end, life):
    ends = {
        facts_of(after(payment(), *order, *repeated))
        for order in permutations(life)
        for repeated in ((), order, order[::-1])
    }

    assert [found.status for found in ends] == [end]


OBSERVATIONS = st.builds(
    Observation,
    status=st.sampled_from(STATUSES),
    at=st.integers(0, 3).map(lambda minutes: NOW + minutes * MINUTE),
    received_micros=st.sampled_from([0, 5_000_000, 4_000_000]),
    received_currency=st.sampled_from(["", "usd"]),
    charge_id=st.sampled_from(["", "ch_1", "ch_2"]),
    failure_code=st.sampled_from(["", "card_declined"]),
    decline_code=st.sampled_from(["", "expired_card"]),
    payment_intent_id=st.sampled_from(["", INTENT]),
    session_id=st.sampled_from(["", "cs_1"]),
    refund_id=st.sampled_from(["", "re_1"]),
)


@given(
    begun=st.sampled_from([payment(), refund()]),
    news=st.lists(OBSERVATIONS, min_size=1, max_size=6),
    data=st.data(),
)
def test_any_news_in_any_order_and_number_end_the_same(begun, news, data):
    shuffled = data.draw(st.permutations(news))
    repeated = data.draw(st.lists(st.sampled_from(news), max_size=6))

    one, other = after(begun, *news), after(begun, *shuffled, *repeated)

    assert facts_of(one) == facts_of(other)


@given(news=st.lists(OBSERVATIONS, min_size=1, max_size=6))
def test_money_that_came_in_is_never_denied(news):
    found = after(payment(), *news)

    assert (found.status == "succeeded") == any(told.status == "succeeded" for told in news)


@given(news=st.lists(OBSERVATIONS, min_size=1, max_size=6))
def test_a_refund_that_failed_once_has_failed(news):
    found = after(refund(), *news)

    assert (found.status == "failed") == any(told.status == "failed" for told in news)


@given(news=st.lists(OBSERVATIONS, min_size=1, max_size=6), extra=OBSERVATIONS)
def test_a_version_is_counted_for_every_change_and_for_nothing_else(news, extra):
    found = after(payment(), *news)

    told = states.observed(found, extra, now=NOW + 9 * HOUR)

    assert (told == found) == (told.version == found.version)
    assert (told.version - found.version) in (0, 1)


# --- The ledger ----------------------------------------------------------------------------------


def test_money_that_came_in_is_credited_by_one_entry():
    paid = after(payment(), seen("succeeded"))

    credited = states.fulfilled(paid, "ent_1", now=NOW + HOUR)

    assert (credited.entry_id, credited.version) == ("ent_1", paid.version + 1)
    assert states.fulfilled(credited, "ent_1", now=NOW + 2 * HOUR) is credited


def test_a_second_credit_is_a_mistake_of_ours():
    credited = states.fulfilled(after(payment(), seen("succeeded")), "ent_1", now=NOW)

    with pytest.raises(InvariantBroken, match="twice"):
        states.fulfilled(credited, "ent_2", now=NOW)


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "succeeded"])
def test_nothing_is_credited_that_did_not_come_in(status):
    with pytest.raises(InvariantBroken):
        states.fulfilled(after(payment(), seen(status)), "ent_1", now=NOW)


def test_what_is_in_the_ledger_stays_there_whatever_stripe_says():
    credited = states.fulfilled(after(payment(), seen("succeeded")), "ent_1", now=NOW)

    found = after(credited, seen("canceled", 9), seen("failed", 9))

    assert (found.status, found.entry_id) == ("succeeded", "ent_1")


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_the_money_of_a_refund_that_failed_goes_back_once(status):
    failed = after(refund(), seen("succeeded", 1), seen(status, 2))
    assert failed.status == status
    assert failed.due_at is not None

    given_back = states.undone(failed, "ent_2", now=NOW + HOUR)

    assert (given_back.undone_by, given_back.due_at) == ("ent_2", None)
    assert states.undone(given_back, "ent_2", now=NOW + HOUR) is given_back
    with pytest.raises(InvariantBroken, match="twice"):
        states.undone(given_back, "ent_3", now=NOW + HOUR)


@pytest.mark.parametrize(
    "begun",
    [
        refund(),
        refund(status="succeeded"),
        replace(refund(status="failed"), entry_id=""),
        payment(status="failed", entry_id="ent_1"),
    ],
    ids=["pending", "succeeded", "nothing was taken", "no refund"],
)
def test_nothing_else_is_undone(begun):
    with pytest.raises(InvariantBroken):
        states.undone(begun, "ent_2", now=NOW)


# --- The sweeper ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "looked_at"),
    [
        (payment(), True),
        (after(payment(), seen("requires_action")), True),
        (after(payment(), seen("requires_capture")), True),
        (after(payment(), seen("succeeded")), True),
        (states.fulfilled(after(payment(), seen("succeeded")), "ent_1", now=NOW), False),
        (after(payment(), seen("failed")), False),
        (after(payment(), seen("canceled")), False),
        (after(refund(), seen("pending", refund_id="re_1")), True),
        (after(refund(), seen("succeeded")), False),
        (after(refund(), seen("succeeded", 1), seen("failed", 2)), True),
        (after(replace(refund(), entry_id=""), seen("failed")), False),
    ],
)
def test_a_payment_is_looked_at_until_stripe_and_the_ledger_agree(found, looked_at):
    assert (found.due_at is not None) is looked_at


def test_each_look_without_news_makes_the_next_one_later_up_to_six_hours():
    found, waits = payment(), []
    for _ in range(7):
        found = states.swept(found, now=NOW)
        assert found.due_at is not None
        waits.append(found.due_at - NOW)

    assert waits == [2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR]
    assert after(found, seen("requires_action")).sweeps == 0


def test_what_is_settled_is_not_looked_at_again():
    settled = after(payment(), seen("canceled"))

    assert states.swept(settled, now=NOW) is settled


@pytest.mark.parametrize(
    ("age", "may"),
    [(timedelta(0), True), (23 * HOUR - MILLISECOND, True), (23 * HOUR, False)],
)
def test_a_request_is_repeated_only_while_stripe_surely_knows_its_key(age, may):
    assert payment().may_repeat(NOW + age) is may


def test_a_payment_that_never_reached_stripe_is_given_up_when_its_request_is_over():
    given_up = states.abandoned(payment(), now=NOW + rules.SWEEP_AFTER)

    assert (given_up.status, given_up.failure_code) == ("failed", "not_sent")
    assert given_up.due_at is None
    assert states.abandoned(given_up, now=NOW + 24 * HOUR) is given_up
    assert after(given_up, seen("succeeded", 30)).status == "succeeded"


@pytest.mark.parametrize(
    ("found", "age"),
    [
        (payment(), rules.SWEEP_AFTER - MILLISECOND),
        (states.resent(payment(), now=NOW + HOUR), HOUR + rules.SWEEP_AFTER - MILLISECOND),
        (payment(payment_intent_id=INTENT), 24 * HOUR),
        (payment(session_id="cs_1"), 24 * HOUR),
        (after(payment(), seen("requires_action")), 24 * HOUR),
        (after(payment(), seen("succeeded")), 24 * HOUR),
        (after(payment(), seen("failed")), 24 * HOUR),
    ],
)
def test_nothing_is_given_up_that_stripe_knows_or_that_may_be_on_its_way(found, age):
    with pytest.raises(PaymentState) as refused:
        states.abandoned(found, now=NOW + age)

    assert refused.value.details == {"status": found.status}


# --- Stripe's words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "failed", "ours"),
    [
        ("requires_payment_method", False, "pending"),
        ("requires_payment_method", True, "failed"),
        ("requires_confirmation", True, "pending"),
        ("requires_action", True, "requires_action"),
        ("processing", False, "pending"),
        ("requires_capture", False, "requires_capture"),
        ("canceled", True, "canceled"),
        ("succeeded", True, "succeeded"),
        ("a word of next year", True, "pending"),
    ],
)
def test_the_states_of_an_intent_in_our_words(status, failed, ours):
    assert rules.status_of_intent(status, failed=failed) == ours


@pytest.mark.parametrize(
    ("status", "payment_status", "ours"),
    [
        ("open", "unpaid", "pending"),
        ("complete", "unpaid", "pending"),
        ("complete", "paid", "succeeded"),
        ("complete", "no_payment_required", "succeeded"),
        ("expired", "unpaid", "canceled"),
        (None, "unpaid", "pending"),
    ],
)
def test_the_states_of_a_session_in_our_words(status, payment_status, ours):
    assert rules.status_of_session(status, payment_status) == ours


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("pending", "pending"),
        ("requires_action", "pending"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("canceled", "canceled"),
        ("a word of next year", "pending"),
    ],
)
def test_the_states_of_a_refund_in_our_words(status, ours):
    assert rules.status_of_refund(status) == ours
