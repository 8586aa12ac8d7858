"""Whatever becomes of lots and holds, in any order and at any instants: what must stay true."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.domain import holds
from holdfast.domain import wallet as wallet_rules
from holdfast.domain.ledger import Wallet
from holdfast.domain.lots import CASH, CREDIT, Lot, Terms
from holdfast.errors import InsufficientFunds
from tests.domain.samples import (
    HOUR,
    NOW,
    cash_lot,
    credit,
    funds,
    hold,
    hold_after,
    once,
    taken,
    wallet,
    wallet_after,
)
from tests.domain.second_books import (
    FAR,
    METERS,
    Lives,
    amounts,
    expected_draws,
    for_meters,
    hours,
    life,
    meters,
    priorities,
)
from tests.domain.test_hold_lives import at


@st.composite
def some_wallets(draw: st.DrawFn) -> Wallet:
    """Open lots of every kind, some for one meter only, and plain cash; nothing is held."""
    lots = []
    for number in range(draw(st.integers(0, 7))):
        kind = draw(st.sampled_from([CREDIT, CREDIT, CASH]))
        until = draw(life)
        terms = Terms(
            kind=kind,
            granted_at=NOW - draw(hours) * HOUR,
            expires_at=None if until is None else NOW + until * HOUR,
            priority=draw(priorities) if kind == CREDIT else 0,
            meters=draw(meters) if kind == CREDIT else (),
        )
        lots.append(Lot(id=f"lot_{number}", terms=terms, remaining_micros=draw(amounts)))
    return wallet(*lots, cash=draw(st.integers(0, 60)))


def test_all_of_a_lot_is_drawn_before_the_next_one_is_touched():
    lots = (
        cash_lot("cash late", 10, until=NOW + 9 * HOUR),
        cash_lot("cash soon", 10, until=NOW + 8 * HOUR),
        credit("second by priority", 10, priority=1, until=NOW + HOUR),
        credit("never, younger", 10, granted_at=NOW),
        credit("never, older", 10, granted_at=NOW - HOUR),
        credit("late", 10, until=NOW + 3 * HOUR),
        credit("soon", 10, until=NOW + 2 * HOUR, granted_at=NOW),
    )
    order = ["soon", "late", "never, older", "never, younger", "second by priority"]
    order += ["cash soon", "cash late", "cash"]
    before = wallet(*lots, cash=10)

    for amount in range(1, 81):
        drawn = taken(wallet_rules.use(before, once(), amount_micros=amount).entry.draws)
        whole, rest = divmod(amount, 10)
        expected = [(name, 10) for name in order[:whole]]
        assert drawn == expected + ([(order[whole], rest)] if rest else [])


@settings(max_examples=300)
@given(before=some_wallets(), data=st.data())
def test_to_set_aside_and_to_give_back_is_to_have_done_nothing(before, data):
    """For holds of any number, extended or not, that end in any order and at any instants."""
    now, standing, open_holds = NOW, before, []
    for number in range(data.draw(st.integers(1, 4))):
        now += data.draw(st.integers(0, 2)) * HOUR
        standing = at(now, standing)
        if not (room := standing.available_micros(now)):
            break
        asked = replace(hold(data.draw(st.integers(1, room)), key=str(number)), expires_at=FAR)
        journal = holds.place_hold(standing, asked, once(f"place {number}", now=now))
        assert taken(journal.entry.draws) == expected_draws(standing, asked.amount_micros, now)
        standing = wallet_after(journal)
        open_holds.append(hold_after(journal))
        if more := data.draw(st.integers(0, standing.available_micros(now))):
            journal = holds.extend_hold(
                standing, open_holds[-1], once("x", now=now), expires_at=None, amount_micros=more
            )
            standing, open_holds[-1] = wallet_after(journal), hold_after(journal)

    for placed in data.draw(st.permutations(open_holds)):
        now += data.draw(st.integers(0, 2)) * HOUR
        if data.draw(st.booleans()):
            decision = holds.release_hold(standing, placed, once("end", now=now))
        else:
            due = replace(placed, expires_at=now)
            decision = holds.expire_hold(standing, due, once("end", now=now))
        standing = wallet_after(decision)

    untouched, standing = at(now, before), at(now, standing)
    assert funds(standing) == funds(untouched)
    # The lots are what they were: whoever draws next draws the same, to the last micro.
    for meter in (None, *METERS):
        rest = untouched.available_micros(now, meter)
        assert expected_draws(standing, rest, now, meter) == expected_draws(
            untouched, rest, now, meter
        )
    assert {lot.id: lot.terms for lot in standing.lots} == {
        lot.id: lot.terms for lot in untouched.lots
    }


@given(before=some_wallets(), data=st.data(), meter=st.none() | st.sampled_from(METERS))
def test_work_is_paid_in_the_order_of_drawing(before, data, meter):
    amount = data.draw(st.integers(1, max(1, before.available_micros(NOW, meter))) | amounts)

    journal = wallet_rules.use(before, once(), amount_micros=amount, meter=meter)

    assert taken(journal.entry.draws) == expected_draws(before, amount, NOW, meter)
    assert sum(journal.entry.postings.values()) == 0


@given(before=some_wallets(), over=st.integers(0, 1))
def test_a_hold_takes_all_that_is_for_anything_and_nothing_that_is_for_a_meter(before, over):
    room = before.available_micros(NOW)
    asked = replace(hold(room + over), expires_at=FAR)
    for_a_meter = {lot.id for lot in before.lots if lot.terms.meters}

    if over:
        with pytest.raises(InsufficientFunds) as refused:
            holds.place_hold(before, asked, once())
        assert refused.value.details["available_micros"] == room
        return
    assume(room)
    journal = holds.place_hold(before, asked, once())

    assert not for_a_meter & {draw.lot_id for draw in journal.entry.draws}
    assert for_meters(wallet_after(journal)) == for_meters(before)


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
