"""Records, entries and receipts to items and back.

Every attribute name of the table stands here or in the files of its kinds, and nowhere else. Names
are whole words but where they repeat in every lot of every wallet: a wallet stays below 900 bytes
and an entry below 700 in the usual case, because write units step at 1,024.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import from_rfc3339, rfc3339
from holdfast.domain.due import Due
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Record
from holdfast.domain.once import Once
from holdfast.store import (
    charge_items,
    coupon_items,
    hold_items,
    keys,
    money_items,
    payment_items,
    people_items,
    recharge_items,
)
from holdfast.store.attributes import Attributes, Plain, decode, encode
from holdfast.store.hold_items import snapshot_to_plain, to_snapshot
from holdfast.store.keys import Key
from holdfast.store.kinds import Kind, place_of, to_tenant
from holdfast.store.lot_items import draw_to_plain, to_draw

_KINDS = (
    *money_items.KINDS,
    *hold_items.KINDS,
    *people_items.KINDS,
    *payment_items.KINDS,
    *charge_items.KINDS,
    *coupon_items.KINDS,
    *recharge_items.KINDS,
)
_BY_TYPE = {kind.type: kind for kind in _KINDS}
_BY_NOUN = {kind.noun: kind for kind in _KINDS}

_LATER = ("DISPUTE", "EVENT", "REPORT", "X402")
"""Most functions never see these: their files are loaded at the first item of the noun."""


def kinds() -> tuple[Kind, ...]:
    """All kinds of records that there are."""
    for noun in _LATER:
        _kind_called(noun)
    return tuple(_BY_NOUN.values())


def to_item(tenant: Tenant, record: Record) -> tuple[Key, Attributes]:
    """Where a record is stored, and as what."""
    kind = _kind_of(record)
    key = kind.key(tenant, record)
    plain = kind.plain(tenant, record)
    return key, encode({"pk": key.pk, "sk": key.sk, "version": record.version, **plain})


def key_of_record(tenant: Tenant, record: Record) -> Key:
    """Where a record is stored."""
    return _kind_of(record).key(tenant, record)


def entry_to_item(entry: Entry) -> tuple[Key, Attributes]:
    """Where an entry is stored, and as what. Its statement index is part of it."""
    key = keys.entry(entry.tenant, entry.id)
    plain: dict[str, Plain] = {
        "pk": key.pk,
        "sk": key.sk,
        "gsi1pk": keys.statement(entry.tenant, entry.account_id, entry.currency),
        "gsi1sk": keys.statement_place(entry.seq),
        "type": entry.type,
        "amount": entry.amount_micros,
        "balance": entry.balance_after_micros,
        "held": entry.held_after_micros or None,
        "balance_left": entry.balance_left_micros,
        "cash": entry.cash_after_micros or None,
        "postings": dict(entry.postings),
        "draws": [draw_to_plain(draw) for draw in entry.draws] or None,
        "reference": entry.reference,
        "source": entry.source,
        "details": dict(entry.details) or None,
        "created_at": rfc3339(entry.created_at),
        "prev": entry.prev,
        "hash": entry.hash,
        "fingerprint": entry.fingerprint or None,
        "hold_id": entry.hold_id,
        "hold": None if entry.hold is None else snapshot_to_plain(entry.hold, entry.draws),
    }
    return key, encode(plain)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What stands in an entry's place for a request that moved no money: its key is used up.

    `answer` is the record that the request was answered with, as it was then; `delivery` names the
    delivery that wrote it.
    """

    fingerprint: str
    delivery: str
    answer: Record


def receipt_to_item(once: Once, receipt: Receipt) -> Attributes:
    """The receipt of a request, in its entry's place."""
    key = keys.entry(once.tenant, once.entry_id)
    _, answer = to_item(once.tenant, receipt.answer)
    return encode(
        {
            "pk": key.pk,
            "sk": key.sk,
            "fingerprint": receipt.fingerprint,
            "delivery": receipt.delivery,
            "answer": decode(answer),
        }
    )


def to_receipt(item: Attributes) -> Receipt:
    """The receipt of an item."""
    plain = decode(item)
    return Receipt(plain["fingerprint"], plain["delivery"], _record(plain["answer"]))


def is_receipt(item: Attributes) -> bool:
    """Whether an item is what a request that moved no money left in an entry's place."""
    return item["sk"] == {"S": "ENTRY"} and "gsi1sk" not in item


def is_entry(item: Attributes) -> bool:
    """Whether an item is an entry, and not a receipt or a record."""
    return item["sk"] == {"S": "ENTRY"} and "gsi1sk" in item


def to_entry(item: Attributes) -> Entry:
    """The entry of an item, from the table or from the statement index."""
    plain = decode(item)
    _, segment, entry_id = plain["pk"].split("#")
    _, _, account_id, currency = plain["gsi1pk"].split("#")
    held = plain.get("hold")
    return Entry(
        id=entry_id,
        tenant=to_tenant(segment),
        account_id=account_id,
        currency=currency,
        seq=int(plain["gsi1sk"]),
        type=plain["type"],
        amount_micros=plain["amount"],
        balance_after_micros=plain["balance"],
        held_after_micros=plain.get("held", 0),
        balance_left_micros=plain.get("balance_left"),
        cash_after_micros=plain.get("cash", 0),
        postings=plain["postings"],
        draws=tuple(to_draw(draw) for draw in plain.get("draws", ())),
        reference=plain.get("reference"),
        source=plain["source"],
        details=plain.get("details", {}),
        hold_id=plain.get("hold_id"),
        created_at=from_rfc3339(plain["created_at"]),
        prev=plain["prev"],
        hash=plain["hash"],
        fingerprint=plain.get("fingerprint", ""),
        hold=None if held is None else to_snapshot(plain, account_id, currency),
    )


def to_record(item: Attributes) -> Record:
    """The record of an item that is no entry, by the noun its sort key begins with."""
    return _record(decode(item))


def to_due(item: Attributes) -> Due:
    """What an item of the due index, which has only keys, says is due."""
    _, segment, account_id, name = item["gsi2sk"]["S"].split("#")
    return Due(item["sk"]["S"].partition("#")[0], to_tenant(segment), account_id, name)


def _record(plain: Mapping[str, Any]) -> Record:
    return _kind_called(plain["sk"].partition("#")[0]).record(plain, place_of(plain))


def _kind_of(record: Record) -> Kind:
    if type(record) not in _BY_TYPE:
        kinds()
    return _BY_TYPE[type(record)]


def _kind_called(noun: str) -> Kind:
    if noun not in _BY_NOUN:
        for kind in _later(noun):
            _BY_TYPE[kind.type] = _BY_NOUN[kind.noun] = kind
    return _BY_NOUN[noun]


def _later(noun: str) -> tuple[Kind, ...]:
    match noun:
        case "DISPUTE":
            from holdfast.store.dispute_items import KINDS  # noqa: PLC0415
        case "EVENT":
            from holdfast.store.event_items import KINDS  # noqa: PLC0415
        case "REPORT":
            from holdfast.store.report_items import KINDS  # noqa: PLC0415
        case "X402":
            from holdfast.store.x402_items import KINDS  # noqa: PLC0415
        case _:
            return ()
    return KINDS
