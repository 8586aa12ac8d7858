"""Setups on the commerce surface: an admin saves a customer's card in steps."""

from http import HTTPStatus
from typing import Annotated, Literal

from holdfast.gateways.stripe import SetupIntent
from holdfast.http.fields import CamelBody, Identifier, PathId, Timestamp, text
from holdfast.http.principal import Admin, Principal, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe
from holdfast.http.writes import Write
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import setups
from holdfast.store.ledger_store import LedgerStore

router = Router()


class BeginSetupIntent(CamelBody):
    customer_id: Annotated[str, text(200)]
    payment_method_id: Identifier | None = None
    usage: Literal["off_session", "on_session"] = "off_session"


class ConfirmSetupIntent(CamelBody):
    payment_method_id: Identifier | None = None


class CancelSetupIntent(CamelBody):
    cancellation_reason: Literal["abandoned", "duplicate", "requested_by_customer"] | None = None


class SetupErrorView(CamelView):
    code: str | None
    decline_code: str | None
    message: str


class SetupIntentView(CamelView):
    id: str
    customer_id: str
    status: str
    usage: str
    payment_method_id: Maybe[str] = None
    last_error: Maybe[SetupErrorView] = None
    created: Timestamp


class BegunSetupIntentView(SetupIntentView):
    client_secret: str | None


@router.post("/api/v1/billing/setup-intents", status_code=HTTPStatus.CREATED)
def begin_setup(
    body: BeginSetupIntent, caller: Admin, once: Write, store: Store, stripes: Stripe
) -> Answer[BegunSetupIntentView]:
    """Begin to save a card of a customer's.

    `clientSecret` is shown here alone: with it the customer's browser goes on at Stripe.
    """
    owner = owner_named(caller, body.customer_id, param="customer_id")
    begun, replayed = setups.begin_setup(
        store, stripes, owner, usage=body.usage, card_id=body.payment_method_id, once=once
    )
    view = BegunSetupIntentView.model_validate(
        {**_fields(store, caller, begun), "client_secret": begun.client_secret}
    )
    return Answer(view, replayed=replayed)


@router.get("/api/v1/billing/setup-intents/{setup_id}")
def read_setup(setup_id: PathId, caller: Admin, store: Store, stripes: Stripe) -> SetupIntentView:
    """A setup as it is at Stripe."""
    found = setups.setup_intent(stripes, caller.tenant, setup_id=setup_id)
    return _view(store, caller, found)


@router.post("/api/v1/billing/setup-intents/{setup_id}/confirm")
def confirm_setup(
    setup_id: PathId,
    body: ConfirmSetupIntent,
    caller: Admin,
    once: Write,
    store: Store,
    stripes: Stripe,
) -> Answer[SetupIntentView]:
    """Try to save the card; `requires_action` says that its owner has to confirm at Stripe."""
    done, replayed = setups.confirm_setup(
        store, stripes, setup_id=setup_id, card_id=body.payment_method_id, once=once
    )
    return Answer(_view(store, caller, done), replayed=replayed)


@router.post("/api/v1/billing/setup-intents/{setup_id}/cancel")
def cancel_setup(
    setup_id: PathId,
    body: CancelSetupIntent,
    caller: Admin,
    once: Write,
    store: Store,
    stripes: Stripe,
) -> Answer[SetupIntentView]:
    """Give a setup up. Again: the same."""
    done, replayed = setups.cancel_setup(
        store, stripes, setup_id=setup_id, reason=body.cancellation_reason, once=once
    )
    return Answer(_view(store, caller, done), replayed=replayed)


def _view(store: LedgerStore, caller: Principal, intent: SetupIntent) -> SetupIntentView:
    return SetupIntentView.model_validate(_fields(store, caller, intent))


def _fields(store: LedgerStore, caller: Principal, intent: SetupIntent) -> dict[str, object]:
    failure = intent.last_error
    return {
        "id": intent.id,
        "customer_id": setups.customer_named(store, caller.tenant, intent),
        "status": intent.status,
        "usage": intent.usage,
        "payment_method_id": intent.payment_method_id,
        "last_error": failure
        and {
            "code": failure.code,
            "decline_code": failure.decline_code,
            "message": failure.message,
        },
        "created": intent.created,
    }
