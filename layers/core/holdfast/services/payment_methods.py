"""Payment methods on file: which there are, and which is used unless another is named."""

from dataclasses import dataclass

from holdfast.domain.payment_methods import Customer, PaymentMethod, in_order
from holdfast.errors import PaymentMethodNotFound
from holdfast.services.refs import Owner, customer_of
from holdfast.store import pages
from holdfast.store.ledger_store import LedgerStore


@dataclass(frozen=True, slots=True)
class OnFile:
    """A payment method, and whether it is used unless another is named."""

    method: PaymentMethod
    is_default: bool


def customer_id(store: LedgerStore, owner: Owner) -> str | None:
    """What the payment provider calls the account; None as long as it does not know it."""
    customer: Customer = store.read(customer_of(owner))
    return customer.id or None


def on_file(store: LedgerStore, owner: Owner) -> list[OnFile]:
    """The account's payment methods, the default one first, then the newest."""
    customer: Customer = store.read(customer_of(owner))
    known = pages.methods(store, owner.tenant, owner.account_id)
    return [OnFile(method, place == 0) for place, method in enumerate(in_order(customer, known))]


def default(store: LedgerStore, owner: Owner) -> PaymentMethod | None:
    """The payment method that is used unless another is named; None without any on file."""
    found = on_file(store, owner)
    return found[0].method if found else None


def method(store: LedgerStore, owner: Owner, method_id: str) -> OnFile:
    """One payment method of the account.

    Raises:
        PaymentMethodNotFound: There is none, or it was removed.
    """
    found = next((each for each in on_file(store, owner) if each.method.id == method_id), None)
    if found is None:
        raise PaymentMethodNotFound()
    return found
