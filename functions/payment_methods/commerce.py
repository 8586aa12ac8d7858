"""Cards on the commerce surface: whoever is named as their customer has them.

The id of a card does not say whose it is. Without `customerId` it is looked for among the caller's
own; an admin names whose it is.
"""

from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from holdfast.domain.accounts import Owner
from holdfast.errors import InvalidField
from holdfast.http.fields import CamelBody, Identifier, Metadata, PathId, text
from holdfast.http.principal import Caller, Principal, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer
from holdfast.http.writes import Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import cards
from payment_methods.views import (
    BillingAddress,
    PaymentMethodListView,
    PaymentMethodView,
    RemovedPaymentMethodView,
    payment_method,
    told,
)

router = Router()

PARAM = "customer_id"

User = Annotated[str, text(200)]
CustomerId = Annotated[User | None, Query(alias="customerId")]
Type = Literal["card", "bank_account", "balance"]

CARD: Type = "card"


class SavePaymentMethod(CamelBody):
    customer_id: User
    type: Type = CARD
    provider_ref: Identifier
    provider_type: Literal["stripe"] | None = None
    billing_address: BillingAddress | None = None
    metadata: Metadata | None = None


class DescribePaymentMethod(CamelBody):
    billing_address: BillingAddress | None = None
    metadata: Metadata | None = None


class ChooseDefault(CamelBody):
    payment_method_id: Identifier


@router.post("/api/v1/billing/payment-methods", status_code=HTTPStatus.CREATED)
def save_method(
    body: SavePaymentMethod, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[PaymentMethodView]:
    """Put a card of Stripe's on file; `providerRef` is Stripe's id of it, and is not shown again.

    A card that is on file already stays as it is: 200.
    """
    if body.type != CARD:
        raise InvalidField("type", "only cards can be saved here")
    owner = owner_named(caller, body.customer_id, param=PARAM)
    saved = cards.save_card(
        store,
        stripes,
        owner,
        card_id=body.provider_ref,
        make_default=False,
        billing_address=told(body.billing_address),
        metadata=body.metadata,
        once=once,
    )
    view = payment_method(owner, saved.method, is_default=saved.is_default)
    return Answer(view, replayed=saved.replayed, status=None if saved.is_new else HTTPStatus.OK)


@router.get("/api/v1/billing/payment-methods")
def list_methods(
    caller: Caller,
    now: Now,
    store: Store,
    stripes: Stripe,
    customer_id: CustomerId = None,
    user: User | None = None,
    type: Type = CARD,  # noqa: A002 - the documented name of the filter
) -> PaymentMethodListView:
    """A customer's cards, the default one first; the caller's own if nobody is named."""
    owner = _named(caller, customer_id, user)
    found = cards.cards(store, stripes, owner, now=now) if type == CARD else []
    shown = [payment_method(owner, each.method, is_default=each.is_default) for each in found]
    return PaymentMethodListView(payment_methods=shown, count=len(shown), next_cursor=None)


@router.get("/api/v1/billing/payment-methods/{method_id}")
def read_method(
    method_id: PathId, caller: Caller, store: Store, customer_id: CustomerId = None
) -> PaymentMethodView:
    """One card as it is on file."""
    owner = owner_named(caller, customer_id, param=PARAM)
    found = cards.card(store, owner, card_id=method_id)
    return payment_method(owner, found.method, is_default=found.is_default)


@router.patch("/api/v1/billing/payment-methods/{method_id}")
def describe_method(
    method_id: PathId,
    body: DescribePaymentMethod,
    caller: Caller,
    once: Write,
    store: Store,
    customer_id: CustomerId = None,
) -> Answer[PaymentMethodView]:
    """Replace the billing address or the metadata of a card; what is not named stays."""
    owner = owner_named(caller, customer_id, param=PARAM)
    described = cards.describe_card(
        store,
        owner,
        card_id=method_id,
        billing_address=told(body.billing_address),
        metadata=body.metadata,
        once=once,
    )
    view = payment_method(owner, described.method, is_default=described.is_default)
    return Answer(view, replayed=described.replayed)


@router.delete("/api/v1/billing/payment-methods/{method_id}")
def remove_method(
    method_id: PathId,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
    customer_id: CustomerId = None,
) -> Answer[RemovedPaymentMethodView]:
    """Take a card off file. If it was the default, the newest other one is."""
    owner = owner_named(caller, customer_id, param=PARAM)
    removed = cards.remove_card(store, stripes, owner, card_id=method_id, once=once)
    view = RemovedPaymentMethodView(id=removed.record.id, deleted=True)
    return Answer(view, replayed=removed.replayed)


@router.post("/api/v1/billing/customers/{customer_id}/default-payment-method")
def choose_default(
    customer_id: PathId,
    body: ChooseDefault,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
) -> Answer[PaymentMethodView]:
    """Make a card the one that its customer pays with unless another is named."""
    owner = owner_named(caller, customer_id, param=PARAM)
    chosen = cards.choose_card(store, stripes, owner, card_id=body.payment_method_id, once=once)
    view = payment_method(owner, chosen.record, is_default=True)
    return Answer(view, replayed=chosen.replayed)


def _named(caller: Principal, customer_id: str | None, user: str | None) -> Owner:
    """The customer, whichever of two names is given."""
    if user is None:
        return owner_named(caller, customer_id, param=PARAM)
    owner = owner_named(caller, user)
    if customer_id is not None and owner != owner_named(caller, customer_id, param=PARAM):
        raise InvalidField("user", "somebody else than customerId")
    return owner
