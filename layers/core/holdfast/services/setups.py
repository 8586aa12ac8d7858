"""Use cases of setups: a card is saved in steps, by whoever has the setup's client secret.

The provider keeps their state. What is kept here is that one was begun, and which requests were
answered.
"""

from dataclasses import replace
from typing import Literal

from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.ledger import Change, Deed
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import Setup
from holdfast.errors import NotFound
from holdfast.gateways.stripe import SetupIntent
from holdfast.services import accounts
from holdfast.services.cards import Stripes, cards, customer, provider_key, whose
from holdfast.services.refs import Owner, account_of
from holdfast.store.ledger_store import LedgerStore

type Usage = Literal["off_session", "on_session"]
type CancelReason = Literal["abandoned", "duplicate", "requested_by_customer"]


def begin_setup(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    *,
    usage: Usage,
    card_id: str | None = None,
    once: Once,
) -> tuple[SetupIntent, bool]:
    """Begin to save a card without a page of the provider's; whether it was begun before.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        PaymentMethodNotFound: There is no such card.
        StripeUnavailable: The provider does not answer.
    """
    stripe = stripes(owner.tenant.mode)
    if earlier := store.reenacted(once):
        return _as_begun(stripe.setup_intents.retrieve(earlier.record.id), card_id), True
    owner = accounts.admitted(store, owner, spend=True)
    payer, _ = customer(store, stripes, owner, now=once.now)
    begun = stripe.setup_intents.create(
        key=provider_key(once),
        customer_id=payer.id,
        payment_method_id=card_id,
        usage=usage,
        metadata=whose(owner),
    )
    setup = Setup(account_id=owner.account_id, id=begun.id, created_at=once.now, version=1)

    def decide() -> Deed:
        return Deed(setup, (Change(None, setup),))

    done = store.enact(decide, [], once=once)
    return _as_begun(begun, card_id), done.replayed


def setup_intent(stripes: Stripes, tenant: Tenant, *, setup_id: str) -> SetupIntent:
    """A setup of this org and mode as it is at the provider.

    Raises:
        NotFound: There is none.
        StripeUnavailable: The provider does not answer.
    """
    found = stripes(tenant.mode).setup_intents.retrieve(setup_id)
    if (found.metadata.get("org"), found.metadata.get("mode")) != (tenant.org, tenant.mode):
        raise NotFound()
    return found


def customer_named(store: LedgerStore, tenant: Tenant, intent: SetupIntent) -> str:
    """Whose card a setup saves: a user's name for a default account, else the account's id."""
    account_id = intent.metadata["account_id"]
    account: Account | None = store.read(account_of(Owner(tenant, account_id)))
    return account.owner if account is not None and account.is_default else account_id


def confirm_setup(
    store: LedgerStore, stripes: Stripes, *, setup_id: str, card_id: str | None, once: Once
) -> tuple[SetupIntent, bool]:
    """Try to save the card, which is on file once it is saved; whether it was asked for before.

    Raises:
        NotFound: There is no such setup.
        PaymentMethodNotFound: There is no such card.
        PaymentState: It was canceled, or there is no card to save.
        PaymentDeclined, AuthenticationRequired: The bank does not let it be saved.
        StripeUnavailable: The provider does not answer.
    """
    earlier = store.reenacted(once)
    found = setup_intent(stripes, once.tenant, setup_id=setup_id)
    if earlier:
        return found, True
    if found.status != "succeeded":
        found = stripes(once.tenant.mode).setup_intents.confirm(
            setup_id, key=provider_key(once), payment_method_id=card_id
        )
    if found.status == "succeeded":
        cards(store, stripes, _owner_of(found, once), now=once.now)
    return found, _answered(store, found, once)


def cancel_setup(
    store: LedgerStore,
    stripes: Stripes,
    *,
    setup_id: str,
    reason: CancelReason | None,
    once: Once,
) -> tuple[SetupIntent, bool]:
    """Give a setup up; whether this was asked for before.

    Raises:
        NotFound: There is no such setup.
        PaymentState: It is done.
        StripeUnavailable: The provider does not answer.
    """
    earlier = store.reenacted(once)
    found = setup_intent(stripes, once.tenant, setup_id=setup_id)
    if earlier:
        return found, True
    if found.status != "canceled":
        found = stripes(once.tenant.mode).setup_intents.cancel(
            setup_id, key=provider_key(once), reason=reason
        )
    return found, _answered(store, found, once)


def _answered(store: LedgerStore, intent: SetupIntent, once: Once) -> bool:
    """Keep that the request was answered: its key is used up. Whether it was before."""
    owner = _owner_of(intent, once)
    setup = Setup(account_id=owner.account_id, id=intent.id, created_at=once.now, version=1)

    def decide() -> Deed:
        return Deed(setup, ())

    return store.enact(decide, [], once=once).replayed


def _as_begun(intent: SetupIntent, card_id: str | None) -> SetupIntent:
    """The setup as it began: the first answer again, whatever has come of it since."""
    status = "requires_confirmation" if card_id else "requires_payment_method"
    return replace(intent, status=status, payment_method_id=card_id, last_error=None)


def _owner_of(intent: SetupIntent, once: Once) -> Owner:
    return Owner(once.tenant, intent.metadata["account_id"])
