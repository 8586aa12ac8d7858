from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import holds
from holdfast.domain import quotes as rules
from holdfast.domain.clock import Instant
from holdfast.domain.holds import Hold, Job
from holdfast.domain.ledger import Decision, Journal, Wallet
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.domain.quotes import DevicePrice, HeldJob, Quote
from holdfast.errors import (
    AmountTooLarge,
    DeviceOffline,
    InsufficientFunds,
    JobHeld,
    QuoteExpired,
    QuoteUsed,
)
from tests.domain.samples import (
    ACCOUNT_ID,
    HOUR,
    MILLISECOND,
    NOW,
    answered,
    credit,
    hold_after,
    once,
    wallet,
    wallet_after,
    written,
)

CENT = 10_000
GARNET = DevicePrice(
    provider="braket",
    device="iqm-garnet",
    currency="usd",
    per_task_micros=300_000,
    per_shot_micros=1_450,
)
RICH = wallet(credit("gift", 300 * CENT), cash=200 * CENT)
QUOTE_EXPIRY = NOW + rules.QUOTE_LIFE


def quote(*, shots: int = 1000, tasks: int = 1, key: str = "quote", wallet: Wallet = RICH) -> Quote:
    return rules.quote_job(GARNET, wallet, once(key), shots=shots, tasks=tasks, job_id=None)


def decide(
    asked: Quote,
    *,
    job_id: str = "job-1",
    held: HeldJob | None = None,
    prior: Hold | None = None,
    before: Wallet = RICH,
    key: str = "place",
    now: Instant = NOW,
) -> Decision:
    request = once(key, now=now)
    hold_id = holds.new_id(request, asked.currency)
    return rules.hold_quoted(before, asked, held, prior, request, job_id=job_id, hold_id=hold_id)


def place(asked: Quote, **facts: Any) -> Journal:
    return written(decide(asked, **facts))


def record_of[R](journal: Journal, kind: type[R]) -> R:
    (after,) = (c.after for c in journal.changes if isinstance(c.after, kind))
    return after


def test_a_quote_is_the_price_of_its_tasks_and_shots():
    quoted = quote(shots=1000, tasks=3)

    assert [(line.type, line.unit_micros, line.quantity) for line in quoted.line_items] == [
        ("task", 300_000, 3),
        ("shot", 1_450, 3000),
    ]
    assert quoted.subtotal_micros == 3 * 300_000 + 3000 * 1_450
    assert quoted.expires_at == QUOTE_EXPIRY
    assert (quoted.account_id, quoted.version) == (ACCOUNT_ID, 1)


@pytest.mark.parametrize(
    ("shots", "subtotal", "total"),
    [
        (1, 301_450, 31 * CENT),
        (200, 590_000, 59 * CENT),
        (206, 598_700, 60 * CENT),
        (207, 600_150, 61 * CENT),
    ],
    ids=["far below a cent", "a whole cent", "just below a cent", "just above a cent"],
)
def test_a_quote_is_rounded_up_to_a_cent(shots, subtotal, total):
    quoted = quote(shots=shots)

    assert quoted.subtotal_micros == subtotal
    assert quoted.total_micros == total


@given(shots=st.integers(1, 10**6), tasks=st.integers(1, 100))
def test_a_total_is_the_least_whole_cent_that_covers_the_lines(shots, tasks):
    quoted = quote(shots=shots, tasks=tasks)

    assert quoted.total_micros % CENT == 0
    assert 0 <= quoted.total_micros - quoted.subtotal_micros < CENT


@pytest.mark.parametrize(
    ("available", "shortfall"), [(175 * CENT - 1, 1), (175 * CENT, 0), (175 * CENT + 1, 0)]
)
def test_a_quote_says_what_is_missing_and_does_not_fail_for_it(available, shortfall):
    quoted = quote(wallet=wallet(cash=available))

    assert quoted.total_micros == 175 * CENT
    assert quoted.available_micros == available
    assert quoted.shortfall_micros == shortfall


def test_a_quote_counts_only_money_that_has_not_expired():
    quoted = quote(wallet=wallet(credit("gift", 900 * CENT, until=NOW), cash=5))

    assert quoted.available_micros == 5


def test_a_device_that_takes_no_jobs_is_not_quoted():
    with pytest.raises(DeviceOffline) as refused:
        rules.quote_job(replace(GARNET, online=False), RICH, once(), shots=1, tasks=1, job_id=None)

    assert refused.value.details == {"device": "iqm-garnet"}


@pytest.mark.parametrize(("less", "claim"), [(1, True), (0, True), (-1, False)])
def test_a_quote_is_for_at_most_what_an_operation_moves(less, claim):
    cents = AMOUNT_MICROS_MAX // CENT - less
    price = replace(GARNET, per_task_micros=0, per_shot_micros=CENT)

    if claim:
        quoted = rules.quote_job(price, RICH, once(), shots=cents, tasks=1, job_id=None)
        assert quoted.total_micros == AMOUNT_MICROS_MAX - less * CENT
    else:
        with pytest.raises(AmountTooLarge) as refused:
            rules.quote_job(price, RICH, once(), shots=cents, tasks=1, job_id=None)
        assert refused.value.param == "shots"


