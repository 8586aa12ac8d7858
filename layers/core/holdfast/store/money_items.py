"""What money is in, as items: wallets, budgets, credit grants, and what was given back or once."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.budgets import Budget
from holdfast.domain.credits import CreditGrant, Starter
from holdfast.domain.ledger import Wallet
from holdfast.domain.wallet import Refunded
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat, time, to_time
from holdfast.store.lot_items import lot_to_plain, to_lot


def _wallet(_: Tenant, wallet: Wallet) -> dict[str, Plain]:
    place = (wallet.tenant, wallet.account_id, wallet.currency)
    due = keys.due(*place, wallet.due_at) if wallet.due_at else {}
    return {
        **due,
        "seq": wallet.seq,
        "head": wallet.head,
        "cash": wallet.cash_micros,
        "cash_held": wallet.cash_held_micros or None,
        "lots": [lot_to_plain(lot) for lot in wallet.lots] or None,
        "pending": [lot_to_plain(lot) for lot in wallet.pending] or None,
        "credited": wallet.credited_micros,
        "charged": wallet.charged_micros or None,
        "credits": wallet.credits_count,
        "debits": wallet.debits_count,
        "hold_due_at": time(wallet.hold_due_at),
        "open_from": wallet.open_from,
        "updated_at": time(wallet.updated_at),
        "closed": wallet.closed or None,
        "recharge_below": wallet.recharge_below_micros,
    }


def _to_wallet(plain: Mapping[str, Any], place: Place) -> Wallet:
    return Wallet(
        tenant=place.tenant,
        account_id=place.owner,
        currency=place.name,
        version=plain["version"],
        seq=plain["seq"],
        head=plain["head"],
        cash_micros=plain["cash"],
        cash_held_micros=plain.get("cash_held", 0),
        lots=tuple(to_lot(lot) for lot in plain.get("lots", ())),
        pending=tuple(to_lot(lot) for lot in plain.get("pending", ())),
        credited_micros=plain["credited"],
        charged_micros=plain.get("charged", 0),
        credits_count=plain["credits"],
        debits_count=plain["debits"],
        hold_due_at=to_time(plain.get("hold_due_at")),
        open_from=plain.get("open_from"),
        updated_at=to_time(plain.get("updated_at")),
        closed=plain.get("closed", False),
        recharge_below_micros=plain.get("recharge_below"),
    )


def _refunded(_: Tenant, refunded: Refunded) -> dict[str, Plain]:
    return {"refunded": refunded.refunded_micros}


def _to_refunded(plain: Mapping[str, Any], place: Place) -> Refunded:
    return Refunded(
        entry_id=place.name,
        account_id=place.owner,
        refunded_micros=plain["refunded"],
        version=plain["version"],
    )


def _budget(_: Tenant, budget: Budget) -> dict[str, Plain]:
    return {
        "period": budget.period or None,
        "spent": budget.spent_micros,
        "held": budget.held_micros,
    }


def _to_budget(plain: Mapping[str, Any], place: Place) -> Budget:
    kind, name, currency, window = place.name.split("#")
    return Budget(
        account_id=place.owner,
        kind=kind,
        id=name,
        currency=currency,
        window=window,
        period=plain.get("period", ""),
        spent_micros=plain["spent"],
        held_micros=plain["held"],
        version=plain["version"],
    )


def _grant(_: Tenant, grant: CreditGrant) -> dict[str, Plain]:
    plain = flat(grant, without=("account_id", "id", "amount_micros", "version"))
    return {"amount": grant.amount_micros, **plain}


def _to_grant(plain: Mapping[str, Any], place: Place) -> CreditGrant:
    known = {"account_id": place.owner, "id": place.name, "amount_micros": plain["amount"]}
    found: CreditGrant = from_flat(plain, CreditGrant, **known)
    return found


def _starter(_: Tenant, starter: Starter) -> dict[str, Plain]:
    return {"entry_id": starter.entry_id}


def _to_starter(plain: Mapping[str, Any], place: Place) -> Starter:
    return Starter(account_id=place.owner, entry_id=plain["entry_id"], version=plain["version"])


KINDS = (
    Kind(
        type=Wallet,
        noun="WALLET",
        key=lambda _, wallet: keys.wallet(wallet.tenant, wallet.account_id, wallet.currency),
        plain=_wallet,
        record=_to_wallet,
    ),
    Kind(
        type=Refunded,
        noun="REFUNDED",
        key=lambda tenant, done: keys.refunded(tenant, done.account_id, done.entry_id),
        plain=_refunded,
        record=_to_refunded,
    ),
    Kind(
        type=Budget,
        noun="BUDGET",
        key=lambda tenant, budget: keys.budget(tenant, budget.place),
        plain=_budget,
        record=_to_budget,
    ),
    Kind(
        type=CreditGrant,
        noun="GRANT",
        key=lambda tenant, grant: keys.grant(tenant, grant.account_id, grant.id),
        plain=_grant,
        record=_to_grant,
    ),
    Kind(
        type=Starter,
        noun="STARTER",
        key=lambda tenant, starter: keys.starter(tenant, starter.account_id),
        plain=_starter,
        record=_to_starter,
    ),
)
