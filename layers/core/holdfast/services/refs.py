"""Whom an operation is about, and the records that it reads."""

from collections.abc import Callable

from holdfast.domain import holds
from holdfast.domain.accounts import Owner, owner_of
from holdfast.domain.ledger import Record, Wallet
from holdfast.domain.wallet import Refunded
from holdfast.errors import HoldNotFound, QuoteNotFound, Refusal
from holdfast.store import keys
from holdfast.store.ledger_store import Ref

__all__ = [
    "Owner",
    "account_of",
    "held_job_of",
    "hold_of",
    "owner_of",
    "quote_of",
    "refunded_of",
    "wallet_of",
]


def account_of(owner: Owner) -> Ref:
    """The account; None where there is none."""
    return Ref(owner.tenant, keys.account(owner.tenant, owner.account_id), _none)


def wallet_of(owner: Owner, currency: str) -> Ref:
    """The account's wallet in a currency; a new one, number 0, where there is none yet."""

    def new() -> Wallet:
        return Wallet(tenant=owner.tenant, account_id=owner.account_id, currency=currency)

    return Ref(owner.tenant, keys.wallet(owner.tenant, owner.account_id, currency), new)


def hold_of(owner: Owner, hold_id: str) -> Ref:
    """A hold of the account; refused as unknown where there is none."""
    holds.currency_of(hold_id)
    key = keys.hold(owner.tenant, owner.account_id, hold_id)
    return Ref(owner.tenant, key, _refuse(HoldNotFound))


def quote_of(owner: Owner, quote_id: str) -> Ref:
    """A quote of the account; refused as unknown where there is none."""
    key = keys.quote(owner.tenant, owner.account_id, quote_id)
    return Ref(owner.tenant, key, _refuse(QuoteNotFound))


def held_job_of(owner: Owner, job_id: str) -> Ref:
    """What is known of a hardware job; None where it never had a hold."""
    return Ref(owner.tenant, keys.held_job(owner.tenant, owner.account_id, job_id), _none)


def refunded_of(owner: Owner, entry_id: str) -> Ref:
    """How much of a charge was given back; nothing so far where there is no record."""

    def nothing() -> Refunded:
        return Refunded(entry_id=entry_id, account_id=owner.account_id)

    return Ref(owner.tenant, keys.refunded(owner.tenant, owner.account_id, entry_id), nothing)


def _none() -> None:
    return None


def _refuse(refusal: type[Refusal]) -> Callable[[], Record]:
    def missing() -> Record:
        raise refusal()

    return missing
