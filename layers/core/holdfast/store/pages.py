"""Lists: a wallet's statement, what an account owns and who is in it, and what is due.

A page starts where the last one ended, at a place in the order and not at a count, so that it
stays right while records arrive. Each page costs the same however far down the list it is.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, cast

from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.api_keys import ApiKey
from holdfast.domain.clock import Instant, rfc3339
from holdfast.domain.coupons import Coupon
from holdfast.domain.credits import CreditGrant
from holdfast.domain.disputes import Dispute
from holdfast.domain.due import Due
from holdfast.domain.entries import Entry
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Wallet
from holdfast.domain.members import Member
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.domain.payments import Kind, Payment
from holdfast.domain.recharge_attempts import Attempt
from holdfast.domain.workspaces import LinkedWorkspace
from holdfast.errors import Unavailable
from holdfast.store import items, keys
from holdfast.store.attributes import Attributes
from holdfast.store.charge_items import list_of
from holdfast.store.kinds import to_tenant
from holdfast.store.ledger_store import LedgerStore
from holdfast.store.reading import unavailable

INDEX_ATTEMPTS_MAX = 6
INDEX_PAUSE_SECONDS = 0.05
READ_AT_ONCE = 100
DUE_AT_ONCE = 1000


def statement(store: LedgerStore, wallet: Wallet, *, up_to: int, limit: int) -> list[Entry]:
    """Entries number `up_to` and below, newest first, at most `limit`, without a gap.

    The index lags behind the table by moments. Numbers have no gap, so a lag shows, and the page
    is asked for again.

    Raises:
        Unavailable: The index did not catch up in time.
    """
    expected = min(limit, up_to)
    if expected <= 0:
        return []
    for attempt in range(INDEX_ATTEMPTS_MAX):
        if attempt:
            store.pause(INDEX_PAUSE_SECONDS)
        page = _statement_page(store, wallet, up_to=up_to, limit=expected)
        if [entry.seq for entry in page] == list(range(up_to, up_to - expected, -1)):
            return page
    raise Unavailable()


def walk_statement(
    store: LedgerStore, wallet: Wallet, *, up_to: int, first: int = READ_AT_ONCE
) -> Iterator[Entry]:
    """All entries from number `up_to` down, read as they are asked for, `first` of them at once."""
    size = min(first, READ_AT_ONCE)
    while up_to > 0:
        page = statement(store, wallet, up_to=up_to, limit=size)
        yield from page
        up_to -= len(page)
        size = READ_AT_ONCE


def wallets(store: LedgerStore, tenant: Tenant, account_id: str) -> list[Wallet]:
    """The account's wallets, by currency. Consistent."""
    found = _query(
        store,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :noun)",
        ExpressionAttributeValues=_values(pk=keys.partition(tenant, account_id), noun="WALLET#"),
    )
    return [cast(Wallet, items.to_record(item)) for item in found]


def holds(
    store: LedgerStore,
    tenant: Tenant,
    account_id: str,
    *,
    before: str | None = None,
    since: str | None = None,
) -> Iterator[Hold]:
    """The account's holds, newest first, read as they are asked for. Consistent.

    `before` is the id of the last one already seen, `since` that of the oldest one wanted.
    """
    first = keys.hold(tenant, account_id, since).sk if since else "HOLD#"
    last = keys.hold(tenant, account_id, before).sk if before else "HOLD#~"
    found = _query(
        store,
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=READ_AT_ONCE,
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues=_values(
            pk=keys.partition(tenant, account_id), first=first, last=last
        ),
    )
    for item in found:
        if item["sk"]["S"] != last:
            yield cast(Hold, items.to_record(item))


def grants(
    store: LedgerStore, tenant: Tenant, account_id: str, *, before: str | None = None
) -> Iterator[CreditGrant]:
    """The account's credit grants, newest first, read as they are asked for. Consistent."""
    return _newest_first(store, tenant, account_id, "GRANT#", before=before)


def methods(store: LedgerStore, tenant: Tenant, account_id: str) -> list[PaymentMethod]:
    """The account's payment methods on file. Consistent."""
    return list(_newest_first(store, tenant, account_id, "METHOD#"))


