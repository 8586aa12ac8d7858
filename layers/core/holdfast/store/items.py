"""Records to items and back. Every attribute name of the table stands here, and nowhere else.

Names are whole words but where they repeat in every lot of every wallet: a wallet stays below 900
bytes and an entry below 700 in the usual case, because write units step at 1,024.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.clock import Instant, from_rfc3339, rfc3339
from holdfast.domain.entries import Entry
from holdfast.domain.holds import Hold, Job
from holdfast.domain.ledger import Record, Wallet
from holdfast.domain.lots import Draw
from holdfast.domain.once import Once
from holdfast.domain.quotes import HeldJob, LineItem, Quote
from holdfast.domain.wallet import Refunded
from holdfast.store import keys
from holdfast.store.attributes import Attributes, Plain, decode, encode
from holdfast.store.keys import Key
from holdfast.store.lot_items import draw_to_plain, lot_to_plain, to_draw, to_lot


def to_item(tenant: Tenant, record: Record) -> tuple[Key, Attributes]:
    """Where a record is stored, and as what."""
    key = key_of_record(tenant, record)
    plain = _plain_of(tenant, record)
    return key, encode({"pk": key.pk, "sk": key.sk, "version": record.version, **plain})


def key_of_record(tenant: Tenant, record: Record) -> Key:
    """Where a record is stored."""
    match record:
        case Wallet():
            return keys.wallet(record.tenant, record.account_id, record.currency)
        case Hold():
            return keys.hold(tenant, record.account_id, record.id)
        case Account():
            return keys.account(record.tenant, record.id)
        case Quote():
            return keys.quote(tenant, record.account_id, record.id)
        case HeldJob():
            return keys.held_job(tenant, record.account_id, record.job_id)
        case Refunded():
            return keys.refunded(tenant, record.account_id, record.entry_id)
        case _:
            raise TypeError(f"no key for {type(record).__name__}")


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
        "hold": None if entry.hold is None else _snapshot(entry.hold, entry.draws),
    }
    return key, encode(plain)


def receipt_to_item(once: Once) -> tuple[Key, Attributes]:
    """What stands in an entry's place for a request that moved no money: its key is used up."""
    key = keys.entry(once.tenant, once.entry_id)
    return key, encode({"pk": key.pk, "sk": key.sk, "fingerprint": once.fingerprint})


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
        tenant=_tenant(segment),
        account_id=account_id,
        currency=currency,
        seq=int(plain["gsi1sk"]),
        type=plain["type"],
        amount_micros=plain["amount"],
        balance_after_micros=plain["balance"],
        held_after_micros=plain.get("held", 0),
        balance_left_micros=plain.get("balance_left"),
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
        hold=None if held is None else _to_snapshot(plain, account_id, currency),
    )


def to_record(item: Attributes) -> Record:
    """The record of an item that is no entry, by the noun its sort key begins with."""
    plain = decode(item)
    _, segment, _, account_id = plain["pk"].split("#")
    noun, _, name = plain["sk"].partition("#")
    match noun:
        case "WALLET":
            return _to_wallet(plain, _tenant(segment), account_id, name)
        case "HOLD":
            return _to_hold(plain, name, account_id, plain["currency"])
        case "ACCOUNT":
            return _to_account(plain, _tenant(segment), account_id)
        case "QUOTE":
            return _to_quote(plain, account_id, name)
        case "JOB":
            return HeldJob(
                job_id=name,
                account_id=account_id,
                hold_id=plain["hold_id"],
                version=plain["version"],
            )
        case "REFUNDED":
            return Refunded(
                entry_id=name,
                account_id=account_id,
                refunded_micros=plain["refunded"],
                version=plain["version"],
            )
        case _:
            raise TypeError(f"no record for {noun}")


