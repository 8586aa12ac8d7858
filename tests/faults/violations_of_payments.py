"""What is wrong with the payments and disputes of a table, read from its raw items.

As in `violations`, nothing of the product is asked.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

CENT_MICROS = 10_000
"""All currencies of these tests have cents."""

_FREE = ("wallet", "credit", "restricted_credit")
_HELD = ("held", "held_credit")
_LISTS = {"intent": "intent", "order": "order", "refund": "refund"}
_LOST = ("lost", "appeal_needs_response", "appeal_under_review")
_OVER = {**dict.fromkeys(_LOST, "lost"), "won": "won"} | dict.fromkeys(
    ("warning_closed", "prevented"), "dropped"
)

type Plain = dict[str, Any]
type Name = tuple[str, str]
"""Tenant, and an id."""


class _Payments:
    """Raw items by what they are."""

    def __init__(self, items: Iterable[Plain]) -> None:
        self.entries: dict[Name, Plain] = {}
        self.payments: dict[Name, Plain] = {}
        self.disputes: dict[Name, Plain] = {}
        for item in items:
            head, *names = item["pk"].split("#")
            noun, _, name = item["sk"].partition("#")
            if noun == "ENTRY" and "gsi1pk" in item:
                _, _, account, currency = item["gsi1pk"].split("#")
                known = {"account": account, "currency": currency, "id": names[1]}
                self.entries[names[0], names[1]] = {**item, **known}
            elif noun == "PAYMENT":
                self.payments[names[0], names[2]] = {**item, "id": names[2]}
            elif noun == "DISPUTE" and head == "ORG":
                self.disputes[names[0], name] = {**item, "account": names[2], "id": name}

    def told(self, tenant: str, types: Iterable[str], **values: str) -> list[Plain]:
        """Entries of a tenant by type and by what their details say, in order."""
        found = [
            entry
            for (place, _), entry in self.entries.items()
            if place == tenant
            and entry["type"] in types
            and all(entry.get("details", {}).get(name) == text for name, text in values.items())
        ]
        return sorted(found, key=lambda entry: str(entry["gsi1sk"]))


def violations_of_payments(items: Iterable[Plain]) -> Iterator[str]:
    """Every broken rule of payments, in words; items without DynamoDB's types."""
    table = _Payments(items)
    for (tenant, payment_id), payment in table.payments.items():
        refund = payment["kind"] == "refund"
        checks = [_refund(table, tenant, payment) if refund else _paid(table, tenant, payment)]
        checks.append(_listed(tenant, payment))
        yield from (f"payment {payment_id}: {found}" for check in checks for found in check)
    yield from _refunded(table)
    yield from _strangers(table)
    for (tenant, dispute_id), dispute in table.disputes.items():
        yield from (f"dispute {dispute_id}: {f}" for f in _dispute(table, tenant, dispute))


