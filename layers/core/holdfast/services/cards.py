"""Use cases of cards at the payment provider: be a customer there, save a card, choose, remove.

The provider is asked first and what it answers is written then: whatever is lost on the way is done
again by the next delivery, under the same key, or found by the next look at the list.
"""

from collections.abc import Callable, Mapping

from holdfast.domain import payment_methods as rules
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import Customer, PaymentMethod, Setup
from holdfast.errors import NotFound, PaymentMethodNotFound, StripeUnavailable
from holdfast.gateways.stripe import (
    CheckoutSession,
    PortalSession,
    SavedCard,
    SetupIntent,
    StripeGateway,
)
from holdfast.services import accounts
from holdfast.services.accounts import system_once
from holdfast.services.payment_methods import OnFile, on_file
from holdfast.services.refs import Owner, customer_of, method_of
from holdfast.store import pages
from holdfast.store.ledger_store import Enacted, LedgerStore, Ref

type Stripes = Callable[[str], StripeGateway]
"""The provider in one mode: live and test never meet there either."""


def customer(
    store: LedgerStore, stripes: Stripes, owner: Owner, *, now: Instant
) -> tuple[Customer, bool]:
    """The account as the provider's customer, and whether it became one just now.

    Raises:
        StripeUnavailable: The provider does not answer.
    """
    accounts.ensure(store, owner, now)
    found: Customer = store.read(customer_of(owner))
    if found.id:
        return found, False
    place = f"{owner.tenant.segment}/{owner.account_id}"
    made = stripes(owner.tenant.mode).customers.create(key=place, metadata=_whose(owner))

    def decide(known: Customer) -> Resolution:
        if known.id:
            return Unchanged(known)
        after = Customer(account_id=owner.account_id, id=made.id, version=known.version + 1)
        return Deed(after, (_change(known, after),))

    once = system_once(owner.tenant, f"customer {owner.account_id}", now)
    done = store.enact(decide, [customer_of(owner)], once=once)
    return done.record, not done.replayed


def save_card(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    *,
    card_id: str,
    make_default: bool,
    once: Once,
) -> Enacted:
    """Put a card on file. One that is on file stays so.

    Raises:
        PaymentMethodNotFound: There is no such card, or it is somebody else's.
        PaymentDeclined: The bank does not let it be saved.
        StripeUnavailable: The provider does not answer.
    """
    if earlier := store.reenacted(once):
        return earlier
    payer, _ = customer(store, stripes, owner, now=once.now)
    stripe = stripes(owner.tenant.mode)
    card = stripe.cards.attach(card_id, key=once.digest, customer_id=payer.id)
    return _write_card(store, owner, card, make_default=make_default, once=once)


def cards(store: LedgerStore, stripes: Stripes, owner: Owner, *, now: Instant) -> list[OnFile]:
    """The cards on file, as the provider has them now, or as they were if it does not answer.

    A card that was saved or removed on a page of the provider's is found here.
    """
    payer: Customer = store.read(customer_of(owner))
    if not payer.id:
        return on_file(store, owner)
    try:
        there = stripes(owner.tenant.mode).cards.on_file(payer.id)
    except StripeUnavailable:
        return on_file(store, owner)
    known = {each.id: each for each in pages.methods(store, owner.tenant, owner.account_id)}
    for card in reversed(there):
        if card.id not in known:
            once = system_once(owner.tenant, f"save {card.id}", now)
            _write_card(store, owner, card, make_default=False, once=once)
    kept = {card.id for card in there}
    for method in known.values():
        if method.active and method.id not in kept:
            once = system_once(owner.tenant, f"remove {method.id}", now)
            _write_removal(store, owner, method.id, once=once)
    return on_file(store, owner)


