"""Use cases of top-ups: by any card, through a workspace, or known by an id of Stripe's."""

from holdfast.domain import money
from holdfast.domain.clock import Instant
from holdfast.domain.once import Once
from holdfast.domain.payments import CHECKOUT
from holdfast.errors import PaymentMethodNotFound, PaymentNotFound
from holdfast.gateways.stripe.observations import of_intent as seen_of
from holdfast.services import accounts, beginnings, payment_methods, payments, workspaces
from holdfast.services.beginnings import Asked
from holdfast.services.cards import Stripes, whose
from holdfast.services.changes import Reserve
from holdfast.services.observing import outcome
from holdfast.services.payments import Outcome, Page
from holdfast.services.refs import Owner, account_of
from holdfast.services.taking_in import take_in
from holdfast.services.workspaces import Visitor
from holdfast.store.ledger_store import LedgerStore

INTENT_PREFIX = "pi_"


def open_workspace_page(
    store: LedgerStore,
    stripes: Stripes,
    visitor: Visitor,
    *,
    workspace_id: str,
    amount: int,
    title: str,
    surface: str,
    success_url: str,
    cancel_url: str,
    once: Once,
) -> Page:
    """A page on which the account is paid into that is the workspace's default one now.

    `amount` is in minor units of the account's currency. It stays this account's, whichever is the
    default by the time somebody pays.

    Raises:
        WorkspaceNotFound, Forbidden: The visitor has no part in the workspace, or not that part.
        AccountClosed: The account is closed.
        InvalidField, AmountTooLarge: Not an amount that cards are charged, or no address.
        StripeUnavailable: Nobody answers; the same request may be sent again.
        KeyInUse: The same request is running.
    """
    begun = beginnings.earlier(store, once)
    if begun is not None:
        owner, currency = Owner(visitor.tenant, begun.payment.account_id), begun.payment.currency
    else:
        owner = workspaces.payee(store, visitor, workspace_id)
        currency = store.read(account_of(owner)).currency
    asked = Asked(
        kind=CHECKOUT,
        amount_micros=money.from_minor(amount, currency),
        currency=currency,
        surface=surface,
        workspace_id=workspace_id,
    )
    return payments.open_page(
        store,
        stripes,
        owner,
        asked,
        title=title,
        success_url=success_url,
        cancel_url=cancel_url,
        once=once,
    )


def intent(
    store: LedgerStore, stripes: Stripes, owner: Owner, intent_id: str, *, now: Instant
) -> Outcome:
    """The payment that an intent at Stripe is of, as it is there, credited if it is paid.

    Raises:
        PaymentNotFound: There is none, or it is another account's.
        StripeUnavailable: Nobody answers.
    """
    if not intent_id.startswith(INTENT_PREFIX):
        raise PaymentNotFound()
    owner = accounts.admitted(store, owner, spend=False)
    found = stripes(owner.tenant.mode).payment_intents.retrieve(intent_id)
    if not whose(owner).items() <= found.metadata.items():
        raise PaymentNotFound()
    payment = payments.of_intent(store, found, owner.tenant.mode)
    if payment is None:
        raise PaymentNotFound()
    return outcome(take_in(store, owner.tenant, payment.id, seen_of(found, now), now=now), found)


def charge_any(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    asked: Asked,
    *,
    once: Once,
    reserve: Reserve | None = None,
) -> Outcome:
    """Charge a card that need not be on file.

    Raises:
        As `payments.charge`; for a card that there is not, nothing is written.
    """
    _require_card(store, stripes, owner, asked, once=once)
    return payments.charge(store, stripes, owner, asked, once=once, reserve=reserve)


def open_intent(
    store: LedgerStore, stripes: Stripes, owner: Owner, asked: Asked, *, once: Once
) -> Outcome:
    """A payment for a browser to go on with; if it names a card, that need not be on file.

    Raises:
        As `payments.open_intent`; for a card that there is not, nothing is written.
    """
    _require_card(store, stripes, owner, asked, once=once)
    return payments.open_intent(store, stripes, owner, asked, once=once)


def _require_card(
    store: LedgerStore, stripes: Stripes, owner: Owner, asked: Asked, *, once: Once
) -> None:
    """Nothing, if there is such a card and it is not another customer's.

    Raises:
        PaymentMethodNotFound: There is none, or it is.
        StripeUnavailable: Nobody answers.
    """
    card_id = asked.payment_method_id
    if not card_id or beginnings.earlier(store, once) is not None:
        return
    owner = accounts.admitted(store, owner, spend=True)
    if any(each.method.id == card_id for each in payment_methods.on_file(store, owner)):
        return
    card = stripes(owner.tenant.mode).cards.retrieve(card_id)
    ours = payment_methods.customer_id(store, owner)
    if card.customer_id is not None and card.customer_id != ours:
        raise PaymentMethodNotFound()
