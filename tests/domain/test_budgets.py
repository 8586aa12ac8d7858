"""Budgets: limits on what is spent under a name, whatever becomes of the holds under it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.domain import holds as rules
from holdfast.domain import wallet as wallet_rules
from holdfast.domain.book import scopes_of
from holdfast.domain.budgets import (
    Budget,
    Place,
    Scope,
    budget_of,
    merged,
    period_of,
    require_room,
)
from holdfast.domain.clock import Instant
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Decision, Journal, Wallet
from holdfast.domain.once import Once
from holdfast.errors import BudgetExceeded, InvariantBroken, Refusal
from tests.domain.samples import ACCOUNT_ID, MILLISECOND, NOW, hold, once, wallet

DAY = timedelta(days=1)
LAST_MOMENT = datetime(2026, 11, 30, 23, 59, 59, 999_000, tzinfo=UTC)


def scope(
    name: str = "run:r1",
    limit: int = 100,
    *,
    window: str = "total",
    currency: str = "usd",
    account_id: str = ACCOUNT_ID,
) -> Scope:
    kind, _, id_ = name.partition(":")
    return Scope(
        account_id=account_id,
        kind=kind,
        id=id_,
        limit_micros=limit,
        currency=currency,
        window=window,
    )


def budget(of: Scope, *, held: int = 0, spent: int = 0, now: Instant = NOW) -> Budget:
    return replace(
        budget_of(of),
        held_micros=held,
        spent_micros=spent,
        period=period_of(of.window, now),
        version=1,
    )


def refusal_of(of: Scope, there: Budget, more: int, *, currency: str = "usd") -> object:
    """What is told of `more` that does not fit; None for what does."""
    try:
        require_room(of, there, more, currency=currency, now=NOW)
    except BudgetExceeded as refused:
        return refused.details
    return None


# --- One budget -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "now", "period"),
    [
        ("day", NOW, "2026-11-21"),
        ("day", LAST_MOMENT, "2026-11-30"),
        ("day", LAST_MOMENT + MILLISECOND, "2026-12-01"),
        ("month", LAST_MOMENT, "2026-11"),
        ("month", LAST_MOMENT + MILLISECOND, "2026-12"),
        ("total", NOW, ""),
        ("total", LAST_MOMENT + 400 * DAY, ""),
    ],
)
def test_a_window_is_a_day_or_a_month_of_utc_or_all_time(window, now, period):
    assert period_of(window, now) == period


@pytest.mark.parametrize(
    ("held", "spent", "more", "fits"),
    [
        (0, 0, 99, True),
        (0, 0, 100, True),
        (0, 0, 101, False),
        (60, 0, 40, True),
        (60, 0, 41, False),
        (0, 60, 40, True),
        (0, 60, 41, False),
        (30, 30, 40, True),
        (30, 30, 41, False),
        (100, 0, 0, True),
        (70, 70, 0, True),
        (70, 70, -1, True),
        (70, 70, 1, False),
    ],
)
def test_what_is_held_and_what_was_spent_leave_the_rest_of_the_limit(held, spent, more, fits):
    of = scope(limit=100)
    there = budget(of, held=held, spent=spent)

    told = {
        "scope": "run:r1",
        "window": "total",
        "limit_micros": 100,
        "used_micros": held + spent,
        "needed_micros": more,
        "currency": "usd",
    }
    assert refusal_of(of, there, more) == (None if fits else told)


@pytest.mark.parametrize(("more", "fits"), [(0, True), (-5, True), (1, False)])
def test_a_limit_in_one_currency_allows_nothing_in_another(more, fits):
    of = scope(limit=100, currency="usd")
    there = budget(of, held=7)

    told = {
        "scope": "run:r1",
        "window": "total",
        "limit_micros": 0,
        "used_micros": 0,
        "needed_micros": more,
        "currency": "eur",
    }
    assert refusal_of(of, there, more, currency="eur") == (None if fits else told)


@pytest.mark.parametrize(
    ("window", "waited", "used"),
    [
        ("day", timedelta(), 50),
        ("day", MILLISECOND, 20),
        ("month", timedelta(), 50),
        ("month", MILLISECOND, 20),
        ("total", MILLISECOND, 50),
        ("total", 400 * DAY, 50),
    ],
)
def test_a_new_window_forgets_what_was_spent_and_not_what_is_held(window, waited, used):
    of = scope(window=window)
    there = budget(of, held=20, spent=30, now=LAST_MOMENT)

    assert there.used_micros(LAST_MOMENT + waited) == used


def test_a_day_within_a_month_is_a_new_day_alone():
    later = NOW + DAY

    assert budget(scope(window="day"), spent=30).used_micros(later) == 0
    assert budget(scope(window="month"), spent=30).used_micros(later) == 30


def test_what_is_moved_is_counted_in_the_window_in_which_it_is_moved():
    of = scope(window="day")
    there = budget(of, held=20, spent=30, now=LAST_MOMENT)

    captured = there.moved(held_delta=-5, spent_delta=5, now=LAST_MOMENT + MILLISECOND)

    assert (captured.held_micros, captured.spent_micros) == (15, 5)
    assert captured.period == "2026-12-01"
    assert captured.version == there.version + 1
    assert captured.place == of.place


def test_a_clock_that_is_behind_brings_no_window_back():
    of = scope(window="day")
    there = budget(of, spent=30, now=LAST_MOMENT + MILLISECOND)

    counted = there.moved(held_delta=0, spent_delta=5, now=LAST_MOMENT)

    assert (counted.period, counted.spent_micros) == ("2026-12-01", 35)
    assert counted.used_micros(LAST_MOMENT) == 35


def test_no_more_is_given_back_than_is_held():
    there = budget(scope(), held=20)

    assert there.moved(held_delta=-20, spent_delta=0, now=NOW).held_micros == 0
    with pytest.raises(InvariantBroken):
        there.moved(held_delta=-21, spent_delta=0, now=NOW)


def test_a_place_that_is_named_twice_is_one_under_the_lower_limit():
    named = [scope("run:r1", 100), scope("key:k1", 50), scope("run:r1", 70), scope("key:k1", 60)]

    assert merged(named) == (scope("run:r1", 70), scope("key:k1", 50))
    assert merged([]) == ()


@pytest.mark.parametrize(
    "other",
    [
        scope("run:r2"),
        scope("key:r1"),
        scope(window="day"),
        scope(currency="eur"),
        scope(account_id="acct_" + "b" * 26),
    ],
    ids=["another id", "another kind", "another window", "another currency", "another account"],
)
def test_all_but_the_limit_makes_two_scopes_two(other):
    assert scope(limit=5).place == scope().place
    assert len(merged([scope(), other])) == 2


# --- Under holds ----------------------------------------------------------------------------------

NESTED = (scope("workspace:w", 90), scope("key:k", 60, window="month"), scope("run:r", 40))


def empty(scopes: tuple[Scope, ...]) -> tuple[Budget, ...]:
    return tuple(budget_of(each) for each in scopes)


def budgets_after(journal: Decision) -> dict[str, tuple[int, int]]:
    """What the decision leaves held and spent, by kind."""
    assert isinstance(journal, Journal)
    counted = [change.after for change in journal.changes if isinstance(change.after, Budget)]
    return {each.kind: (each.held_micros, each.spent_micros) for each in counted}


@pytest.mark.parametrize(
    ("workspace", "key", "run", "name"),
    [
        (0, 0, 0, None),
        (60, 30, 10, None),
        (61, 30, 10, "workspace:w"),
        (60, 31, 10, "key:k"),
        (60, 30, 11, "run:r"),
        (61, 31, 11, "workspace:w"),
    ],
)
def test_a_hold_is_reserved_under_all_of_its_scopes_or_under_none(workspace, key, run, name):
    used = (workspace, key, run)
    there = [budget(each, spent=spent) for each, spent in zip(NESTED, used, strict=True)]
    asked = replace(hold(30), scopes=NESTED)

    if name is None:
        placed = rules.place_hold(wallet(cash=100), asked, once(), there)
        assert budgets_after(placed) == {
            "workspace": (30, workspace),
            "key": (30, key),
            "run": (30, run),
        }
        return
    with pytest.raises(BudgetExceeded) as refused:
        rules.place_hold(wallet(cash=100), asked, once(), there)
    assert refused.value.details["scope"] == name


def test_a_budget_is_asked_before_the_wallet():
    asked = replace(hold(41), scopes=NESTED)

    with pytest.raises(BudgetExceeded):
        rules.place_hold(wallet(cash=0), asked, once(), empty(NESTED))


def test_a_rule_without_the_budgets_it_counts_in_is_our_mistake():
    asked = replace(hold(5), scopes=NESTED)

    with pytest.raises(InvariantBroken):
        rules.place_hold(wallet(cash=100), asked, once(), empty(NESTED[:2]))


MOVES: dict[str, tuple[Callable[[Wallet, Once, tuple[Budget, ...]], Journal], int]] = {
    "a charge": (lambda w, o, b: wallet_rules.use(w, o, b, amount_micros=30), 30),
    "a withdrawal": (lambda w, o, b: wallet_rules.withdraw(w, o, b, amount_micros=30), 30),
    "an adjustment down": (lambda w, o, b: wallet_rules.adjust(w, o, b, delta_micros=-30), 30),
    "an adjustment up": (lambda w, o, b: wallet_rules.adjust(w, o, b, delta_micros=30), 0),
    "a deposit": (lambda w, o, b: wallet_rules.deposit(w, o, b, amount_micros=30), 0),
}


@pytest.mark.parametrize(("move", "counted"), MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("room", [0, 29, 30, 31])
def test_a_cap_counts_what_goes_out_and_nothing_that_comes_in(move, counted, room):
    cap = scope("key:k", 100)
    there = (budget(cap, spent=100 - room),)
    by_key = replace(once(), caps=(cap,))

    if counted > room:
        with pytest.raises(BudgetExceeded):
            move(wallet(cash=1_000), by_key, there)
        return
    assert budgets_after(move(wallet(cash=1_000), by_key, there)) == (
        {"key": (0, 100 - room + counted)} if counted else {}
    )


# --- Whatever happens -----------------------------------------------------------------------------

LIMITS = {
    "workspace:w": (300, "total"),
    "key:k": (200, "day"),
    "run:r1": (120, "total"),
    "run:r2": (80, "month"),
}
SCOPES = {name: scope(name, limit, window=window) for name, (limit, window) in LIMITS.items()}
AGENTS_CAP = SCOPES["key:k"]


@dataclass
class House:
    """A wallet, its holds and the budgets, changed by rules; and the same in two sums a budget."""

    wallet: Wallet = field(default_factory=lambda: wallet(cash=1_000))
    holds: dict[str, Hold] = field(default_factory=dict)
    budgets: dict[Place, Budget] = field(default_factory=dict)
    spent: dict[tuple[Place, str], int] = field(default_factory=dict)
    now: Instant = LAST_MOMENT - timedelta(hours=30)
    number: int = 0

    def once(self, *, capped: bool) -> Once:
        self.number += 1
        asked = once(f"request {self.number}", now=self.now)
        return replace(asked, caps=(AGENTS_CAP,)) if capped else asked

    def carry_out(self, asked: Once, about: Hold | None, decide: Callable[..., Decision]) -> None:
        """Do what a rule says, or nothing if it refuses."""
        scopes = scopes_of(about, asked)
        there = tuple(self.budgets.get(each.place) or budget_of(each) for each in scopes)
        try:
            journal = decide(there)
        except Refusal:
            return
        if not isinstance(journal, Journal):
            return
        taken = -journal.entry.balance_delta_micros
        for change in journal.changes:
            after = change.after
            if isinstance(after, Wallet):
                self.wallet = after
            elif isinstance(after, Hold):
                self.holds[after.id] = after
            elif isinstance(after, Budget):
                self.budgets[after.place] = after
        for each in scopes:
            at = (each.place, period_of(each.window, self.now))
            self.spent[at] = self.spent.get(at, 0) + taken

    def assert_counted(self) -> None:
        for each in SCOPES.values():
            there = self.budgets.get(each.place) or budget_of(each)
            held = [
                one.remaining_micros
                for one in self.holds.values()
                if one.status == "open" and each.place in {under.place for under in one.scopes}
            ]
            spent = self.spent.get((each.place, period_of(each.window, self.now)), 0)
            assert there.held_micros == sum(held)
            assert there.used_micros(self.now) == sum(held) + spent
            assert there.used_micros(self.now) <= each.limit_micros

    def place(self, data: st.DataObject) -> None:
        asked = self.once(capped=data.draw(st.booleans()))
        named = data.draw(st.lists(st.sampled_from(sorted(SCOPES)), unique=True))
        new = replace(
            hold(
                data.draw(AMOUNTS),
                expiry_policy=data.draw(st.sampled_from(["release", "capture"])),
                over_capture=data.draw(st.sampled_from(["reject", "cap", "overdraft"])),
                overdraft=data.draw(st.integers(0, 50)),
            ),
            id=rules.new_id(asked, "usd"),
            created_at=self.now,
            expires_at=self.now + timedelta(hours=data.draw(st.integers(1, 40))),
            scopes=merged([*(SCOPES[name] for name in named), *asked.caps]),
        )
        self.carry_out(asked, new, lambda b: rules.place_hold(self.wallet, new, asked, b))

    def capture(self, data: st.DataObject) -> None:
        one, asked = self.some_hold(data), self.once(capped=data.draw(st.booleans()))
        amount, final = data.draw(AMOUNTS), data.draw(st.booleans())
        self.carry_out(
            asked,
            one,
            lambda b: rules.capture_hold(
                self.wallet, one, asked, b, amount_micros=amount, final=final
            ),
        )

    def extend(self, data: st.DataObject) -> None:
        one, asked = self.some_hold(data), self.once(capped=data.draw(st.booleans()))
        amount = data.draw(st.just(0) | AMOUNTS)
        self.carry_out(
            asked,
            one,
            lambda b: rules.extend_hold(
                self.wallet, one, asked, b, expires_at=self.now + DAY, amount_micros=amount
            ),
        )

    def release(self, data: st.DataObject) -> None:
        one, asked = self.some_hold(data), self.once(capped=data.draw(st.booleans()))
        self.carry_out(asked, one, lambda b: rules.release_hold(self.wallet, one, asked, b))

    def expire(self, data: st.DataObject) -> None:
        one, asked = self.some_hold(data), self.once(capped=False)
        self.carry_out(asked, one, lambda b: rules.expire_hold(self.wallet, one, asked, b))

    def charge(self, data: st.DataObject) -> None:
        asked, amount = self.once(capped=True), data.draw(AMOUNTS)
        self.carry_out(
            asked,
            None,
            lambda b: wallet_rules.use(self.wallet, asked, b, amount_micros=amount),
        )

    def wait(self, data: st.DataObject) -> None:
        self.now += timedelta(hours=data.draw(st.integers(1, 30)))

    def some_hold(self, data: st.DataObject) -> Hold:
        return self.holds[data.draw(st.sampled_from(sorted(self.holds)))]


AMOUNTS = st.integers(1, 90)
STEPS = ["place", "capture", "extend", "release", "expire", "charge", "wait"]


@settings(max_examples=300)
@given(data=st.data(), steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=25))
def test_every_budget_is_the_sum_of_its_open_holds_and_of_what_was_taken(data, steps):
    """Across midnight and the end of a month, with and without the cap of a key."""
    house = House()
    for step in ["place", "place", *steps]:
        if house.holds or step in ("place", "charge", "wait"):
            getattr(house, step)(data)
        house.assert_counted()
