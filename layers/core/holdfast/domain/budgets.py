"""Budgets: how much may be spent under a name, in a window of time.

A hold or a debit names any number of scopes (a workspace, a key, a run), each with a limit. Money
is reserved under all of them or under none, in the transaction that moves it: what is spent in the
window and what open holds have set aside may not pass the limit of any. An inner scope can so
never pass an outer one that is named with it.

Windows are the UTC day, the UTC month, or all time. An open hold counts in the window of today,
whenever it was placed: what it captures is spent on the day on which it is captured.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from holdfast.domain.clock import Instant, rfc3339
from holdfast.errors import BudgetExceeded, InvariantBroken

WORKSPACE = "workspace"
KEY = "key"
RUN = "run"

DAY = "day"
MONTH = "month"
TOTAL = "total"

SCOPES_MAX = 10
"""How many scopes one request may name."""

# How much of an instant's text names the window that it lies in: 2026-11-21, 2026-11, nothing.
_PERIOD_LENGTH = {DAY: 10, MONTH: 7, TOTAL: 0}

type Place = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A limit on what is spent under one name in one window, in one currency.

    `account_id` is the account that keeps the count: the key's own for a key's cap, whoever is
    charged; otherwise the one whose money it is.
    """

    account_id: str
    kind: str
    id: str
    limit_micros: int
    currency: str
    window: str = TOTAL

    @property
    def name(self) -> str:
        """`run:r1`: what a refusal calls it."""
        return f"{self.kind}:{self.id}"

    @property
    def place(self) -> Place:
        """What makes two scopes one: everything but the limit."""
        return (self.account_id, self.kind, self.id, self.currency, self.window)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What was spent under one scope in the window `period`, and what open holds set aside."""

    account_id: str
    kind: str
    id: str
    currency: str
    window: str
    period: str = ""
    spent_micros: int = 0
    held_micros: int = 0
    version: int = 0

    @property
    def place(self) -> Place:
        """Whose spending it counts, as `Scope.place` names it."""
        return (self.account_id, self.kind, self.id, self.currency, self.window)

    def used_micros(self, now: Instant) -> int:
        """What counts against a limit at `now`."""
        return self.held_micros + self._spent_in(period_of(self.window, now))

    def moved(self, *, held_delta: int, spent_delta: int, now: Instant) -> "Budget":
        """The budget after money was set aside, given back or spent."""
        # Clocks of two environments may stand on two sides of midnight: time does not go back.
        period = max(self.period, period_of(self.window, now))
        held_micros = self.held_micros + held_delta
        if held_micros < 0:
            raise InvariantBroken(f"what {self.kind}:{self.id} holds would go below zero")
        return replace(
            self,
            period=period,
            held_micros=held_micros,
            spent_micros=self._spent_in(period) + spent_delta,
            version=self.version + 1,
        )

    def _spent_in(self, period: str) -> int:
        return self.spent_micros if self.period >= period else 0


type Budgets = Sequence[Budget]
"""The budgets of some scopes, in the order of the scopes."""


def period_of(window: str, now: Instant) -> str:
    """The window that `now` lies in: its day, its month, or the one that never ends."""
    return rfc3339(now)[: _PERIOD_LENGTH[window]]


def budget_of(scope: Scope) -> Budget:
    """A scope's budget before anything was spent under it."""
    return Budget(
        account_id=scope.account_id,
        kind=scope.kind,
        id=scope.id,
        currency=scope.currency,
        window=scope.window,
    )


def merged(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Each place once, in the order of first mention, under the lowest of its limits."""
    lowest: dict[Place, Scope] = {}
    for scope in scopes:
        known = lowest.get(scope.place)
        if known is None or scope.limit_micros < known.limit_micros:
            lowest[scope.place] = scope
    return tuple(lowest.values())


def require_room(
    scope: Scope, budget: Budget, more_micros: int, *, currency: str, now: Instant
) -> None:
    """Refuse `more_micros` if they would pass the scope's limit.

    A limit in one currency allows nothing in another.

    Raises:
        BudgetExceeded: They would.
    """
    if more_micros <= 0:
        return
    same = scope.currency == currency
    limit_micros = scope.limit_micros if same else 0
    used_micros = budget.used_micros(now) if same else 0
    if used_micros + more_micros > limit_micros:
        raise BudgetExceeded(
            scope=scope.name,
            window=scope.window,
            limit_micros=limit_micros,
            used_micros=used_micros,
            needed_micros=more_micros,
            currency=currency,
        )
