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
    setup           ORG#t#ACCT#a      SETUP#id
    workspace       ORG#t#WS#id       WORKSPACE
    API key         KEY#id            KEY                  gsi1: KEYS#t#user, created at + id
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


def method(tenant: Tenant, account_id: str, method_id: str) -> Key:
    return Key(partition(tenant, account_id), _join("METHOD", method_id))


def workspace(tenant: Tenant, workspace_id: str) -> Key:
    return Key(_join("ORG", tenant.segment, "WS", workspace_id), "WORKSPACE")


def api_key(key_id: str) -> Key:
    return Key(_join("KEY", key_id), "KEY")


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


def keys_of(tenant: Tenant, user: str) -> str:
    """The index partition of a user's API keys."""
    return _join("KEYS", tenant.segment, user)


def key_place(created_at: Instant, key_id: str) -> str:
    """Where an API key stands in the list of its user's."""
    return f"{rfc3339(created_at)}#{key_id}"


def due(tenant: Tenant, account_id: str, currency: str, due_at: Instant) -> IndexKey:
    """The due index entry of a wallet: which shard, and when."""
    wallet_name = _join(tenant.segment, account_id, currency)
    shard = int.from_bytes(sha256(wallet_name.encode()).digest()[:2]) % DUE_SHARDS
    return {"gsi2pk": due_shard(shard), "gsi2sk": f"{rfc3339(due_at)}#{wallet_name}"}


def due_shard(shard: int) -> str:
    """The index partition of one shard of the due index."""
    return f"DUE#{shard:02d}"


def _join(*segments: str) -> str:
    """Join key segments, refusing any that could imitate another key."""
    for segment in segments:
        if not segment or "#" in segment or not segment.isprintable():
            raise InvariantBroken("a key segment that could imitate another key")
    return "#".join(segments)
