"""Random records of every kind, as the rules could have made them."""

from datetime import UTC, datetime, timedelta
from string import ascii_lowercase, digits
from typing import Any

from hypothesis import strategies as st

from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.holds import Hold, Job
from holdfast.domain.ledger import Record, Wallet
from holdfast.domain.lots import CASH, CREDIT, Draw, Lot, Terms
from holdfast.domain.money import WALLET_MICROS_MAX
from holdfast.domain.quotes import HeldJob, LineItem, Quote
from holdfast.domain.wallet import Refunded

_BASE32 = ascii_lowercase + "234567"

_start = datetime(2020, 1, 1, tzinfo=UTC)
instants: st.SearchStrategy[Instant] = st.integers(0, 10**13).map(
    lambda milliseconds: _start + timedelta(milliseconds=milliseconds)
)
signed = st.integers(-WALLET_MICROS_MAX, WALLET_MICROS_MAX)
unsigned = st.integers(0, WALLET_MICROS_MAX)
positive = st.integers(1, WALLET_MICROS_MAX)
versions = st.integers(1, 10**9)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
maybe_texts = st.none() | texts
tenants = st.builds(
    Tenant, st.sampled_from(["acme", "a.b-c_d", "0"]), st.sampled_from(["live", "test"])
)
currencies = st.sampled_from(["usd", "jpy", "kwd"])
account_ids = st.text(_BASE32, min_size=26, max_size=26).map("acct_{}".format)
entry_ids = st.text(_BASE32, min_size=26, max_size=26).map("ent_{}".format)
job_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:~@+=-]{0,40}", fullmatch=True)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
lot_ids = st.text(_BASE32, min_size=1, max_size=26).map("lot_{}".format)

terms = st.builds(
    Terms,
    kind=st.sampled_from([CASH, CREDIT]),
    granted_at=instants,
    expires_at=st.none() | instants,
    priority=st.integers(0, 100),
    tag=texts,
)
lots = st.builds(Lot, id=lot_ids, terms=terms, remaining_micros=unsigned, held_micros=unsigned)
draws = st.builds(Draw, st.just(CASH), positive) | st.builds(Draw, lot_ids, positive, terms)


def tuples[T](one: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(one, max_size=3).map(tuple)


wallets = st.builds(
    Wallet,
    tenant=tenants,
    account_id=account_ids,
    currency=currencies,
    version=versions,
    seq=versions,
    head=hashes,
    cash_micros=signed,
    cash_held_micros=unsigned,
    lots=tuples(lots),
    credited_micros=unsigned,
    credits_count=versions,
    debits_count=versions,
    hold_due_at=st.none() | instants,
    open_from=st.none() | texts,
    updated_at=st.none() | instants,
)


@st.composite
def hold_ids(draw: st.DrawFn) -> str:
    rest = draw(st.text(digits + "abcdefghjkmnpqrstvwxyz", min_size=26, max_size=26))
    return f"hold_{rest}_{draw(currencies)}"


jobs = st.builds(Job, job_id=job_ids, quote_id=texts, provider=texts, device=texts, shots=versions)


@st.composite
def holds(draw: st.DrawFn, account_id: str | None = None, currency: str | None = None) -> Hold:
    hold_id = draw(hold_ids())
    facts: dict[str, Any] = {
        "amount_micros": draw(positive),
        "draws": draw(tuples(draws)),
        "expires_at": draw(instants),
        "created_at": draw(instants),
        "status": draw(st.sampled_from(["open", "captured", "released", "expired"])),
        "captured_micros": draw(unsigned),
        "captured_last_micros": draw(unsigned),
        "released_micros": draw(unsigned),
        "expiry_policy": draw(st.sampled_from(["release", "capture"])),
        "over_capture": draw(st.sampled_from(["reject", "cap", "overdraft"])),
        "overdraft_micros": draw(unsigned),
        "reference": draw(maybe_texts),
        "metadata": draw(st.none() | st.dictionaries(texts, texts, min_size=1, max_size=2)),
        "job": draw(st.none() | jobs),
        "closed_by": draw(st.none() | entry_ids),
        "updated_at": draw(st.none() | instants),
        "version": draw(versions),
    }
    return Hold(
        id=hold_id,
        account_id=account_id or draw(account_ids),
        currency=currency or hold_id[-3:],
        **facts,
    )


details: st.SearchStrategy[dict[str, Json]] = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | texts,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
        max_leaves=3,
    ),
    max_size=2,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    account_id, currency = draw(account_ids), draw(currencies)
    hold = draw(st.none() | holds(account_id, currency))
    return Entry(
        id=draw(entry_ids),
        tenant=draw(tenants),
        account_id=account_id,
        currency=currency,
        seq=draw(st.integers(1, 10**16 - 1)),
        type=draw(st.sampled_from(["deposit", "capture", "lot_expiry"])),
        amount_micros=draw(unsigned),
        balance_after_micros=draw(signed),
        held_after_micros=draw(unsigned),
        postings=draw(st.dictionaries(st.sampled_from(["wallet", "credit", "revenue"]), signed)),
        draws=draw(tuples(draws)),
        reference=draw(maybe_texts),
        source=draw(texts),
        details=draw(details),
        hold_id=hold.id if hold else None,
        created_at=draw(instants),
        prev=draw(hashes),
        hash=draw(hashes),
        fingerprint=draw(st.just("") | hashes),
        balance_left_micros=draw(st.none() | signed),
        hold=hold,
    )


accounts = st.builds(
    Account,
    tenant=tenants,
    id=account_ids,
    owner=texts,
    name=texts,
    created_at=instants,
    currency=currencies,
    version=versions,
)
quotes = st.builds(
    Quote,
    id=entry_ids.map("quote_{}".format),
    account_id=account_ids,
    provider=texts,
    device=texts,
    shots=versions,
    tasks=versions,
    currency=currencies,
    line_items=tuples(st.builds(LineItem, type=texts, unit_micros=unsigned, quantity=versions)),
    available_micros=signed,
    created_at=instants,
    expires_at=instants,
    job_id=st.none() | job_ids,
    used_by=st.none() | job_ids,
    entry_id=st.none() | entry_ids,
    version=versions,
)
held_jobs = st.builds(
    HeldJob, job_id=job_ids, account_id=account_ids, hold_id=hold_ids(), version=versions
)
refunded = st.builds(
    Refunded,
    entry_id=entry_ids,
    account_id=account_ids,
    refunded_micros=unsigned,
    version=versions,
)

KINDS: dict[str, st.SearchStrategy[Record]] = {
    "wallet": wallets,
    "hold": holds(),
    "account": accounts,
    "quote": quotes,
    "held job": held_jobs,
    "refunded": refunded,
}
