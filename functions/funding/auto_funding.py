"""Auto-funding on the agents surface: from which balance on a card is charged, and how much."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator

from holdfast.domain import recharge
from holdfast.errors import InvalidField
from holdfast.http.fields import Body, MajorAmount, Told, amount_is, major_micros, wrong
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, View, major
from holdfast.http.writes import Write
from holdfast.runtime import Store
from holdfast.services import auto_recharge

router = Router()

AMOUNT_MIN = major(recharge.AMOUNT_MIN_MICROS, recharge.CURRENCY)
THRESHOLD_MIN = major(recharge.THRESHOLD_MIN_MICROS, recharge.CURRENCY)


def _amount(value: Decimal) -> Decimal:
    if value < AMOUNT_MIN:
        raise wrong(f"must be at least {AMOUNT_MIN}")
    return value


def _threshold(value: Decimal) -> Decimal:
    if value < THRESHOLD_MIN:
        raise wrong(f"must be at least {THRESHOLD_MIN}")
    return value


ChargeAmount = Annotated[MajorAmount, AfterValidator(_amount), Told({"minimum": int(AMOUNT_MIN)})]
ChargeThreshold = Annotated[
    MajorAmount, AfterValidator(_threshold), Told({"minimum": int(THRESHOLD_MIN)})
]


class SetAutoFunding(Body):
    auto_charge_amount: ChargeAmount | None = None
    amount: ChargeAmount | None = None
    charge_threshold: ChargeThreshold | None = None
    threshold: ChargeThreshold | None = None


class AutoFundingView(View):
    enabled: bool
    auto_charge_amount: Decimal
    charge_threshold: Decimal
    payment_method_id: str | None


class AutoFundingOffView(View):
    enabled: bool


@router.put("/api/agents/v1/wallet/auto-funding")
def set_auto_funding(
    body: SetAutoFunding, caller: Caller, once: Write, store: Store
) -> Answer[AutoFundingView]:
    """Charge the default card whenever less than the threshold can be spent. The last PUT wins."""
    currency = recharge.CURRENCY
    amount = _one("auto_charge_amount", body.auto_charge_amount, "amount", body.amount)
    threshold = _one("charge_threshold", body.charge_threshold, "threshold", body.threshold)
    done = auto_recharge.configure(
        store,
        owner_named(caller, None),
        threshold_micros=threshold,
        amount_micros=amount,
        once=once,
    )
    view = AutoFundingView(
        enabled=done.settings.enabled,
        auto_charge_amount=major(done.settings.amount_micros, currency),
        charge_threshold=major(done.settings.threshold_micros, currency),
        payment_method_id=None if done.card is None else done.card.id,
    )
    return Answer(view, replayed=done.replayed)


@router.delete("/api/agents/v1/wallet/auto-funding")
def stop_auto_funding(caller: Caller, once: Write, store: Store) -> Answer[AutoFundingOffView]:
    """Charge no card by itself any more. Again: the same."""
    done = auto_recharge.disable(store, owner_named(caller, None), once=once)
    return Answer(AutoFundingOffView(enabled=done.settings.enabled), replayed=done.replayed)


def _one(name: str, given: Decimal | None, other_name: str, other: Decimal | None) -> int:
    """Micros of an amount that goes by two names, given under one of them, or the same twice."""
    if given is not None and other is not None and given != other:
        raise InvalidField(other_name, f"says something else than {name}")
    amount = given if given is not None else other
    if amount is None:
        raise InvalidField(name, "required")
    param = name if given is not None else other_name
    with amount_is(param):
        micros = major_micros(amount, recharge.CURRENCY, param=param)
    if micros > recharge.AMOUNT_MAX_MICROS:
        most = major(recharge.AMOUNT_MAX_MICROS, recharge.CURRENCY)
        raise InvalidField(param, f"at most {most} {recharge.CURRENCY}")
    return micros
