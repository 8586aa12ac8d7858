"""Wallets with as many lots as a wallet can have, and what it takes to write them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from holdfast.domain import credits as rules
from holdfast.domain.accounts import INTRODUCTORY_CREDIT_MICROS
from holdfast.domain.budgets import SCOPES_MAX, WORKSPACE, Budget, Scope, budget_of
from holdfast.domain.credits import LABELS_BYTES_MAX, CreditGrant
from holdfast.domain.holds import Hold, capture_hold, extend_hold, place_hold
from holdfast.domain.ledger import Journal
from holdfast.domain.lots import CREDIT, LOTS_MAX, Draw, Lot, Terms
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.domain.wallet import use
from holdfast.services.credits import GrantTerms, grant
from holdfast.store import items
from tests.domain.samples import (
    ACCOUNT_ID,
    NOW,
    TENANT,
    hold,
    hold_after,
    once,
    wallet,
    wallet_after,
)
from tests.services.caller import CENT, INTRODUCTORY, Caller
from tests.simulator.capacity import Meter, item_size

YEAR = timedelta(days=365)
WIDEST = "\N{GRINNING FACE}"
"""Four bytes in UTF-8: no character has more."""
TAGS_LONGEST = WIDEST * 200
LONGEST_AMOUNT = 2_499_999_999_999
"""Micros with as many digits as two hundred of them leave for the most that one hold can be."""


def give(alice: Caller, cents: int = 1, key: str | None = None, **terms: Any) -> CreditGrant:
    """A grant to the caller."""
    given, _ = grant(
        alice.store,
        alice.owner,
        amount_micros=cents * CENT,
        currency="usd",
        terms=GrantTerms(**{"expires_in": YEAR, **terms}),
        once=alice.once(key, asked=f"grant {cents}"),
    )
    return given


def crowded(lots: int = LOTS_MAX, *, pending: int = 0, **terms: Any) -> Caller:
    """Alice with so many open lots and pending ones; the first is the introductory credit.

    Each of the others has a cent.
    """
    alice = Caller()
    alice.wallet()
    for _ in range(pending):
        give(alice, effective_at=alice.now + YEAR)
    for _ in range(lots - 1):
        give(alice, **terms)
    assert alice.wallet().posted_micros == INTRODUCTORY_CREDIT_MICROS + (lots - 1) * CENT
    return alice


ALL_CENTS = INTRODUCTORY + LOTS_MAX - 1
"""What a crowded wallet has."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request cost, and the bytes of each item that it wrote, by the noun of its key."""

    calls: tuple[str, ...]
    used: Meter
    sizes: dict[str, int]

    @property
    def largest(self) -> int:
        return max(self.sizes.values())


@contextmanager
def counted(alice: Caller) -> Iterator[list[Cost]]:
    """Count what happens until the end of the block; the list has the cost then."""
    found: list[Cost] = []
    first = len(alice.simulator.calls)
    with alice.simulator.measure() as used:
        yield found
    calls = alice.simulator.calls[first:]
    puts = [
        step["Put"]["Item"]
        for call in calls
        if call.method == "transact_write_items" and call.error is None
        for step in call.params["TransactItems"]
        if "Put" in step
    ]
    sizes = {put["sk"]["S"].partition("#")[0].lower(): item_size(put) for put in puts}
    found.append(Cost(tuple(call.method for call in calls), used, sizes))


def cost_of(alice: Caller, ask: Callable[[Caller], Any]) -> tuple[Cost, Any]:
    """What a request cost, and what it was answered."""
    with counted(alice) as costs:
        answer = ask(alice)
    return costs[0], answer


# --- The worst that the limits allow --------------------------------------------------------------


def longest(number: int, *, held: int = 0, tag: str = "", meters: tuple[str, ...] = ()) -> Lot:
    """A lot whose amounts and labels take as many bytes as they can."""
    terms = Terms(
        kind=CREDIT,
        granted_at=NOW,
        expires_at=NOW + YEAR,
        priority=rules.PRIORITY_MAX - 1,
        tag=tag,
        meters=meters,
    )
    return Lot(
        id=f"{rules.GRANT_PREFIX}{number:036d}_usd",
        terms=terms,
        remaining_micros=LONGEST_AMOUNT,
        held_micros=held,
    )


def most_meters() -> tuple[str, ...]:
    """The meters of a grant that says nothing else, and says as much as it may."""
    count = rules.METERS_MAX
    length, rest = divmod(LABELS_BYTES_MAX - 1 - count, count)
    return tuple(str(number).zfill(length + (number < rest)) for number in range(count))


def widest_hold(amount_micros: int) -> Hold:
    """A hold with everything that its caller can say, each at its longest."""
    texts = {f"{number:02d}" + WIDEST * 38: WIDEST * 200 for number in range(20)}
    scopes = tuple(
        Scope(
            account_id=ACCOUNT_ID,
            kind=WORKSPACE,
            id=f"{number:0128d}",
            limit_micros=AMOUNT_MICROS_MAX,
            currency="usd",
            window="month",
        )
        for number in range(SCOPES_MAX)
    )
    return replace(hold(amount_micros), reference=WIDEST * 200, metadata=texts, scopes=scopes)


def bytes_of(journal: Journal) -> dict[str, int]:
    """The bytes of all that a journal writes, by the noun of its key."""
    written = [items.entry_to_item(entry)[1] for entry in (journal.entry, *journal.others)]
    written += [items.to_item(TENANT, change.after)[1] for change in journal.changes]
    return {item["sk"]["S"].partition("#")[0].lower(): item_size(item) for item in written}


def worst() -> dict[str, dict[str, int]]:
    """The bytes of what is written when two hundred lots of the longest kind are drawn at once."""
    asked = once("worst")
    meters = most_meters()
    for_a_meter = wallet(*(longest(number, meters=meters) for number in range(LOTS_MAX)))
    used = use(for_a_meter, asked, amount_micros=LOTS_MAX * LONGEST_AMOUNT, meter=meters[0])
    tagged = wallet(*(longest(number, tag=TAGS_LONGEST) for number in range(LOTS_MAX)))
    wide = widest_hold(LOTS_MAX * LONGEST_AMOUNT)
    budgets = tuple(map(budget_of, wide.scopes))
    placed = place_hold(tagged, wide, asked, budgets)
    part = capture_hold(
        wallet_after(placed),
        hold_after(placed),
        once("part"),
        tuple(change.after for change in placed.changes if isinstance(change.after, Budget)),
        amount_micros=wide.amount_micros // 2,
        final=False,
    )
    full = item_size(items.to_item(TENANT, for_a_meter)[1])
    return {
        "wallet, nothing drawn": {"wallet": full},
        "charge": bytes_of(used),
        "hold": bytes_of(placed),
        "part capture": bytes_of(part),
    }


def worst_extension() -> dict[str, int]:
    """The same for a hold that has pinned a part of every lot already, and draws of each again."""
    before = wallet(*(longest(n, held=LONGEST_AMOUNT, tag=TAGS_LONGEST) for n in range(LOTS_MAX)))
    draws = tuple(Draw(lot.id, lot.held_micros, lot.terms) for lot in before.lots)
    total_micros = LOTS_MAX * LONGEST_AMOUNT
    wide = replace(widest_hold(total_micros), draws=draws, version=1)
    budgets = tuple(
        replace(budget_of(scope), held_micros=total_micros, version=1) for scope in wide.scopes
    )
    extended = extend_hold(
        before, wide, once("more"), budgets, expires_at=None, amount_micros=total_micros
    )
    return bytes_of(extended)
