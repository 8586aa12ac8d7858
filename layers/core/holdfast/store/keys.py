"""Every key of the table.

    item            pk                sk                   index
    --------------  ----------------  -------------------  ---------------------------------------
    account         ORG#t#ACCT#a      ACCOUNT              gsi1: SEATS#t#user, a (not the default)
    wallet          ORG#t#ACCT#a      WALLET#currency      gsi2: DUE#shard, due at + wallet
    hold            ORG#t#ACCT#a      HOLD#id              gsi1: JOBS#t#a, created at (hardware)
    quote           ORG#t#ACCT#a      QUOTE#id
    held job        ORG#t#ACCT#a      JOB#job id
    refunded        ORG#t#ACCT#a      REFUNDED#entry id
    budget          ORG#t#ACCT#a      BUDGET#kind#id#currency#window
    credit grant    ORG#t#ACCT#a      GRANT#id
    starter         ORG#t#ACCT#a      STARTER
    member          ORG#t#ACCT#a      MEMBER#id            gsi1: SEATS#t#user, a (while active)
    linked          ORG#t#ACCT#a      LINKED#workspace id
    billing info    ORG#t#ACCT#a      INFO
    customer        ORG#t#ACCT#a      CUSTOMER
    payment method  ORG#t#ACCT#a      METHOD#id
    payment         ORG#t#PAY#id      PAYMENT              gsi1: PAYMENTS#t#a, list + id
                                                           gsi2: DUE#shard, due at + id; then
                                                           PAID#mode#day, id
    dispute         ORG#t#ACCT#a      DISPUTE#id           gsi2: DUE#shard, due at + id (open)
    setup           ORG#t#ACCT#a      SETUP#id
    recharge        ORG#t#ACCT#a      RECHARGE             gsi2: DUE#shard, next at + currency
    attempt         ORG#t#ACCT#a      ATTEMPT#id
    breaker         ORG#t#CARD#card   BREAKER
    redemption      ORG#t#ACCT#a      REDEMPTION#code
    guesses         ORG#t#ACCT#a      GUESSES
    coupon          ORG#t#COUPON#code COUPON               gsi1: COUPONS#t, created at + code
    workspace       ORG#t#WS#id       WORKSPACE
    API key         KEY#id            KEY                  gsi1: KEYS#t#user, created at + id
    x402 settlement X402#id           X402                 gsi2: DUE#shard, due at + id
    stripe event    STRIPE#id         EVENT
    report          REPORT#mode       REPORT#day
    entry           ENTRY#t#entry id  ENTRY                gsi1: STMT#t#a#currency, seq

t is the tenant (`acme/live`), a the account id. An entry does not share its wallet's partition, so
that a busy wallet has the whole of one. A key is found by its id alone: its token does not say
whose it is. Segments are refused, never cleaned: two different ids must not meet in one key.
"""

from dataclasses import dataclass
from hashlib import sha256

from holdfast.domain.accounts import Tenant
from holdfast.domain.budgets import Place
from holdfast.domain.clock import Instant, rfc3339
from holdfast.errors import InvariantBroken

DUE_SHARDS = 16
SEQ_DIGITS = 16

STATEMENT_INDEX = "gsi1"
DUE_INDEX = "gsi2"

