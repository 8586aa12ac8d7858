"""What a reconciliation reads besides records by their keys, and the reports that it leaves."""

from collections.abc import Iterable
from itertools import batched
from typing import cast

from holdfast.domain.accounts import Tenant
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Wallet
from holdfast.domain.reconciliation import Report
from holdfast.store import items, keys
from holdfast.store.ledger_store import READ_AT_ONCE, LedgerStore
from holdfast.store.reading import read, unavailable

INDEX_ATTEMPTS_MAX = 6
PAUSE_SECONDS = 0.05


def newest(store: LedgerStore, mode: str) -> Report | None:
    """The report of the latest day that there is one of. Consistent.

    Raises:
        Unavailable: The table does not answer.
    """
    with unavailable():
        answer = store.client.query(
            TableName=store.table,
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=1,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": keys.reports(mode)}},
        )
    found = [cast(Report, items.to_record(item)) for item in answer["Items"]]
    return found[0] if found else None


def entries(store: LedgerStore, wanted: Iterable[tuple[Tenant, str]]) -> dict[str, Entry]:
    """The entries of these ids that are there, by id. Consistent, each at its own instant.

    Raises:
        Unavailable: The table does not answer.
    """
    found: dict[str, Entry] = {}
    for some in batched({keys.entry(*each) for each in wanted}, READ_AT_ONCE, strict=False):
        there = read(
            store.client, store.table, some, back_off=lambda attempt: _wait(store, attempt)
        )
        told = (items.to_entry(item) for item in there.values() if items.is_entry(item))
        found |= {entry.id: entry for entry in told}
    return found


def last_entry(store: LedgerStore, wallet: Wallet) -> Entry | None:
    """The entry that has the wallet's own number; None where there is none.

    The index lags behind the table by moments, so it is asked again before an entry is missing.

    Raises:
        Unavailable: The table does not answer.
    """
    place = (wallet.tenant, wallet.account_id, wallet.currency)
    values = {":pk": keys.statement(*place), ":seq": keys.statement_place(wallet.seq)}
    for attempt in range(INDEX_ATTEMPTS_MAX):
        if attempt:
            _wait(store, attempt)
        with unavailable():
            answer = store.client.query(
                TableName=store.table,
                IndexName=keys.STATEMENT_INDEX,
                KeyConditionExpression="gsi1pk = :pk AND gsi1sk = :seq",
                ExpressionAttributeValues={name: {"S": text} for name, text in values.items()},
            )
        if answer["Items"]:
            return items.to_entry(answer["Items"][0])
    return None


def _wait(store: LedgerStore, attempt: int) -> None:
    store.pause(PAUSE_SECONDS * 2**attempt)
