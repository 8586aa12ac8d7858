from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.clock import from_rfc3339, instant, rfc3339

FIRST, LAST = datetime(1970, 1, 1), datetime(9999, 12, 30)  # noqa: DTZ001 - the zone comes below
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("microsecond", "kept"),
    [(0, 0), (999, 0), (1_000, 1_000), (1_001, 1_000), (999_999, 999_000)],
)
def test_an_instant_is_cut_to_whole_milliseconds(microsecond, kept):
    moment = datetime(2026, 11, 21, 3, 30, 0, microsecond, tzinfo=UTC)

    assert instant(moment) == moment.replace(microsecond=kept)


def test_an_instant_is_utc_wherever_it_was_told():
    kathmandu = timezone(timedelta(hours=5, minutes=45))

    found = instant(datetime(2026, 11, 21, 1, 15, tzinfo=kathmandu))

    assert found == datetime(2026, 11, 20, 19, 30, tzinfo=UTC)
    assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_nobodys_instant():
    with pytest.raises(AssertionError):
        instant(datetime(2026, 11, 21))  # noqa: DTZ001


def test_an_instant_is_written_with_a_fixed_width_and_a_z():
    assert rfc3339(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000Z"
    assert rfc3339(datetime(2026, 1, 2, 3, 4, 5, 125_000, tzinfo=UTC)) == "2026-01-02T03:04:05.125Z"


@given(moment=MOMENTS)
def test_an_instant_is_read_back_as_it_was_written(moment):
    cut = instant(moment)

    assert from_rfc3339(rfc3339(cut)) == cut


@given(one=MOMENTS, other=MOMENTS)
def test_the_order_of_text_is_the_order_of_time(one, other):
    one, other = instant(one), instant(other)

    assert (rfc3339(one) < rfc3339(other)) == (one < other)
    assert len(rfc3339(one)) == len(rfc3339(other))