def frozen(items: Iterable[Plain]) -> Counter[tuple[str, str, str]]:
    """What disputes have frozen, in micros, by tenant, account and currency."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for (tenant, _), dispute in _Payments(items).disputes.items():
        sums[tenant, dispute["account"], dispute["currency"]] += dispute["frozen_micros"]
    return sums


def _paid(table: _Payments, tenant: str, payment: Plain) -> Iterator[str]:
    """Credited once, with what was received, if it succeeded; never if it did not."""
    name, got = payment["id"], payment.get("received_micros", 0)
    named = table.told(tenant, ("deposit", "card_purchase"), payment_id=name)
    came_in = [entry for entry in named if entry["source"] == "stripe"]
    by_balance = payment.get("payment_method_id") == "balance"
    succeeded = payment["status"] == "succeeded"
    if len(came_in) != (succeeded and not by_balance):
        yield f"is {payment['status']} and was credited {len(came_in)} times"
    if by_balance:
        entry = table.entries.get((tenant, payment.get("entry_id", "")))
        took = entry["postings"].get("revenue", 0) if entry else 0
        if took != got or succeeded != (entry is not None):
            yield f"is {payment['status']}, the wallet paid {took} of {got}"
    elif payment.get("entry_id", "") != (came_in[0]["id"] if came_in else ""):
        yield f"names {payment.get('entry_id')} as what credited it"
    for entry in came_in:
        place = (entry["account"], entry["currency"], entry["reference"])
        if place != (payment["account_id"], payment.get("received_currency"), name):
            yield f"was credited to {place}"
        if entry["postings"].get("stripe_clearing", 0) != -got:
            yield f"received {got}, its entry says {entry['postings']}"
        through = sum(entry["postings"].get(each, 0) for each in (*_FREE, *_HELD)) == 0
        if through != (payment["kind"] == "intent"):
            yield f"is a {payment['kind']}, its entry posts {entry['postings']}"


def _refund(table: _Payments, tenant: str, refund: Plain) -> Iterator[str]:
    """Out of the wallet once; back into it once, if the card never had it."""
    amount, name = refund["amount_micros"], refund["id"]
    paid = table.payments.get((tenant, refund["refund_of"]))
    if paid is None or paid["account_id"] != refund["account_id"] or paid["kind"] == "refund":
        yield "is a refund of nothing"
    out = table.told(tenant, ("card_refund", "refund"), refund_id=name)
    back = table.told(tenant, ("card_refund_failed",), refund_id=name)
    if [entry["id"] for entry in out] != [refund.get("entry_id")]:
        yield f"was taken by {[entry['id'] for entry in out]}, names {refund.get('entry_id')}"
    if [entry["id"] for entry in back] != [refund.get("undone_by")] * ("undone_by" in refund):
        yield f"was undone by {len(back)} entries, names {refund.get('undone_by')}"
    if (refund["status"] in ("failed", "canceled")) != ("undone_by" in refund):
        yield f"is {refund['status']}, undone by {refund.get('undone_by')}"
    for sign, entries in ((+1, out), (-1, back)):
        for entry in entries:
            by_card = entry["postings"].get("stripe_clearing", 0)
            in_wallet = entry["postings"].get("refunds", 0) if entry["type"] == "refund" else 0
            if (by_card or -in_wallet) != sign * amount:
                yield f"is of {amount}, its entry posts {entry['postings']}"
            if entry["account"] != refund["account_id"]:
                yield f"was taken from {entry['account']}"
    if refund["status"] == "succeeded" and refund.get("received_micros") != amount:
        yield f"{refund.get('received_micros')} of {amount} arrived"


def _listed(tenant: str, payment: Plain) -> Iterator[str]:
    """It stands in its account's list, and where sweepers or the reconciliation find it."""
    place = (f"PAYMENTS#{tenant}#{payment['account_id']}", payment["gsi1sk"])
    if place != (payment["gsi1pk"], f"{_LISTS.get(payment['kind'], 'topup')}#{payment['id']}"):
        yield f"is listed as {payment['gsi1pk']} {payment['gsi1sk']}"
    at, pk = payment.get("gsi2sk", ""), payment.get("gsi2pk", "")
    if "due_at" in payment:
        if not (at.startswith(f"{payment['due_at']}#") and pk.startswith("DUE#")):
            yield f"is due at {payment['due_at']}, and indexed at {pk} {at}"
    elif "settled_at" in payment:
        day = f"PAID#{tenant.partition('/')[2]}#{payment['settled_at'][:10]}"
        if (pk, at) != (day, payment["id"]):
            yield f"was settled on {day}, and is indexed at {pk} {at}"
    elif pk or at:
        yield f"is neither due nor settled, and indexed at {pk} {at}"
    if payment["status"] == "pending" and payment.get("attempts") and "due_at" not in payment:
        yield "is pending, and nobody looks for it"


def _refunded(table: _Payments) -> Iterator[str]:
    sums: Counter[Name] = Counter()
    for (tenant, _), payment in table.payments.items():
        if payment["kind"] == "refund" and "undone_by" not in payment:
            sums[tenant, payment["refund_of"]] += payment["amount_micros"]
    for name, payment in table.payments.items():
        gone = payment.get("refunded_micros", 0)
        if gone != sums[name] or (gone and gone > payment.get("received_micros", 0)):
            yield f"payment {name[1]}: {gone} refunded, {sums[name]} by its refunds"


