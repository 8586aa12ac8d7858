"""Use cases of an account's billing profile: its billing info, and whether it is ready to pay."""

from dataclasses import dataclass

from holdfast.domain import billing_info as rules
from holdfast.domain.accounts import Account
from holdfast.domain.billing_info import BillingInfo
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged, Wallet
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.services import accounts, payment_methods
from holdfast.services import wallet as wallets
from holdfast.services.refs import Owner, info_of
from holdfast.store.ledger_store import Enacted, LedgerStore


@dataclass(frozen=True, slots=True)
class Profile:
    """What a caller is to this system as a payer."""

    account: Account
    info: BillingInfo
    wallet: Wallet
    payment_method: PaymentMethod | None
    customer_id: str | None


def profile(store: LedgerStore, owner: Owner, *, now: Instant) -> Profile:
    """The caller's account, made at the first look, with all that says whether it can pay."""
    account = accounts.ensure(store, owner, now)
    wallet = wallets.wallet(store, owner, account.currency, now=now, own=True)
    info: BillingInfo = store.read(info_of(owner))
    return Profile(
        account,
        info,
        wallet,
        payment_methods.default(store, owner),
        payment_methods.customer_id(store, owner),
    )


def info(store: LedgerStore, owner: Owner, *, now: Instant) -> BillingInfo:
    """The account's billing info; empty as long as nothing was told."""
    accounts.ensure(store, owner, now)
    found: BillingInfo = store.read(info_of(owner))
    return found


def change_info(
    store: LedgerStore, owner: Owner, *, texts: dict[str, str | None], once: Once
) -> Enacted:
    """Change the named fields of the billing info; None clears one.

    Raises:
        InvalidField: A field is not what it should be.
    """

    def decide(known: BillingInfo) -> Resolution:
        changed = rules.changed(known, now=once.now, **texts)
        if changed is known:
            return Unchanged(known)
        return Deed(changed, (Change(known if known.version else None, changed),))

    done = store.enact(decide, [info_of(owner)], once=once)
    # Only now: a refusal makes no account.
    accounts.ensure(store, owner, once.now)
    return done
