"""Records of auto-recharge at random."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import Attempt, Breaker

_START = datetime(1970, 1, 1, tzinfo=UTC)

texts = st.text(max_size=20)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:~@+=-]{0,40}", fullmatch=True)
micros = st.integers(0, 10**17)
counts = st.integers(0, 9)
versions = st.integers(1, 10**9)
instants = st.integers(0, 10**13).map(lambda ms: _START + timedelta(milliseconds=ms))
maybe = st.none() | instants

recharges = st.builds(
    AutoRecharge,
    account_id=ids,
    currency=st.sampled_from(["usd", "jpy"]),
    enabled=st.booleans(),
    threshold_micros=micros,
    amount_micros=micros,
    daily_cap_micros=micros,
    monthly_cap_micros=micros,
    method_id=texts,
    day=texts,
    day_micros=micros,
    month=texts,
    month_micros=micros,
    attempt_id=texts,
    card=texts,
    held_by=texts,
    next_at=maybe,
    failures=counts,
    failed_id=texts,
    failure_code=texts,
    decline_code=texts,
    failed_at=maybe,
    paid_at=maybe,
    version=versions,
)
attempts = st.builds(
    Attempt,
    account_id=ids,
    id=ids,
    trigger=st.sampled_from(["threshold", "test", "manual"]),
    currency=st.sampled_from(["usd", "jpy"]),
    amount_micros=micros,
    threshold_micros=micros,
    available_micros=micros.map(int.__neg__) | micros,
    balance_before_micros=micros.map(int.__neg__) | micros,
    reason=texts,
    created_at=instants,
    updated_at=instants,
    status=st.sampled_from(["pending", "succeeded", "failed", "requires_action", "skipped"]),
    balance_after_micros=st.none() | micros,
    method_id=texts,
    card=texts,
    payment_id=texts,
    payment_intent_id=texts,
    failure_code=texts,
    decline_code=texts,
    version=versions,
)
breakers = st.builds(
    Breaker, card=ids, attempts=counts, attempted_at=maybe, next_at=maybe, version=versions
)
RECHARGE_KINDS: dict[str, st.SearchStrategy[Any]] = {
    "recharge": recharges,
    "attempt": attempts,
    "breaker": breakers,
}
