"""The audit of what belongs to several accounts: budgets, workspaces, members and receipts."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from holdfast.audit.books import Books, Found, held_delta
from holdfast.domain import entries as words
from holdfast.domain.budgets import KEY, Budget, Place, period_of
from holdfast.domain.clock import Instant
from holdfast.domain.holds import OPEN
from holdfast.domain.members import OWNER, ROLES
from holdfast.domain.workspaces import LINKS_MAX

SKEW_MAX = timedelta(minutes=5)
"""How far the clocks of two environments may be apart."""


@dataclass(slots=True)
class _Counted:
    """What the holds that name one scope say of it."""

    held_micros: int = 0
    moves: int = 0
    spent: list[tuple[Instant, int]] = field(default_factory=list)


def budgets_add_up(books: Books) -> Found:
    """Each budget holds what the open holds that name it have left, and counts what they took.

    No budget is there that nothing was ever counted in, and none is missing.
    """
    counted = _counted(books)
    for name in counted.keys() | books.budgets.keys():
        _, place = name
        told, budget = counted[name], books.budgets.get(name)
        at = f"budget {'#'.join(place[1:])} of {place[0]}"
        if budget is None:
            yield at, f"{told.held_micros} are held under it, and it is not there"
            continue
        if budget.held_micros != told.held_micros:
            yield at, f"holds {budget.held_micros}, open holds {told.held_micros}"
        if min(budget.held_micros, budget.spent_micros) < 0:
            yield at, "is below zero"
        yield from _spending(budget, told, at)


def _counted(books: Books) -> defaultdict[tuple[str, Place], _Counted]:
    counted: defaultdict[tuple[str, Place], _Counted] = defaultdict(_Counted)
    for owned in books.accounts.values():
        for hold in owned.holds.values():
            for scope in hold.scopes:
                left_micros = hold.remaining_micros if hold.status == OPEN else 0
                counted[owned.segment, scope.place].held_micros += left_micros
        for entry in owned.entries.values():
            spent_micros = entry.postings.get(words.REVENUE, 0)
            if entry.hold is None or not (spent_micros or held_delta(entry)):
                continue
            for scope in entry.hold.scopes:
                told = counted[owned.segment, scope.place]
                told.moves += 1
                if spent_micros:
                    told.spent.append((entry.created_at, spent_micros))
    return counted


def _spending(budget: Budget, told: _Counted, at: str) -> Iterator[tuple[str, str]]:
    """What was spent in the window is what was captured in it.

    A key's cap counts other spending too, of which entries do not tell. A budget that a clock
    ahead of the others has moved on counts what they spend at the end of the window before.
    """
    window, period = budget.window, budget.period
    sure = sum(spent for when, spent in told.spent if period_of(window, when) == period)
    late = sum(
        spent
        for when, spent in told.spent
        if period_of(window, when) < period <= period_of(window, when + SKEW_MAX)
    )
    is_cap = budget.kind == KEY
    if budget.spent_micros < sure or (budget.spent_micros > sure + late and not is_cap):
        yield at, f"counts {budget.spent_micros} as spent, {sure} were captured"
    if any(period_of(window, when) > period for when, _ in told.spent):
        yield at, f"has stayed in {period or 'no period'}"
    if budget.version < told.moves or (budget.version > told.moves and not is_cap):
        yield at, f"was written {budget.version} times and moved {told.moves} times"
    if not told.moves and (not is_cap or not budget.spent_micros):
        yield at, "is there, and nothing was counted in it"


def workspaces_are_bound(books: Books) -> Found:
    """A workspace has one default account, among its links; accounts know what links them."""
    linked: Counter[tuple[str, str, str]] = Counter()
    for (segment, name), workspace in books.workspaces.items():
        ids = [link.account_id for link in workspace.links]
        if ids.count(workspace.default_account_id) != 1:
            yield (
                name,
                f"its default account is linked {ids.count(workspace.default_account_id)} times",
            )
        if len(set(ids)) != len(ids) or not 1 <= len(ids) <= LINKS_MAX:
            yield name, f"has {len(ids)} links: too many, none, or one twice"
        for link in workspace.links:
            owned = books.accounts.get(f"ORG#{segment}#ACCT#{link.account_id}")
            known = None if owned is None else owned.linked.get(name)
            if owned is None or owned.account is None:
                yield name, f"is linked to {link.account_id}, which is not there"
            if known is None or not known.active or known.linked_at != link.linked_at:
                yield name, f"is linked to {link.account_id}, which knows {known}"
            linked[segment, name, link.account_id] += 1
    for owned in books.accounts.values():
        for name, known in owned.linked.items():
            if known.active and not linked[owned.segment, name, known.account_id]:
                yield name, f"is linked by {known.account_id} alone"


def members_have_seats(books: Books) -> Found:
    """Members are of an account that is there, in a role that can be given, and not its owner."""
    for owned in books.accounts.values():
        for member in owned.members:
            if owned.account is None or member.user == owned.account.owner:
                yield member.id, "is a member of nothing, or of the own account"
            if member.role not in ROLES or member.role == OWNER:
                yield member.id, f"has the role {member.role}"


def receipts_answer(books: Books) -> Found:
    """What a request was answered with is there, as it was then or as it became since."""
    for place, key, receipt in books.receipts:
        record = books.records.get(key)
        if record is None or record.version < receipt.answer.version:
            there = "gone" if record is None else f"at version {record.version}"
            yield place, f"answered with version {receipt.answer.version} of {key.sk}: {there}"


CHECKS = (budgets_add_up, workspaces_are_bound, members_have_seats, receipts_answer)