def disputes(store: LedgerStore, tenant: Tenant, account_id: str) -> list[Dispute]:
    """The disputes of the account's payments. Consistent."""
    return list(_newest_first(store, tenant, account_id, "DISPUTE#"))


def attempts(
    store: LedgerStore, tenant: Tenant, account_id: str, *, before: str | None = None
) -> Iterator[Attempt]:
    """Attempts to recharge the account, newest first, read as they are asked for. Consistent."""
    return _newest_first(store, tenant, account_id, "ATTEMPT#", before=before)


def members(store: LedgerStore, tenant: Tenant, account_id: str) -> list[Member]:
    """Everybody who is or was a member of the account, by member id. Consistent."""
    return list(_newest_first(store, tenant, account_id, "MEMBER#"))


def linked(store: LedgerStore, tenant: Tenant, account_id: str) -> list[LinkedWorkspace]:
    """The workspaces that the account is or was linked to. Consistent."""
    return list(_newest_first(store, tenant, account_id, "LINKED#"))


def seats(
    store: LedgerStore, tenant: Tenant, user: str, *, after: str | None = None
) -> Iterator[Account | Member]:
    """The user's own accounts but for the default one, and the user as a member of others, by id.

    The index lags behind the table by moments.
    """
    found = _query(
        store,
        IndexName=keys.STATEMENT_INDEX,
        Limit=READ_AT_ONCE,
        KeyConditionExpression="gsi1pk = :pk AND gsi1sk > :after",
        ExpressionAttributeValues=_values(pk=keys.seats(tenant, user), after=after or " "),
    )
    for item in found:
        yield cast(Account | Member, items.to_record(item))


def api_keys(
    store: LedgerStore, tenant: Tenant, user: str, *, before: str | None = None
) -> Iterator[ApiKey]:
    """The user's API keys, newest first, read as they are asked for.

    `before` is the place (`key_place`) of the last one already seen. The index lags by moments.
    """
    found = _query(
        store,
        IndexName=keys.STATEMENT_INDEX,
        ScanIndexForward=False,
        Limit=READ_AT_ONCE,
        KeyConditionExpression="gsi1pk = :pk AND gsi1sk < :before",
        ExpressionAttributeValues=_values(pk=keys.keys_of(tenant, user), before=before or "~"),
    )
    for item in found:
        yield cast(ApiKey, items.to_record(item))


def key_place(key: ApiKey) -> str:
    """Where an API key stands in the list of its user's."""
    return keys.key_place(key.created_at, key.id)


def coupons(store: LedgerStore, tenant: Tenant, *, before: str | None = None) -> Iterator[Coupon]:
    """The org's coupons, newest first, read as they are asked for.

    `before` is the place (`coupon_place`) of the last one already seen. The index lags by moments.
    """
    found = _query(
        store,
        IndexName=keys.STATEMENT_INDEX,
        ScanIndexForward=False,
        Limit=READ_AT_ONCE,
        KeyConditionExpression="gsi1pk = :pk AND gsi1sk < :before",
        ExpressionAttributeValues=_values(pk=keys.coupons(tenant), before=before or "~"),
    )
    for item in found:
        yield cast(Coupon, items.to_record(item))


def coupon_place(coupon: Coupon) -> str:
    """Where a coupon stands in the list of its org's."""
    return keys.coupon_place(coupon.created_at, coupon.code)


def jobs(
    store: LedgerStore, tenant: Tenant, account_id: str, *, before: str | None = None
) -> Iterator[Hold]:
    """The holds of the account's hardware jobs, newest first, read as they are asked for.

    `before` is the place (`job_place`) of the last one already seen.
    """
    found = _query(
        store,
        IndexName=keys.STATEMENT_INDEX,
        ScanIndexForward=False,
        Limit=READ_AT_ONCE,
        KeyConditionExpression="gsi1pk = :pk AND gsi1sk < :before",
        ExpressionAttributeValues=_values(pk=keys.jobs(tenant, account_id), before=before or "~"),
    )
    for item in found:
        yield cast(Hold, items.to_record(item))


