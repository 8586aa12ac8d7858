"""One record of each kind, as the rules can have made it: what the golden items stand for."""

from dataclasses import replace
from datetime import timedelta

from holdfast.domain.accounts import Account, default_account_id
from holdfast.domain.api_keys import ApiKey, SpendCap
from holdfast.domain.billing_info import BillingInfo
from holdfast.domain.budgets import DAY, KEY, RUN, WORKSPACE, Budget, Scope
from holdfast.domain.coupons import Coupon, Guesses, Miss, Redemption
from holdfast.domain.credits import CreditGrant, Starter
from holdfast.domain.disputes import Dispute
from holdfast.domain.entries import Entry
from holdfast.domain.holds import Hold, Job
from holdfast.domain.ledger import Record
from holdfast.domain.lots import CASH, CREDIT, STARTER_TAG, Draw, Lot, Terms
from holdfast.domain.members import Member
from holdfast.domain.payment_methods import Customer, PaymentMethod, Setup
from holdfast.domain.payments import Payment
from holdfast.domain.quotes import HeldJob, LineItem, Quote
from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import Attempt, Breaker
from holdfast.domain.stripe_events import StripeEvent
from holdfast.domain.wallet import Refunded
from holdfast.domain.workspaces import Link, LinkedWorkspace, Workspace
from holdfast.store.items import Receipt
from tests.domain.samples import ACCOUNT_ID, HOUR, NOW, TENANT, USAGE, once, wallet
from tests.store.report_records import REPORT
from tests.store.x402_records import GOLDEN_X402

GIFT = Terms(kind=CREDIT, granted_at=NOW, expires_at=NOW + HOUR, priority=3, tag="welcome")
STARTER = Terms(kind=CASH, granted_at=NOW, expires_at=NOW + timedelta(days=30))
JOB = Job(job_id="job 1", quote_id="quote_1", provider="braket", device="iqm-garnet", shots=1000)
OPEN = Hold(
    id="hold_01m7y2epp07w4dskvjrqdkimu3_usd",
    account_id=ACCOUNT_ID,
    currency="usd",
    amount_micros=5_000_000,
    draws=(Draw("lot_gift", 1_000_000, GIFT), Draw(CASH, 3_000_000)),
    expires_at=NOW + HOUR,
    created_at=NOW,
    captured_micros=1_000_000,
    expiry_policy="capture",
    over_capture="overdraft",
    overdraft_micros=2_000_000,
    reference="order 17",
    metadata={"team": "größer"},
    updated_at=NOW,
    version=2,
)
CLOSED = replace(
    OPEN,
    draws=(),
    status="captured",
    captured_micros=4_000_000,
    captured_last_micros=3_000_000,
    released_micros=1_000_000,
    expiry_policy="release",
    over_capture="reject",
    overdraft_micros=0,
    metadata=None,
    job=JOB,
    closed_by="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
    version=3,
)

BOB = "acme/bob"
BOBS = default_account_id(TENANT, BOB)
SHARED = "acct_aaaaaaaaaaaaaaaaaaaaaaaaaa"
WORKSPACE_ID = "ws_aaaaaaaaaaaaaaaaaaaaaaaaaa"
KEY_ID = "key_aaaaaaaaaaaaaaaaaaaaaaaaaa"
ATTEMPT_ID = "att_01m7y2epp0aaaaaaaaaaaaaaaa_usd"
GRANT_ID = "grant_01m7y2epp0aaaaaaaaaaaaaaaaaaaaaaaaaa_usd"
TOMORROW = NOW + timedelta(days=1)
METERED = Terms(
    kind=CREDIT,
    granted_at=TOMORROW,
    expires_at=TOMORROW + timedelta(days=30),
    priority=7,
    tag="spring",
    meters=("tokens", "shots"),
)
START = replace(STARTER, tag=STARTER_TAG)
SCOPES = (
    Scope(account_id=ACCOUNT_ID, kind=RUN, id="r1", limit_micros=9_000_000, currency="usd"),
    Scope(
        account_id=BOBS,
        kind=KEY,
        id=KEY_ID,
        limit_micros=7_000_000,
        currency="eur",
        window=DAY,
    ),
)

