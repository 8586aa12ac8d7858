from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.lots import (
    CASH,
    CREDIT,
    Draw,
    Terms,
    after,
    draw_order,
    first,
    merged,
    total,
    usable,
)
from tests.domain import strategies as some
from tests.domain.samples import HOUR, MILLISECOND, NOW, cash_lot, credit, taken

SOON, LATER = NOW + HOUR, NOW + 2 * HOUR
EARLIER = NOW - HOUR


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        pytest.param(
            credit("z", 1, priority=0), credit("a", 1, priority=1), id="priority 0 before 1"
        ),
        pytest.param(
            credit("z", 1, priority=1, granted_at=NOW),
            credit("a", 1, priority=2, until=SOON, granted_at=EARLIER),
            id="priority before expiry and age",
        ),
        pytest.param(
            credit("z", 1, priority=9), credit("a", 1, priority=10), id="priority is a number"
        ),
        pytest.param(
            credit("z", 1, until=SOON), credit("a", 1, until=LATER), id="what expires sooner"
        ),
        pytest.param(
            credit("z", 1, until=LATER), credit("a", 1), id="what expires before what never does"
        ),
        pytest.param(
            credit("z", 1, until=SOON, granted_at=NOW),
            credit("a", 1, until=LATER, granted_at=EARLIER),
            id="expiry before age",
        ),
        pytest.param(
            credit("z", 1, granted_at=EARLIER), credit("a", 1, granted_at=NOW), id="the older one"
        ),
        pytest.param(credit("a", 1), credit("b", 1), id="by id, where all else is equal"),
        pytest.param(
            credit("z", 1, priority=99),
            cash_lot("a", 1, until=SOON, granted_at=EARLIER),
            id="any credit before any cash",
        ),
        pytest.param(
            cash_lot("z", 1, until=SOON), cash_lot("a", 1, until=LATER), id="cash by expiry"
        ),
        pytest.param(
            cash_lot("z", 1, until=SOON, priority=5),
            cash_lot("a", 1, until=LATER, priority=0),
            id="priority means nothing for cash",
        ),
        pytest.param(
            cash_lot("z", 1, until=SOON, granted_at=EARLIER),
            cash_lot("a", 1, until=SOON, granted_at=NOW),
            id="cash of one expiry: the older one",
        ),
    ],
)
def test_one_lot_is_drawn_before_another(sooner, later):
    assert usable([later, sooner], NOW) == [sooner, later]
    assert usable([sooner, later], NOW) == [sooner, later]


@given(lots=some.lots())
def test_plain_cash_is_drawn_last_of_all(lots):
    plain = draw_order(CASH, None)

    assert all(draw_order(lot.id, lot.terms) < plain for lot in lots)


@given(data=st.data(), lots=some.lots())
def test_the_order_of_drawing_does_not_depend_on_how_lots_are_kept(data, lots):
    shuffled = data.draw(st.permutations(lots))

    assert usable(shuffled, NOW) == usable(lots, NOW)


@pytest.mark.parametrize(
    ("since_expiry", "claim"),
    [(-MILLISECOND, False), (timedelta(0), True), (MILLISECOND, True)],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_a_lot_expires_at_its_instant_and_not_after_it(since_expiry, claim):
    lot = credit("a", 5, until=SOON)

    assert lot.terms.expired(SOON + since_expiry) is claim
    assert usable([lot], SOON + since_expiry) == ([] if claim else [lot])


def test_a_lot_without_an_expiry_never_expires():
    lot = credit("a", 5)

    assert not lot.terms.expired(NOW + timedelta(days=365_000))


@pytest.mark.parametrize(("remaining", "claim"), [(0, False), (1, True)])
def test_a_lot_that_has_nothing_to_draw_is_passed_over(remaining, claim):
    lot = credit("a", remaining, held=7)

    assert (lot in usable([lot], NOW)) is claim


@pytest.mark.parametrize(
    ("amount", "head", "tail"),
    [
        (0, [], [("a", 3), ("b", 4), (CASH, 5)]),
        (1, [("a", 1)], [("a", 2), ("b", 4), (CASH, 5)]),
        (2, [("a", 2)], [("a", 1), ("b", 4), (CASH, 5)]),
        (3, [("a", 3)], [("b", 4), (CASH, 5)]),
        (4, [("a", 3), ("b", 1)], [("b", 3), (CASH, 5)]),
        (7, [("a", 3), ("b", 4)], [(CASH, 5)]),
        (8, [("a", 3), ("b", 4), (CASH, 1)], [(CASH, 4)]),
        (11, [("a", 3), ("b", 4), (CASH, 4)], [(CASH, 1)]),
        (12, [("a", 3), ("b", 4), (CASH, 5)], []),
    ],
)
def test_draws_are_parted_at_an_amount(amount, head, tail):
    terms = Terms(kind=CREDIT, granted_at=NOW)
    draws = (Draw("a", 3, terms), Draw("b", 4, terms), Draw(CASH, 5))

    assert taken(first(draws, amount)) == head
    assert taken(after(draws, amount)) == tail


@pytest.mark.parametrize("part", [first, after])
def test_asking_for_more_than_was_drawn_is_our_mistake(part):
    draws = (Draw(CASH, 5),)

    with pytest.raises(AssertionError):
        part(draws, 6)
    with pytest.raises(AssertionError):
        part(draws, -1)


@given(data=st.data(), draws=some.draws)
def test_what_comes_first_and_what_comes_after_are_the_whole(data, draws):
    amount = data.draw(st.integers(0, total(draws)))

    head, tail = first(draws, amount), after(draws, amount)

    assert total(head) == amount
    assert merged((*head, *tail)) == draws
    assert all(draw.amount_micros > 0 for draw in (*head, *tail))
    assert len(head) + len(tail) - len(draws) in (0, 1)


@given(data=st.data(), draws=some.draws)
def test_parts_taken_one_by_one_are_the_parts_taken_at_once(data, draws):
    one = data.draw(st.integers(0, total(draws)))
    two = data.draw(st.integers(0, total(draws) - one))

    assert after(after(draws, one), two) == after(draws, one + two)
    assert merged((*first(draws, one), *first(after(draws, one), two))) == first(draws, one + two)


@given(data=st.data(), draws=some.draws)
def test_merging_gives_one_draw_a_lot_whatever_the_order(data, draws):
    pieces = [draw.of(part) for draw in draws for part in _parts(data, draw.amount_micros)]
    shuffled = data.draw(st.permutations(pieces))

    assert merged(shuffled) == draws
    assert merged(merged(shuffled)) == draws


def _parts(data: st.DataObject, amount: int) -> tuple[int, ...]:
    part = data.draw(st.integers(0, amount))
    return tuple(piece for piece in (part, amount - part) if piece)


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (Draw(CASH, 5), CASH),
        (Draw("lot_1", 5, Terms(kind=CREDIT, granted_at=NOW)), CREDIT),
        (Draw("lot_2", 5, Terms(kind=CASH, granted_at=NOW, expires_at=SOON)), CASH),
    ],
    ids=["plain cash", "a granted lot", "a lot that was paid for"],
)
def test_a_draw_is_of_the_kind_of_its_lot(draw, kind):
    assert draw.kind == kind
    assert draw.of(3).kind == kind
    assert draw.of(3).amount_micros == 3