def job_place(hold: Hold) -> str:
    """Where a hardware hold stands in the list of jobs."""
    return keys.job_place(hold.created_at, hold.id)


def payments(
    store: LedgerStore,
    tenant: Tenant,
    account_id: str,
    kind: Kind,
    *,
    before: str | None = None,
) -> Iterator[Payment]:
    """The account's payments of the list that the kind stands in, newest first.

    Read as they are asked for, from an index that lags behind by moments. `before` is the id of the
    last one already seen.
    """
    in_list = list_of(kind)
    found = _query(
        store,
        IndexName=keys.STATEMENT_INDEX,
        ScanIndexForward=False,
        Limit=READ_AT_ONCE,
        KeyConditionExpression="gsi1pk = :pk AND gsi1sk BETWEEN :first AND :last",
        ExpressionAttributeValues=_values(
            pk=keys.payments(tenant, account_id),
            first=f"{in_list}#",
            last=f"{in_list}#{before or '~'}",
        ),
    )
    for item in found:
        if item["gsi1sk"]["S"] != f"{in_list}#{before}":
            yield cast(Payment, items.to_record(item))


def settled(store: LedgerStore, mode: str, day: str) -> Iterator[tuple[Tenant, str]]:
    """The payments that came to the ledgers of all orgs on a day of UTC, by tenant and id."""
    found = _query(
        store,
        IndexName=keys.DUE_INDEX,
        KeyConditionExpression="gsi2pk = :day",
        ExpressionAttributeValues=_values(day=keys.settled_on(mode, day)),
    )
    for item in found:
        _, segment, _, payment_id = item["pk"]["S"].split("#")
        yield to_tenant(segment), payment_id


def due(store: LedgerStore, shard: int, *, now: Instant) -> list[Due]:
    """What of one shard is due at `now`, the longest due first, at most 1,000."""
    found = _query(
        store,
        IndexName=keys.DUE_INDEX,
        Limit=READ_AT_ONCE,
        KeyConditionExpression="gsi2pk = :shard AND gsi2sk < :now",
        # '#' ends the instant in the key and '$' sorts right after it: due at `now` is due.
        ExpressionAttributeValues=_values(shard=keys.due_shard(shard), now=f"{rfc3339(now)}$"),
    )
    return [items.to_due(item) for item in islice(found, DUE_AT_ONCE)]


def cut[T](found: Iterable[T], limit: int) -> tuple[list[T], T | None]:
    """The first `limit` of a list, and the last of them, if the list goes on behind it."""
    assert limit > 0
    read = list(islice(found, limit + 1))
    shown = read[:limit]
    return shown, shown[-1] if len(read) > limit else None


def _statement_page(store: LedgerStore, wallet: Wallet, *, up_to: int, limit: int) -> list[Entry]:
    found = _query(
        store,
        IndexName=keys.STATEMENT_INDEX,
        ScanIndexForward=False,
        Limit=limit,
        KeyConditionExpression="gsi1pk = :pk AND gsi1sk <= :up_to",
        ExpressionAttributeValues=_values(
            pk=keys.statement(wallet.tenant, wallet.account_id, wallet.currency),
            up_to=keys.statement_place(up_to),
        ),
    )
    return [items.to_entry(item) for item in islice(found, limit)]


def _newest_first(
    store: LedgerStore, tenant: Tenant, account_id: str, noun: str, *, before: str | None = None
) -> Iterator[Any]:
    found = _query(
        store,
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=READ_AT_ONCE,
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues=_values(
            pk=keys.partition(tenant, account_id), first=noun, last=f"{noun}{before or '~'}"
        ),
    )
    for item in found:
        if item["sk"]["S"] != f"{noun}{before}":
            yield items.to_record(item)


def _query(store: LedgerStore, **query: Any) -> Iterator[Attributes]:
    while True:
        with unavailable():
            answer = store.client.query(TableName=store.table, **query)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _values(**values: str) -> dict[str, dict[str, str]]:
    return {f":{name}": {"S": value} for name, value in values.items()}
