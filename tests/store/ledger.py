"""A ledger on the simulator, seen from the store: environments, refs, and rules to decide by."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from holdfast.domain import holds
from holdfast.domain import wallet as rules
from holdfast.domain.entries import Entry
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Decision, Wallet
from holdfast.domain.once import Once
from holdfast.errors import HoldNotFound
from holdfast.store import items, keys
from holdfast.store.ledger_store import Committed, LedgerStore, Ref
from tests.domain.samples import ACCOUNT_ID, TENANT, hold, once
from tests.simulator.client import Simulator
from tests.simulator.faults import Fault

type Rule = Callable[..., Decision]

START_MICROS = 100


def new_wallet() -> Wallet:
    return Wallet(tenant=TENANT, account_id=ACCOUNT_ID, currency="usd")


def unknown_hold() -> Hold:
    raise HoldNotFound


WALLET = Ref(keys.wallet(TENANT, ACCOUNT_ID, "usd"), new_wallet)


def hold_ref(hold_id: str) -> Ref:
    return Ref(keys.hold(TENANT, ACCOUNT_ID, hold_id), unknown_hold)


def depositing(amount: int, asked: Once) -> Rule:
    return lambda wallet: rules.deposit(wallet, asked, amount_micros=amount)


def withdrawing(amount: int, asked: Once) -> Rule:
    return lambda wallet: rules.withdraw(wallet, asked, amount_micros=amount)


@dataclass(slots=True)
class Environment:
    """One environment of a function: a store with a memory of its own."""

    simulator: Simulator
    pauses: list[float] = field(default_factory=list)
    store: LedgerStore = field(init=False)

    def __post_init__(self) -> None:
        client: Any = self.simulator
        # The worst jitter there is, so that pauses are seen at their longest.
        self.store = LedgerStore(client, "holdfast", pause=self.pauses.append, jitter=lambda: 1.0)

    def change(self, rule: Rule, asked: Once, *more: Ref) -> Committed:
        return self.store.change(rule, [WALLET, *more], once=asked)

    def deposit(self, amount: int, key: str) -> Committed:
        return self.change(depositing(amount, once(key)), once(key))

    def withdraw(self, amount: int, key: str) -> Committed:
        return self.change(withdrawing(amount, once(key)), once(key))

    def place(self, amount: int, key: str, **terms: Any) -> Hold:
        asked = once(key)
        placed = hold(amount, key=key, **terms)
        committed = self.change(lambda wallet: holds.place_hold(wallet, placed, asked), asked)
        assert committed.entry.hold is not None
        return committed.entry.hold

    def capture(self, placed: Hold, amount: int, key: str, *, final: bool = False) -> Committed:
        asked = once(key)

        def decide(wallet: Wallet, found: Hold) -> Decision:
            return holds.capture_hold(wallet, found, asked, amount_micros=amount, final=final)

        return self.change(decide, asked, hold_ref(placed.id))

    def extend(self, placed: Hold, amount: int, key: str) -> Committed:
        asked = once(key)

        def decide(wallet: Wallet, found: Hold) -> Decision:
            return holds.extend_hold(wallet, found, asked, expires_at=None, amount_micros=amount)

        return self.change(decide, asked, hold_ref(placed.id))


def opened() -> Environment:
    """An environment that has just written the wallet, with a hundred micros in it."""
    environment = Environment(Simulator())
    environment.deposit(START_MICROS, "open")
    return environment


def another(environment: Environment) -> Environment:
    """Another environment on the same table: it remembers nothing."""
    return Environment(environment.simulator)


def wallet_of(simulator: Simulator) -> Wallet:
    """The wallet as it is stored."""
    (found,) = (item for item in simulator.items() if item["sk"]["S"] == "WALLET#usd")
    wallet = items.to_record(found)
    assert isinstance(wallet, Wallet)
    return wallet


def entries_of(simulator: Simulator) -> list[Entry]:
    """All entries that are stored, oldest first."""
    found = [items.to_entry(item) for item in simulator.items() if items.is_entry(item)]
    return sorted(found, key=lambda entry: entry.seq)


def assert_sound(simulator: Simulator) -> None:
    """Numbers without a gap, a chain without a break, and the wallet at the end of both."""
    wallet, written = wallet_of(simulator), entries_of(simulator)
    assert [entry.seq for entry in written] == list(range(1, wallet.seq + 1))
    assert [entry.prev for entry in written[1:]] == [entry.hash for entry in written[:-1]]
    assert wallet.head == written[-1].hash
    assert wallet.posted_micros == sum(entry.balance_delta_micros for entry in written)
    assert wallet.held_micros == written[-1].held_after_micros


def at_each(method: str, *faults: Fault | None) -> Callable[[int, str], Fault | None]:
    """A plan that gives the coming calls of one method these faults, in turn."""
    rest = iter(faults)
    return lambda number, called: next(rest, None) if called == method else None