RECEIVED_EVENT = StripeEvent(
    id="evt_1",
    mode="live",
    type="payment_intent.succeeded",
    object_type="payment_intent",
    object_id="pi_1",
    customer_id="cus_1",
    created_at=NOW,
    received_at=NOW + HOUR,
    version=1,
)

OPENED = Dispute(
    id="du_1QxT7b2eZvKYlo2C",
    account_id=ACCOUNT_ID,
    payment_id="pay_01m7y1sp00jwu2fzawqjxehlqd_usd",
    payment_intent_id="pi_3QxT7b2eZvKYlo2C0aBcDeFg",
    charge_id="ch_3QxT7b2eZvKYlo2C0hIjKlMn",
    amount_micros=25_000_000,
    currency="usd",
    owed_micros=20_000_000,
    status="needs_response",
    reason="fraudulent",
    opened_at=NOW,
    observed_at=NOW,
    evidence_due_at=TOMORROW,
    frozen_micros=15_000_000,
    frozen_by="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
    version=1,
)

RECORDS: dict[str, Record] = {
    "wallet": replace(
        wallet(
            Lot(id="lot_gift", terms=GIFT, remaining_micros=2_500_000, held_micros=1_000_000),
            Lot(id="lot_starter", terms=STARTER, remaining_micros=5_000_000),
            cash=-12_345,
            cash_held=3_000_000,
        ),
        credited_micros=17_500_000,
        credits_count=3,
        debits_count=4,
        hold_due_at=OPEN.expires_at,
        open_from=OPEN.id,
        updated_at=NOW,
    ),
    "wallet with nothing in it": wallet(),
    "hold": OPEN,
    "hold of a job": CLOSED,
    "account": Account(
        tenant=TENANT,
        id=ACCOUNT_ID,
        owner="acme/alice",
        name="acme/alice",
        created_at=NOW,
        version=1,
    ),
    "quote": Quote(
        id="quote_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        account_id=ACCOUNT_ID,
        provider="braket",
        device="iqm-garnet",
        shots=1000,
        tasks=1,
        currency="usd",
        line_items=(
            LineItem(type="task", unit_micros=300_000, quantity=1),
            LineItem(type="shot", unit_micros=1_450, quantity=1000),
        ),
        available_micros=10_000_000,
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=15),
        job_id="job 1",
        used_by="job 1",
        entry_id="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        version=2,
    ),
    "held job": HeldJob(job_id="job 1", account_id=ACCOUNT_ID, hold_id=OPEN.id, version=2),
    "refunded": Refunded(
        entry_id="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        account_id=ACCOUNT_ID,
        refunded_micros=12_345,
        version=2,
    ),
    "wallet with credit to come": replace(
        wallet(
            Lot(id="lot_starter", terms=START, remaining_micros=5_000_000),
            Lot(id="grant_1", terms=replace(METERED, granted_at=NOW), remaining_micros=3_000_000),
        ),
        pending=(Lot(id=GRANT_ID, terms=METERED, remaining_micros=20_000_000),),
        charged_micros=1_250_000,
    ),
    "wallet of a closed account": replace(wallet(), closed=True),
    "hold under scopes": replace(OPEN, scopes=SCOPES),
    "budget": Budget(
        account_id=ACCOUNT_ID,
        kind=RUN,
        id="r1",
        currency="usd",
        window="total",
        spent_micros=1_000_000,
        held_micros=4_000_000,
        version=2,
    ),
    "budget of a day": Budget(
        account_id=ACCOUNT_ID,
        kind=WORKSPACE,
        id=WORKSPACE_ID,
        currency="usd",
        window=DAY,
        period="2026-11-21",
        spent_micros=1_000_000,
        held_micros=0,
        version=5,
    ),
    "credit grant": CreditGrant(
        id=GRANT_ID,
        account_id=ACCOUNT_ID,
        user="acme/alice",
        name="Spring",
        amount_micros=20_000_000,
        currency="usd",
        effective_at=TOMORROW,
        created_at=NOW,
        expires_at=METERED.expires_at,
        priority=7,
        meters=METERED.meters,
        tags="spring",
        version=1,
    ),
    "credit grant that was voided": CreditGrant(
        id=GRANT_ID,
        account_id=ACCOUNT_ID,
        user="acme/alice",
        name="",
        amount_micros=20_000_000,
        currency="usd",
        effective_at=NOW,
        created_at=NOW,
        voided_at=TOMORROW,
        version=2,
    ),
    "starter": Starter(account_id=ACCOUNT_ID, entry_id="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa", version=1),
    "account beside the default one": Account(
        tenant=TENANT,
        id=SHARED,
        owner="acme/alice",
        name="Laboratory",
        currency="eur",
        created_at=NOW,
        version=3,
    ),
    "account that was closed": Account(
        tenant=TENANT,
        id=SHARED,
        owner="acme/alice",
        name="Laboratory",
        currency="eur",
        created_at=NOW,
        closed_at=TOMORROW,
        version=4,
    ),
    "member": Member(
        tenant=TENANT,
        account_id=SHARED,
        user=BOB,
        role="viewer",
        email="bob@acme.example",
        added_at=NOW,
        version=1,
    ),
    "member of before": Member(
        tenant=TENANT,
        account_id=SHARED,
        user=BOB,
        role="admin",
        email=None,
        added_at=NOW,
        removed_at=TOMORROW,
        version=3,
    ),
    "workspace": Workspace(
        tenant=TENANT,
        id=WORKSPACE_ID,
        name="Simulations",
        owner="acme/alice",
        default_account_id=SHARED,
        links=(Link(ACCOUNT_ID, NOW), Link(SHARED, TOMORROW)),
        created_at=NOW,
        updated_at=TOMORROW,
        version=3,
    ),
    "linked": LinkedWorkspace(
        account_id=SHARED, workspace_id=WORKSPACE_ID, linked_at=TOMORROW, version=1
    ),
    "linked before": LinkedWorkspace(
        account_id=SHARED,
        workspace_id=WORKSPACE_ID,
        linked_at=NOW,
        unlinked_at=TOMORROW,
        version=2,
    ),
    "billing info": BillingInfo(
        tenant=TENANT,
        account_id=ACCOUNT_ID,
        name="Größer GmbH",
        email="alice@acme.example",
        tax_id="DE123456789",
        tax_id_type="eu_vat",
        address_line1="Hauptstraße 1",
        address_city="Berlin",
        address_postal_code="10115",
        address_country="DE",
        updated_at=NOW,
        version=1,
    ),
    "customer": Customer(account_id=ACCOUNT_ID, id="cus_1", default_method_id="pm_1", version=2),
    "payment method": PaymentMethod(
        account_id=ACCOUNT_ID,
        id="pm_1",
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        created_at=NOW,
        fingerprint="fp_1",
        billing_address={"country": "DE"},
        metadata={"team": "größer"},
        version=1,
    ),
    "payment method that was removed": PaymentMethod(
        account_id=ACCOUNT_ID,
        id="pm_2",
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        created_at=NOW,
        removed_at=TOMORROW,
        version=2,
    ),
    "payment": Payment(
        id="pay_01m7y1sp00jwu2fzawqjxehlqd_usd",
        kind="auto_recharge",
        tenant=TENANT,
        account_id=ACCOUNT_ID,
        amount_micros=20_000_000,
        currency="usd",
        surface="agents",
        created_at=NOW,
        updated_at=TOMORROW,
        status="succeeded",
        received_micros=20_000_000,
        received_currency="usd",
        customer_id="cus_1",
        payment_method_id="pm_1",
        payment_intent_id="pi_1",
        charge_id="ch_1",
        entry_id="ent_1",
        off_session=True,
        refunded_micros=5_000_000,
        details={"description": "more"},
        settled_at=TOMORROW,
        version=3,
    ),
    "recharge": AutoRecharge(
        account_id=ACCOUNT_ID,
        enabled=True,
        threshold_micros=10_000_000,
        amount_micros=20_000_000,
        daily_cap_micros=80_000_000,
        monthly_cap_micros=400_000_000,
        method_id="pm_1",
        day="2026-11-21",
        day_micros=20_000_000,
        month="2026-11",
        month_micros=60_000_000,
        card="fingerprint",
        held_by="backing_off",
        next_at=NOW + HOUR,
        failures=1,
        failed_id=ATTEMPT_ID,
        failure_code="card_declined",
        decline_code="generic_decline",
        failed_at=NOW,
        version=5,
    ),
    "recharge that was never switched on": AutoRecharge(account_id=ACCOUNT_ID, version=1),
    "attempt": Attempt(
        account_id=ACCOUNT_ID,
        id=ATTEMPT_ID,
        trigger="threshold",
        currency="usd",
        amount_micros=20_000_000,
        threshold_micros=10_000_000,
        available_micros=5_000_000,
        balance_before_micros=6_000_000,
        reason="below_threshold",
        created_at=NOW,
        updated_at=NOW,
        status="failed",
        balance_after_micros=26_000_000,
        method_id="pm_1",
        card="fingerprint",
        payment_id="pay_01m7y1sp00jwu2fzawqjxehlqd_usd",
        payment_intent_id="pi_1",
        failure_code="card_declined",
        decline_code="generic_decline",
        version=2,
    ),
    "breaker": Breaker(
        card="fingerprint", attempts=2, attempted_at=NOW, next_at=NOW + 6 * HOUR, version=2
    ),
    "wallet that is recharged": replace(wallet(), recharge_below_micros=10_000_000),
    "setup": Setup(account_id=ACCOUNT_ID, id="seti_1", created_at=NOW, version=1),
    "dispute": OPENED,
    "dispute that is due": replace(OPENED, due_at=TOMORROW),
    "dispute that was lost": replace(
        OPENED,
        status="lost",
        closed_at=TOMORROW,
        observed_at=TOMORROW,
        frozen_micros=0,
        taken_micros=20_000_000,
        closed_by="ent_bbbbbbbbbbbbbbbbbbbbbbbbbb",
        version=3,
    ),
    "stripe event": RECEIVED_EVENT,
    "stripe event that is done with": replace(
        RECEIVED_EVENT, status="done", outcome="applied", done_at=TOMORROW, version=2
    ),
    "report": REPORT,
    "coupon": Coupon(
        code="SPRING-26",
        kind="credit",
        currency="usd",
        created_at=NOW,
        amount_micros=5_000_000,
        redeemed=2,
        version=3,
    ),
    "coupon that is a bonus": Coupon(
        code="DOUBLE_UP",
        kind="bonus",
        currency="eur",
        created_at=NOW,
        percent=10,
        max_redemptions=100,
        per_user=2,
        min_purchase_micros=20_000_000,
        starts_at=NOW,
        expires_at=TOMORROW,
        active=False,
        version=1,
    ),
    "redemption": Redemption(account_id=ACCOUNT_ID, code="SPRING-26", uses=1, version=1),
    "redemption that hangs on a payment": Redemption(
        account_id=ACCOUNT_ID, code="DOUBLE_UP", uses=2, reserved_for="pay_1", version=4
    ),
    "guesses": Guesses(
        account_id=ACCOUNT_ID, misses=(Miss("a" * 26, NOW), Miss("b" * 26, TOMORROW)), version=7
    ),
    "API key": ApiKey(
        tenant=TENANT,
        id=KEY_ID,
        user="acme/alice",
        name="nightly",
        prefix="hf_live_abcd",
        hash="a" * 64,
        scopes=("holds:write", "wallet:read"),
        cap=SpendCap(7_000_000, "eur", DAY),
        created_at=NOW,
        expires_at=TOMORROW,
        version=1,
    ),
    "API key that was revoked": ApiKey(
        tenant=TENANT,
        id=KEY_ID,
        user="acme/alice",
        name="nightly",
        prefix="hf_live_abcd",
        hash="a" * 64,
        scopes=("wallet:read",),
        cap=None,
        created_at=NOW,
        revoked_at=TOMORROW,
        version=2,
    ),
    **GOLDEN_X402,
}
ENTRIES: dict[str, Entry] = {
    "entry": replace(USAGE, hash="a" * 64, fingerprint="f" * 64),
    "entry of a hold": replace(
        USAGE,
        type="capture",
        held_after_micros=0,
        details={},
        reference=None,
        balance_left_micros=0,
        hold=CLOSED,
        hold_id=CLOSED.id,
        hash="a" * 64,
    ),
    "entry that says its cash": replace(
        USAGE, cash_after_micros=-2_345, hash="a" * 64, fingerprint="f" * 64
    ),
}
RECEIPT_OF = once()
RECEIPT = Receipt("f" * 64, "d" * 32, RECORDS["workspace"])
