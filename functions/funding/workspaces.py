"""A workspace's account paid into on a page of Stripe's: which account is fixed beforehand."""

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from holdfast.http.fields import CamelBody, PathId, Timestamp
from holdfast.http.principal import Caller
from holdfast.http.provider import Url, return_url
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, minor
from holdfast.http.writes import Write
from holdfast.providers import Stripe
from holdfast.runtime import Installation, Store
from holdfast.services import topups
from holdfast.services.workspaces import Visitor

router = Router()

SURFACE = "workspaces"
TITLE = "Wallet top-up"
CENTS_MIN = 500
CENTS_MAX = 1_000_000


class OpenCheckout(CamelBody):
    amount_cents: Annotated[int, Field(ge=CENTS_MIN, le=CENTS_MAX)]
    success_url: Url
    cancel_url: Url


class CheckoutView(CamelView):
    session_id: str
    url: str | None
    amount_cents: int
    currency: str
    expires_at: Timestamp
    billing_account_id: str


@router.post("/workspaces/{workspace_id}/billing/checkout", status_code=HTTPStatus.CREATED)
def open_checkout(
    workspace_id: PathId,
    body: OpenCheckout,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
    installation: Installation,
) -> Answer[CheckoutView]:
    """A page to pay into the account that is the workspace's default one now, on."""
    allowed = installation.return_urls
    page = topups.open_workspace_page(
        store,
        stripes,
        Visitor(caller.tenant, caller.user, caller.is_admin),
        workspace_id=workspace_id,
        amount=body.amount_cents,
        title=TITLE,
        surface=SURFACE,
        success_url=return_url(allowed, body.success_url, param="success_url"),
        cancel_url=return_url(allowed, body.cancel_url, param="cancel_url"),
        once=once,
    )
    view = CheckoutView(
        session_id=page.session.id,
        url=page.session.url,
        amount_cents=minor(page.payment.amount_micros, page.payment.currency),
        currency=page.payment.currency,
        expires_at=page.session.expires_at,
        billing_account_id=page.payment.account_id,
    )
    return Answer(view, replayed=page.replayed)
