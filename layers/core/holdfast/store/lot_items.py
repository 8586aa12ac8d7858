"""Lots and draws as they stand within wallets, holds and entries: short names, they repeat."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.clock import from_rfc3339, rfc3339
from holdfast.domain.lots import Draw, Lot, Terms
from holdfast.store.attributes import Plain


def lot_to_plain(lot: Lot) -> dict[str, Plain]:
    held: dict[str, Plain] = {"held": lot.held_micros} if lot.held_micros else {}
    return {"id": lot.id, "left": lot.remaining_micros, **held, **_terms(lot.terms)}


def to_lot(plain: Mapping[str, Any]) -> Lot:
    return Lot(
        id=plain["id"],
        terms=_to_terms(plain),
        remaining_micros=plain["left"],
        held_micros=plain.get("held", 0),
    )


def draw_to_plain(draw: Draw) -> dict[str, Plain]:
    terms = {} if draw.terms is None else _terms(draw.terms)
    return {"id": draw.lot_id, "amount": draw.amount_micros, **terms}


def to_draw(plain: Mapping[str, Any]) -> Draw:
    terms = _to_terms(plain) if "kind" in plain else None
    return Draw(plain["id"], plain["amount"], terms)


def _terms(terms: Terms) -> dict[str, Plain]:
    plain: dict[str, Plain] = {"kind": terms.kind, "at": rfc3339(terms.granted_at)}
    if terms.expires_at:
        plain["until"] = rfc3339(terms.expires_at)
    if terms.priority:
        plain["prio"] = terms.priority
    if terms.tag:
        plain["tag"] = terms.tag
    if terms.meters:
        plain["meters"] = list(terms.meters)
    return plain


def _to_terms(plain: Mapping[str, Any]) -> Terms:
    return Terms(
        kind=plain["kind"],
        granted_at=from_rfc3339(plain["at"]),
        expires_at=from_rfc3339(plain["until"]) if "until" in plain else None,
        priority=plain.get("prio", 0),
        tag=plain.get("tag", ""),
        meters=tuple(plain.get("meters", ())),
    )
