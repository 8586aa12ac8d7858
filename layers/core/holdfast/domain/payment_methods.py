"""Payment methods on file: what a card is known by, never its number; and which one is used.

The provider keeps the cards; these records are what is known of them here. The default is a pointer
on the customer and no flag on a method, so that changing it is one write and two cannot be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from holdfast.domain.clock import Instant
from holdfast.errors import PaymentMethodNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """An account as the payment provider knows it: `id` is empty as long as it does not."""

    account_id: str
    id: str = ""
    default_method_id: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A card that was saved with the payment provider, under the provider's id.

    `fingerprint` is the same for the same card, whoever saved it. Removed ones are kept, stamped.
    """

    account_id: str
    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    created_at: Instant
    fingerprint: str = ""
    billing_address: Mapping[str, str] | None = None
    metadata: Mapping[str, str] | None = None
    removed_at: Instant | None = None
    version: int = 0

    @property
    def active(self) -> bool:
        """Whether it can still be charged."""
        return self.removed_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """That saving a card was begun, under the provider's id of it."""

    account_id: str
    id: str
    created_at: Instant
    version: int = 0


def saved(
    customer: Customer, known: PaymentMethod | None, card: PaymentMethod, *, make_default: bool
) -> tuple[PaymentMethod, Customer]:
    """The method as it is on file, and the customer. The first one becomes the default.

    `known` is what was on file under this id: an active one stays as it is.
    """
    method = known if known is not None and known.active else _written(card, known)
    if make_default or not customer.default_method_id:
        return method, made_default(customer, method)
    return method, customer


def made_default(customer: Customer, method: PaymentMethod) -> Customer:
    """The customer with this method as the default; the same object if it was already.

    Raises:
        PaymentMethodNotFound: The method was removed.
    """
    _require_active(method)
    if customer.default_method_id == method.id:
        return customer
    return replace(customer, default_method_id=method.id, version=customer.version + 1)


def removed(
    customer: Customer, method: PaymentMethod, others: Iterable[PaymentMethod], now: Instant
) -> tuple[PaymentMethod, Customer]:
    """The method as one that is gone; if it was the default, the newest of the others is.

    Raises:
        PaymentMethodNotFound: It was removed before.
    """
    _require_active(method)
    gone = replace(method, removed_at=now, version=method.version + 1)
    if customer.default_method_id != method.id:
        return gone, customer
    left = [each for each in others if each.active and each.id != method.id]
    newest = max(left, key=lambda each: (each.created_at, each.id), default=None)
    heir = "" if newest is None else newest.id
    return gone, replace(customer, default_method_id=heir, version=customer.version + 1)


def described(
    method: PaymentMethod,
    *,
    billing_address: Mapping[str, str] | None,
    metadata: Mapping[str, str] | None,
) -> PaymentMethod:
    """The method with what is said of it replaced; what is not said stays.

    Raises:
        PaymentMethodNotFound: It was removed.
    """
    _require_active(method)
    told = replace(
        method,
        billing_address=method.billing_address if billing_address is None else billing_address,
        metadata=method.metadata if metadata is None else metadata,
    )
    return method if told == method else replace(told, version=method.version + 1)


def in_order(customer: Customer, known: Iterable[PaymentMethod]) -> list[PaymentMethod]:
    """The active ones, the default first, then the newest.

    Where the default was removed at the same instant as another one was made it, or is gone in some
    other way, the newest is the default: as long as there is one, one is.
    """
    active = sorted(
        (each for each in known if each.active),
        key=lambda method: (method.created_at, method.id),
        reverse=True,
    )
    return sorted(active, key=lambda method: method.id != customer.default_method_id)


def _written(card: PaymentMethod, known: PaymentMethod | None) -> PaymentMethod:
    return replace(card, version=known.version + 1 if known else 1)


def _require_active(method: PaymentMethod) -> None:
    if not method.active:
        raise PaymentMethodNotFound()
