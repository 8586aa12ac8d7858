"""Crowds under budgets: three scopes, one in another, of which one is good for a hundred holds."""

import random
import time
from collections import Counter
from typing import Any

from holdfast.domain.accounts import Tenant, default_account_id, owner_of
from holdfast.domain.budgets import KEY, RUN, WORKSPACE, Scope
from holdfast.store.ledger_store import LedgerStore
from tests.concurrency.crowds import (
    CENT_MICROS,
    GOOD_FOR,
    REQUESTS,
    Books,
    Outcome,
    dealt,
    fill,
    outcome_of,
    problems_of_books,
)
from tests.concurrency.environments import Crowd, Fleet
from tests.simulator.tables import ledger_table

ACME = Tenant("acme", "live")
ALICE = owner_of(ACME, "acme/alice")
# The key is another user's, and so is the account that counts what is spent with it.
KEY_ACCOUNT_ID = default_account_id(ACME, "acme/bob")
KINDS = (WORKSPACE, KEY, RUN)
"""From the outermost to the innermost."""


def nested_crowd(seed: int, *, table: str, good_for: int = GOOD_FOR) -> Crowd:
    """Holds under a workspace, a key and a run; the seed says which of them is in the way.

    The others have room for more, but not for all. The windows differ.
    """
    draw = random.Random(seed)
    amount_micros = draw.randint(1, 99) * CENT_MICROS
    room = [good_for + draw.randint(1, good_for) for _ in KINDS]
    room[_tight(seed)] = good_for
    workspace, key, run = (
        Scope(
            account_id=KEY_ACCOUNT_ID if kind == KEY else ALICE.account_id,
            kind=kind,
            id=f"{kind}-{seed}",
            # Less than one hold of a limit is left over: it is no use to anybody.
            limit_micros=holds * amount_micros + draw.randint(0, amount_micros - 1),
            currency="usd",
            window=draw.choice(["month", "total"]),
        )
        for kind, holds in zip(KINDS, room, strict=True)
    )
    return Crowd(
        table=table,
        owner=ALICE,
        amount_micros=amount_micros,
        seed=seed,
        scopes=(workspace, run),
        caps=(key,),
    )


def in_the_way(crowd: Crowd) -> Scope:
    """The scope that is good for the fewest holds."""
    return min((*crowd.scopes, *crowd.caps), key=lambda scope: scope.limit_micros)


def thousand_nested_holds(client: Any, fleet: Fleet, *, seed: int) -> Outcome:
    """A thousand keys, each sent once, at a wallet that has the money for all of them."""
    crowd = nested_crowd(seed, table=f"nested-{seed}")
    client.create_table(**ledger_table(crowd.table))
    store = LedgerStore(client, crowd.table)
    # Everybody begins with a thousand cents.
    fill(store, crowd.owner, REQUESTS * max(crowd.amount_micros, 2 * CENT_MICROS), _draw(seed))
    keys = [f"request-{number}" for number in range(REQUESTS)]
    _draw(seed).shuffle(keys)
    began = time.monotonic()
    answers = fleet.serve(crowd, dealt(keys, fleet.environments))
    return outcome_of(store, crowd, answers, seconds=time.monotonic() - began)


def problems_of_nested(outcome: Outcome, *, good_for: int = GOOD_FOR) -> list[str]:
    """Every way in which it went wrong, in words."""
    crowd = outcome.crowd
    blamed = Counter(answer.scope for answer in outcome.answers if answer.refused is not None)
    tight = in_the_way(crowd)
    checks = {
        f"refusals: {dict(outcome.refusals)}": set(outcome.refusals) <= {"budget_exceeded"},
        f"{dict(blamed)} were in the way, not {tight.name}": set(blamed) <= {tight.name},
    }
    wrong = [what for what, holds in checks.items() if not holds]
    spent = problems_of_budgets(outcome.books, crowd, held_micros=good_for * crowd.amount_micros)
    return [*wrong, *spent, *problems_of_books(outcome, good_for=good_for)]


def problems_of_budgets(
    books: Books, crowd: Crowd, *, held_micros: int, spent_micros: int = 0
) -> list[str]:
    """Budgets of which one holds what the others do not, or that count what the holds do not."""
    limits = {scope.place: scope.limit_micros for scope in (*crowd.scopes, *crowd.caps)}
    counted = {budget.place: budget for budget in books.budgets}
    wrong = [f"no budget counts {place}" for place in limits.keys() - counted.keys()]
    wrong += [f"a budget counts {place}" for place in counted.keys() - limits.keys()]
    for place, budget in counted.items():
        found = (budget.held_micros, budget.spent_micros)
        if found != (held_micros, spent_micros):
            wrong.append(f"{place} has {found}, not {(held_micros, spent_micros)}")
        if sum(found) > limits.get(place, 0):
            wrong.append(f"{place} is past its limit: {found}")
    pinned = {hold.scopes for hold in books.open_holds()}
    if pinned and {scope.place for scopes in pinned for scope in scopes} != limits.keys():
        wrong.append("holds do not say what they were reserved under")
    return wrong


def _draw(seed: int) -> random.Random:
    return random.Random(seed)


def _tight(seed: int) -> int:
    """The outermost, the innermost, the one in between, in turn."""
    return (0, 2, 1)[seed % 3]
