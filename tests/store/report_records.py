"""Reports of reconciliation: one that is written down, and others at random."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from holdfast.domain.reconciliation import KINDS, Difference, Report, Total

_START = datetime(1970, 1, 1, tzinfo=UTC)
_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_NIGHT = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)

REPORT = Report(
    mode="live",
    day="2026-11-20",
    made_at=_NIGHT,
    lines=3,
    payments=2,
    in_flight=0,
    healed=1,
    counts={"missing_here": 1},
    totals=(
        Total(
            currency="usd",
            type="charge",
            lines=2,
            there_micros=25_000_000,
            here_micros=25_000_000,
            fee_micros=1_330_000,
        ),
        Total(currency="usd", type="payout", lines=1, there_micros=-9_000_000, here_micros=None),
    ),
    differences=(
        Difference(
            kind="missing_here",
            type="charge",
            currency="usd",
            there_micros=5_000_000,
            here_micros=0,
            at=_NOON,
            org="acme",
            account_id="acct_5htnog4vtal2dd5ha6xjhnbkvw",
            payment_id="pay_01m7y1sp00jwu2fzawqjxehlqd_usd",
            line_id="txn_3QxT7b2eZvKYlo2C0xYzAbCd",
            stripe_id="pi_3QxT7b2eZvKYlo2C0aBcDeFg",
            is_healed=True,
        ),
    ),
    runs=(_NIGHT,),
    version=1,
)

_texts = st.text(max_size=20)
_micros = st.integers(-(10**17), 10**17)
_counts = st.integers(0, 10**9)
_instants = st.integers(0, 10**13).map(lambda ms: _START + timedelta(milliseconds=ms))
_days = st.dates().map(lambda day: day.isoformat())

_totals = st.builds(
    Total,
    currency=st.sampled_from(["usd", "jpy"]),
    type=_texts,
    lines=_counts,
    there_micros=_micros,
    here_micros=st.none() | _micros,
    fee_micros=_micros,
    in_flight_micros=_micros,
)
_differences = st.builds(
    Difference,
    kind=st.sampled_from(KINDS),
    type=_texts,
    currency=st.sampled_from(["usd", "jpy"]),
    there_micros=_micros,
    here_micros=_micros,
    at=_instants,
    because=_texts,
    org=_texts,
    account_id=_texts,
    payment_id=_texts,
    entry_id=_texts,
    line_id=_texts,
    stripe_id=_texts,
    is_healed=st.booleans(),
)
_reports = st.builds(
    Report,
    mode=st.sampled_from(["live", "test"]),
    day=_days,
    made_at=_instants,
    lines=_counts,
    payments=_counts,
    in_flight=_counts,
    healed=_counts,
    counts=st.dictionaries(st.sampled_from(KINDS), _counts),
    totals=st.lists(_totals, max_size=2).map(tuple),
    differences=st.lists(_differences, max_size=2).map(tuple),
    runs=st.lists(_instants, max_size=2).map(tuple),
    version=st.integers(1, 10**9),
)
REPORT_KINDS: dict[str, st.SearchStrategy[Any]] = {"report": _reports}
