"""What people ask of auto-recharge: switch it on and off, try it, and see how it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from holdfast.domain import recharge as rules
from holdfast.domain import recharge_attempts as kinds
from holdfast.domain import recharge_beginnings as beginnings
from holdfast.domain import recovery as recoveries
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Record, Resolution, Unchanged, Wallet
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import Customer, PaymentMethod
from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import Attempt, AttemptStatus
from holdfast.domain.recovery import Recovery
from holdfast.errors import AutoRechargeOff, NoPaymentMethod, NotFound, StripeUnavailable
from holdfast.services import accounts, recharge
from holdfast.services.cards import Stripes
from holdfast.services.refs import Owner, attempt_of, customer_of, recharge_of, wallet_of
from holdfast.store import pages
from holdfast.store.ledger_store import LedgerStore

type Simulated = Literal["success", "card_declined", "requires_action"]

_SIMULATED: Mapping[Simulated, tuple[AttemptStatus, str]] = {
    "success": (kinds.SUCCEEDED, ""),
    "card_declined": (kinds.FAILED, "card_declined"),
    "requires_action": (kinds.REQUIRES_ACTION, rules.AUTHENTICATION),
}


@dataclass(frozen=True, slots=True)
class Configured:
    """The settings, the card that is charged by them now, and whether this was answered before."""

    settings: AutoRecharge
    card: PaymentMethod | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class Status:
    """Whether an account is in a state of failed payments.

    `client_secret` is what its owner confirms the payment with that the bank asked them about.
    """

    recovery: Recovery
    client_secret: str | None


def configure(
    store: LedgerStore,
    owner: Owner,
    *,
    threshold_micros: int,
    amount_micros: int,
    method_id: str = "",
    once: Once,
) -> Configured:
    """Switch auto-recharge on, or change it; the caps are the usual multiples of the amount.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        AccountClosed: The account is closed.
        InvalidField: The threshold or the amount is out of bounds.
        NoPaymentMethod: There is no card to charge.
    """
    if (earlier := store.reenacted(once)) is None:
        owner = accounts.admitted(store, owner, spend=True)
    customer: Customer = store.read(customer_of(owner))
    known = pages.methods(store, owner.tenant, owner.account_id)

    def charged(settings: AutoRecharge) -> PaymentMethod | None:
        return rules.card_to_charge(settings, customer, known)

    def decide(settings: AutoRecharge, wallet: Wallet) -> Resolution:
        told, marked = rules.configured(
            settings,
            wallet,
            threshold_micros=threshold_micros,
            amount_micros=amount_micros,
            method_id=method_id,
        )
        if charged(told) is None:
            raise NoPaymentMethod()
        return _resolved((settings, told), (wallet, marked))

    if earlier is None:
        refs = [recharge_of(owner), wallet_of(owner, rules.CURRENCY)]
        earlier = store.enact(decide, refs, once=once)
    return Configured(earlier.record, charged(earlier.record), earlier.replayed)


def disable(store: LedgerStore, owner: Owner, *, once: Once) -> Configured:
    """Switch auto-recharge off. Again: the same.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
    """
    if earlier := store.reenacted(once):
        return Configured(earlier.record, None, replayed=True)
    owner = accounts.admitted(store, owner, spend=True)

    def decide(settings: AutoRecharge, wallet: Wallet) -> Resolution:
        told, unmarked = rules.disabled(settings, wallet)
        return _resolved((settings, told), (wallet, unmarked))

    refs = [recharge_of(owner), wallet_of(owner, rules.CURRENCY)]
    done = store.enact(decide, refs, once=once)
    return Configured(done.record, None, done.replayed)


def rehearse(
    store: LedgerStore, owner: Owner, *, simulated: Simulated | None, once: Once
) -> tuple[Attempt, bool]:
    """What would be done now, as an attempt that charges nothing; and whether this is a replay.

    It comes out as `simulated` says; where nothing says so, as a success if the wallet would be
    recharged now, and as skipped if not.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        AutoRechargeOff: It is not switched on.
    """
    if earlier := store.reenacted(once):
        return earlier.record, True
    owner, settings = _switched_on(store, owner)
    seen = recharge.look(store, owner, settings, now=once.now)
    found = seen.verdict(once.now)
    status, code = _SIMULATED[simulated or "success"]
    if simulated is None and not found.charges:
        status = kinds.SKIPPED
    attempt = beginnings.attempted(
        settings, seen.wallet, seen.card, found, once, trigger=kinds.TEST, status=status
    )
    if status == kinds.SUCCEEDED:
        attempt = replace(attempt, balance_after_micros=attempt.balance_before_micros)
    attempt = replace(attempt, failure_code=code)

    def decide() -> Resolution:
        return Deed(attempt, (Change(None, attempt),))

    done = store.enact(decide, [], once=once)
    return done.record, done.replayed


def try_out(
    store: LedgerStore, stripes: Stripes, owner: Owner, *, once: Once
) -> tuple[Attempt, bool]:
    """Recharge now, whatever is left in the wallet, unless something stands in the way.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        AutoRechargeOff: It is not switched on.
    """
    earlier = store.reenacted(once)
    if earlier is None:
        owner, settings = _switched_on(store, owner)
        seen = recharge.look(store, owner, settings, now=once.now)
        earlier = recharge.begin(store, seen, once, trigger=kinds.TEST, asked=True)
    attempt: Attempt = earlier.record
    if earlier.replayed:
        attempt = store.read(attempt_of(owner, attempt.id))
    if attempt.status == kinds.PENDING:
        attempt = recharge.pay(store, stripes, owner, attempt, now=once.now)
    return attempt, earlier.replayed


def attempts(
    store: LedgerStore,
    owner: Owner,
    *,
    status: AttemptStatus | None,
    before: str | None,
    limit: int,
) -> tuple[list[Attempt], str | None]:
    """Attempts to recharge the account, newest first; and the last id of this page, if it goes on.

    `before` is the last id of the page before.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
    """
    owner = accounts.admitted(store, owner, spend=False)
    found = pages.attempts(store, owner.tenant, owner.account_id, before=before)
    wanted = (each for each in found if status in (None, each.status))
    shown, last = pages.cut(wanted, limit)
    return shown, last.id if last else None


def recovery_status(store: LedgerStore, stripes: Stripes, owner: Owner, *, now: Instant) -> Status:
    """Whether the account is in a state of failed payments, and what gets it out of that.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
    """
    owner = accounts.admitted(store, owner, spend=False)
    settings: AutoRecharge = store.read(recharge_of(owner))
    seen = recharge.look(store, owner, settings, now=now)
    found = seen.verdict(now, asked=True)
    recovery = recoveries.recovery(settings, seen.wallet, found, now=now)
    secret = None
    if recovery.required_action == recoveries.COMPLETE_AUTHENTICATION:
        secret = _client_secret(store, stripes, owner, recovery.failed_id)
    return Status(recovery, secret)


def _switched_on(store: LedgerStore, owner: Owner) -> tuple[Owner, AutoRecharge]:
    owner = accounts.admitted(store, owner, spend=True)
    settings: AutoRecharge = store.read(recharge_of(owner))
    if not settings.enabled:
        raise AutoRechargeOff()
    return owner, settings


def _client_secret(
    store: LedgerStore, stripes: Stripes, owner: Owner, attempt_id: str
) -> str | None:
    attempt: Attempt | None = store.read(attempt_of(owner, attempt_id))
    if attempt is None or not attempt.payment_intent_id:
        return None
    try:
        intents = stripes(owner.tenant.mode).payment_intents
        return intents.retrieve(attempt.payment_intent_id).client_secret
    except (NotFound, StripeUnavailable):
        # Whoever asks what to do is told so even if it cannot be done right now.
        return None


def _resolved(told: tuple[Record, Record], marked: tuple[Record, Record]) -> Resolution:
    changes = recharge.changes_of(told, marked)
    return Deed(told[1], changes) if changes else Unchanged(told[0])
