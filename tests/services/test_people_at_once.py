"""Requests about accounts and workspaces that meet: every order of their calls is as good as a
serial one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain.accounts import Account, owner_of
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.domain.workspaces import Workspace
from holdfast.errors import Contention, KeyInUse, Refusal
from holdfast.services import (
    accounts,
    billing_accounts,
    members,
    profile,
    wallet,
    workspaces,
)
from holdfast.services import credits as credit
from holdfast.services.credits import GrantTerms
from holdfast.services.refs import Owner, workspace_of
from holdfast.services.workspaces import Visitor
from holdfast.store import items
from holdfast.store.ledger_store import LedgerStore
from tests.domain.samples import NOW
from tests.services.caller import CENT, LIVE, Caller
from tests.simulator.scheduler import all_orders, interleave

ALICE, BOB = "acme/alice", "acme/bob"
VISITOR = Visitor(LIVE, ALICE, is_admin=False)
MINE = owner_of(LIVE, ALICE).account_id

type Work = Callable[[Caller], Any]


def outcome(work: Work, caller: Caller) -> str:
    """What a client is told in the end: what was done, or the code of the refusal."""
    for _ in range(20):
        try:
            done = work(caller)
        except (Contention, KeyInUse):
            continue
        except Refusal as refusal:
            return refusal.code
        return "done again" if getattr(done, "replayed", False) else "done"
    raise AssertionError("no definite answer")


def records(caller: Caller, kind: type) -> list[Any]:
    found = [item for item in caller.simulator.items() if item["sk"]["S"] != "ENTRY"]
    return [record for record in map(items.to_record, found) if isinstance(record, kind)]


def entries(caller: Caller, type_: str) -> int:
    return sum(item.get("type") == {"S": type_} for item in caller.simulator.items())


def save_card(caller: Caller) -> None:
    method = PaymentMethod(
        account_id=MINE,
        id="pm_1",
        brand="visa",
        last4="4242",
        exp_month=4,
        exp_year=2030,
        created_at=NOW,
        version=1,
    )
    _, item = items.to_item(LIVE, method)
    caller.simulator.put_item(TableName="holdfast", Item=item)


# --- A user nobody has seen before ----------------------------------------------------------------


def give(caller: Caller) -> Any:
    _, committed = credit.grant(
        caller.store,
        caller.owner,
        amount_micros=CENT,
        currency="usd",
        terms=GrantTerms(name="one cent"),
        once=caller.once(),
    )
    return committed


FIRST: Sequence[Work] = (
    lambda caller: wallet.wallet(caller.store, caller.owner, "usd", now=NOW, own=True),
    lambda caller: profile.profile(caller.store, caller.owner, now=NOW),
    lambda caller: members.members(caller.store, caller.owner, now=NOW),
    lambda caller: accounts.seats(caller.store, LIVE, ALICE, after=None, limit=20, now=NOW),
    lambda caller: billing_accounts.owned(caller.store, LIVE, ALICE, after=None, limit=20, now=NOW),
    lambda caller: workspaces.open_workspace(
        caller.store, VISITOR, name="lab", account_id=None, once=caller.once()
    ),
    lambda caller: profile.change_info(
        caller.store, caller.owner, texts={"name": "Acme"}, once=caller.once()
    ),
    lambda caller: caller.deposit(1),
    give,
    lambda caller: accounts.open_account(
        caller.store, owner=ALICE, name="trip", currency="usd", once=caller.once()
    ),
)


@pytest.mark.parametrize("seed", range(25))
def test_twenty_first_requests_make_one_account_with_one_introductory_credit(seed):
    caller = Caller()
    works = [partial(outcome, work, caller.elsewhere()) for work in (*FIRST, *FIRST)]

    run = interleave(works, seed=seed)

    assert Counter(each.result() for each in run.outcomes) == {"done": 20}
    (default,) = (each for each in records(caller, Account) if each.is_default)
    assert default.id == MINE
    assert entries(caller, "introductory_credit") == 1
    assert len(records(caller, Workspace)) == 2
    found = wallet.wallet(caller.store, caller.owner, "usd", now=NOW, own=True)
    assert found.balance_micros(NOW) == (1000 + 2 + 2) * CENT
    assert audit_items(caller.simulator.items()) == []


@pytest.mark.parametrize("seed", range(25))
def test_of_requests_for_the_starter_credit_one_is_granted_and_its_replays_are_told_so(seed):
    caller = Caller()
    save_card(caller)

    def start(key: str, other: Caller) -> Any:
        return credit.grant_starter(other.store, other.owner, once=other.once(key))

    works = [
        partial(outcome, partial(start, key), caller.elsewhere()) for key in ("k1", "k1", "k2")
    ]
    run = interleave(works, seed=seed)

    told = [str(each.result()) for each in run.outcomes]
    first = ["done", "done again", "starter_credit_granted"]
    second = ["done", "starter_credit_granted", "starter_credit_granted"]
    assert sorted(told) in (first, second)
    assert entries(caller, "starter_credit") == 1
    assert audit_items(caller.simulator.items()) == []


# --- Two requests about one workspace -------------------------------------------------------------


class Place:
    """A workspace of Alice's with another account linked, and a spare one that is not."""

    def __init__(self, *, remember: bool) -> None:
        here = Caller()
        self.workspace_id = workspaces.open_workspace(
            here.store, VISITOR, name="lab", account_id=None, once=here.once()
        ).record.id
        self.other_id, self.spare_id = (
            accounts.open_account(
                here.store, owner=ALICE, name=name, currency="usd", once=here.once()
            ).record.id
            for name in ("other", "spare")
        )
        self.workspace("link", self.other_id)(here)
        # Whoever meets there remembers it like that, or nothing.
        self.callers = [here.elsewhere() for _ in range(2)]
        for caller in self.callers if remember else ():
            caller.store._known.update(here.store._known)

    def workspace(self, verb: str, account_id: str, **more: Any) -> Work:
        def work(caller: Caller) -> Any:
            asked = {"workspace_id": self.workspace_id, "account_id": account_id}
            if verb == "link":
                asked["make_default"] = more.get("make_default", False)
            done = getattr(workspaces, verb)
            return done(caller.store, VISITOR, **asked, once=caller.once())

        return work

    def close(self, caller: Caller) -> Any:
        owner = Owner(LIVE, self.spare_id)
        return accounts.close_account(caller.store, owner, user=ALICE, once=caller.once())

    def fund(self, caller: Caller) -> Any:
        owner = Owner(LIVE, self.spare_id)
        return wallet.deposit(
            caller.store, owner, amount_micros=CENT, currency="usd", once=caller.once()
        )

    def bind(self, caller: Caller) -> Any:
        return workspaces.open_workspace(
            caller.store, VISITOR, name="other", account_id=self.spare_id, once=caller.once()
        )


