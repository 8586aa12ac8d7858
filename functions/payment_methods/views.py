"""What the commerce surface is sent of cards, and answers. What they are charged by is left out."""

from typing import Annotated

from pydantic import Field

from holdfast.domain.accounts import Owner
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.http.fields import CamelBody, Timestamp, text
from holdfast.http.views import CamelView, Maybe

Line = Annotated[str, text(200)]

_BRANDS = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay"}


class BillingAddress(CamelBody):
    name: Line | None = None
    line1: Line | None = None
    line2: Line | None = None
    city: Line | None = None
    state: Line | None = None
    postal_code: Line | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None


class BillingAddressView(CamelView):
    name: Maybe[str] = None
    line1: Maybe[str] = None
    line2: Maybe[str] = None
    city: Maybe[str] = None
    state: Maybe[str] = None
    postal_code: Maybe[str] = None
    country: Maybe[str] = None


class CardFactsView(CamelView):
    brand: str
    last4: str
    exp_month: int
    exp_year: int


class PaymentMethodView(CamelView):
    id: str
    customer_id: str
    type: str
    name: str
    is_default: bool
    card: CardFactsView
    billing_address: Maybe[BillingAddressView] = None
    metadata: Maybe[dict[str, str]] = None
    created: Timestamp


class PaymentMethodListView(CamelView):
    payment_methods: list[PaymentMethodView]
    count: int
    next_cursor: str | None


class RemovedPaymentMethodView(CamelView):
    id: str
    deleted: bool


def payment_method(owner: Owner, method: PaymentMethod, *, is_default: bool) -> PaymentMethodView:
    """A card of a customer's."""
    address = method.billing_address
    return PaymentMethodView(
        id=method.id,
        customer_id=owner.user or owner.account_id,
        type="card",
        name=f"{_BRANDS.get(method.brand, method.brand.title())} ending in {method.last4}",
        is_default=is_default,
        card=CardFactsView(
            brand=method.brand,
            last4=method.last4,
            exp_month=method.exp_month,
            exp_year=method.exp_year,
        ),
        billing_address=BillingAddressView(**address) if address else None,
        metadata=dict(method.metadata) if method.metadata else None,
        created=method.created_at,
    )


def told(address: BillingAddress | None) -> dict[str, str] | None:
    """The lines of an address that were told; None without an address."""
    return None if address is None else address.model_dump(exclude_none=True)
