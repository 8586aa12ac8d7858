"""Random records of every kind, as the rules could have made them."""

from datetime import UTC, datetime, timedelta
from string import ascii_lowercase, digits
from typing import Any

from hypothesis import strategies as st

from holdfast.domain import api_keys, billing_info, members
from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.api_keys import ApiKey, SpendCap
from holdfast.domain.billing_info import BillingInfo
from holdfast.domain.budgets import DAY, KEY, MONTH, RUN, TOTAL, WORKSPACE, Budget, Scope
from holdfast.domain.clock import Instant
from holdfast.domain.coupons import Coupon, Guesses, Miss, Redemption
from holdfast.domain.credits import CreditGrant, Starter
from holdfast.domain.disputes import Dispute
from holdfast.domain.entries import Entry, Json
from holdfast.domain.holds import Hold, Job
from holdfast.domain.ledger import Record, Wallet
from holdfast.domain.lots import CASH, CREDIT, Draw, Lot, Terms
from holdfast.domain.members import Member
from holdfast.domain.money import AMOUNT_MICROS_MAX, WALLET_MICROS_MAX
from holdfast.domain.payment_methods import Customer, PaymentMethod, Setup
from holdfast.domain.payments import Payment
from holdfast.domain.quotes import HeldJob, LineItem, Quote
from holdfast.domain.stripe_events import StripeEvent
from holdfast.domain.wallet import Refunded
from holdfast.domain.workspaces import Link, LinkedWorkspace, Workspace
from tests.store.recharge_records import RECHARGE_KINDS
from tests.store.report_records import REPORT_KINDS
from tests.store.x402_records import X402_KINDS

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
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
users = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,9}/[a-z0-9][a-z0-9._@+=~-]{0,9}", fullmatch=True)
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
    meters=st.lists(names, max_size=2).map(tuple),
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
    pending=tuples(lots),
    credited_micros=unsigned,
    charged_micros=signed,
    credits_count=versions,
    debits_count=versions,
    hold_due_at=st.none() | instants,
    open_from=st.none() | texts,
    updated_at=st.none() | instants,
    closed=st.booleans(),
    recharge_below_micros=st.none() | unsigned,
)


@st.composite
def hold_ids(draw: st.DrawFn) -> str:
    rest = draw(st.text(digits + "abcdefghjkmnpqrstvwxyz", min_size=26, max_size=26))
    return f"hold_{rest}_{draw(currencies)}"


scopes = st.builds(
    Scope,
    account_id=account_ids,
    kind=st.sampled_from([WORKSPACE, KEY, RUN]),
    id=job_ids,
    limit_micros=unsigned,
    currency=currencies,
    window=st.sampled_from([DAY, MONTH, TOTAL]),
)
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
        "scopes": draw(tuples(scopes)),
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
        cash_after_micros=draw(signed),
        hold=hold,
    )