def choose_card(
    store: LedgerStore, stripes: Stripes, owner: Owner, *, card_id: str, once: Once
) -> Enacted:
    """Make a card on file the one that is used unless another is named. Again: the same.

    Raises:
        PaymentMethodNotFound: It is not on file.
        StripeUnavailable: The provider does not answer.
    """
    if earlier := store.reenacted(once):
        return earlier
    payer, method = store.read_all([customer_of(owner), method_of(owner, card_id)])
    if method is None or not method.active:
        raise PaymentMethodNotFound()
    stripes(owner.tenant.mode).cards.set_default(card_id, key=once.digest, customer_id=payer.id)

    def decide(payer: Customer, method: PaymentMethod) -> Resolution:
        after = rules.made_default(payer, method)
        if after is payer:
            return Unchanged(method)
        return Deed(method, (Change(payer, after),), (method,))

    return store.enact(decide, [customer_of(owner), method_of(owner, card_id)], once=once)


def describe_card(
    store: LedgerStore,
    owner: Owner,
    *,
    card_id: str,
    billing_address: Mapping[str, str] | None,
    metadata: Mapping[str, str] | None,
    once: Once,
) -> Enacted:
    """Replace what is said of a card on file.

    Raises:
        PaymentMethodNotFound: It is not on file.
    """

    def decide(method: PaymentMethod | None) -> Resolution:
        if method is None:
            raise PaymentMethodNotFound()
        after = rules.described(method, billing_address=billing_address, metadata=metadata)
        return Unchanged(method) if after is method else Deed(after, (Change(method, after),))

    return store.enact(decide, [method_of(owner, card_id)], once=once)


def remove_card(
    store: LedgerStore, stripes: Stripes, owner: Owner, *, card_id: str, once: Once
) -> Enacted:
    """Take a card off file; if it was the default, the newest of the others is.

    Raises:
        PaymentMethodNotFound: It is not on file.
        StripeUnavailable: The provider does not answer.
    """
    if earlier := store.reenacted(once):
        return earlier
    method: PaymentMethod | None = store.read(method_of(owner, card_id))
    if method is None or not method.active:
        raise PaymentMethodNotFound()
    stripes(owner.tenant.mode).cards.detach(card_id, key=once.digest)
    return _write_removal(store, owner, card_id, once=once)


def begin_setup(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    *,
    usage: str,
    card_id: str | None = None,
    once: Once,
) -> tuple[SetupIntent, bool]:
    """Begin to save a card without a page of the provider's; whether it was begun before.

    Raises:
        PaymentMethodNotFound: There is no such card.
        StripeUnavailable: The provider does not answer.
    """
    stripe = stripes(owner.tenant.mode)
    if earlier := store.reenacted(once):
        return stripe.setup_intents.retrieve(earlier.record.id), True
    payer, _ = customer(store, stripes, owner, now=once.now)
    begun = stripe.setup_intents.create(
        key=once.digest,
        customer_id=payer.id,
        payment_method_id=card_id,
        usage="on_session" if usage == "on_session" else "off_session",
        metadata=_whose(owner),
    )
    setup = Setup(account_id=owner.account_id, id=begun.id, created_at=once.now, version=1)

    def decide() -> Deed:
        return Deed(setup, (Change(None, setup),))

    done = store.enact(decide, [], once=once)
    return begun, done.replayed


def setup_intent(stripes: Stripes, owner: Owner | None, once: Once, setup_id: str) -> SetupIntent:
    """A setup as it is at the provider: of this org and mode, and of this account if one is named.

    Raises:
        NotFound: There is none.
        StripeUnavailable: The provider does not answer.
    """
    found = stripes(once.tenant.mode).setup_intents.retrieve(setup_id)
    told = found.metadata
    ours = (told.get("org"), told.get("mode")) == (once.tenant.org, once.tenant.mode)
    if not ours or (owner is not None and told.get("account_id") != owner.account_id):
        raise NotFound()
    return found