def _strangers(table: _Payments) -> Iterator[str]:
    """Every entry of Stripe's names a payment of its own account, and no other clears with it."""
    for (tenant, _), entry in table.entries.items():
        place = f"{entry['type']} {entry['id']}"
        clears = "stripe_clearing" in entry["postings"]
        disputes = entry["type"].startswith("dispute_")
        if entry["source"] != "stripe":
            if clears or disputes:
                yield f"{place} is of Stripe's, and says {entry['source']}"
            continue
        payment = table.payments.get((tenant, entry.get("reference", "")))
        if payment is None or payment["account_id"] != entry["account"]:
            yield f"{place} names no payment of its account"
        if clears == disputes:
            yield f"{place} posts {entry['postings']}"
        known = "refund_id" if entry["type"].startswith("card_refund") else "dispute_id"
        if entry["type"] not in ("deposit", "card_purchase"):
            kept = table.disputes if disputes else table.payments
            if (tenant, entry["details"].get(known, "")) not in kept:
                yield f"{place} names no {known}"


def _dispute(table: _Payments, tenant: str, dispute: Plain) -> Iterator[str]:
    """Frozen is what its entries froze and have not moved since, taken what they took."""
    types = ("dispute_opened", "dispute_won", "dispute_lost")
    told = table.told(tenant, types, dispute_id=dispute["id"])
    sums: defaultdict[str, int] = defaultdict(int)
    for entry in told:
        for account, micros in entry["postings"].items():
            sums[account] += micros
        place = (entry["account"], entry["currency"], entry["reference"])
        if place != (dispute["account"], dispute["currency"], dispute["payment_id"]):
            yield f"has an entry for {place}"
    if sums["held"] != dispute["frozen_micros"] or sums["disputes"] != dispute["taken_micros"]:
        yield f"has moved {dict(sums)}, and says {dispute}"
    payment = table.payments.get((tenant, dispute["payment_id"]), {})
    yield from _owed(dispute, payment)
    yield from _told(dispute, told)


def _owed(dispute: Plain, payment: Plain) -> Iterator[str]:
    stage = _OVER.get(dispute["status"], "open")
    owed, amount = dispute["owed_micros"], dispute["amount_micros"]
    if not 0 <= dispute["frozen_micros"] <= (owed if stage == "open" else 0):
        yield f"is {dispute['status']}, {dispute['frozen_micros']} are frozen"
    if dispute["taken_micros"] != (owed if stage == "lost" else 0):
        yield f"is {dispute['status']}, {dispute['taken_micros']} of {owed} were taken"
    came_in = 0 if payment.get("kind") == "intent" else payment.get("received_micros", 0)
    if owed != min(amount, came_in):
        yield f"{owed} are owed of {amount}, {came_in} came in"
    if payment.get("payment_intent_id") != dispute.get("payment_intent_id"):
        yield f"is of {dispute.get('payment_intent_id')}, and not of its payment"


def _told(dispute: Plain, told: list[Plain]) -> Iterator[str]:
    is_open = dispute["status"] not in _OVER
    closing = [entry["id"] for entry in told if entry["type"] != "dispute_opened"]
    opened = [entry["id"] for entry in told if entry["type"] == "dispute_opened"]
    if [dispute.get("frozen_by", "")] != (opened or [""]):
        yield f"was opened by {opened}, names {dispute.get('frozen_by')}"
    if dispute.get("closed_by", "") != (closing or [""])[-1]:
        yield f"was closed by {closing}, names {dispute.get('closed_by')}"
    if is_open == ("closed_at" in dispute) or is_open == bool(closing):
        yield f"is {dispute['status']}, closed at {dispute.get('closed_at')}"
    yield from _looked_for(dispute, is_open=is_open)
    if told and told[-1]["details"]["disputed"] * CENT_MICROS != dispute["amount_micros"]:
        yield f"is of {dispute['amount_micros']}, its last entry says {told[-1]['details']}"
    if not told or dispute["version"] < len(told):
        yield f"version {dispute['version']} after {len(told)} entries"


def _looked_for(dispute: Plain, *, is_open: bool) -> Iterator[str]:
    """It stands where sweepers find it, as long as it is open."""
    due_at, at = dispute.get("due_at"), dispute.get("gsi2sk")
    if is_open != (due_at is not None):
        yield f"is {dispute['status']}, due at {due_at}"
    tenant = dispute["pk"].split("#")[1]
    wanted = f"{due_at}#{tenant}#{dispute['account']}#{dispute['id']}" if due_at else None
    if at != wanted or dispute.get("gsi2pk", "").startswith("DUE#") != bool(due_at):
        yield f"is due at {due_at}, and indexed at {dispute.get('gsi2pk')} {at}"
