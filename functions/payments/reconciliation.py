"""Reports of reconciliation, for the platform: whether Stripe and the ledger say the same."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator

from holdfast.domain.reconciliation import Difference, Report, Total
from holdfast.http.fields import Timestamp, Told, wrong
from holdfast.http.principal import Platform
from holdfast.http.routing import Router
from holdfast.http.views import Maybe, View, amounts, minor, minor_decimal
from holdfast.runtime import Store
from holdfast.services import reconciliation

router = Router()

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: str) -> str:
    try:
        day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None:
        raise wrong("not a day, such as 2026-11-21")
    return value


Day = Annotated[str, AfterValidator(_day), Told({"format": "date"})]


class TotalView(View):
    currency: str
    type: str
    lines: int
    stripe_amount: int
    stripe_amount_decimal: Maybe[str]
    ledger_amount: int | None
    ledger_amount_decimal: Maybe[str]
    difference: int
    difference_decimal: Maybe[str]
    fees: int
    in_flight: int


class DifferenceView(View):
    kind: str
    type: str
    currency: str
    amount: int
    amount_decimal: Maybe[str]
    stripe_amount: int
    stripe_amount_decimal: Maybe[str]
    ledger_amount: int
    ledger_amount_decimal: Maybe[str]
    because: str | None
    org: str | None
    account_id: str | None
    payment_id: str | None
    entry_id: str | None
    line_id: str | None
    stripe_id: str | None
    healed: bool
    at: Timestamp


class ReportView(View):
    mode: str
    day: str
    final: bool
    created_at: Timestamp
    lines: int
    payments: int
    in_flight: int
    differences_total: int
    differences_open: int
    differences_healed: int
    differences_by_kind: dict[str, int]
    totals: list[TotalView]
    differences: list[DifferenceView]


@router.get("/v1/billing/reconciliation")
def read_reconciliation(caller: Platform, store: Store, day: Day | None = None) -> ReportView:
    """The report of a day, or the newest: Stripe's balance against the entries and the wallets.

    Reports are of all orgs together, in the caller's mode. `differences` are the first 200;
    `differences_total` counts all of them.
    """
    return _report(reconciliation.report(store, caller.mode, day))


def _report(report: Report) -> ReportView:
    return ReportView(
        mode=report.mode,
        day=report.day,
        final=report.is_final,
        created_at=report.made_at,
        lines=report.lines,
        payments=report.payments,
        in_flight=report.in_flight,
        differences_total=report.count,
        differences_open=report.open_count,
        differences_healed=report.healed,
        differences_by_kind=dict(report.counts),
        totals=[_total(each) for each in report.totals],
        differences=[_difference(each) for each in report.differences],
    )


def _total(total: Total) -> TotalView:
    currency, here = total.currency, total.here_micros
    return TotalView(
        currency=currency,
        type=total.type,
        lines=total.lines,
        ledger_amount=None if here is None else minor(here, currency),
        ledger_amount_decimal=None if here is None else minor_decimal(here, currency),
        fees=minor(total.fee_micros, currency),
        in_flight=minor(total.in_flight_micros, currency),
        **amounts(currency, stripe_amount=total.there_micros, difference=total.difference_micros),
    )


def _difference(difference: Difference) -> DifferenceView:
    told: dict[str, Any] = {
        name: getattr(difference, name) or None
        for name in (
            "because", "org", "account_id", "payment_id", "entry_id", "line_id", "stripe_id",
        )
    }  # fmt: skip
    return DifferenceView(
        kind=difference.kind,
        type=difference.type,
        currency=difference.currency,
        healed=difference.is_healed,
        at=difference.at,
        **told,
        **amounts(
            difference.currency,
            amount=difference.amount_micros,
            stripe_amount=difference.there_micros,
            ledger_amount=difference.here_micros,
        ),
    )