def due_wallet(item: Attributes) -> tuple[Tenant, str, str]:
    """The tenant, account id and currency of a wallet in the due index, which has only keys."""
    _, segment, _, account_id = item["pk"]["S"].split("#")
    return _tenant(segment), account_id, item["sk"]["S"].partition("#")[2]


def _plain_of(tenant: Tenant, record: Record) -> dict[str, Plain]:
    match record:
        case Wallet():
            return _wallet(record)
        case Hold():
            return _hold_item(tenant, record)
        case Account():
            return _account(record)
        case Quote():
            return _quote(record)
        case HeldJob():
            return {"hold_id": record.hold_id}
        case Refunded():
            return {"refunded": record.refunded_micros}
        case _:
            raise TypeError(f"no item for {type(record).__name__}")


def _tenant(segment: str) -> Tenant:
    org, _, mode = segment.partition("/")
    return Tenant(org, mode)


def _wallet(wallet: Wallet) -> dict[str, Plain]:
    place = (wallet.tenant, wallet.account_id, wallet.currency)
    due = keys.due(*place, wallet.due_at) if wallet.due_at else {}
    return {
        **due,
        "seq": wallet.seq,
        "head": wallet.head,
        "cash": wallet.cash_micros,
        "cash_held": wallet.cash_held_micros or None,
        "lots": [lot_to_plain(lot) for lot in wallet.lots] or None,
        "credited": wallet.credited_micros,
        "credits": wallet.credits_count,
        "debits": wallet.debits_count,
        "hold_due_at": _time(wallet.hold_due_at),
        "open_from": wallet.open_from,
        "updated_at": _time(wallet.updated_at),
    }


def _to_wallet(plain: Mapping[str, Any], tenant: Tenant, account_id: str, currency: str) -> Wallet:
    return Wallet(
        tenant=tenant,
        account_id=account_id,
        currency=currency,
        version=plain["version"],
        seq=plain["seq"],
        head=plain["head"],
        cash_micros=plain["cash"],
        cash_held_micros=plain.get("cash_held", 0),
        lots=tuple(to_lot(lot) for lot in plain.get("lots", ())),
        credited_micros=plain["credited"],
        credits_count=plain["credits"],
        debits_count=plain["debits"],
        hold_due_at=_to_time(plain.get("hold_due_at")),
        open_from=plain.get("open_from"),
        updated_at=_to_time(plain.get("updated_at")),
    )


def _hold_item(tenant: Tenant, hold: Hold) -> dict[str, Plain]:
    listed: dict[str, Plain] = {}
    if hold.job is not None:
        listed = {
            "gsi1pk": keys.jobs(tenant, hold.account_id),
            "gsi1sk": keys.job_place(hold.created_at, hold.id),
        }
    return {**listed, **_hold(hold)}


def _snapshot(hold: Hold, drawn: tuple[Draw, ...]) -> dict[str, Plain]:
    """A hold within its entry, which says the currency and, when it is placed, the draws too."""
    plain = _hold(hold)
    del plain["currency"]
    if hold.draws and hold.draws == drawn:
        del plain["draws"]
        plain["as_drawn"] = True
    return plain


def _to_snapshot(entry: Mapping[str, Any], account_id: str, currency: str) -> Hold:
    held = dict(entry["hold"])
    if held.pop("as_drawn", False):
        held["draws"] = entry["draws"]
    return _to_hold(held, entry["hold_id"], account_id, currency)


def _hold(hold: Hold) -> dict[str, Plain]:
    plain: dict[str, Plain] = {
        "status": hold.status,
        "currency": hold.currency,
        "version": hold.version,
        "amount": hold.amount_micros,
        "captured": hold.captured_micros or None,
        "captured_last": hold.captured_last_micros or None,
        "released": hold.released_micros or None,
        "draws": [draw_to_plain(draw) for draw in hold.draws] or None,
        "expires_at": rfc3339(hold.expires_at),
        "created_at": rfc3339(hold.created_at),
        "updated_at": _time(hold.updated_at),
        "expiry_policy": _unless(hold.expiry_policy, "release"),
        "over_capture": _unless(hold.over_capture, "reject"),
        "overdraft": hold.overdraft_micros or None,
        "reference": hold.reference,
        "metadata": dict(hold.metadata) if hold.metadata else None,
        "job": None if hold.job is None else _job(hold.job),
        "closed_by": hold.closed_by,
    }
    return {name: value for name, value in plain.items() if value is not None}


