"""How a payment begins: a record, written before Stripe is asked for anything.

It holds all that Stripe will be asked with, so that whoever goes on with it asks for the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.domain import payments as rules
from holdfast.domain.accounts import Account
from holdfast.domain.entries import Json
from holdfast.domain.ledger import Change, Deed
from holdfast.domain.once import Once
from holdfast.domain.payments import Kind, Payment
from holdfast.errors import AccountClosed
from holdfast.gateways.stripe.amounts import to_stripe
from holdfast.services import accounts, cards, payment_methods
from holdfast.services.cards import Stripes
from holdfast.services.changes import Reserve
from holdfast.services.refs import Owner, account_of, payment_of
from holdfast.store.ledger_store import LedgerStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks to be paid.

    `is_saved` says that the card has to be on file. `off_session` that nobody is there to confirm.
    """

    kind: Kind
    amount_micros: int
    currency: str
    surface: str
    payment_method_id: str = ""
    is_saved: bool = True
    off_session: bool = False
    save_card: bool = False
    captures_by_hand: bool = False
    plan_id: str = ""
    workspace_id: str = ""
    coupon_code: str = ""
    bonus_micros: int = 0
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun:
    """A payment as it is by now, and whether an earlier delivery began it."""

    payment: Payment
    replayed: bool


def earlier(store: LedgerStore, once: Once) -> Begun | None:
    """The payment that an earlier delivery of the request began, as it is by now.

    Raises:
        IdempotencyKeyReused: The key was used for another request.
    """
    done = store.reenacted(once)
    if done is None:
        return None
    return Begun(store.read(payment_of(once.tenant, done.record.id)), replayed=True)


def begin(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    asked: Asked,
    *,
    once: Once,
    reserve: Reserve | None = None,
    is_sent: bool = True,
) -> Begun:
    """The payment that a request makes, under the customer that pays it at Stripe.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        AccountClosed: The account is closed.
        Forbidden: The asker's seat is for looking only.
        InvalidField, AmountTooLarge: Not an amount that cards are charged.
        PaymentMethodNotFound: The card has to be on file, and is not.
        StripeUnavailable: The account is no customer yet, and Stripe does not answer.
    """
    if known := earlier(store, once):
        return known
    to_stripe(asked.amount_micros, asked.currency)
    owner = accounts.admitted(store, owner, spend=True)
    is_card = (asked.kind, asked.payment_method_id) != (rules.INTENT, rules.BALANCE)
    if asked.payment_method_id and asked.is_saved and is_card:
        payment_methods.method(store, owner, asked.payment_method_id)
    customer_id = ""
    if is_sent:
        customer_id = cards.customer(store, stripes, owner, now=once.now)[0].id
    else:
        accounts.ensure(store, owner, once.now)
    payment = rules.begin(
        once,
        kind=asked.kind,
        account_id=owner.account_id,
        amount_micros=asked.amount_micros,
        currency=asked.currency,
        surface=asked.surface,
        is_sent=is_sent,
        customer_id=customer_id,
        **_facts(asked),
    )
    return write(store, owner, payment, once=once, reserve=reserve)


def write(
    store: LedgerStore,
    owner: Owner,
    payment: Payment,
    *,
    once: Once,
    reserve: Reserve | None = None,
) -> Begun:
    """A payment that begins, kept; or what an earlier delivery began.

    Raises:
        AccountClosed: The account is closed.
        Refusal: Whatever `reserve` refuses.
    """

    def decide(account: Account, *more: Any) -> Deed:
        if account.closed_at is not None:
            raise AccountClosed
        changes = (Change(None, payment), *(reserve.decide(*more) if reserve else ()))
        # A default account is never closed.
        return Deed(payment, changes, () if account.is_default else (account,))

    refs = [account_of(owner), *(reserve.refs if reserve else ())]
    done = store.enact(decide, refs, once=once)
    if not done.replayed:
        return Begun(payment, replayed=False)
    return Begun(store.read(payment_of(once.tenant, done.record.id)), replayed=True)


def metadata_of(payment: Payment) -> dict[str, str]:
    """What everything of the payment bears at Stripe, to be known by."""
    return {"payment_id": payment.id, **cards.whose(Owner(payment.tenant, payment.account_id))}


def _facts(asked: Asked) -> dict[str, Any]:
    return {
        "payment_method_id": asked.payment_method_id,
        "off_session": asked.off_session,
        "save_card": asked.save_card,
        "captures_by_hand": asked.captures_by_hand,
        "plan_id": asked.plan_id,
        "workspace_id": asked.workspace_id,
        "coupon_code": asked.coupon_code,
        "bonus_micros": asked.bonus_micros,
        "details": asked.details,
    }
