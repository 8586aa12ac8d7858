"""What happens every night: Stripe's balance of the day before is held against the ledger."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from holdfast import providers, runtime
from holdfast.domain.reconciliation import Report
from holdfast.observability import logger, metrics, record_mistake
from holdfast.services import reconciliation

DIFFERENCES_METRIC = "ReconciliationDifferences"
HEALED_METRIC = "ReconciliationHealed"


def reconcile(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Make the reports that are due, in both modes; how many there are, and what they found.

    Raises:
        ExceptionGroup: A mode could not be done. The next run makes up for it.
    """
    failures: list[Exception] = []
    made: list[Report] = []
    for mode, parameter in runtime.settings().stripe_key_parameters.items():
        if not parameter:
            continue
        try:
            made += reconciliation.reconcile_due(
                runtime.ledger_store(), providers.stripe, mode, now=runtime.now()
            )
        except Exception as failure:  # noqa: BLE001 - one mode must not stop the other
            record_mistake(failure, request_id=f"reconciliation {mode}")
            failures.append(failure)
    for report in made:
        _notice(report)
    if failures:
        raise ExceptionGroup("a mode was not reconciled", failures)
    return {"reports": len(made), "differences": sum(report.open_count for report in made)}


def _notice(report: Report) -> None:
    """Log what a report says, and count what waits for somebody: none of it, too."""
    fields = {
        "mode": report.mode,
        "day": report.day,
        "lines": report.lines,
        "payments": report.payments,
        "in_flight": report.in_flight,
        "differences": dict(report.counts),
        "open": report.open_count,
        "healed": report.healed,
    }
    (logger.error if report.open_count else logger.info)("reconciliation", extra=fields)
    metrics.add_metric(DIFFERENCES_METRIC, MetricUnit.Count, report.open_count)
    metrics.add_metric(HEALED_METRIC, MetricUnit.Count, report.healed)
    metrics.flush_metrics()
