"""A caller of the use cases: who asks, from which environment, when, and under which key.

Amounts are in cents, so that a test reads like a receipt.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from holdfast.domain.accounts import Owner, Tenant, owner_of
from holdfast.domain.clock import Instant
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Wallet
from holdfast.domain.once import Once
from holdfast.domain.quotes import Quote
from holdfast.services import holds, quotes, wallet
from holdfast.services.holds import HoldTerms
from holdfast.store import items
from holdfast.store.ledger_store import Committed, LedgerStore
from tests.domain.samples import NOW
from tests.simulator.client import Simulator
from tests.simulator.values import Item

CENT = 10_000
INTRODUCTORY = 1_000
"""Cents that everybody has at the beginning."""
LIVE = Tenant("acme", "live")
TEST = Tenant("acme", "test")
HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True)
class Caller:
    """A user of an org, at a desk of its own."""

    simulator: Simulator = field(default_factory=Simulator)
    owner: Owner = field(default_factory=lambda: owner_of(LIVE, "acme/alice"))
    now: Instant = NOW
    pauses: list[float] = field(default_factory=list)
    fresh: Iterator[int] = field(default_factory=count)
    store: LedgerStore = field(init=False)

    def __post_init__(self) -> None:
        client: Any = self.simulator
        self.store = LedgerStore(client, "holdfast", pause=self.pauses.append, jitter=lambda: 1.0)

    def elsewhere(self, *, owner: Owner | None = None, now: Instant | None = None) -> "Caller":
        """The same table from another environment, perhaps by another user, at another time."""
        return Caller(self.simulator, owner or self.owner, now or self.now, fresh=self.fresh)

    def once(self, key: str | None = None, *, asked: str = "") -> Once:
        """A request; without a key, one that was never made before."""
        if key is None:
            key = f"fresh-{next(self.fresh)}"
        return Once(
            tenant=self.owner.tenant,
            caller=self.owner.user or "nobody",
            key=key,
            fingerprint=sha256(asked.encode()).hexdigest(),
            now=self.now,
        )

    def deposit(
        self, cents: int, key: str | None = None, *, currency: str = "usd", **facts: Any
    ) -> Committed:
        return wallet.deposit(
            self.store,
            self.owner,
            amount_micros=cents * CENT,
            currency=currency,
            once=self.once(key, asked=f"deposit {cents}"),
            **facts,
        )

    def withdraw(self, cents: int, key: str | None = None) -> Committed:
        return wallet.withdraw(
            self.store,
            self.owner,
            amount_micros=cents * CENT,
            currency="usd",
            once=self.once(key, asked=f"withdraw {cents}"),
        )

    def use(self, cents: int, key: str | None = None, **facts: Any) -> Committed:
        return wallet.use(
            self.store,
            self.owner,
            amount_micros=cents * CENT,
            currency="usd",
            once=self.once(key, asked=f"use {cents}"),
            **facts,
        )

    def refund(
        self, original_id: str, cents: int, key: str | None = None, *, currency: str = "usd"
    ) -> Committed:
        return wallet.refund(
            self.store,
            self.owner,
            original_id=original_id,
            amount_micros=cents * CENT,
            currency=currency,
            once=self.once(key, asked=f"refund {original_id} {cents}"),
        )

    def place(
        self,
        cents: int,
        key: str | None = None,
        *,
        expires_in: timedelta = HOUR,
        currency: str = "usd",
        **terms: Any,
    ) -> Committed:
        return holds.place_hold(
            self.store,
            self.owner,
            amount_micros=cents * CENT,
            currency=currency,
            terms=HoldTerms(expires_in=expires_in, **terms),
            once=self.once(key, asked=f"place {cents}"),
        )

    def hold(self, cents: int, **terms: Any) -> str:
        """The id of a new hold."""
        hold_id = self.place(cents, **terms).entry.hold_id
        assert hold_id is not None
        return hold_id

    def capture(
        self, hold_id: str, cents: int, key: str | None = None, *, final: bool = True
    ) -> Committed:
        return holds.capture_hold(
            self.store,
            self.owner,
            hold_id=hold_id,
            amount_micros=cents * CENT,
            final=final,
            once=self.once(key, asked=f"capture {hold_id} {cents}"),
        )

    def extend(
        self,
        hold_id: str,
        key: str | None = None,
        *,
        cents: int = 0,
        expires_in: timedelta | None = None,
    ) -> Committed:
        return holds.extend_hold(
            self.store,
            self.owner,
            hold_id=hold_id,
            expires_in=expires_in,
            amount_micros=cents * CENT,
            once=self.once(key, asked=f"extend {hold_id} {cents}"),
        )

    def release(self, hold_id: str, key: str | None = None) -> Committed:
        once = self.once(key, asked=f"release {hold_id}")
        return holds.release_hold(self.store, self.owner, hold_id=hold_id, once=once)

    def look_at(self, hold_id: str) -> Hold:
        return holds.hold(self.store, self.owner, hold_id=hold_id, now=self.now)[0]

    def quote(
        self,
        shots: int = 1000,
        key: str | None = None,
        *,
        device: str = "iqm-garnet",
        tasks: int = 1,
        job_id: str | None = None,
    ) -> Quote:
        """A new quote, or the first answer again."""
        quoted = quotes.quote_job(
            self.store,
            self.owner,
            provider="braket",
            device=device,
            shots=shots,
            tasks=tasks,
            job_id=job_id,
            once=self.once(key, asked=f"quote {device} {shots}"),
        ).record
        assert isinstance(quoted, Quote)
        return quoted

    def hold_quoted(
        self, quote_id: str, key: str | None = None, *, job_id: str | None = None
    ) -> Committed:
        once = self.once(key, asked=f"hold {quote_id} {job_id}")
        return quotes.hold_quoted(
            self.store, self.owner, quote_id=quote_id, job_id=job_id, once=once
        )

    def release_job(
        self, job_id: str, cents: int = 0, key: str | None = None, *, reason: str | None = None
    ) -> Committed:
        return quotes.release_job(
            self.store,
            self.owner,
            job_id=job_id,
            capture_micros=cents * CENT,
            reason=reason,
            once=self.once(key, asked=f"release job {job_id} {cents}"),
        )

    def wallet(self, currency: str = "usd", *, own: bool = True) -> Wallet:
        return wallet.wallet(self.store, self.owner, currency, now=self.now, own=own)

    def balance(self) -> tuple[int, int]:
        """Cents that can be spent, and cents that are held."""
        found = self.wallet(own=False)
        return found.available_micros(self.now) // CENT, found.held_micros // CENT

    def entries(self, currency: str = "usd") -> list[str]:
        """The types of a wallet's entries, oldest first, as they are stored."""
        found = [items.to_entry(item) for item in self.simulator.items() if items.is_entry(item)]
        mine = [
            entry
            for entry in found
            if (entry.account_id, entry.currency) == (self.owner.account_id, currency)
        ]
        return [entry.type for entry in sorted(mine, key=lambda entry: entry.seq)]

    def stored(self) -> list[Item]:
        """Everything that is stored, in no order that matters."""
        return sorted(self.simulator.items(), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


type Ask = Callable[[Caller], Any]


def bob(caller: Caller) -> Caller:
    """Another user of the same org, elsewhere."""
    return caller.elsewhere(owner=owner_of(caller.owner.tenant, "acme/bob"))


def later(caller: Caller, by: timedelta) -> Caller:
    """The same user, later and elsewhere."""
    return caller.elsewhere(now=caller.now + by)


def by_id(owner: Owner) -> Owner:
    """The same account, named by its id."""
    return replace(owner, user=None)
