"""Holds, quotes and jobs as items; and a hold as it stands within the entry that changed it."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.budgets import TOTAL, Scope
from holdfast.domain.clock import from_rfc3339, rfc3339
from holdfast.domain.holds import Hold, Job
from holdfast.domain.lots import Draw
from holdfast.domain.quotes import HeldJob, LineItem, Quote
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, time, to_time
from holdfast.store.lot_items import draw_to_plain, to_draw


def snapshot_to_plain(hold: Hold, drawn: tuple[Draw, ...]) -> dict[str, Plain]:
    """A hold within its entry, which says the currency and, when it is placed, the draws too."""
    plain = _hold(hold)
    del plain["currency"]
    if hold.draws and hold.draws == drawn:
        del plain["draws"]
        plain["as_drawn"] = True
    return plain


def to_snapshot(entry: Mapping[str, Any], account_id: str, currency: str) -> Hold:
    """The hold within an entry's plain item."""
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
        "updated_at": time(hold.updated_at),
        "expiry_policy": _unless(hold.expiry_policy, "release"),
        "over_capture": _unless(hold.over_capture, "reject"),
        "overdraft": hold.overdraft_micros or None,
        "reference": hold.reference,
        "metadata": dict(hold.metadata) if hold.metadata else None,
        "scopes": [_scope(scope, hold) for scope in hold.scopes] or None,
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
        updated_at=to_time(plain.get("updated_at")),
        expiry_policy=plain.get("expiry_policy", "release"),
        over_capture=plain.get("over_capture", "reject"),
        overdraft_micros=plain.get("overdraft", 0),
        reference=plain.get("reference"),
        metadata=plain.get("metadata"),
        scopes=tuple(_to_scope(scope, account_id, currency) for scope in plain.get("scopes", ())),
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


def _hold_item(tenant: Tenant, hold: Hold) -> dict[str, Plain]:
    listed: dict[str, Plain] = {}
    if hold.job is not None:
        listed = {
            "gsi1pk": keys.jobs(tenant, hold.account_id),
            "gsi1sk": keys.job_place(hold.created_at, hold.id),
        }
    return {**listed, **_hold(hold)}


def _to_hold_of(plain: Mapping[str, Any], place: Place) -> Hold:
    return _to_hold(plain, place.name, place.owner, plain["currency"])


def _scope(scope: Scope, hold: Hold) -> dict[str, Plain]:
    plain: dict[str, Plain] = {"kind": scope.kind, "id": scope.id, "limit": scope.limit_micros}
    # What is usual is left out: holds are written often.
    if scope.window != TOTAL:
        plain["window"] = scope.window
    if scope.account_id != hold.account_id:
        plain["account_id"] = scope.account_id
    if scope.currency != hold.currency:
        plain["currency"] = scope.currency
    return plain


def _to_scope(plain: Mapping[str, Any], account_id: str, currency: str) -> Scope:
    return Scope(
        account_id=plain.get("account_id", account_id),
        kind=plain["kind"],
        id=plain["id"],
        limit_micros=plain["limit"],
        currency=plain.get("currency", currency),
        window=plain.get("window", TOTAL),
    )


def _quote(_: Tenant, quote: Quote) -> dict[str, Plain]:
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


def _to_quote(plain: Mapping[str, Any], place: Place) -> Quote:
    return Quote(
        id=place.name,
        account_id=place.owner,
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


def _held_job(_: Tenant, held: HeldJob) -> dict[str, Plain]:
    return {"hold_id": held.hold_id}


def _to_held_job(plain: Mapping[str, Any], place: Place) -> HeldJob:
    return HeldJob(
        job_id=place.name,
        account_id=place.owner,
        hold_id=plain["hold_id"],
        version=plain["version"],
    )


def _unless(value: str, default: str) -> str | None:
    return None if value == default else value


KINDS = (
    Kind(
        type=Hold,
        noun="HOLD",
        key=lambda tenant, hold: keys.hold(tenant, hold.account_id, hold.id),
        plain=_hold_item,
        record=_to_hold_of,
    ),
    Kind(
        type=Quote,
        noun="QUOTE",
        key=lambda tenant, quote: keys.quote(tenant, quote.account_id, quote.id),
        plain=_quote,
        record=_to_quote,
    ),
    Kind(
        type=HeldJob,
        noun="JOB",
        key=lambda tenant, held: keys.held_job(tenant, held.account_id, held.job_id),
        plain=_held_job,
        record=_to_held_job,
    ),
)
