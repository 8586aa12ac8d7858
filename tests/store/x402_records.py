"""Payments over x402 as the tests of the store know them: golden ones, and random ones."""

from dataclasses import replace

from hypothesis import strategies as st

from holdfast.domain.accounts import Tenant
from holdfast.domain.ledger import Record
from holdfast.domain.x402 import NETWORKS
from holdfast.domain.x402_outcomes import Settled
from holdfast.domain.x402_settlements import (
    FAILED,
    PENDING,
    SETTLED,
    UNKNOWN,
    X402Settlement,
    concluded,
)
from tests.domain.samples import ACCOUNT_ID, HOUR, NOW
from tests.domain.strategies import instants
from tests.domain.x402_samples import PAY_TO, PAYER, TRANSACTION, URL, settlement

_PRESENTED = settlement(account_id=ACCOUNT_ID)

GOLDEN_X402: dict[str, Record] = {
    "x402 settlement": _PRESENTED,
    "x402 settlement of which nobody knows": replace(
        _PRESENTED,
        x402_version=1,
        status=UNKNOWN,
        attempts=3,
        reason="no_answer",
        due_at=NOW + HOUR,
        version=6,
    ),
    "x402 settlement that was settled": concluded(
        _PRESENTED, Settled(TRANSACTION, "eip155:84532", PAYER), NOW
    ),
}

_HEX = "0123456789abcdef"
_MAYBE_INSTANT = st.none() | instants
_SECONDS = st.integers(0, 2**256 - 1).map(str)

X402_KINDS: dict[str, st.SearchStrategy[Record]] = {
    "x402 settlement": st.builds(
        X402Settlement,
        id=st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26).map(
            "x402_{}".format
        ),
        tenant=st.sampled_from([Tenant("acme", "live"), Tenant("globex", "test")]),
        workspace_id=st.sampled_from(["ws_1", "ws_2"]),
        account_id=st.just(ACCOUNT_ID),
        user=st.sampled_from(["acme/alice", "globex/zoe"]),
        amount_micros=st.integers(1, 10**10),
        x402_version=st.sampled_from([1, 2]),
        network=st.sampled_from(sorted(NETWORKS)),
        pay_to=st.just(PAY_TO),
        url=st.just(URL),
        description=st.text(max_size=20),
        payer=st.text(_HEX, min_size=40, max_size=40).map("0x{}".format),
        nonce=st.text(_HEX, min_size=64, max_size=64).map("0x{}".format),
        valid_after=_SECONDS,
        valid_before=_SECONDS,
        signature=st.text(_HEX, min_size=130, max_size=400).map("0x{}".format),
        created_at=instants,
        status=st.sampled_from([PENDING, UNKNOWN, SETTLED, FAILED]),
        attempts=st.integers(1, 30),
        due_at=_MAYBE_INSTANT,
        transaction=st.none() | st.just(TRANSACTION),
        reason=st.none() | st.just("no_answer"),
        concluded_at=_MAYBE_INSTANT,
        version=st.integers(1, 100),
    ),
}
