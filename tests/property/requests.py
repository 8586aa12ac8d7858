"""What a client can ask of the ledger, as values that can be sent again, and how each is sent."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from typing import Any

from holdfast.domain.accounts import Owner, Tenant, default_account_id, owner_of
from holdfast.domain.budgets import Scope
from holdfast.domain.ledger import Change, Deed
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.errors import Unavailable
from holdfast.services import credits as credit
from holdfast.services import expiry, holds, quotes, wallet
from holdfast.services.credits import GrantTerms
from holdfast.services.holds import HoldTerms
from holdfast.store import keys, pages
from holdfast.store.ledger_store import LedgerStore

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
REDELIVERIES_MAX = 50

CHANGES = (
    "deposit withdraw use refund hold extend capture release quote hold_quoted release_job grant "
    "void starter adjust".split()
)
"""The operations that take an idempotency key."""


def instant(at: int) -> datetime:
    """Milliseconds of the run as an instant."""
    return EPOCH + at * MILLISECOND


def milliseconds(text: str) -> int:
    """Milliseconds of the run that an instant's text stands for."""
    return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND


@dataclass(frozen=True)
class Request:
    """One request. Equal requests have the same fingerprint; the key says which are one."""

    op: str
    tenant: str
    user: str
    key: str
    currency: str = "usd"
    args: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of what is asked, whatever the key is."""
        asked = repr((self.op, self.user, self.currency, sorted(self.args.items())))
        return sha256(asked.encode()).hexdigest()[:26]

    @cached_property
    def owner(self) -> Owner:
        return owner_of(Tenant(*self.tenant.split("/")), self.user)

    @cached_property
    def digest(self) -> str:
        """What the ids of everything that this request makes end with."""
        return self.once(0).digest

    def once(self, at: int) -> Once:
        return Once(
            tenant=self.owner.tenant,
            caller=self.user,
            key=self.key,
            fingerprint=self.fingerprint,
            now=instant(at),
            caps=tuple(_scope(self, cap) for cap in self.args.get("caps", ())),
        )

    def send(self, store: LedgerStore, at: int) -> Any:
        """Deliver it to the services at `at`; what they answer.

        Raises:
            Refusal: What they refuse.
        """
        return _SENDERS[self.op](self, store, self.once(at))


def _scope(asked: Request, told: tuple[str, str, str, str, str, int]) -> Scope:
    """The scope that a user's default account counts."""
    user, kind, name, currency, window, limit = told
    return Scope(
        account_id=default_account_id(asked.owner.tenant, user),
        kind=kind,
        id=name,
        limit_micros=limit,
        currency=currency,
        window=window,
    )


