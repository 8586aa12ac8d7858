"""Use cases of cards at the payment provider: be a customer there, save a card, choose, remove.

The provider is asked first and what it answers is written then: whatever is lost on the way is done
again by the next delivery, under the same key, or found by the next look at the list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from holdfast.domain import payment_methods as rules
from holdfast.domain import recharge
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import Customer, PaymentMethod
from holdfast.errors import AccountNotFound, NotFound, PaymentMethodNotFound, StripeUnavailable
from holdfast.gateways.stripe import (
    CheckoutSession,
    PortalSession,
    SavedCard,
    StripeGateway,
)
from holdfast.services import accounts
from holdfast.services import payment_methods as methods
from holdfast.services.accounts import system_once
from holdfast.services.payment_methods import OnFile, on_file
from holdfast.services.refs import Owner, account_of, customer_of, method_of, recharge_of
from holdfast.store import pages
from holdfast.store.ledger_store import Enacted, LedgerStore, Ref

type Stripes = Callable[[str], StripeGateway]
"""The provider in one mode: live and test never meet there either."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A card on file, and what a request made of it."""

    method: PaymentMethod
    is_default: bool
    is_new: bool
    replayed: bool


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
    made = stripes(owner.tenant.mode).customers.create(key=place, metadata=whose(owner))

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
    billing_address: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    once: Once,
) -> Saved:
    """Put a card on file, with what is said of it. One that is on file stays as it is.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        PaymentMethodNotFound: There is no such card, or it is somebody else's.
        PaymentDeclined: The bank does not let it be saved.
        StripeUnavailable: The provider does not answer.
    """
    if earlier := store.reenacted(once):
        is_default = make_default or _is_default(store, owner, earlier.record)
        return Saved(earlier.record, is_default, is_new=True, replayed=True)
    owner = accounts.admitted(store, owner, spend=True)
    payer, _ = customer(store, stripes, owner, now=once.now)
    stripe = stripes(owner.tenant.mode)
    card = stripe.cards.attach(card_id, key=provider_key(once), customer_id=payer.id)
    told = replace(
        _told(owner, card),
        billing_address=billing_address,
        metadata=metadata,
    )
    return _write_card(store, owner, told, make_default=make_default, once=once)


def cards(store: LedgerStore, stripes: Stripes, owner: Owner, *, now: Instant) -> list[OnFile]:
    """The cards on file, as the provider has them now, or as they were if it cannot tell.

    A card that was saved or removed on a page of the provider's is found here.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
    """
    owner, payer = _seen(store, owner)
    if not payer.id:
        return on_file(store, owner)
    try:
        there = stripes(owner.tenant.mode).cards.on_file(payer.id)
    except (NotFound, StripeUnavailable):
        return on_file(store, owner)
    known = {each.id: each for each in pages.methods(store, owner.tenant, owner.account_id)}
    for card in reversed(there):
        if card.id not in known:
            once = system_once(owner.tenant, f"save {card.id}", now)
            _write_card(store, owner, _told(owner, card), make_default=False, once=once)
    kept = {card.id for card in there}
    for method in known.values():
        if method.active and method.id not in kept:
            once = system_once(owner.tenant, f"remove {method.id}", now)
            _write_removal(store, owner, method.id, once=once)
    return on_file(store, owner)


def card(store: LedgerStore, owner: Owner, *, card_id: str) -> OnFile:
    """One card of the account as it is on file.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        PaymentMethodNotFound: It is not on file.
    """
    owner, _ = _seen(store, owner)
    return methods.method(store, owner, card_id)


def choose_card(
    store: LedgerStore, stripes: Stripes, owner: Owner, *, card_id: str, once: Once
) -> Enacted:
    """Make a card on file the one that is used unless another is named. Again: the same.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        PaymentMethodNotFound: It is not on file.
        StripeUnavailable: The provider does not answer.
    """
    if earlier := store.reenacted(once):
        return earlier
    owner = accounts.admitted(store, owner, spend=True)
    payer, method = store.read_all([customer_of(owner), method_of(owner, card_id)])
    if method is None or not method.active:
        raise PaymentMethodNotFound()
    stripes(owner.tenant.mode).cards.set_default(
        card_id, key=provider_key(once), customer_id=payer.id
    )

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
) -> Saved:
    """Replace what is said of a card on file.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        PaymentMethodNotFound: It is not on file.
    """
    if store.reenacted(once) is None:
        owner = accounts.admitted(store, owner, spend=True)

    def decide(method: PaymentMethod | None) -> Resolution:
        if method is None:
            raise PaymentMethodNotFound()
        after = rules.described(method, billing_address=billing_address, metadata=metadata)
        return Unchanged(method) if after is method else Deed(after, (Change(method, after),))

    done = store.enact(decide, [method_of(owner, card_id)], once=once)
    is_default = _is_default(store, owner, done.record)
    return Saved(done.record, is_default, is_new=False, replayed=done.replayed)


