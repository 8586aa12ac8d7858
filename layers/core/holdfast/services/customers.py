"""Use case of the customer that an account is at Stripe: become one, and be called by a name."""

from collections.abc import Mapping

from holdfast.domain.once import Once
from holdfast.errors import InvalidField
from holdfast.services import accounts, cards
from holdfast.services.cards import Stripes, provider_key, whose
from holdfast.services.refs import Owner
from holdfast.store.ledger_store import LedgerStore


def open_customer(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    *,
    email: str | None,
    name: str | None,
    metadata: Mapping[str, str] | None,
    once: Once,
) -> tuple[str, bool]:
    """The id of the account at Stripe, and whether it has it since just now.

    What is told of it is written over what Stripe knew.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        InvalidField: Metadata that say whose the customer is, or no e-mail address.
        StripeUnavailable: The provider does not answer.
    """
    ours = whose(owner)
    if metadata is not None and not ours.keys().isdisjoint(metadata):
        raise InvalidField("metadata", f"{', '.join(ours)} are not the caller's to say")
    owner = accounts.admitted(store, owner, spend=True)
    payer, is_new = cards.customer(store, stripes, owner, now=once.now)
    if email is not None or name is not None or metadata:
        stripes(owner.tenant.mode).customers.update(
            payer.id, key=provider_key(once), email=email, name=name, metadata=metadata
        )
    return payer.id, is_new
