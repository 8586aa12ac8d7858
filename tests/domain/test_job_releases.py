from dataclasses import replace
from typing import Any

import pytest

from holdfast.domain import holds
from holdfast.domain import quotes as rules
from holdfast.domain.clock import Instant
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Decision, Journal, Wallet
from holdfast.domain.lots import CASH
from holdfast.errors import HoldClosed, HoldExceeded, ReleaseDiffers
from tests.domain.samples import (
    HOUR,
    NOW,
    answered,
    credit,
    funds,
    hold,
    hold_after,
    once,
    wallet,
    wallet_after,
    written,
)

CENT = 10_000
TOTAL = 175 * CENT
RICH = wallet(credit("gift", 300 * CENT), cash=200 * CENT)
HELD = holds.place_hold(RICH, hold(TOTAL), once("place"))


def decide_release(
    amount: int,
    *,
    hold: Hold | None = None,
    before: Wallet | None = None,
    reason: str | None = None,
    now: Instant = NOW,
) -> Decision:
    return rules.release_job(
        wallet_after(HELD) if before is None else before,
        hold_after(HELD) if hold is None else hold,
        once("release", now=now),
        capture_micros=amount,
        reason=reason,
    )


def release(amount: int, **facts: Any) -> Journal:
    return written(decide_release(amount, **facts))


@pytest.mark.parametrize(
    ("amount", "entry_type", "status"),
    [
        (0, "release", "released"),
        (1, "capture", "partially_captured"),
        (TOTAL - 1, "capture", "partially_captured"),
        (TOTAL, "capture", "captured"),
    ],
)
def test_a_job_is_charged_what_it_cost_and_the_rest_is_given_back(amount, entry_type, status):
    decision = release(amount)

    closed = hold_after(decision)
    assert decision.entry.type == entry_type
    assert rules.job_status(closed) == status
    assert closed.captured_micros == amount
    assert closed.released_micros == TOTAL - amount
    assert wallet_after(decision).available_micros(NOW) == 500 * CENT - amount
    assert wallet_after(decision).held_micros == 0


def test_a_job_costs_at_most_what_was_held_for_it():
    with pytest.raises(HoldExceeded) as refused:
        release(TOTAL + 1)

    assert refused.value.details["remaining_micros"] == TOTAL


def test_a_release_says_why():
    assert release(0, reason="cancelled").entry.details == {"reason": "cancelled"}
    assert release(0).entry.details == {}


def after(decision: Decision) -> tuple[Wallet, Hold]:
    return wallet_after(decision), hold_after(decision)


PART = holds.capture_hold(*after(HELD), once("part"), amount_micros=7 * CENT, final=False)


@pytest.mark.parametrize("earlier", [HELD, PART], ids=["nothing captured before", "a part before"])
@pytest.mark.parametrize("amount", [0, 1, CENT])
def test_the_same_release_again_gives_the_first_answer(amount, earlier):
    wallet_there, hold_there = after(earlier)
    first = release(amount, hold=hold_there, before=wallet_there)

    again = decide_release(amount, hold=hold_after(first), before=wallet_after(first))

    assert answered(again) == first.entry.id
    assert hold_after(first).closed_by == first.entry.id


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0), (CENT, CENT - 1), (CENT, CENT + 1)])
def test_another_amount_than_at_the_release_is_refused(first, second):
    released = release(first)

    with pytest.raises(ReleaseDiffers) as refused:
        release(second, hold=hold_after(released), before=wallet_after(released))

    assert refused.value.details == {"captured_micros": first, "currency": "usd"}


@pytest.mark.parametrize("amount", [0, 1, TOTAL + 1])
def test_the_release_of_an_expired_job_says_that_it_has_expired(amount):
    expiry = hold_after(HELD).expires_at

    decision = release(amount, now=expiry)
    again = decide_release(
        amount, hold=hold_after(decision), before=wallet_after(decision), now=expiry + HOUR
    )

    assert decision.entry.type == "hold_expiry"
    assert rules.job_status(hold_after(decision)) == "expired"
    assert funds(wallet_after(decision)) == funds(RICH)
    assert answered(again) == decision.entry.id


@pytest.mark.parametrize(
    ("status", "captured", "name"),
    [
        ("open", 0, "active"),
        ("open", 5, "active"),
        ("released", 0, "released"),
        ("released", 5, "released"),
        ("expired", 0, "expired"),
        ("captured", TOTAL - 1, "partially_captured"),
        ("captured", TOTAL, "captured"),
        ("captured", TOTAL + 1, "captured"),
    ],
)
def test_the_hardware_surface_has_words_of_its_own_for_a_job(status, captured, name):
    job = replace(hold_after(HELD), status=status, captured_micros=captured)

    assert rules.job_status(job) == name


def test_a_job_that_was_captured_as_a_hold_stays_captured():
    closed = holds.capture_hold(*after(HELD), once("c"), amount_micros=CENT, final=True)

    with pytest.raises(HoldClosed):
        holds.release_hold(*after(closed), once("r"))

    assert answered(decide_release(CENT, hold=hold_after(closed))) == closed.entry.id
    assert CASH in funds(wallet_after(closed))