def remove_card(
    store: LedgerStore, stripes: Stripes, owner: Owner, *, card_id: str, once: Once
) -> Enacted:
    """Take a card off file; if it was the default, the newest of the others is.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        PaymentMethodNotFound: It is not on file.
        PaymentMethodInUse: The wallet is recharged from it, and there is no other.
        StripeUnavailable: The provider does not answer.
    """
    if earlier := store.reenacted(once):
        return earlier
    owner = accounts.admitted(store, owner, spend=True)
    payer, settings, method = store.read_all(
        [customer_of(owner), recharge_of(owner), method_of(owner, card_id)]
    )
    if method is None or not method.active:
        raise PaymentMethodNotFound()
    known = pages.methods(store, owner.tenant, owner.account_id)
    recharge.require_spare(settings, payer, known, card_id)
    stripes(owner.tenant.mode).cards.detach(card_id, key=provider_key(once))
    return _write_removal(store, owner, card_id, once=once)


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
        key=provider_key(once),
        customer_id=payer.id,
        success_url=success_url,
        cancel_url=cancel_url,
        metadata=whose(owner),
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
        key=provider_key(once), customer_id=payer.id, return_url=return_url
    )


def _told(owner: Owner, card: SavedCard) -> PaymentMethod:
    return PaymentMethod(
        account_id=owner.account_id,
        id=card.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=card.fingerprint or "",
        created_at=card.created,
    )


def _write_card(
    store: LedgerStore, owner: Owner, told: PaymentMethod, *, make_default: bool, once: Once
) -> Saved:
    is_new = is_default = False

    def decide(payer: Customer, known: PaymentMethod | None) -> Resolution:
        nonlocal is_new, is_default
        method, after = rules.saved(payer, known, told, make_default=make_default)
        is_new, is_default = method is not known, after.default_method_id == method.id
        changes = [_change(payer, after)] if after is not payer else []
        if is_new:
            changes.append(Change(known, method))
        return Deed(method, tuple(changes)) if changes else Unchanged(method)

    done = store.enact(decide, _refs(owner, told.id), once=once)
    return Saved(done.record, is_default, is_new, done.replayed)


def _write_removal(store: LedgerStore, owner: Owner, card_id: str, *, once: Once) -> Enacted:
    others = pages.methods(store, owner.tenant, owner.account_id)

    def decide(payer: Customer, method: PaymentMethod) -> Resolution:
        if not method.active:
            return Unchanged(method)
        gone, after = rules.removed(payer, method, others, once.now)
        moved = [] if after is payer else [Change(payer, after)]
        return Deed(gone, (Change(method, gone), *moved))

    return store.enact(decide, _refs(owner, card_id), once=once)


def _seen(store: LedgerStore, owner: Owner) -> tuple[Owner, Customer]:
    owner = accounts.admitted(store, owner, spend=False)
    account, payer = store.read_all([account_of(owner), customer_of(owner)])
    if account is None and owner.user is None:
        raise AccountNotFound()
    return owner, payer


def _is_default(store: LedgerStore, owner: Owner, method: PaymentMethod) -> bool:
    shown = on_file(store, owner)
    return bool(shown) and shown[0].method.id == method.id


def provider_key(once: Once) -> str:
    """The key under which a request is made of the provider.

    It remembers what a key was for, refusals too; ours may ask for something else after one.
    """
    return f"{once.digest}/{once.fingerprint}"


def _refs(owner: Owner, card_id: str) -> list[Ref]:
    return [customer_of(owner), method_of(owner, card_id)]


def _change(before: Customer, after: Customer) -> Change:
    return Change(before if before.version else None, after)


def whose(owner: Owner) -> dict[str, str]:
    """What is written beside a thing of the provider's, to know later whose it is."""
    tenant = owner.tenant
    return {"org": tenant.org, "mode": tenant.mode, "account_id": owner.account_id}
