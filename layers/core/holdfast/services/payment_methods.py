"""Payment methods on file: whether there is one, and which is used unless another is named."""

from holdfast.domain.payment_methods import PaymentMethod
from holdfast.services.refs import Owner
from holdfast.store import pages
from holdfast.store.ledger_store import LedgerStore


def on_file(store: LedgerStore, owner: Owner) -> list[PaymentMethod]:
    """The account's payment methods, the default one first, then the newest."""
    found = pages.methods(store, owner.tenant, owner.account_id)
    newest_first = sorted(found, key=lambda method: method.created_at, reverse=True)
    return sorted(newest_first, key=lambda method: not method.is_default)


def default(store: LedgerStore, owner: Owner) -> PaymentMethod | None:
    """The payment method that is used unless another is named; None without any on file."""
    found = on_file(store, owner)
    return found[0] if found else None