def _to_hold(plain: Mapping[str, Any], hold_id: str, account_id: str, currency: str) -> Hold:
    job = plain.get("job")
    return Hold(
        id=hold_id,
        account_id=account_id,
        currency=currency,
        status=plain["status"],
        version=plain["version"],
        amount_micros=plain["amount"],
        captured_micros=plain.get("captured", 0),
        captured_last_micros=plain.get("captured_last", 0),
        released_micros=plain.get("released", 0),
        draws=tuple(to_draw(draw) for draw in plain.get("draws", ())),
        expires_at=from_rfc3339(plain["expires_at"]),
        created_at=from_rfc3339(plain["created_at"]),
        updated_at=_to_time(plain.get("updated_at")),
        expiry_policy=plain.get("expiry_policy", "release"),
        over_capture=plain.get("over_capture", "reject"),
        overdraft_micros=plain.get("overdraft", 0),
        reference=plain.get("reference"),
        metadata=plain.get("metadata"),
        job=None if job is None else Job(**job),
        closed_by=plain.get("closed_by"),
    )


def _job(job: Job) -> dict[str, Plain]:
    return {
        "job_id": job.job_id,
        "quote_id": job.quote_id,
        "provider": job.provider,
        "device": job.device,
        "shots": job.shots,
    }


def _account(account: Account) -> dict[str, Plain]:
    return {
        "owner": account.owner,
        "name": account.name,
        "currency": account.currency,
        "created_at": rfc3339(account.created_at),
    }


def _to_account(plain: Mapping[str, Any], tenant: Tenant, account_id: str) -> Account:
    return Account(
        tenant=tenant,
        id=account_id,
        owner=plain["owner"],
        name=plain["name"],
        currency=plain["currency"],
        created_at=from_rfc3339(plain["created_at"]),
        version=plain["version"],
    )


def _quote(quote: Quote) -> dict[str, Plain]:
    return {
        "provider": quote.provider,
        "device": quote.device,
        "shots": quote.shots,
        "tasks": quote.tasks,
        "currency": quote.currency,
        "line_items": [
            {"type": line.type, "unit": line.unit_micros, "quantity": line.quantity}
            for line in quote.line_items
        ],
        "available": quote.available_micros,
        "created_at": rfc3339(quote.created_at),
        "expires_at": rfc3339(quote.expires_at),
        "job_id": quote.job_id,
        "used_by": quote.used_by,
        "entry_id": quote.entry_id,
    }


def _to_quote(plain: Mapping[str, Any], account_id: str, quote_id: str) -> Quote:
    return Quote(
        id=quote_id,
        account_id=account_id,
        provider=plain["provider"],
        device=plain["device"],
        shots=plain["shots"],
        tasks=plain["tasks"],
        currency=plain["currency"],
        line_items=tuple(
            LineItem(type=line["type"], unit_micros=line["unit"], quantity=line["quantity"])
            for line in plain["line_items"]
        ),
        available_micros=plain["available"],
        created_at=from_rfc3339(plain["created_at"]),
        expires_at=from_rfc3339(plain["expires_at"]),
        job_id=plain.get("job_id"),
        used_by=plain.get("used_by"),
        entry_id=plain.get("entry_id"),
        version=plain["version"],
    )


def _time(moment: Instant | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _to_time(text: str | None) -> Instant | None:
    return None if text is None else from_rfc3339(text)


def _unless(value: str, default: str) -> str | None:
    return None if value == default else value
