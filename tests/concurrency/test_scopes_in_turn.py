"""The crowd at three budgets, call by call in an order that a seed decides; then with faults."""

import random
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from holdfast import audit
from holdfast.domain.budgets import budget_of
from holdfast.domain.holds import OPEN, Hold
from holdfast.errors import BudgetExceeded
from holdfast.services import holds, wallet
from holdfast.services.holds import HoldTerms
from holdfast.services.refs import account_of
from holdfast.store import items
from tests.concurrency.crowds import CENT_MICROS, GOOD_FOR, REQUESTS, books_of
from tests.concurrency.environments import Crowd
from tests.concurrency.nested import ALICE, in_the_way, nested_crowd, problems_of_budgets
from tests.concurrency.turns import TABLE, Request, Told, Turns
from tests.domain.samples import HOUR
from tests.simulator.faults import EVERY_FAULT, RandomFaults


def nested(crowd: Crowd) -> Turns:
    """A wallet with money for everybody, under budgets that nothing was counted in yet."""
    turns = Turns(watched=(*crowd.scopes, *crowd.caps))

    def fill(store, once):
        return wallet.deposit(
            store, ALICE, amount_micros=REQUESTS * 99 * CENT_MICROS, currency="usd", once=once
        )

    (told,) = turns.serve([Request("fill", fill)], seed=0, environments=1, faults=None)
    assert told.refused is None
    return turns


def placing(crowd: Crowd, key: str) -> Request:
    ask = partial(
        _place,
        amount_micros=crowd.amount_micros,
        terms=HoldTerms(expires_in=timedelta(hours=1), scopes=crowd.scopes),
    )
    return Request(key, ask, caps=crowd.caps)


def _place(store, once, *, amount_micros, terms):
    return holds.place_hold(
        store, ALICE, amount_micros=amount_micros, currency="usd", terms=terms, once=once
    )


def held(told: list[Told]) -> set[str]:
    return {one.answer.entry.hold_id for one in told if one.answer is not None}


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_holds_in_any_order_of_calls_place_a_hundred_and_blame_the_tightest(seed):
    crowd = nested_crowd(seed, table=TABLE)
    turns = nested(crowd)
    requests = [placing(crowd, f"request-{number}") for number in range(REQUESTS)]

    told = turns.serve(requests, seed=seed, environments=16, faults=None)

    books = books_of(turns.simulator.items())
    refused = [one.refused for one in told if one.refused is not None]
    assert len(held(told)) == len(books.open_holds()) == GOOD_FOR
    assert {type(each) for each in refused} == {BudgetExceeded}
    assert {each.details["scope"] for each in refused} == {in_the_way(crowd).name}
    held_micros = GOOD_FOR * crowd.amount_micros
    assert problems_of_budgets(books, crowd, held_micros=held_micros) == []
    assert turns.apart == []
    assert audit.audit_items(books.items) == []


def ending(crowd: Crowd, hold_id: str, draw: random.Random) -> list[Request]:
    """What becomes of one hold: captured in parts, extended, captured above, released."""
    amount = crowd.amount_micros
    captures = (
        partial(_capture, hold_id=hold_id, amount_micros=amount // 3 + 1, final=final)
        for final in (False, True)
    )
    ways = {
        "part": captures,
        "extend": [partial(_extend, hold_id=hold_id, amount_micros=amount)],
        "release": [partial(_release, hold_id=hold_id)],
    }
    chosen = [ask for way in draw.sample(sorted(ways), 2) for ask in ways[way]]
    return [Request(f"{hold_id} {n}", ask, crowd.caps) for n, ask in enumerate(chosen)]


def _capture(store, once, **facts):
    return holds.capture_hold(store, ALICE, once=once, **facts)


def _extend(store, once, **facts):
    return holds.extend_hold(store, ALICE, expires_in=2 * HOUR, once=once, **facts)


def _release(store, once, **facts):
    return holds.release_hold(store, ALICE, once=once, **facts)


@pytest.mark.parametrize("seed", range(6))
def test_under_faults_no_budget_ever_has_an_amount_that_the_others_do_not(seed):
    draw = random.Random(seed)
    crowd = nested_crowd(seed, table=TABLE, good_for=20)
    turns = nested(crowd)
    faults = RandomFaults(seed, rate=0.02)

    requests = [placing(crowd, f"request-{number}") for number in range(200)]
    placed = turns.serve(requests, seed=seed, environments=8, faults=faults)
    after_holds = turns.budgets()
    requests = [each for hold_id in sorted(held(placed)) for each in ending(crowd, hold_id, draw)]
    draw.shuffle(requests)
    ended = turns.serve(requests, seed=seed, environments=8, faults=faults)

    struck = {call.fault for call in turns.simulator.calls if call.fault is not None}
    assert struck == set(EVERY_FAULT), "a seed that meets no fault proves nothing"
    assert turns.apart == []
    assert len(held(placed)) == 20
    assert {budget and budget.held_micros for budget in after_holds} == {20 * crowd.amount_micros}
    books = books_of(turns.simulator.items())
    open_micros = sum(hold.remaining_micros for hold in books.open_holds())
    captured_micros = sum(hold.captured_micros for hold in books.holds)
    assert captured_micros > 0
    assert (
        problems_of_budgets(books, crowd, held_micros=open_micros, spent_micros=captured_micros)
        == []
    )
    assert audit.audit_items(books.items) == []
    for one in ended:
        if isinstance(one.refused, BudgetExceeded):
            assert one.refused.details["scope"] == in_the_way(crowd).name


def test_when_all_holds_have_ended_nothing_is_held_under_any_budget():
    crowd = nested_crowd(3, table=TABLE, good_for=20)
    turns = nested(crowd)
    requests = [placing(crowd, f"request-{number}") for number in range(50)]
    placed = turns.serve(requests, seed=3, environments=8, faults=None)
    last = [
        Request(f"release {hold_id}", partial(_release, hold_id=hold_id))
        for hold_id in sorted(held(placed))
    ]

    turns.serve(last, seed=3, environments=8, faults=None)
    again = turns.serve(
        [placing(crowd, f"again-{number}") for number in range(50)],
        seed=4,
        environments=8,
        faults=None,
    )

    books = books_of(turns.simulator.items())
    ended: list[Hold] = [hold for hold in books.holds if hold.status != OPEN]
    assert (len(ended), len(held(again))) == (20, 20)
    assert problems_of_budgets(books, crowd, held_micros=20 * crowd.amount_micros) == []
    assert turns.apart == []


def test_a_budget_that_moves_alone_is_noticed():
    """A watch that sees nothing proves something only if it could have seen it."""
    crowd = nested_crowd(1, table=TABLE)
    turns = nested(crowd)

    def move_one(store, once):
        _, item = items.to_item(ALICE.tenant, replace(budget_of(crowd.scopes[0]), held_micros=1))
        turns.simulator.put_item(TableName=TABLE, Item=item)
        store.read(account_of(ALICE))

    turns.serve([Request("alone", move_one)], seed=0, environments=1, faults=None)

    assert len(turns.apart) == 1
