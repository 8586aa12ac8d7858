"""Reports of reconciliation as items: one a day in each mode, of all orgs together."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import from_rfc3339, rfc3339
from holdfast.domain.reconciliation import Difference, Report, Total
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat

_ORG = "stripe"


def house(mode: str) -> Tenant:
    """Whose the reports of a mode are: nobody's of the orgs, but the house's with Stripe."""
    return Tenant(_ORG, mode)


def _report(_: Tenant, report: Report) -> dict[str, Plain]:
    known = ("mode", "day", "version", "counts", "totals", "differences", "runs")
    return {
        "tenant": house(report.mode).segment,
        **flat(report, without=known),
        "counts": dict(report.counts),
        "totals": [flat(total, without=()) for total in report.totals],
        "differences": [flat(each, without=()) for each in report.differences],
        "runs": [rfc3339(run) for run in report.runs],
    }


def _to_report(plain: Mapping[str, Any], place: Place) -> Report:
    found: Report = from_flat(
        plain,
        Report,
        mode=place.owner,
        day=place.name,
        counts=plain["counts"],
        totals=tuple(from_flat(each, Total, here_micros=_here(each)) for each in plain["totals"]),
        differences=tuple(_to_difference(each) for each in plain["differences"]),
        runs=tuple(from_rfc3339(run) for run in plain["runs"]),
    )
    return found


def _here(plain: Mapping[str, Any]) -> int | None:
    # None is not written, and it is not what a total has where nothing is said.
    return plain.get("here_micros")


def _to_difference(plain: Mapping[str, Any]) -> Difference:
    found: Difference = from_flat(plain, Difference, at=from_rfc3339(plain["at"]))
    return found


KINDS = (
    Kind(
        type=Report,
        noun="REPORT",
        key=lambda _, report: keys.report(report.mode, report.day),
        plain=_report,
        record=_to_report,
    ),
)
