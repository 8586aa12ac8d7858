"""What a request leaves behind: one line, two metrics, and nothing that a caller sent.

Only the names below ever reach the log. No body, header, query, e-mail address, token or path
parameter is among them, so there is nothing to redact.
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from holdfast.errors import InvariantBroken

UNKNOWN_ROUTE = "unknown"
_FRAMES_MAX = 12


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever is standard error at that moment; standard output has the metrics."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


# Where a line was logged says nothing here: there are two places.
logger = Logger(
    service=os.environ.get("POWERTOOLS_SERVICE_NAME", "holdfast"),
    logger_handler=_Stderr(),
    location=None,
)
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Holdfast"))


def record_request(
    *,
    request_id: str,
    method: str,
    route: str,
    status: int,
    duration_ms: float,
    tenant: str,
    code: str,
) -> None:
    """Log and count one request.

    Args:
        route: The pattern, never the path: a path has ids in it. Empty when nothing matched.
        tenant: Empty when nobody vouched for the caller.
        code: Of the error that was answered, or empty.
    """
    fields = {
        "request_id": request_id,
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(duration_ms, 3),
        "org": tenant,
        "code": code,
    }
    (logger.error if status >= 500 else logger.info)("request", extra=fields)
    metrics.add_dimension("route", f"{method} {route}" if route else UNKNOWN_ROUTE)
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    metrics.add_metric("Latency", MetricUnit.Milliseconds, duration_ms)
    if status >= 500:
        metrics.add_metric("Failures", MetricUnit.Count, 1)
    metrics.flush_metrics()


@contextmanager
def logged(request_id: str) -> Iterator[None]:
    """Log what goes wrong with one record of a batch, which the batch's answer only names."""
    try:
        yield
    except Exception as error:
        record_mistake(error, request_id=request_id)
        for each in error.exceptions if isinstance(error, ExceptionGroup) else ():
            record_mistake(each, request_id=request_id)
        raise


def record_mistake(error: Exception, *, request_id: str) -> None:
    """Log an exception that nobody foresaw: its kind and where it was, never its words.

    The words of an exception repeat the value that caused it as often as not. Those of an
    `InvariantBroken` are ours.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "aws_lambda_powertools" not in frame.filename
    ]
    logger.error(
        "mistake",
        extra={
            "request_id": request_id,
            "error": type(error).__name__,
            "because": type(error.__cause__).__name__ if error.__cause__ else "",
            "invariant": str(error) if isinstance(error, InvariantBroken) else "",
            "frames": [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-_FRAMES_MAX:]
            ],
        },
    )