def confirm_setup(
    store: LedgerStore, stripes: Stripes, *, setup_id: str, card_id: str | None, once: Once
) -> SetupIntent:
    """Try to save the card; once it is saved it is on file.

    Raises:
        NotFound: There is no such setup.
        PaymentMethodNotFound: There is no such card.
        PaymentState: It is done, or was canceled.
        PaymentDeclined, AuthenticationRequired: The bank does not let it be saved.
        StripeUnavailable: The provider does not answer.
    """
    begun = setup_intent(stripes, None, once, setup_id)
    owner = Owner(once.tenant, begun.metadata["account_id"])
    done = begun
    if begun.status != "succeeded":
        intents = stripes(once.tenant.mode).setup_intents
        done = intents.confirm(setup_id, key=once.digest, payment_method_id=card_id)
    if done.status == "succeeded":
        cards(store, stripes, owner, now=once.now)
    return done


def cancel_setup(stripes: Stripes, *, setup_id: str, once: Once) -> SetupIntent:
    """Give a setup up.

    Raises:
        NotFound: There is no such setup.
        PaymentState: It is done.
        StripeUnavailable: The provider does not answer.
    """
    begun = setup_intent(stripes, None, once, setup_id)
    if begun.status == "canceled":
        return begun
    return stripes(once.tenant.mode).setup_intents.cancel(setup_id, key=once.digest)


def setup_page(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    *,
    success_url: str,
    cancel_url: str,
    once: Once,
) -> CheckoutSession:
    """A page of the provider's on which a person saves a card.

    Raises:
        StripeUnavailable: The provider does not answer.
    """
    payer, _ = customer(store, stripes, owner, now=once.now)
    return stripes(owner.tenant.mode).checkout.create_setup(
        # Another request under the same key is another page: nothing is bought by opening one.
        key=f"{once.digest}/{once.fingerprint}",
        customer_id=payer.id,
        success_url=success_url,
        cancel_url=cancel_url,
        metadata=_whose(owner),
    )


def portal(
    store: LedgerStore, stripes: Stripes, owner: Owner, *, return_url: str, once: Once
) -> PortalSession:
    """A page of the provider's where a person looks after their cards.

    Raises:
        StripeUnavailable: The provider does not answer.
    """
    payer, _ = customer(store, stripes, owner, now=once.now)
    return stripes(owner.tenant.mode).portal.create(
        key=f"{once.digest}/{once.fingerprint}", customer_id=payer.id, return_url=return_url
    )


def _write_card(
    store: LedgerStore, owner: Owner, card: SavedCard, *, make_default: bool, once: Once
) -> Enacted:
    told = PaymentMethod(
        account_id=owner.account_id,
        id=card.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=card.fingerprint or "",
        created_at=card.created,
    )

    def decide(payer: Customer, known: PaymentMethod | None) -> Resolution:
        method, after = rules.saved(payer, known, told, make_default=make_default)
        changes = [_change(payer, after)] if after is not payer else []
        if method is not known:
            changes.append(Change(known, method))
        return Deed(method, tuple(changes)) if changes else Unchanged(method)

    return store.enact(decide, _refs(owner, card.id), once=once)


def _write_removal(store: LedgerStore, owner: Owner, card_id: str, *, once: Once) -> Enacted:
    others = pages.methods(store, owner.tenant, owner.account_id)

    def decide(payer: Customer, method: PaymentMethod) -> Resolution:
        if not method.active:
            return Unchanged(method)
        gone, after = rules.removed(payer, method, others, once.now)
        moved = [] if after is payer else [Change(payer, after)]
        return Deed(gone, (Change(method, gone), *moved))

    return store.enact(decide, _refs(owner, card_id), once=once)


def _refs(owner: Owner, card_id: str) -> list[Ref]:
    return [customer_of(owner), method_of(owner, card_id)]


def _change(before: Customer, after: Customer) -> Change:
    return Change(before if before.version else None, after)


def _whose(owner: Owner) -> dict[str, str]:
    tenant = owner.tenant
    return {"org": tenant.org, "mode": tenant.mode, "account_id": owner.account_id}
