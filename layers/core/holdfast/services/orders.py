"""Use cases of orders: buy a plan that is paid once, see what was bought, give it back."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.domain import money
from holdfast.domain import orders as rules
from holdfast.domain.clock import Instant
from holdfast.domain.once import Once
from holdfast.domain.orders import Field
from holdfast.domain.payments import ORDER, REFUND, Payment
from holdfast.errors import (
    InvalidField,
    OrderNotRefundable,
    PaymentNotFound,
    PaymentState,
    RefundExceeded,
)
from holdfast.services import accounts, beginnings, catalog, payments, refunds, wallet
from holdfast.services.beginnings import Asked
from holdfast.services.cards import Stripes
from holdfast.services.payments import Outcome
from holdfast.services.refs import Owner
from holdfast.services.refunds import Refunded
from holdfast.store import pages
from holdfast.store.ledger_store import LedgerStore

AFTER = "after_public_id"
"""How callers name the place where a list goes on."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order, the last refund of it if there is any, and whether it can be given back now."""

    payment: Payment
    refund: Payment | None
    is_refundable: bool


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders, and whether there are more behind them."""

    orders: list[Order]
    has_more: bool


def buy(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    *,
    plan_id: str,
    payment_method_id: str,
    amount: int | None,
    surface: str,
    once: Once,
) -> Outcome:
    """Pay a plan by a card on file; `amount` is in minor units of the plan's currency.

    A decline uses the key up, and the order is kept as failed.

    Raises:
        PlanNotFound: There is no such plan on sale.
        SubscriptionsNotEnabled: The plan is paid again and again.
        InvalidField, AmountTooLarge: The amount is not one of the plan's.
        PaymentMethodNotFound: The card is not on file.
        PaymentDeclined: The bank says no.
        StripeUnavailable: Nobody answers; the same request may be sent again.
        KeyInUse: The same request is running.
    """
    begun = beginnings.earlier(store, once)
    if begun is not None:
        asked = _again(begun.payment)
    else:
        plan = catalog.plan(plan_id)
        named_micros = None if amount is None else money.from_minor(amount, plan.currency)
        paid_micros = rules.price_micros(plan, named_micros)
        asked = Asked(
            kind=ORDER,
            amount_micros=paid_micros,
            currency=plan.currency,
            surface=surface,
            payment_method_id=payment_method_id,
            plan_id=plan.id,
            bonus_micros=rules.bonus_micros(plan, paid_micros),
        )
    return payments.charge(store, stripes, owner, asked, once=once)


def orders(
    store: LedgerStore,
    owner: Owner,
    *,
    field: Field,
    descending: bool,
    after: str | None,
    limit: int,
    now: Instant,
) -> OrderPage:
    """The account's orders by a field; `after` is the id of the last one already seen.

    Raises:
        InvalidField: There is no order `after` among them.
    """
    owner = accounts.admitted(store, owner, spend=False)
    last = None if after is None else _seen(store, owner, after)
    if field == "created_at" and descending:
        found: Iterable[Payment] = pages.payments(
            store, owner.tenant, owner.account_id, ORDER, before=after
        )
    else:
        found = _behind(
            pages.payments(store, owner.tenant, owner.account_id, ORDER),
            last,
            field,
            descending=descending,
        )
    listed, more = pages.cut(found, limit)
    return OrderPage(_with_refunds(store, owner, listed, now=now), has_more=more is not None)


def refund(
    store: LedgerStore, stripes: Stripes, owner: Owner, order_id: str, *, once: Once
) -> Refunded:
    """Give an order back to its card, whole.

    Raises:
        AccountNotFound, Forbidden: The account is not the asker's to spend from.
        PaymentNotFound: There is no such order, or it is another account's.
        OrderNotRefundable: It is not paid, was given back, is too old, or its money was spent.
        RefundRefused: Stripe does not refund it. Nothing is taken.
    """
    if store.replayed(once) is None:
        owner = accounts.admitted(store, owner, spend=True)
        order = _order(store, owner, order_id)
        found = wallet.wallet(store, owner, order.currency, now=once.now, own=True)
        rules.require_refundable(order, found.cash_micros, once.now)
    try:
        return refunds.refund(store, stripes, owner.tenant, order_id, once=once)
    except (PaymentState, RefundExceeded):
        # Another request gave it back, or spent its money, in between.
        raise OrderNotRefundable() from None


def _again(payment: Payment) -> Asked:
    """What a request asked for that was answered before."""
    return Asked(
        kind=payment.kind,
        amount_micros=payment.amount_micros,
        currency=payment.currency,
        surface=payment.surface,
    )


def _order(store: LedgerStore, owner: Owner, order_id: str) -> Payment:
    found = payments.payment_of_owner(store, owner, order_id)
    if found.kind != ORDER:
        raise PaymentNotFound()
    return found


def _seen(store: LedgerStore, owner: Owner, order_id: str) -> Payment:
    try:
        return _order(store, owner, order_id)
    except PaymentNotFound:
        raise InvalidField(AFTER, "no order in this list") from None


def _behind(
    found: Iterable[Payment], last: Payment | None, field: Field, *, descending: bool
) -> Iterable[Payment]:
    """All orders in their order, those behind the last one seen."""
    listed = rules.in_order(found, field, descending=descending)
    if last is None:
        return listed
    place = rules.place_of(last, field)
    return (
        order
        for order in listed
        if (rules.place_of(order, field) < place) == descending and order.id != last.id
    )


def _with_refunds(
    store: LedgerStore, owner: Owner, listed: list[Payment], *, now: Instant
) -> list[Order]:
    """Orders with what can be said of giving them back."""
    last: dict[str, Payment] = {}
    wanted = {order.id for order in listed if order.refunded_micros}
    if wanted:
        for each in pages.payments(store, owner.tenant, owner.account_id, REFUND):
            last.setdefault(each.refund_of, each)
            if wanted <= last.keys():
                break
    cash_micros = {
        currency: wallet.wallet(store, owner, currency, now=now, own=False).cash_micros
        for currency in {order.received_currency for order in listed if order.entry_id}
    }
    return [
        Order(
            order,
            last.get(order.id) if order.refunded_micros else None,
            rules.is_refundable(order, cash_micros.get(order.received_currency, 0), now),
        )
        for order in listed
    ]