def test_a_quoted_hold_sets_the_total_aside_for_a_day():
    asked = quote()

    decision = place(asked)

    placed, used = hold_after(decision), record_of(decision, Quote)
    assert placed.amount_micros == asked.total_micros
    assert placed.expires_at == NOW + 24 * HOUR
    assert placed.job == Job(
        job_id="job-1", quote_id=asked.id, provider="braket", device="iqm-garnet", shots=1000
    )
    assert wallet_after(decision).held_micros == asked.total_micros
    assert (used.used_by, used.entry_id) == ("job-1", decision.entry.id)
    assert record_of(decision, HeldJob).hold_id == placed.id


def test_quote_job_and_wallet_are_each_guarded_as_they_were_read():
    asked = quote()

    decision = place(asked)

    versions = {type(c.after).__name__: c.read_version for c in decision.changes}
    assert versions == {"Wallet": RICH.version, "Hold": 0, "Quote": 1, "HeldJob": 0}


def test_the_same_job_and_quote_again_give_the_first_answer():
    decision = place(quote())
    used, held = record_of(decision, Quote), record_of(decision, HeldJob)

    again = decide(used, held=held, prior=hold_after(decision), key="again")
    much_later = decide(used, held=held, prior=None, key="later", now=NOW + 99 * HOUR)

    assert answered(again) == decision.entry.id
    assert answered(much_later) == decision.entry.id


def test_one_quote_places_one_hold_whatever_the_job_did_since():
    first = place(quote())
    used, held = record_of(first, Quote), record_of(first, HeldJob)
    closed = replace(hold_after(first), status="released", draws=(), closed_by="ent_x")
    second = place(quote(key="other"), held=held, prior=closed, key="second")
    now_held = record_of(second, HeldJob)

    third = decide(used, held=now_held, prior=hold_after(second), key="third")

    assert answered(third) == first.entry.id


def test_a_quote_that_another_job_used_is_refused():
    used = record_of(place(quote()), Quote)

    with pytest.raises(QuoteUsed) as refused:
        place(used, job_id="job-2")

    assert refused.value.details == {"job_id": "job-1"}


@pytest.mark.parametrize(
    ("since_expiry", "claim"),
    [(-MILLISECOND, True), (0 * HOUR, False), (MILLISECOND, False)],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_a_quote_holds_until_its_expiry(since_expiry, claim):
    now = QUOTE_EXPIRY + since_expiry

    if claim:
        assert hold_after(place(quote(), now=now)).created_at == now
    else:
        with pytest.raises(QuoteExpired) as refused:
            place(quote(), now=now)
        assert refused.value.details == {"expires_at": "2026-11-21T03:45:00.000Z"}


@pytest.mark.parametrize(("available", "claim"), [(-1, False), (0, True), (1, True)])
def test_a_quoted_hold_needs_the_whole_total(available, claim):
    asked = quote()
    before = wallet(cash=asked.total_micros + available)

    if claim:
        assert wallet_after(place(asked, before=before)).cash_micros == available
    else:
        with pytest.raises(InsufficientFunds) as refused:
            place(asked, before=before)
        assert refused.value.details["needed_micros"] == asked.total_micros


def test_a_job_has_one_open_hold():
    first = place(quote())

    with pytest.raises(JobHeld) as refused:
        place(
            quote(key="other"),
            held=record_of(first, HeldJob),
            prior=hold_after(first),
            key="second",
        )

    assert refused.value.details == {"hold_id": hold_after(first).id}


def test_a_job_whose_hold_cannot_be_seen_counts_as_held():
    held = record_of(place(quote()), HeldJob)

    with pytest.raises(JobHeld):
        place(quote(key="other"), held=held, prior=None, key="second")


@pytest.mark.parametrize(
    ("status", "since_expiry"),
    [("released", -HOUR), ("captured", -HOUR), ("expired", HOUR), ("open", 0 * HOUR)],
    ids=["released", "captured", "expired", "expired, but not swept yet"],
)
def test_a_job_can_be_held_again_when_its_hold_is_over(status, since_expiry):
    first = place(quote())
    prior = replace(hold_after(first), status=status)
    now = prior.expires_at + since_expiry
    later = rules.quote_job(GARNET, RICH, once("q", now=now), shots=1, tasks=1, job_id=None)

    decision = place(later, held=record_of(first, HeldJob), prior=prior, key="second", now=now)

    assert hold_after(decision).id != prior.id
    assert record_of(decision, HeldJob).hold_id == hold_after(decision).id
    assert record_of(decision, HeldJob).version == 2
