"""The billing profile: who the caller is as a payer, and whether work could be paid for now."""

from holdfast.domain.payment_methods import PaymentMethod
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import View
from holdfast.http.writes import Now
from holdfast.runtime import Store
from holdfast.services import profile

router = Router()

PLAN = "free"
NOTE = (
    "Being ready to pay is no permission to run on hardware: that also takes a backend that is "
    "ready, credentials for it, and the quote and the hold of the job."
)


class DefaultMethodView(View):
    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int


class ReadinessView(View):
    customer: bool
    payment_method: bool
    wallet_funded: bool
    not_in_recovery: bool


class ProfileView(View):
    account_id: str
    email: str | None
    name: str
    plan: str
    currency: str
    stripe_customer_id: str | None
    has_payment_method: bool
    default_payment_method: DefaultMethodView | None
    billing_ready: bool
    readiness: ReadinessView
    hardware_entitled: bool
    note: str


@router.get("/v1/billing/profile")
def read_profile(caller: Caller, now: Now, store: Store) -> ProfileView:
    """Who the caller is as a payer. Says nothing of hardware."""
    found = profile.profile(store, owner_named(caller, None), now=now)
    method = found.payment_method
    available_micros = found.wallet.available_micros(now)
    readiness = ReadinessView(
        customer=found.customer_id is not None,
        payment_method=method is not None,
        wallet_funded=available_micros > 0,
        not_in_recovery=available_micros >= 0,
    )
    return ProfileView(
        account_id=found.account.id,
        email=found.info.email,
        name=found.info.name or found.account.name,
        plan=PLAN,
        currency=found.account.currency,
        stripe_customer_id=found.customer_id,
        has_payment_method=method is not None,
        default_payment_method=None if method is None else _method(method),
        # Something to pay with, and nothing owed.
        billing_ready=readiness.not_in_recovery
        and (readiness.wallet_funded or readiness.payment_method),
        readiness=readiness,
        hardware_entitled=False,
        note=NOTE,
    )


def _method(method: PaymentMethod) -> DefaultMethodView:
    return DefaultMethodView(
        id=method.id,
        brand=method.brand,
        last4=method.last4,
        exp_month=method.exp_month,
        exp_year=method.exp_year,
    )