def default_other(place: Place) -> Work:
    return place.workspace("make_default", place.other_id)


def default_mine(place: Place) -> Work:
    return place.workspace("make_default", MINE)


def unlink_other(place: Place) -> Work:
    return place.workspace("unlink", place.other_id)


def link_other(place: Place) -> Work:
    return place.workspace("link", place.other_id)


def link_spare(place: Place) -> Work:
    return place.workspace("link", place.spare_id)


def prefer_spare(place: Place) -> Work:
    return place.workspace("link", place.spare_id, make_default=True)


def close_spare(place: Place) -> Work:
    return place.close


def bind_spare(place: Place) -> Work:
    return place.bind


def fund_spare(place: Place) -> Work:
    return place.fund


OPERATIONS = (
    default_other,
    default_mine,
    unlink_other,
    link_other,
    link_spare,
    prefer_spare,
    close_spare,
    bind_spare,
    fund_spare,
)
PAIRS = [
    (first, second)
    for number, first in enumerate(OPERATIONS)
    for second in OPERATIONS[number:]
    # Two deposits are what the tests of faults are about.
    if {first, second} != {fund_spare}
]
# Who remembers nothing reads more, and so meets the other more often.
MEETINGS = [(pair, True) for pair in PAIRS] + [
    (pair, False) for pair in PAIRS if close_spare in pair
]


def ending(place: Place, told: Sequence[Any]) -> tuple[Any, ...]:
    """The answers, and whose money the workspace spends."""
    store: LedgerStore = Caller(place.callers[0].simulator).store
    found = store.read(workspace_of(LIVE, place.workspace_id))
    names = {MINE: "mine", place.other_id: "other", place.spare_id: "spare"}
    links = frozenset(names[link.account_id] for link in found.links)
    return tuple(told), names[found.default_account_id], links


@pytest.mark.parametrize(
    ("pair", "remember"),
    MEETINGS,
    ids=lambda part: "-".join(each.__name__ for each in part) if isinstance(part, tuple) else None,
)
def test_every_order_of_two_requests_comes_to_what_a_serial_one_does(pair, remember):
    endings = set()
    for order in ((0, 1), (1, 0)):
        place = Place(remember=remember)
        told: dict[int, str] = {}
        for number in order:
            told[number] = outcome(pair[number](place), place.callers[number])
        endings.add(ending(place, [told[0], told[1]]))

    def work(place: Place, *, number: int) -> str:
        return outcome(pair[number](place), place.callers[number])

    works = [partial(work, number=number) for number in range(2)]
    orders = 0
    for place, run in all_orders(partial(Place, remember=remember), *works, orders_max=3_000):
        came_to = ending(place, [each.result() for each in run.outcomes])
        assert came_to in endings, run.trace
        assert audit_items(place.callers[0].simulator.items()) == [], run.trace
        orders += 1
    assert orders > 1


def test_of_two_who_add_one_user_one_does():
    def prepare() -> tuple[Caller, Caller]:
        here = Caller()
        profile.profile(here.store, here.owner, now=NOW)
        return here, here.elsewhere()

    def add(callers: tuple[Caller, Caller], *, number: int) -> str:
        def work(caller: Caller) -> Any:
            owner = Owner(LIVE, MINE)
            once = caller.once()
            return members.add(caller.store, owner, user=BOB, role="member", email=None, once=once)

        return outcome(work, callers[number])

    works = [partial(add, number=number) for number in range(2)]
    for (here, _), run in all_orders(prepare, *works):
        told = sorted(str(each.result()) for each in run.outcomes)
        assert told == ["done", "member_exists"], run.trace
        assert audit_items(here.simulator.items()) == []
