"""Reads for decisions: consistent, complete, and of one instant where a refusal rests on them."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from holdfast.domain.accounts import Tenant
from holdfast.domain.ledger import Wallet
from holdfast.errors import HoldNotFound, Unavailable
from holdfast.store import keys
from holdfast.store.ledger_store import Ref
from holdfast.store.reading import ATTEMPTS_MAX
from tests.domain.samples import ACCOUNT_ID, TENANT, hold
from tests.simulator.client import Simulator
from tests.simulator.faults import BEFORE, CONFLICT, PARTIAL, THROTTLED, Fault
from tests.store.ledger import (
    START_MICROS,
    WALLET,
    Environment,
    another,
    assert_sound,
    at_each,
    hold_ref,
    opened,
    wallet_of,
)


def new_wallets(number: int) -> list[Ref]:
    """Wallets that nobody has used yet."""

    def ref(account_id: str) -> Ref:
        empty = Wallet(tenant=TENANT, account_id=account_id, currency="usd")
        return Ref(keys.wallet(TENANT, account_id, "usd"), lambda: empty)

    return [ref(f"acct_{n}") for n in range(number)]


@pytest.mark.parametrize("how", ["load", "prove"])
@pytest.mark.parametrize("holds", [0, 1, 3])
def test_records_come_in_the_order_in_which_they_are_asked_for(how, holds):
    here = opened()
    placed = [here.place(10, f"hold {number}") for number in range(holds)]
    refs = [WALLET, *(hold_ref(each.id) for each in placed)]

    state = getattr(another(here).store, how)(refs)

    assert state.records == (wallet_of(here.simulator), *placed)


@pytest.mark.parametrize("how", ["load", "prove"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_record_that_is_not_there_is_refused_or_stands_for_nothing(how, place):
    here = opened()
    refs = [WALLET, hold_ref(here.place(10, "hold").id)]
    read = getattr(another(here).store, how)

    assert read([*refs, *new_wallets(1)]).records[2].seq == 0
    refs.insert(place, hold_ref(hold(5, key="other").id))
    with pytest.raises(HoldNotFound):
        read(refs)


@pytest.mark.parametrize(
    ("refs", "proven"), [(1, True), (2, False), (3, False)], ids=["one", "two", "three"]
)
def test_only_one_record_or_a_snapshot_is_of_one_instant(refs, proven):
    store = Environment(Simulator()).store

    assert store.load(new_wallets(refs)).proven is proven
    assert store.prove(new_wallets(refs)).proven


def test_what_is_remembered_proves_nothing():
    here = opened()

    assert not here.store.load([WALLET]).proven
    assert here.store.prove([WALLET]).proven


def test_reading_nothing_asks_for_nothing():
    here = opened()

    with here.simulator.measure() as used:
        state = here.store.load([])

    assert state.records == ()
    assert used.calls == 0


def test_what_a_batch_leaves_out_is_asked_for_again():
    here = opened()
    placed = here.place(10, "hold")
    there = another(here)
    here.simulator.faults = at_each("batch_get_item", PARTIAL)

    records = there.store.load([WALLET, hold_ref(placed.id)]).records

    assert records == (wallet_of(here.simulator), placed)
    assert there.pauses == [0.02]


# Each time the half of what is asked for comes back: 63 are done with the sixth answer.
@pytest.mark.parametrize(("wanted", "claim"), [(62, True), (63, True), (64, False)])
def test_a_batch_is_asked_for_again_up_to_six_times(wanted, claim):
    here = Environment(Simulator())
    here.simulator.faults = at_each("batch_get_item", *[PARTIAL] * ATTEMPTS_MAX)

    if claim:
        assert len(here.store.load(new_wallets(wanted)).records) == wanted
    else:
        with pytest.raises(Unavailable):
            here.store.load(new_wallets(wanted))
    assert len(here.pauses) == ATTEMPTS_MAX - 1


@pytest.mark.parametrize("fault", [CONFLICT, THROTTLED], ids=lambda fault: fault.kind)
@pytest.mark.parametrize("item", [0, 1])
def test_a_snapshot_that_writers_came_in_between_is_taken_again(fault, item):
    here = opened()
    refs = [WALLET, hold_ref(here.place(10, "hold").id)]
    struck = [Fault(fault.kind, item=item)] * (ATTEMPTS_MAX - 1)
    here.simulator.faults = at_each("transact_get_items", *struck)

    assert here.store.prove(refs).records[0] == wallet_of(here.simulator)
    assert len(here.pauses) == ATTEMPTS_MAX - 1


def test_a_snapshot_that_never_comes_about_is_no_answer():
    here = opened()
    refs = [WALLET, hold_ref(here.place(10, "hold").id)]
    here.simulator.faults = at_each("transact_get_items", *[CONFLICT] * ATTEMPTS_MAX)

    with pytest.raises(Unavailable):
        here.store.prove(refs)


@pytest.mark.parametrize("fault", [BEFORE, THROTTLED], ids=lambda fault: fault.kind)
@pytest.mark.parametrize("refs", [1, 2])
@pytest.mark.parametrize("how", ["load", "prove"])
def test_a_table_that_does_not_answer_is_said_to_be_unavailable(how, refs, fault):
    here = Environment(Simulator())
    here.simulator.faults = lambda number, method: fault

    with pytest.raises(Unavailable):
        getattr(here.store, how)(new_wallets(refs))


def test_an_error_that_is_our_mistake_is_not_called_unavailable():
    here = Environment(Simulator())
    here.simulator.faults = lambda number, method: Fault("throttled", code="AccessDeniedException")

    with pytest.raises(Exception, match="AccessDenied") as raised:
        here.store.read(WALLET)

    assert not isinstance(raised.value, Unavailable)


class Torn:
    """The table as AWS documents it: a batch reads each item by itself, at its own instant."""

    def __init__(self, simulator: Simulator, meanwhile: Callable[[], object]) -> None:
        self.simulator = simulator
        self.meanwhile: Callable[[], object] | None = meanwhile

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, request),) = RequestItems.items()
        found = []
        for key in request["Keys"]:
            answer = self.simulator.get_item(TableName=table, Key=key, ConsistentRead=True)
            found += [answer["Item"]] if "Item" in answer else []
            if self.meanwhile is not None:
                self.meanwhile()
                self.meanwhile = None
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.simulator, name)


def tearing(here: Environment, meanwhile: Callable[[], object]) -> Environment:
    torn, client = another(here), Torn(here.simulator, meanwhile)
    torn.store.client = cast(Any, client)
    return torn


def test_money_that_was_set_aside_between_two_reads_can_be_captured():
    here = opened()
    placed = here.place(30, "hold")
    # The wallet is read before the extension and the hold after it: together they never were.
    torn = tearing(here, lambda: another(here).extend(placed, 65, "more"))

    committed = torn.capture(placed, 95, "a", final=True)

    assert committed.entry.amount_micros == 95
    assert wallet_of(here.simulator).cash_micros == START_MICROS - 95
    assert_sound(here.simulator)


def test_money_that_moved_between_two_reads_is_no_broken_invariant():
    here = opened()
    placed = here.place(30, "hold")
    torn = tearing(here, lambda: another(here).capture(placed, 20, "b"))

    committed = torn.capture(placed, 5, "a")

    assert committed.entry.hold is not None
    assert committed.entry.hold.remaining_micros == 5
    assert_sound(here.simulator)


def test_a_tenant_never_reads_what_is_anothers():
    here = opened()
    other = keys.wallet(Tenant("acme", "test"), ACCOUNT_ID, "usd")

    assert here.store.read(Ref(other, WALLET.missing)).seq == 0
    assert here.store.read(WALLET).seq == 1
