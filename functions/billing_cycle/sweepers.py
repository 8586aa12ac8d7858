"""What is done about each noun that is due."""

from collections.abc import Mapping

from holdfast import providers, runtime
from holdfast.domain import due as nouns
from holdfast.domain.clock import Instant
from holdfast.domain.due import Due
from holdfast.services import disputes, expiry, payments, recharge, x402
from holdfast.services.due import Sweeper
from holdfast.services.refs import Owner


def _wallet(due: Due, now: Instant) -> None:
    owner = Owner(due.tenant, due.account_id)
    expiry.sweep(runtime.ledger_store(), owner, due.name, now=now)


def _payment(due: Due, now: Instant) -> None:
    payments.sweep(runtime.ledger_store(), providers.stripe, due.tenant, due.name, now=now)


def _recharge(due: Due, now: Instant) -> None:
    recharge.sweep(runtime.ledger_store(), providers.stripe, due, now=now)


def _dispute(due: Due, now: Instant) -> None:
    disputes.sweep(runtime.ledger_store(), providers.stripe, due, now=now)


def _x402(due: Due, now: Instant) -> None:
    x402.sweep(runtime.ledger_store(), providers.facilitator, due.name, now=now)


SWEEPERS: Mapping[str, Sweeper] = {
    nouns.WALLET: _wallet,
    nouns.PAYMENT: _payment,
    nouns.RECHARGE: _recharge,
    nouns.DISPUTE: _dispute,
    nouns.X402: _x402,
}
