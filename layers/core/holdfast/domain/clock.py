"""Instants and how they are written: integer milliseconds inside, RFC 3339 UTC outside."""

from datetime import UTC, datetime, timedelta

type Instant = datetime
"""A timezone-aware UTC datetime with whole milliseconds."""

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def instant(moment: datetime) -> Instant:
    """`moment` in UTC, cut to whole milliseconds, so that what is stored is what was decided."""
    assert moment.tzinfo is not None
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def rfc3339(moment: Instant) -> str:
    """`2026-11-21T03:30:00.125Z`: fixed width, so that text order is time order."""
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"


def from_rfc3339(text: str) -> Instant:
    """The instant that `rfc3339` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)