accounts = st.builds(
    Account,
    tenant=tenants,
    id=account_ids,
    owner=users,
    name=names,
    created_at=instants,
    currency=currencies,
    closed_at=st.none() | instants,
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

budgets = st.builds(
    Budget,
    account_id=account_ids,
    kind=st.sampled_from([WORKSPACE, KEY, RUN]),
    id=job_ids,
    currency=currencies,
    window=st.sampled_from([DAY, MONTH, TOTAL]),
    period=st.sampled_from(["", "2026-11", "2026-11-21"]),
    spent_micros=unsigned,
    held_micros=unsigned,
    version=versions,
)
grants = st.builds(
    CreditGrant,
    id=entry_ids.map("grant_{}".format),
    account_id=account_ids,
    user=users,
    name=texts,
    amount_micros=positive,
    currency=currencies,
    effective_at=instants,
    created_at=instants,
    expires_at=st.none() | instants,
    priority=st.integers(0, 1000),
    meters=st.lists(names, max_size=2).map(tuple),
    tags=texts,
    voided_at=st.none() | instants,
    version=versions,
)
starters = st.builds(Starter, account_id=account_ids, entry_id=entry_ids, version=versions)


@st.composite
def memberships(draw: st.DrawFn) -> Member:
    return Member(
        tenant=draw(tenants),
        account_id=draw(account_ids),
        user=draw(users),
        role=draw(st.sampled_from(members.ROLES)),
        email=draw(st.none() | names),
        added_at=draw(instants),
        removed_at=draw(st.none() | instants),
        version=draw(versions),
    )


workspace_ids = st.text(_BASE32, min_size=26, max_size=26).map("ws_{}".format)
workspaces = st.builds(
    Workspace,
    tenant=tenants,
    id=workspace_ids,
    name=names,
    owner=users,
    default_account_id=account_ids,
    links=tuples(st.builds(Link, account_ids, instants)),
    created_at=instants,
    updated_at=st.none() | instants,
    version=versions,
)
linked = st.builds(
    LinkedWorkspace,
    account_id=account_ids,
    workspace_id=workspace_ids,
    linked_at=instants,
    unlinked_at=st.none() | instants,
    version=versions,
)


@st.composite
def infos(draw: st.DrawFn) -> BillingInfo:
    told: dict[str, Any] = {name: draw(st.none() | names) for name in billing_info.FIELDS}
    return BillingInfo(
        tenant=draw(tenants),
        account_id=draw(account_ids),
        updated_at=draw(st.none() | instants),
        version=draw(versions),
        **told,
    )


customers = st.builds(
    Customer, account_id=account_ids, id=texts, default_method_id=texts, version=versions
)


@st.composite
def methods(draw: st.DrawFn) -> PaymentMethod:
    told = st.none() | st.dictionaries(names, names, min_size=1, max_size=2)
    return PaymentMethod(
        account_id=draw(account_ids),
        id=draw(job_ids),
        brand=draw(names),
        last4=draw(st.from_regex(r"[0-9]{4}", fullmatch=True)),
        exp_month=draw(st.integers(1, 12)),
        exp_year=draw(st.integers(2026, 2099)),
        created_at=draw(instants),
        fingerprint=draw(texts),
        billing_address=draw(told),
        metadata=draw(told),
        removed_at=draw(st.none() | instants),
        version=draw(versions),
    )


payments = st.builds(
    Payment,
    id=job_ids,
    kind=st.sampled_from(["topup", "checkout", "order", "auto_recharge", "intent", "refund"]),
    tenant=tenants,
    account_id=account_ids,
    amount_micros=positive,
    currency=currencies,
    surface=texts,
    created_at=instants,
    updated_at=instants,
    status=st.sampled_from(["pending", "succeeded", "failed", "canceled", "requires_capture"]),
    observed_at=st.none() | instants,
    received_micros=unsigned,
    received_currency=currencies,
    customer_id=texts,
    payment_method_id=texts,
    payment_intent_id=texts,
    session_id=texts,
    session_url=texts,
    refund_id=texts,
    refund_of=texts,
    charge_id=texts,
    failure_code=texts,
    decline_code=texts,
    entry_id=texts,
    undone_by=texts,
    due_at=st.none() | instants,
    sweeps=st.integers(0, 9),
    attempts=st.integers(0, 9),
    off_session=st.booleans(),
    save_card=st.booleans(),
    captures_by_hand=st.booleans(),
    capture_micros=unsigned,
    plan_id=texts,
    workspace_id=texts,
    coupon_code=texts,
    bonus_micros=unsigned,
    refunded_micros=unsigned,
    hold_id=texts,
    details=st.dictionaries(names, names, max_size=2),
    settled_at=st.none() | instants,
    version=versions,
)
disputes = st.builds(
    Dispute,
    id=job_ids,
    account_id=account_ids,
    payment_id=names,
    payment_intent_id=names,
    charge_id=names,
    amount_micros=unsigned,
    currency=currencies,
    owed_micros=unsigned,
    status=names,
    reason=names,
    opened_at=instants,
    observed_at=instants,
    evidence_due_at=st.none() | instants,
    closed_at=st.none() | instants,
    frozen_micros=unsigned,
    taken_micros=unsigned,
    frozen_by=texts,
    closed_by=texts,
    due_at=st.none() | instants,
    version=versions,
)
stripe_events = st.builds(
    StripeEvent,
    id=st.from_regex(r"evt_[0-9A-Za-z]{1,40}", fullmatch=True),
    mode=st.sampled_from(["live", "test"]),
    type=names,
    object_type=names,
    object_id=texts,
    customer_id=texts,
    created_at=instants,
    received_at=instants,
    status=st.sampled_from(["received", "done"]),
    outcome=st.sampled_from(["", "applied", "acknowledged", "foreign", "parked"]),
    done_at=st.none() | instants,
    version=versions,
)
setups = st.builds(Setup, account_id=account_ids, id=job_ids, created_at=instants, version=versions)
codes = st.from_regex(r"[A-Z0-9][A-Z0-9_-]{5,39}", fullmatch=True)
coupons = st.builds(
    Coupon,
    code=codes,
    kind=st.sampled_from(["credit", "bonus"]),
    currency=currencies,
    created_at=instants,
    amount_micros=unsigned,
    percent=st.integers(0, 100),
    max_redemptions=st.none() | unsigned,
    per_user=versions,
    min_purchase_micros=unsigned,
    starts_at=st.none() | instants,
    expires_at=st.none() | instants,
    active=st.booleans(),
    redeemed=unsigned,
    version=versions,
)
redemptions = st.builds(
    Redemption,
    account_id=account_ids,
    code=codes,
    uses=unsigned,
    reserved_for=st.just("") | job_ids,
    version=versions,
)
guesses = st.builds(
    Guesses,
    account_id=account_ids,
    misses=tuples(st.builds(Miss, texts, instants)),
    version=versions,
)
keys_of_users = st.builds(
    ApiKey,
    tenant=tenants,
    id=st.text(_BASE32, min_size=26, max_size=26).map("key_{}".format),
    user=users,
    name=names,
    prefix=names,
    hash=hashes,
    scopes=st.lists(st.sampled_from(api_keys.SCOPES), min_size=1, max_size=3).map(tuple),
    cap=st.none()
    | st.builds(
        SpendCap,
        st.integers(1, AMOUNT_MICROS_MAX),
        currencies,
        st.sampled_from(api_keys.WINDOWS),
    ),
    created_at=instants,
    expires_at=st.none() | instants,
    revoked_at=st.none() | instants,
    version=versions,
)

KINDS: dict[str, st.SearchStrategy[Record]] = {
    "wallet": wallets,
    "hold": holds(),
    "account": accounts,
    "quote": quotes,
    "held job": held_jobs,
    "refunded": refunded,
    "budget": budgets,
    "credit grant": grants,
    "starter": starters,
    "member": memberships(),
    "workspace": workspaces,
    "linked": linked,
    "billing info": infos(),
    "customer": customers,
    "payment method": methods(),
    "setup": setups,
    "dispute": disputes,
    "stripe event": stripe_events,
    "coupon": coupons,
    "redemption": redemptions,
    "guesses": guesses,
    "payment": payments,
    "API key": keys_of_users,
    **RECHARGE_KINDS,
    **REPORT_KINDS,
    **X402_KINDS,
}
