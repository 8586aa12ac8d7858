"""Cards on the agents surface: an agent saves one with what it got from Stripe, and chooses."""

from http import HTTPStatus

from holdfast.domain.accounts import Owner
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.errors import InvalidField
from holdfast.http.fields import Body, Identifier, PathId
from holdfast.http.principal import Caller, Principal, owner_named
from holdfast.http.provider import publishable_key
from holdfast.http.routing import Router
from holdfast.http.views import Answer, View
from holdfast.http.writes import Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Installation, Store
from holdfast.services import cards, setups

router = Router()

CONFIG_INSTRUCTIONS = (
    "Give publishable_key to Stripe.js, or to Stripe's API, to turn a card into a payment method. "
    "Card numbers go to Stripe and never here."
)
SETUP_INSTRUCTIONS = (
    "Confirm the setup at Stripe with client_secret and the publishable key; then the card is on "
    "file. Or attach a payment method of Stripe's by POST /api/agents/v1/billing/payment-methods."
)


class AttachMethod(Body):
    payment_method_id: Identifier
    make_default: bool | None = None
    set_default: bool | None = None


class StripeConfigView(View):
    publishable_key: str
    instructions: str


class SetupView(View):
    setup_intent_id: str
    client_secret: str | None
    status: str
    instructions: str


class MethodView(View):
    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool


class MethodListView(View):
    items: list[MethodView]
    count: int


class RemovedMethodView(View):
    id: str
    deleted: bool


@router.get("/api/agents/v1/billing/stripe-config")
def read_stripe_config(caller: Caller, installation: Installation) -> StripeConfigView:
    """The key that Stripe is spoken to with from outside. Secret ones are never shown."""
    return StripeConfigView(
        publishable_key=publishable_key(installation.stripe_publishable_keys, caller.mode),
        instructions=CONFIG_INSTRUCTIONS,
    )


@router.post("/api/agents/v1/billing/setup-intent", status_code=HTTPStatus.CREATED)
def begin_setup(caller: Caller, once: Write, store: Store, stripes: Stripe) -> Answer[SetupView]:
    """Begin to save a card without a page of Stripe's."""
    begun, replayed = setups.begin_setup(
        store, stripes, _own(caller), usage="off_session", once=once
    )
    view = SetupView(
        setup_intent_id=begun.id,
        client_secret=begun.client_secret,
        status=begun.status,
        instructions=SETUP_INSTRUCTIONS,
    )
    return Answer(view, replayed=replayed)


@router.get("/api/agents/v1/billing/payment-methods")
def list_methods(caller: Caller, now: Now, store: Store, stripes: Stripe) -> MethodListView:
    """The caller's cards, the default one first."""
    found = cards.cards(store, stripes, _own(caller), now=now)
    shown = [_view(each.method, is_default=each.is_default) for each in found]
    return MethodListView(items=shown, count=len(shown))


@router.post("/api/agents/v1/billing/payment-methods", status_code=HTTPStatus.CREATED)
def attach_method(
    body: AttachMethod, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[MethodView]:
    """Put a card on file, as the default one unless it is said otherwise.

    A card that is on file already stays so: 200.
    """
    saved = cards.save_card(
        store,
        stripes,
        _own(caller),
        card_id=body.payment_method_id,
        make_default=_make_default(body),
        once=once,
    )
    view = _view(saved.method, is_default=saved.is_default)
    return Answer(view, replayed=saved.replayed, status=None if saved.is_new else HTTPStatus.OK)


@router.put("/api/agents/v1/billing/payment-methods/{method_id}/default")
def choose_method(
    method_id: PathId, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[MethodView]:
    """Make a card the one that is used unless another is named. Again: the same."""
    chosen = cards.choose_card(store, stripes, _own(caller), card_id=method_id, once=once)
    return Answer(_view(chosen.record, is_default=True), replayed=chosen.replayed)


@router.delete("/api/agents/v1/billing/payment-methods/{method_id}")
def remove_method(
    method_id: PathId, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[RemovedMethodView]:
    """Take a card off file. If it was the default, the newest other one is."""
    removed = cards.remove_card(store, stripes, _own(caller), card_id=method_id, once=once)
    view = RemovedMethodView(id=removed.record.id, deleted=True)
    return Answer(view, replayed=removed.replayed)


def _own(caller: Principal) -> Owner:
    return owner_named(caller, None)


def _make_default(body: AttachMethod) -> bool:
    said = {body.make_default, body.set_default} - {None}
    if len(said) > 1:
        raise InvalidField("set_default", "says something else than make_default")
    return False not in said


def _view(method: PaymentMethod, *, is_default: bool) -> MethodView:
    return MethodView(
        id=method.id,
        brand=method.brand,
        last4=method.last4,
        exp_month=method.exp_month,
        exp_year=method.exp_year,
        is_default=is_default,
    )