type IndexKey = dict[str, str]


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key of the table."""

    pk: str
    sk: str


def account(tenant: Tenant, account_id: str) -> Key:
    return Key(partition(tenant, account_id), "ACCOUNT")


def wallet(tenant: Tenant, account_id: str, currency: str) -> Key:
    return Key(partition(tenant, account_id), _join("WALLET", currency))


def hold(tenant: Tenant, account_id: str, hold_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("HOLD", hold_id))


def quote(tenant: Tenant, account_id: str, quote_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("QUOTE", quote_id))


def held_job(tenant: Tenant, account_id: str, job_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("JOB", job_id))


def refunded(tenant: Tenant, account_id: str, entry_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("REFUNDED", entry_id))


def budget(tenant: Tenant, place: Place) -> Key:
    account_id, *rest = place
    return Key(partition(tenant, account_id), _join("BUDGET", *rest))


def grant(tenant: Tenant, account_id: str, grant_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("GRANT", grant_id))


def starter(tenant: Tenant, account_id: str) -> Key:
    return Key(partition(tenant, account_id), "STARTER")


def member(tenant: Tenant, account_id: str, member_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("MEMBER", member_id))


def linked(tenant: Tenant, account_id: str, workspace_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("LINKED", workspace_id))


def info(tenant: Tenant, account_id: str) -> Key:
    return Key(partition(tenant, account_id), "INFO")


def customer(tenant: Tenant, account_id: str) -> Key:
    return Key(partition(tenant, account_id), "CUSTOMER")


def setup(tenant: Tenant, account_id: str, setup_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("SETUP", setup_id))


def payment(tenant: Tenant, payment_id: str) -> Key:
    return Key(_join("ORG", tenant.segment, "PAY", payment_id), "PAYMENT")


def dispute(tenant: Tenant, account_id: str, dispute_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("DISPUTE", dispute_id))


def recharge(tenant: Tenant, account_id: str) -> Key:
    return Key(partition(tenant, account_id), "RECHARGE")


def attempt(tenant: Tenant, account_id: str, attempt_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("ATTEMPT", attempt_id))


def breaker(tenant: Tenant, card: str) -> Key:
    return Key(_join("ORG", tenant.segment, "CARD", card), "BREAKER")


def method(tenant: Tenant, account_id: str, method_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("METHOD", method_id))


def coupon(tenant: Tenant, code: str) -> Key:
    return Key(_join("ORG", tenant.segment, "COUPON", code), "COUPON")


def redemption(tenant: Tenant, account_id: str, code: str) -> Key:
    return Key(partition(tenant, account_id), _join("REDEMPTION", code))


def guesses(tenant: Tenant, account_id: str) -> Key:
    return Key(partition(tenant, account_id), "GUESSES")


def workspace(tenant: Tenant, workspace_id: str) -> Key:
    return Key(_join("ORG", tenant.segment, "WS", workspace_id), "WORKSPACE")


def api_key(key_id: str) -> Key:
    return Key(_join("KEY", key_id), "KEY")


def stripe_event(event_id: str) -> Key:
    return Key(_join("STRIPE", event_id), "EVENT")


def report(mode: str, day: str) -> Key:
    return Key(reports(mode), _join("REPORT", day))


def reports(mode: str) -> str:
    """The partition of the reports of reconciliation in a mode, the oldest day first."""
    return _join("REPORT", mode)


def x402_settlement(settlement_id: str) -> Key:
    return Key(_join("X402", settlement_id), "X402")


def entry(tenant: Tenant, entry_id: str) -> Key:
    return Key(_join("ENTRY", tenant.segment, entry_id), "ENTRY")


def partition(tenant: Tenant, account_id: str) -> str:
    """The partition of everything that an account owns, but for its entries."""
    return _join("ORG", tenant.segment, "ACCT", account_id)


def statement(tenant: Tenant, account_id: str, currency: str) -> str:
    """The index partition that holds a wallet's entries, in the order of their numbers."""
    return _join("STMT", tenant.segment, account_id, currency)


def statement_place(seq: int) -> str:
    """Where entry number `seq` stands in the statement: text order is number order."""
    assert 0 <= seq < 10**SEQ_DIGITS
    return f"{seq:0{SEQ_DIGITS}d}"


def jobs(tenant: Tenant, account_id: str) -> str:
    """The index partition of an account's hardware jobs."""
    return _join("JOBS", tenant.segment, account_id)


def job_place(created_at: Instant, hold_id: str) -> str:
    """Where a hardware hold stands in the list of jobs."""
    return f"{rfc3339(created_at)}#{hold_id}"


def seats(tenant: Tenant, user: str) -> str:
    """The index partition of the accounts that a user has a seat in, but for the default one."""
    return _join("SEATS", tenant.segment, user)


def coupons(tenant: Tenant) -> str:
    """The index partition of an org's coupons."""
    return _join("COUPONS", tenant.segment)


def coupon_place(created_at: Instant, code: str) -> str:
    """Where a coupon stands in the list of its org's."""
    return f"{rfc3339(created_at)}#{code}"


def keys_of(tenant: Tenant, user: str) -> str:
    """The index partition of a user's API keys."""
    return _join("KEYS", tenant.segment, user)


def key_place(created_at: Instant, key_id: str) -> str:
    """Where an API key stands in the list of its user's."""
    return f"{rfc3339(created_at)}#{key_id}"


def payments(tenant: Tenant, account_id: str) -> str:
    """The index partition of an account's payments, each list by itself, the oldest first."""
    return _join("PAYMENTS", tenant.segment, account_id)


def payment_place(in_list: str, payment_id: str) -> str:
    """Where a payment stands among those of its account."""
    return _join(in_list, payment_id)


def settled(mode: str, settled_at: Instant, payment_id: str) -> IndexKey:
    """The index entry of a payment that is in the ledger: on which day of UTC it came there."""
    return {"gsi2pk": settled_on(mode, rfc3339(settled_at)[:10]), "gsi2sk": payment_id}


def settled_on(mode: str, day: str) -> str:
    """The index partition of what all accounts settled on one day."""
    return _join("PAID", mode, day)


def due(tenant: Tenant, account_id: str, name: str, due_at: Instant) -> IndexKey:
    """The due index entry of a thing of an account's: which shard, and when.

    The name of a wallet is its currency.
    """
    place = _join(tenant.segment, account_id, name)
    shard = int.from_bytes(sha256(place.encode()).digest()[:2]) % DUE_SHARDS
    return {"gsi2pk": due_shard(shard), "gsi2sk": f"{rfc3339(due_at)}#{place}"}


def due_shard(shard: int) -> str:
    """The index partition of one shard of the due index."""
    return f"DUE#{shard:02d}"


def _join(*segments: str) -> str:
    """Join key segments, refusing any that could imitate another key."""
    for segment in segments:
        if not segment or "#" in segment or not segment.isprintable():
            raise InvariantBroken("a key segment that could imitate another key")
    return "#".join(segments)
