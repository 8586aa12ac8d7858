"""What is said of events: which, of what type, and what became of it. Nothing that stood in them.

Two things are counted for an alarm: what came to the door in good order and was not for us, and
what the worker can do nothing with.
"""

from aws_lambda_powertools.metrics import MetricUnit

from holdfast.domain.stripe_events import PARKED, StripeEvent
from holdfast.observability import logger, metrics
from holdfast.services.stripe_inbox import IGNORED, Delivered

IGNORED_METRIC = "StripeEventsIgnored"
PARKED_METRIC = "StripeEventsParked"


def notice_delivered(delivered: Delivered) -> None:
    """Log a delivery whose signature fits."""
    _log(delivered.event, delivered.outcome, counted=IGNORED_METRIC, alarms=(IGNORED,))


def notice_done(event: StripeEvent) -> None:
    """Log an event that was looked into."""
    _log(event, event.outcome, counted=PARKED_METRIC, alarms=(PARKED,))


def notice_ignored(event: StripeEvent) -> None:
    """Log an event that the bus brought, and that is of another account."""
    _log(event, IGNORED, counted=PARKED_METRIC, alarms=(IGNORED,))


def _log(event: StripeEvent, outcome: str, *, counted: str, alarms: tuple[str, ...]) -> None:
    is_odd = outcome in alarms
    fields = {"event": event.id, "type": event.type, "mode": event.mode, "outcome": outcome}
    (logger.warning if is_odd else logger.info)("stripe event", extra=fields)
    if is_odd:
        # Written at once: what a request leaves behind has its route for a dimension.
        metrics.add_metric(counted, MetricUnit.Count, 1)
        metrics.flush_metrics()
