"""Billing info on the agents surface: what stands on an account's invoices beside the amounts."""

from holdfast.domain.billing_info import FIELDS, BillingInfo
from holdfast.http.fields import Body
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, View
from holdfast.http.writes import Now, Write
from holdfast.runtime import Store
from holdfast.services import profile

router = Router()


class ChangeBillingInfo(Body):
    name: str | None = None
    email: str | None = None
    tax_id: str | None = None
    tax_id_type: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_postal_code: str | None = None
    address_country: str | None = None


class BillingInfoView(View):
    name: str | None
    email: str | None
    tax_id: str | None
    tax_id_type: str | None
    address_line1: str | None
    address_line2: str | None
    address_city: str | None
    address_state: str | None
    address_postal_code: str | None
    address_country: str | None


@router.get("/api/agents/v1/billing/info")
def read_billing_info(caller: Caller, now: Now, store: Store) -> BillingInfoView:
    """The caller's billing info; null is not told."""
    return _view(profile.info(store, owner_named(caller, None), now=now))


@router.put("/api/agents/v1/billing/info")
def change_billing_info(
    body: ChangeBillingInfo, caller: Caller, once: Write, store: Store
) -> Answer[BillingInfoView]:
    """Change the fields that are named, and leave the others; null clears one."""
    texts = body.model_dump(exclude_unset=True)
    changed = profile.change_info(store, owner_named(caller, None), texts=texts, once=once)
    return Answer(_view(changed.record), replayed=changed.replayed)


def _view(info: BillingInfo) -> BillingInfoView:
    return BillingInfoView(**{name: getattr(info, name) for name in FIELDS})
