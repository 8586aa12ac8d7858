"""What the users of the ledger of these tests ask about credit, limits and corrections."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from holdfast.domain.budgets import Scope
from holdfast.domain.ledger import Change, Deed
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.services import credits as credit_cases
from holdfast.services import wallet
from holdfast.services.credits import GrantTerms
from holdfast.store.ledger_store import LedgerStore
from tests.faults.world import ALICE, START, Step, World

KEY = "key_aaaaaaaaaaaaaaaaaaaaaaaaaa"


def scope(
    kind: str, name: str, limit: int, *, window: str = "total", currency: str = "usd"
) -> Scope:
    """A limit on what is spent under a name; Alice's account keeps the count."""
    return Scope(
        account_id=ALICE.account_id,
        kind=kind,
        id=name,
        limit_micros=limit,
        currency=currency,
        window=window,
    )


def cap(limit: int, *, window: str = "day", currency: str = "usd") -> Scope:
    """The cap of a key of Alice's."""
    return scope("key", KEY, limit, window=window, currency=currency)


def under(step: Step, *caps: Scope) -> Step:
    """The request, made with a key that carries these caps."""
    return replace(step, caps=caps)


def grant(
    key: str,
    micros: int,
    *,
    at: float = 0,
    on_seconds: float | None = None,
    expires_in_seconds: float | None = None,
    currency: str = "usd",
    **terms: Any,
) -> Step:
    """Credit for Alice, now or on the day that is so many seconds after the start."""
    day = None if on_seconds is None else START + timedelta(seconds=on_seconds)
    life = None if expires_in_seconds is None else timedelta(seconds=expires_in_seconds)

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        granted, committed = credit_cases.grant(
            store,
            world.owner,
            amount_micros=micros,
            currency=currency,
            terms=GrantTerms(effective_at=day, expires_in=life, **terms),
            once=once,
        )
        assert granted.id == committed.entry.reference
        return committed

    return Step(key=key, ask=ask, at_seconds=at)


def void(key: str, *, of: str, at: float = 0) -> Step:
    """The grant under the key `of` ended."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        grant_id = world.answers[of].reference
        return credit_cases.void(store, world.owner.tenant, grant_id=grant_id, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def use_on(key: str, micros: int, *, meter: str, at: float = 0) -> Step:
    """A charge for what a meter measured."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return wallet.use(
            store, world.owner, amount_micros=micros, currency="usd", meter=meter, once=once
        )

    return Step(key=key, ask=ask, at_seconds=at)


def adjust(key: str, delta: int, *, at: float = 0) -> Step:
    """Cash put right by hand."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return wallet.adjust(store, world.owner, delta_micros=delta, currency="usd", once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def glance(key: str, *, at: float = 0) -> Step:
    """Alice looks, at any moment while others act: what she sees is nobody's business."""

    def ask(world: World, store: LedgerStore, once: Once) -> None:
        wallet.wallet(store, world.owner, "usd", now=once.now, own=True)

    return Step(key=key, ask=ask, at_seconds=at)


def save_card(key: str = "card", *, at: float = 0) -> Step:
    """What comes of a card that was saved with the payment provider."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        card = PaymentMethod(
            account_id=world.owner.account_id,
            id="pm_1",
            brand="visa",
            last4="4242",
            exp_month=12,
            exp_year=2030,
            created_at=once.now,
            version=1,
        )
        return store.enact(lambda: Deed(card, (Change(None, card),)), [], once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def starter(key: str, *, at: float = 0) -> Step:
    """The credit that a person starts with."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return credit_cases.grant_starter(store, world.owner, once=once)

    return Step(key=key, ask=ask, at_seconds=at)