def _span(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else milliseconds * MILLISECOND


def _deposit(asked: Request, store: LedgerStore, once: Once) -> Any:
    args = asked.args
    return wallet.deposit(
        store,
        asked.owner,
        amount_micros=args["amount"],
        currency=asked.currency,
        expires_in=_span(args.get("expires")),
        details=args.get("details"),
        once=once,
    )


def _withdraw(asked: Request, store: LedgerStore, once: Once) -> Any:
    return wallet.withdraw(
        store,
        asked.owner,
        amount_micros=asked.args["amount"],
        currency=asked.currency,
        once=once,
    )


def _use(asked: Request, store: LedgerStore, once: Once) -> Any:
    return wallet.use(
        store,
        asked.owner,
        amount_micros=asked.args["amount"],
        currency=asked.currency,
        meter=asked.args.get("meter"),
        reference=asked.args.get("reference"),
        once=once,
    )


def _refund(asked: Request, store: LedgerStore, once: Once) -> Any:
    return wallet.refund(
        store,
        asked.owner,
        original_id=asked.args["charge"],
        amount_micros=asked.args["amount"],
        currency=asked.currency,
        once=once,
    )


def _hold(asked: Request, store: LedgerStore, once: Once) -> Any:
    args = asked.args
    terms = HoldTerms(
        expires_in=args["expires"] * MILLISECOND,
        expiry_policy=args.get("policy", "release"),
        over_capture=args.get("over", "reject"),
        overdraft_micros=args.get("limit", 0),
        reference=args.get("reference"),
        scopes=tuple(_scope(asked, scope) for scope in args.get("scopes", ())),
    )
    return holds.place_hold(
        store,
        asked.owner,
        amount_micros=args["amount"],
        currency=asked.currency,
        terms=terms,
        once=once,
    )


def _extend(asked: Request, store: LedgerStore, once: Once) -> Any:
    return holds.extend_hold(
        store,
        asked.owner,
        hold_id=asked.args["hold"],
        expires_in=_span(asked.args.get("expires")),
        amount_micros=asked.args["amount"],
        once=once,
    )


def _capture(asked: Request, store: LedgerStore, once: Once) -> Any:
    return holds.capture_hold(
        store,
        asked.owner,
        hold_id=asked.args["hold"],
        amount_micros=asked.args["amount"],
        final=asked.args["final"],
        once=once,
    )


def _release(asked: Request, store: LedgerStore, once: Once) -> Any:
    return holds.release_hold(store, asked.owner, hold_id=asked.args["hold"], once=once)


def _quote(asked: Request, store: LedgerStore, once: Once) -> Any:
    return quotes.quote_job(
        store,
        asked.owner,
        provider="braket",
        device=asked.args["device"],
        shots=asked.args["shots"],
        tasks=asked.args["tasks"],
        job_id=asked.args.get("job"),
        once=once,
    )


def _hold_quoted(asked: Request, store: LedgerStore, once: Once) -> Any:
    return quotes.hold_quoted(
        store, asked.owner, quote_id=asked.args["quote"], job_id=asked.args.get("job"), once=once
    )


def _release_job(asked: Request, store: LedgerStore, once: Once) -> Any:
    return quotes.release_job(
        store,
        asked.owner,
        job_id=asked.args["job"],
        capture_micros=asked.args["amount"],
        reason=asked.args.get("reason"),
        once=once,
    )


def _grant(asked: Request, store: LedgerStore, once: Once) -> Any:
    args = asked.args
    delay = args.get("delay")
    terms = GrantTerms(
        effective_at=None if delay is None else once.now + delay * MILLISECOND,
        expires_in=_span(args.get("expires")),
        priority=args.get("priority", 0),
        meters=tuple(args.get("meters", ())),
        tags=args.get("tags", ""),
    )
    granted, committed = credit.grant(
        store,
        asked.owner,
        amount_micros=args["amount"],
        currency=asked.currency,
        terms=terms,
        once=once,
    )
    assert granted.id == committed.entry.reference
    return committed


def _void(asked: Request, store: LedgerStore, once: Once) -> Any:
    return credit.void(store, asked.owner.tenant, grant_id=asked.args["grant"], once=once)


def _starter(asked: Request, store: LedgerStore, once: Once) -> Any:
    return credit.grant_starter(store, asked.owner, once=once)


def _save_card(asked: Request, store: LedgerStore, once: Once) -> Any:
    """What comes of a card that was saved with the payment provider."""
    card = PaymentMethod(
        account_id=asked.owner.account_id,
        id=asked.key,
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        created_at=once.now,
        version=1,
    )
    return store.enact(lambda: Deed(card, (Change(None, card),)), [], once=once)


def _adjust(asked: Request, store: LedgerStore, once: Once) -> Any:
    amount = asked.args["amount"]
    return wallet.adjust(
        store,
        asked.owner,
        delta_micros=-amount if asked.args["down"] else amount,
        currency=asked.currency,
        once=once,
    )


def _look(asked: Request, store: LedgerStore, once: Once) -> Any:
    own = asked.args["own"]
    return wallet.wallet(store, asked.owner, asked.currency, now=once.now, own=own)


def _look_at_hold(asked: Request, store: LedgerStore, once: Once) -> Any:
    return holds.hold(store, asked.owner, hold_id=asked.args["hold"], now=once.now)


def _tick(asked: Request, store: LedgerStore, once: Once) -> Any:
    """The schedule and its worker: each shard and each wallet is one message, redelivered alone."""
    for shard in range(keys.DUE_SHARDS):
        for due in _redelivered(partial(pages.due, store, shard, now=once.now)):
            owner = Owner(due.tenant, due.account_id)
            _redelivered(partial(expiry.sweep, store, owner, due.name, now=once.now))


def _redelivered[T](work: Callable[[], T]) -> T:
    for _ in range(REDELIVERIES_MAX):
        with suppress(Unavailable):
            return work()
    raise Unavailable()


_SENDERS: dict[str, Callable[[Request, LedgerStore, Once], Any]] = {
    "deposit": _deposit,
    "withdraw": _withdraw,
    "use": _use,
    "refund": _refund,
    "hold": _hold,
    "extend": _extend,
    "capture": _capture,
    "release": _release,
    "quote": _quote,
    "hold_quoted": _hold_quoted,
    "release_job": _release_job,
    "grant": _grant,
    "void": _void,
    "starter": _starter,
    "save_card": _save_card,
    "adjust": _adjust,
    "look": _look,
    "look_at_hold": _look_at_hold,
    "tick": _tick,
}
