"""A second audit, written apart from `holdfast.audit` so that one mistake cannot hide in both.

It reads raw items and uses nothing of the ledger's code. And it goes another way: it plays the
entries of each wallet again from the first one, draws by the order of drawing, hold by hold, and
compares every step with what the entry says and the end with what is stored.
"""

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from tests.faults.violations_of_coupons import violations_of_coupons
from tests.faults.violations_of_payments import violations_of_payments
from tests.faults.violations_of_recharges import violations_of_recharges
from tests.faults.violations_of_x402 import violations_of_x402

type Plain = dict[str, Any]
type Draws = list[tuple[str, int]]

MINOR_MICROS = {"usd": 10_000, "eur": 10_000, "jpy": 1_000_000, "kwd": 1_000}
HOUSE = {
    "introductory_credit": "promotions",
    "deposit": "deposits",
    "withdrawal": "withdrawals",
    "usage": "revenue",
    "capture": "revenue",
    "hold_expiry": "revenue",
    "refund": "refunds",
    "starter_credit": "promotions",
    "credit_grant": "promotions",
    "coupon_credit": "promotions",
    "credit_void": "promotions",
    "adjustment": "adjustments",
    "purchase": "revenue",
    "dispute_opened": "disputes",
    "dispute_won": "disputes",
    "dispute_lost": "disputes",
}
OUTSIDE = {"stripe": "stripe_clearing", "x402": "x402_clearing"}
"""Where money comes from that the house did not take in itself."""
RESTRICTED = "restricted_credit"
PERIODS = {"day": 10, "month": 7, "total": 0}
type Name = tuple[str, str, str]
"""Tenant, account, and the sort key of a budget."""


class Bad(Exception):
    """A rule that an item breaks."""


def plain(item: Mapping[str, Any]) -> Plain:
    """An item without DynamoDB's types."""
    return {name: _value(value) for name, value in item.items()}


def _value(typed: Mapping[str, Any]) -> Any:
    ((kind, inner),) = typed.items()
    match kind:
        case "N":
            return int(inner)
        case "M":
            return plain(inner)
        case "L":
            return [_value(each) for each in inner]
        case "NULL":
            return None
    return inner


def second_audit(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with a table, as sentences; nothing if all is well."""
    statements: defaultdict[str, list[Plain]] = defaultdict(list)
    stored: defaultdict[str, dict[str, Plain]] = defaultdict(dict)
    entry_ids: set[str] = set()
    receipts: list[Plain] = []
    every = list(map(plain, items))
    for item in every:
        if item["sk"] == "ENTRY":
            entry_ids.add(item["pk"].split("#")[2])
            if "gsi1pk" in item:
                statements[item["gsi1pk"]].append(item)
            else:
                receipts.append(item["answer"])
        else:
            stored[item["pk"]][item["sk"]] = item
    found = [*_answers(receipts, stored), *_workspaces(stored), *violations_of_payments(every)]
    found += violations_of_x402(every)
    found += violations_of_coupons(every)
    found += violations_of_recharges(every)
    played: defaultdict[str, list[Play]] = defaultdict(list)
    for place, entries in statements.items():
        play = Play(place)
        played[f"ORG#{play.tenant}#ACCT#{play.account}"].append(play)
        found += play.run(sorted(entries, key=lambda entry: entry["gsi1sk"]))
    for partition in stored.keys() | played.keys():
        if partition.split("#")[2:3] == ["ACCT"]:
            account = _Account(partition, stored[partition], played[partition], entry_ids)
            found += [f"{partition}: {what}" for what in account.wrong()]
    plays = [play for some in played.values() for play in some]
    return [*found, *_budgets(stored, plays)]


def _answers(receipts: Iterable[Plain], stored: Mapping[str, dict[str, Plain]]) -> Iterator[str]:
    """What a receipt says was answered is there, no older than it was then."""
    for answer in receipts:
        there = stored.get(answer["pk"], {}).get(answer["sk"])
        if there is None or there["version"] < answer["version"]:
            yield f"{answer['pk']} {answer['sk']} was an answer, and is {there}"


def _workspaces(stored: Mapping[str, dict[str, Plain]]) -> Iterator[str]:
    """The links of a workspace and what its accounts know of it are the same, its default one."""
    links: set[tuple[str, str, str]] = set()
    known: set[tuple[str, str, str]] = set()
    for pk, items in stored.items():
        *_, tenant, kind, name = pk.split("#") if pk.startswith("ORG#") else ("", "", "")
        if kind == "WS":
            accounts = [link["account_id"] for link in items["WORKSPACE"]["links"]]
            links |= {(tenant, name, account) for account in accounts}
            if accounts.count(items["WORKSPACE"]["default_account_id"]) != 1:
                yield f"{pk} has a default account that is not linked once"
            if len(set(accounts)) != len(accounts):
                yield f"{pk} has a link twice"
        for sk, item in items.items():
            if sk.startswith("LINKED#") and "unlinked_at" not in item:
                known.add((tenant, sk.partition("#")[2], name))
                if "closed_at" in items.get("ACCOUNT", {"closed_at": ""}):
                    yield f"{pk} is linked, and closed or not there"
    if links != known:
        yield f"links and what accounts know of them differ in {sorted(links ^ known)}"


def _budgets(stored: Mapping[str, dict[str, Plain]], plays: Iterable["Play"]) -> Iterator[str]:
    """Every budget, counted again from the holds that name it."""
    held: Counter[Name] = Counter()
    spent: defaultdict[Name, Counter[str]] = defaultdict(Counter)
    moves: Counter[Name] = Counter()
    for play in plays:
        for entry in play.of_holds:
            took = entry["postings"].get("revenue", 0)
            kept = sum(entry["postings"].get(name, 0) for name in ("held", "held_credit"))
            for scope in entry["hold"].get("scopes", []):
                name = _budget(play, scope)
                held[name] += kept
                moves[name] += bool(took or kept)
                period = entry["created_at"][: PERIODS[scope.get("window", "total")]]
                spent[name][period] += took
    there = {
        (pk.split("#")[1], pk.split("#")[3], sk): item
        for pk, items in stored.items()
        for sk, item in items.items()
        if sk.startswith("BUDGET#")
    }
    for name in held.keys() | there.keys():
        item = there.get(name)
        if item is None or item["held"] != held[name]:
            yield f"{name} is {item}, the holds under it have {held[name]}"
            continue
        took = spent[name][item.get("period", "")]
        written = item["version"]
        if "#key#" in name[2]:
            # What a key spends without a hold is told by no entry.
            if took > item["spent"] or moves[name] > written or not item["spent"] + moves[name]:
                yield f"{name} is {item}, captured were {took}"
        elif (item["spent"], written) != (took, moves[name]) or not moves[name]:
            yield f"{name} is {item}, captured were {took} in {moves[name]} moves"


def _budget(play: "Play", scope: Plain) -> Name:
    parts = (scope["kind"], scope["id"], scope.get("currency", play.currency))
    sk = "#".join(("BUDGET", *parts, scope.get("window", "total")))
    return play.tenant, scope.get("account_id", play.account), sk


def _need(truth: bool, what: str) -> None:
    if not truth:
        raise Bad(what)


def _pairs(draws: Iterable[Plain]) -> Draws:
    return [(draw["id"], draw["amount"]) for draw in draws]


def _part(draws: Iterable[tuple[str, int]], start: int, size: int) -> Draws:
    """The micros from `start` on, `size` of them, of draws laid end to end."""
    part, place = [], 0
    for lot, amount in draws:
        low, high = max(start, place), min(start + size, place + amount)
        if low < high:
            part.append((lot, high - low))
        place += amount
    return part


def _some_cash(amount: int) -> Draws:
    return [("cash", amount)] if amount else []


class Play:
    """One wallet, played again."""

    def __init__(self, place: str) -> None:
        _, self.tenant, self.account, self.currency = place.split("#")
        self.place = place
        self.free: defaultdict[str, int] = defaultdict(int)
        self.held: defaultdict[str, int] = defaultdict(int)
        self.terms: dict[str, Plain] = {"cash": {}}
        self.holds: dict[str, Plain] = {}
        self.charges: dict[str, Plain] = {}
        self.refunded: defaultdict[str, list[int]] = defaultdict(list)
        self.types: defaultdict[str, int] = defaultdict(int)
        self.placed: dict[str, tuple[str, int]] = {}
        self.pinned: dict[str, Plain] = {}
        self.pending: dict[str, int] = {}
        self.voided: set[str] = set()
        self.grants: dict[str, Plain] = {}
        self.of_holds: list[Plain] = []
        self.scopes: dict[str, list[Plain]] = {}
        self.counts = {"credited": 0, "credits": 0, "debits": 0}
        self.charged = 0
        self.frozen: defaultdict[str, int] = defaultdict(int)
        self.lost: defaultdict[str, int] = defaultdict(int)
        self.since_empty: set[str] = set()
        self.number = 0
        self.head = "0" * 64

    def run(self, entries: list[Plain]) -> Iterator[str]:
        """Play all entries; what is wrong with them."""
        for entry in entries:
            try:
                self._step(entry)
            except (Bad, KeyError) as wrong:
                yield f"{self.place} entry {int(entry['gsi1sk'])} ({entry['type']}): {wrong}"

    def _step(self, entry: Plain) -> None:
        _need(int(entry["gsi1sk"]) == self.number + 1, f"number {self.number + 1} is missing")
        _need(entry["prev"] == self.head, "not chained")
        _need(self._hash(entry) == entry["hash"], "hash")
        self.number, self.head = self.number + 1, entry["hash"]
        before = self._sums()
        for draw in entry.get("draws", []):
            # The time of a grant that was voided has ended, whatever it was before.
            ends = {"until"} if draw["id"] in self.voided else set()
            terms = {name: draw[name] for name in draw.keys() - {"id", "amount"} - ends}
            known = self.terms.setdefault(draw["id"], terms)
            same = {name: known[name] for name in known.keys() - ends} == terms
            _need(same, "terms of a lot have changed")
        self.types[entry["type"]] += 1
        getattr(self, f"_{entry['type']}")(entry, _pairs(entry.get("draws", [])))
        _need(all(left >= 0 for lot, left in self.free.items() if lot != "cash"), "lot below 0")
        _need(min(self.held.values(), default=0) >= 0, "held below 0")
        after = self._sums()
        moved = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        total = sum(moved.values())
        self._count(entry, total, total - moved.get(RESTRICTED, 0))
        house = {name: micros for name, micros in entry["postings"].items() if name not in after}
        posted = {name: micros for name, micros in entry["postings"].items() if name in after}
        _need(posted == moved, f"posts {posted}, moves {moved}")
        _need(sum(house.values()) == -total, "postings do not add up to zero")
        expected = self._house(entry, total)
        _need(house == expected, f"posts {house} on the house's side, not {expected}")
        _need(entry["balance"] == sum(after.values()) - after[RESTRICTED], "balance")
        _need(entry.get("cash", 0) == after["wallet"] + after["held"], "cash")
        _need(entry.get("held", 0) == after["held"] + after["held_credit"], "held")

    def _count(self, entry: Plain, total: int, of_balance: int) -> None:
        if total < 0:
            self.charges[entry["pk"].split("#")[2]] = entry
        if "hold" in entry:
            self.of_holds.append(entry)
        self.counts["credited"] += max(0, of_balance)
        self.counts["credits"] += of_balance > 0
        self.counts["debits"] += of_balance < 0
        self.charged += entry["postings"].get("revenue", 0) + entry["postings"].get("refunds", 0)
        self.since_empty.add(entry["source"])
        if not any(self.free.values()) and not any(self.held.values()):
            self.since_empty.clear()

    def _house(self, entry: Plain, total: int) -> dict[str, int]:
        if entry["source"] in OUTSIDE and not entry["type"].startswith("dispute_"):
            return self._outside(entry, total)
        if entry["type"] != "lot_expiry":
            return {HOUSE[entry["type"]]: -total} if total else {}
        sums: defaultdict[str, int] = defaultdict(int)
        for lot, amount in _pairs(entry["draws"]):
            given = self._is_credit(lot) or self.terms[lot].get("tag") == "starter-credit"
            sums["promotions" if given else "breakage"] += amount
        return dict(sums)

    def _outside(self, entry: Plain, total: int) -> dict[str, int]:
        """What came from a card or went back to it; a bonus beside it was the house's."""
        if not total:
            # A purchase: from the card to the house, or back.
            of_house = "revenue" if entry["type"] == "card_purchase" else "refunds"
            back = -1 if entry["type"] == "card_refund" else +1
            return {of_house: back * entry["amount"], "stripe_clearing": -back * entry["amount"]}
        sums: defaultdict[str, int] = defaultdict(int)
        for lot, amount in _pairs(entry["draws"]):
            name = "promotions" if self._is_credit(lot) else OUTSIDE[entry["source"]]
            sums[name] -= amount if total > 0 else -amount
        return dict(sums)

    def _sums(self) -> dict[str, int]:
        sums = dict.fromkeys(("wallet", "credit", "held", "held_credit", RESTRICTED), 0)
        for lot, amount in self.free.items():
            free = RESTRICTED if "meters" in self.terms[lot] else "credit"
            sums[free if self._is_credit(lot) else "wallet"] += amount
        for lot, amount in self.held.items():
            sums["held_credit" if self._is_credit(lot) else "held"] += amount
        return sums

    def _is_credit(self, lot: str) -> bool:
        return bool(self.terms[lot].get("kind") == "credit")

    def _hash(self, entry: Plain) -> str:
        def minor(name: str, micros: int) -> Plain:
            unit = MINOR_MICROS[self.currency]
            shown: Plain = {name: micros // unit}
            if micros % unit:
                shown[f"{name}_decimal"] = format((Decimal(micros) / unit).normalize(), "f")
            return shown

        shown = {
            "id": entry["pk"].split("#")[2],
            "account_id": self.account,
            "currency": self.currency,
            "seq": int(entry["gsi1sk"]),
            **{name: entry[name] for name in ("type", "source", "created_at", "prev")},
            "reference": entry.get("reference"),
            "details": entry.get("details", {}),
            **minor("amount", entry["amount"]),
            **minor("balance_after", entry["balance"]),
            **minor("held_after", entry.get("held", 0)),
            "postings": [
                {"account": name, **minor("amount", micros)}
                for name, micros in sorted(entry["postings"].items())
            ],
            "lots": [
                {"id": lot, **minor("amount", m)} for lot, m in _pairs(entry.get("draws", []))
            ],
        }
        if "hold_id" in entry:
            shown["hold_id"] = entry["hold_id"]
        text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    # How money moves

    def _shift(self, draws: Draws, *, free: int = 0, held: int = 0) -> None:
        for lot, amount in draws:
            self.free[lot] += free * amount
            self.held[lot] += held * amount

    def _rank(self, lot: str, *, pinned: bool = False) -> tuple[int, int, str, str, str]:
        if lot == "cash":
            return (2, 0, "", "", "")
        terms = self.pinned.get(lot, self.terms[lot]) if pinned else self.terms[lot]
        credit = terms["kind"] == "credit"
        priority = terms.get("prio", 0) if credit else 0
        return (1 - credit, priority, terms.get("until", "~"), terms["at"], lot)

    def _in_order(self, amount: int, at: str, meter: str | None = None) -> Draws:
        """What a draw of `amount` must take; what is missing comes from plain cash."""
        there = [lot for lot, left in self.free.items() if left > 0 and lot != "cash"]
        there = [lot for lot in there if self._pays(lot, meter)]
        live = sorted((lot for lot in there if self._until(lot) > at), key=self._rank)
        laid = [(lot, self.free[lot]) for lot in live]
        taken = _part(laid, 0, amount)
        rest = amount - sum(part for _, part in taken)
        return [*taken, ("cash", rest)] if rest else taken

    def _pays(self, lot: str, meter: str | None) -> bool:
        meters = self.terms[lot].get("meters")
        return meters is None or meter in meters

    def _until(self, lot: str) -> str:
        return str(self.terms[lot].get("until", "~"))

    def _in_rank(self, draws: Draws) -> Draws:
        sums: defaultdict[str, int] = defaultdict(int)
        for lot, amount in draws:
            sums[lot] += amount
        return sorted(sums.items(), key=lambda pair: self._rank(pair[0], pinned=True))

    # What each entry does

    def _introductory_credit(self, entry: Plain, draws: Draws) -> None:
        _need(entry["amount"] == 10_000_000 and self.currency == "usd", "not the usual credit")
        self._deposit(entry, draws)

    def _deposit(self, entry: Plain, draws: Draws) -> None:
        _need(sum(amount for _, amount in draws) == entry["amount"], "draws another amount")
        self._shift(draws, free=+1)

    def _withdrawal(self, entry: Plain, draws: Draws) -> None:
        _need(draws == [("cash", entry["amount"])], "takes more than plain cash")
        _need(self.free["cash"] >= entry["amount"], "takes cash that is not there")
        self._shift(draws, free=-1)

    def _usage(self, entry: Plain, draws: Draws) -> None:
        # The entry does not say what was measured: there must be something that explains it.
        meters = {each for terms in self.terms.values() for each in terms.get("meters", [])}
        amount, at = entry["amount"], entry["created_at"]
        ways = [self._in_order(amount, at, meter) for meter in (None, *sorted(meters))]
        _need(draws in ways, f"draws {draws}, in order were {ways}")
        self._shift(draws, free=-1)

    def _purchase(self, entry: Plain, draws: Draws) -> None:
        self._need_money(entry)
        self._need_order(draws, entry["amount"], entry["created_at"])
        self._shift(draws, free=-1)

    def _card_purchase(self, entry: Plain, draws: Draws) -> None:
        _need(draws == [("cash", entry["amount"])], "buys with more than a card")

    def _card_refund(self, entry: Plain, draws: Draws) -> None:
        _need(sum(amount for _, amount in draws) == entry["amount"], "draws another amount")
        if "refunds" not in entry["postings"]:
            self._shift(draws, free=-1)

    def _card_refund_failed(self, entry: Plain, draws: Draws) -> None:
        if "refunds" not in entry["postings"]:
            self._deposit(entry, draws)

    def _dispute_opened(self, entry: Plain, draws: Draws) -> None:
        name = entry["details"]["dispute_id"]
        _need(name not in self.frozen and name not in self.lost, "opened twice, or too late")
        owed = entry["details"]["disputed"] * MINOR_MICROS[self.currency]
        _need(entry["amount"] <= max(0, min(owed, self.free["cash"])), "freezes too much")
        _need(draws == _some_cash(entry["amount"]), "freezes more than plain cash")
        self._shift(draws, free=-1, held=+1)
        self.frozen[name] = entry["amount"]

    def _dispute_lost(self, entry: Plain, draws: Draws) -> None:
        name = entry["details"]["dispute_id"]
        _need(name not in self.lost, "lost twice")
        _need(draws == _some_cash(entry["amount"]), "takes more than plain cash")
        frozen = self.frozen[name]
        self._shift([("cash", frozen)], free=+1, held=-1)
        self._shift(draws, free=-1)
        self.frozen[name], self.lost[name] = 0, entry["amount"]

    def _dispute_won(self, entry: Plain, draws: Draws) -> None:
        name = entry["details"]["dispute_id"]
        frozen, lost = self.frozen[name], self.lost[name]
        _need(draws == _some_cash(frozen + lost), "gives back another amount")
        self._shift([("cash", frozen)], free=+1, held=-1)
        self._shift([("cash", lost)], free=+1)
        self.frozen[name] = self.lost[name] = 0

    def _adjustment(self, entry: Plain, draws: Draws) -> None:
        _need(draws == [("cash", entry["amount"])], "moves more than plain cash")
        self._shift(draws, free=-1 if entry["postings"]["wallet"] < 0 else +1)

    def _starter_credit(self, entry: Plain, draws: Draws) -> None:
        _need(entry["amount"] == 5_000_000 and self.currency == "usd", "not the starter credit")
        tags = [self.terms[lot].get("tag") for lot, _ in draws if lot != "cash"]
        _need(tags in ([], ["starter-credit"]), "not in one lot of its own")
        self._deposit(entry, draws)

    def _credit_scheduled(self, entry: Plain, draws: Draws) -> None:
        ((lot, amount),) = draws
        _need(amount == entry["amount"], "another amount")
        _need(self.terms[lot]["at"] > entry["created_at"], "its day has come")
        self.pending[lot] = amount
        self._granted(entry, lot)

    def _credit_grant(self, entry: Plain, draws: Draws) -> None:
        _need(sum(amount for _, amount in draws) == entry["amount"], "draws another amount")
        if entry["source"] == "system":
            due = {lot for lot in self.pending if self.terms[lot]["at"] <= entry["created_at"]}
            _need({lot for lot, _ in draws} == due, f"opens other than {due}")
            _need(all(self.pending.pop(lot) == amount for lot, amount in draws), "another amount")
        else:
            ((lot, _),) = draws
            _need(self.terms[lot]["at"] == entry["created_at"], "not of its time")
            self._granted(entry, lot)
        self._shift(draws, free=+1)

    def _coupon_credit(self, entry: Plain, draws: Draws) -> None:
        ((lot, amount),) = draws
        terms = self.terms[lot]
        _need(amount == entry["amount"], "another amount")
        _need((terms["kind"], terms["at"]) == ("credit", entry["created_at"]), "not of its time")
        self._shift(draws, free=+1)

    def _granted(self, entry: Plain, lot: str) -> None:
        _need(entry["reference"] == lot and lot not in self.grants, "granted twice")
        self.grants[lot] = {"amount": entry["amount"], "voided": None}

    def _credit_void(self, entry: Plain, draws: Draws) -> None:
        lot, at = entry["reference"], entry["created_at"]
        left = self.free.get(lot, 0)
        _need(draws == ([(lot, left)] if left else []), "does not take what is left")
        _need(self.grants[lot]["voided"] is None, "voided twice")
        self.grants[lot]["voided"] = at
        self.pending.pop(lot, None)
        self.voided.add(lot)
        self.pinned[lot] = self.terms[lot]
        self.terms[lot] = {**self.terms[lot], "until": self.terms[lot]["at"]}
        self._shift(draws, free=-1)

    def _lot_expiry(self, entry: Plain, draws: Draws) -> None:
        at = entry["created_at"]
        gone = {lot: self.free[lot] for lot in self.free if self._until(lot) <= at}
        _need(dict(draws) == {lot: left for lot, left in gone.items() if left}, "not what expired")
        self._shift(draws, free=-1)

    def _refund(self, entry: Plain, draws: Draws) -> None:
        charge = self.charges[entry["reference"]]
        charges = ("usage", "purchase", "capture", "hold_expiry")
        _need(charge["type"] in charges, "refund of no charge")
        given = self.refunded[entry["reference"]]
        back = _part(_pairs(charge["draws"]), sum(given), entry["amount"])
        _need(draws == back, "does not go back where it came from")
        given.append(entry["amount"])
        self._shift(draws, free=+1)

    def _hold(self, entry: Plain, draws: Draws) -> None:
        self._need_money(entry)
        self._need_order(draws, entry["amount"], entry["created_at"])
        self._shift(draws, free=-1, held=+1)
        _need(entry["hold_id"] not in self.holds, "placed twice")
        self.placed[entry["hold_id"]] = (entry["pk"].split("#")[2], entry["amount"])
        self._note(entry, {"draws": draws, "amount": entry["amount"], "status": "open"})

    def _extension(self, entry: Plain, draws: Draws) -> None:
        hold = self._open(entry)
        self._need_money(entry)
        self._need_order(draws, entry["amount"], entry["created_at"])
        self._shift(draws, free=-1, held=+1)
        merged = self._in_rank([*hold["draws"], *draws])
        _need(entry["hold"]["expires_at"] >= hold["expires_at"], "an extension that shortens")
        self._note(entry, {**hold, "draws": merged, "amount": hold["amount"] + entry["amount"]})

    def _capture(self, entry: Plain, draws: Draws) -> None:
        hold = self._open(entry)
        left = sum(amount for _, amount in hold["draws"])
        taken = min(left, entry["amount"])
        captured, rest = _part(hold["draws"], 0, taken), _part(hold["draws"], taken, left)
        self._shift(captured, held=-1)
        above = self._in_order(entry["amount"] - taken, entry["created_at"])
        _need(not above or entry["hold"].get("over_capture") == "overdraft", "above the hold")
        self._shift(above, free=-1)
        if above:
            _need(self._free_money(entry) >= -entry["hold"].get("overdraft", 0), "too far below 0")
        _need(draws == self._in_rank([*captured, *above]), "draws out of order")
        done = {**hold, "captured": hold["captured"] + entry["amount"], "draws": rest}
        if entry["hold"]["status"] == "captured":
            self._shift(rest, held=-1, free=+1)
            released = sum(amount for _, amount in rest)
            done |= {"draws": [], "status": "captured", "released": released}
            done["captured_last"] = entry["amount"]
        self._note(entry, done)

    def _release(self, entry: Plain, draws: Draws) -> None:
        hold = self._open(entry)
        _need(draws == hold["draws"], "does not give back what was held")
        self._shift(draws, held=-1, free=+1)
        released = {"status": "released", "released": entry["amount"]}
        self._note(entry, {**hold, "draws": [], **released})

    def _hold_expiry(self, entry: Plain, draws: Draws) -> None:
        hold = self._open(entry, due=True)
        captures = entry["hold"].get("expiry_policy") == "capture"
        _need(draws == hold["draws"], "does not close what was held")
        self._shift(draws, held=-1, free=0 if captures else +1)
        done = {**hold, "draws": [], "status": "expired"}
        if captures:
            done["captured"] += entry["amount"]
        done["captured_last" if captures else "released"] = entry["amount"]
        self._note(entry, done)

    def _open(self, entry: Plain, *, due: bool = False) -> Plain:
        hold = self.holds[entry["hold_id"]]
        _need(hold["status"] == "open", "closes twice")
        _need((hold["expires_at"] <= entry["created_at"]) is due, "out of time")
        return hold

    def _note(self, entry: Plain, hold: Plain) -> None:
        """Keep the hold, if it is what the entry says that it left behind."""
        told = dict(entry["hold"])
        if told.pop("as_drawn", False):
            told["draws"] = entry["draws"]
        scopes = told.get("scopes", [])
        _need(self.scopes.setdefault(entry["hold_id"], scopes) == scopes, "under other scopes")
        hold = {"captured": 0, "captured_last": 0, "released": 0, **hold}
        hold["expires_at"] = told["expires_at"]
        hold["version"] = hold.get("version", 0) + 1
        said = {name: told.get(name, 0) for name in hold.keys() - {"draws"}}
        said["draws"] = _pairs(told.get("draws", []))
        _need(said == hold, f"leaves the hold as {said}, not {hold}")
        closed_by = None if hold["status"] == "open" else entry["pk"].split("#")[2]
        _need(told.get("closed_by") == closed_by, "closed by another entry")
        self.holds[entry["hold_id"]] = hold

    def _free_money(self, entry: Plain) -> int:
        at = entry["created_at"]
        spendable = [lot for lot in self.free if self._until(lot) > at and self._pays(lot, None)]
        return sum(self.free[lot] for lot in spendable)

    def _need_money(self, entry: Plain) -> None:
        enough = self._free_money(entry) >= entry["amount"] or not entry["amount"]
        _need(enough, "holds more than there is")

    def _need_order(self, draws: Draws, amount: int, at: str) -> None:
        expected = self._in_order(amount, at)
        _need(draws == expected, f"draws {draws}, in order were {expected}")


class _Account:
    """What is stored of one account, against what was played."""

    def __init__(
        self, pk: str, stored: dict[str, Plain], plays: list[Play], entry_ids: set[str]
    ) -> None:
        _, self.tenant, _, self.id = pk.split("#")
        self.stored = stored
        self.plays = {play.currency: play for play in plays}
        self.entry_ids = entry_ids
        self.holds = {id_: hold for play in plays for id_, hold in play.holds.items()}
        self.placed = {id_: entry for play in plays for id_, entry in play.placed.items()}
        self.scopes = {id_: some for play in plays for id_, some in play.scopes.items()}

    def wrong(self) -> Iterator[str]:
        introduced = sum(play.types["introductory_credit"] for play in self.plays.values())
        if introduced != self._is_default():
            yield f"{introduced} introductory credits"
        yield from self._people()
        expected = {f"WALLET#{currency}" for currency in self.plays}
        expected |= {f"GRANT#{id_}" for play in self.plays.values() for id_ in play.grants}
        started = sum(play.types["starter_credit"] for play in self.plays.values())
        if started != ("STARTER" in self.stored):
            yield f"{started} starter credits"
        expected |= {f"HOLD#{hold_id}" for hold_id in self.holds}
        expected |= {f"REFUNDED#{id_}" for play in self.plays.values() for id_ in play.refunded}
        expected |= {
            f"DISPUTE#{id_}" for play in self.plays.values() for id_ in (*play.frozen, *play.lost)
        }
        kinds = ("WALLET#", "HOLD#", "REFUNDED#", "GRANT#", "DISPUTE#")
        if odd := expected ^ {sk for sk in self.stored if sk.startswith(kinds)}:
            yield f"stored and played differ in {sorted(odd)}"
            return
        for currency, play in self.plays.items():
            yield from self._wallet(self.stored[f"WALLET#{currency}"], play)
            for entry_id, amounts in play.refunded.items():
                item = self.stored[f"REFUNDED#{entry_id}"]
                if (item["refunded"], item["version"]) != (sum(amounts), len(amounts)):
                    yield f"refunds of {entry_id}"
                if sum(amounts) > play.charges[entry_id]["amount"]:
                    yield f"more refunded than charged by {entry_id}"
        for hold_id, hold in self.holds.items():
            item = self.stored[f"HOLD#{hold_id}"]
            told = {name: item.get(name, 0) for name in hold.keys() - {"draws"}}
            if {**told, "draws": _pairs(item.get("draws", []))} != hold:
                yield f"{hold_id} is stored as {item}, played as {hold}"
            if item.get("scopes", []) != self.scopes[hold_id]:
                yield f"{hold_id} is stored under {item.get('scopes')}"
        yield from self._hardware()

    def _is_default(self) -> bool:
        """Whether the account's id follows from its owner, as that of a default one does."""
        owner = self.stored.get("ACCOUNT", {}).get("owner", "")
        digest = hashlib.sha256(f"account\0{self.tenant}\0{owner}".encode()).digest()
        return self.id == f"acct_{base64.b32encode(digest).decode().lower()[:26]}"

    def _people(self) -> Iterator[str]:
        account = self.stored.get("ACCOUNT")
        alone = {sk.partition("#")[0] for sk in self.stored} - {"BUDGET"}
        if account is None and (self.plays or alone):
            yield f"is not there, and has {sorted(alone)}"
        for sk, item in self.stored.items():
            if sk.startswith("MEMBER#") and account and item["user"] == account["owner"]:
                yield "has its owner as a member"
            if sk.startswith("MEMBER#") and item["role"] not in ("admin", "member", "viewer"):
                yield f"has a member that is {item['role']}"
        is_closed = "closed_at" in (account or {})
        if is_closed and self._is_default():
            yield "is a default one, and closed"

    def _grant(self, grant_id: str, item: Plain, play: Play) -> Iterator[str]:
        made = play.grants[grant_id]
        told = {"amount": item["amount"], "voided": item.get("voided_at")}
        if told != made or item["version"] != 1 + (made["voided"] is not None):
            yield f"{grant_id} is stored as {item}, played as {made}"
        names = {"meters": "meters", "priority": "prio", "tags": "tag", "effective_at": "at"}
        if not made["voided"]:
            names["expires_at"] = "until"
        terms = play.terms[grant_id]
        for name, short in names.items():
            if (item.get(name) or None) != terms.get(short):
                yield f"{grant_id} has {name} {item.get(name)}, its lot {terms.get(short)}"

    def _wallet(self, item: Plain, play: Play) -> Iterator[str]:
        yield from (
            found
            for grant_id in play.grants
            for found in self._grant(grant_id, self.stored[f"GRANT#{grant_id}"], play)
        )
        waiting = {lot["id"]: lot["left"] for lot in item.get("pending", [])}
        if waiting != play.pending:
            yield f"wallet {play.currency} waits for {waiting}, played for {play.pending}"
        if item.get("charged", 0) != play.charged:
            yield f"wallet {play.currency} was charged {play.charged}"
        is_closed = "closed_at" in self.stored.get("ACCOUNT", {})
        if item.get("closed", False) != is_closed:
            yield f"wallet {play.currency} is closed or open, and its account is not"
        # What came since the wallet was empty, nobody could refuse.
        full = (item["cash"] or item.get("lots")) and play.since_empty - OUTSIDE.keys()
        if is_closed and (full or waiting or item.get("gsi2sk")):
            yield f"wallet {play.currency} is closed with something in it"
        lots = {lot["id"]: (lot["left"], lot.get("held", 0)) for lot in item.get("lots", [])}
        told = (item["seq"], item["head"], item["cash"], item.get("cash_held", 0), lots)
        names = (play.free.keys() | play.held.keys()) - {"cash"}
        pairs = {lot: (play.free[lot], play.held[lot]) for lot in names}
        lots = {lot: pair for lot, pair in pairs.items() if any(pair)}
        made = (play.number, play.head, play.free["cash"], play.held["cash"], lots)
        if told != made:
            yield f"wallet {play.currency} is stored as {told}, played as {made}"
        for lot in [*item.get("lots", []), *item.get("pending", [])]:
            terms = {name: lot[name] for name in lot.keys() - {"id", "left", "held"}}
            if terms != play.terms.get(lot["id"]):
                yield f"wallet {play.currency} has other terms for {lot['id']}"
        if {name: item[name] for name in play.counts} != play.counts:
            yield f"wallet {play.currency} counts other than {play.counts}"
        mine = {id_: hold for id_, hold in play.holds.items() if hold["status"] == "open"}
        holds_due = [hold["expires_at"] for hold in mine.values()]
        if mine and not (
            item.get("hold_due_at", "~") <= min(holds_due)
            and item.get("open_from", "~") <= min(mine)
        ):
            yield f"wallet {play.currency} would miss a hold"
        lots_due = [play._until(lot) for lot, (left, _) in lots.items() if left]
        lots_due += [play.terms[lot]["at"] for lot in play.pending]
        earliest = min((at for at in [*lots_due, *holds_due] if at != "~"), default="~")
        if item.get("gsi2sk", "~").split("#")[0] > earliest:
            yield f"wallet {play.currency} is due at {earliest}, the index says later"

    def _hardware(self) -> Iterator[str]:
        quoted: dict[str, str] = {}
        open_jobs: list[str] = []
        for hold_id, hold in self.holds.items():
            job = self.stored[f"HOLD#{hold_id}"].get("job")
            if job is None:
                continue
            if quoted.setdefault(job["quote_id"], hold_id) != hold_id:
                yield f"{job['quote_id']} was held twice"
            open_jobs += [job["job_id"]] * (hold["status"] == "open")
            pointer = self.stored.get(f"JOB#{job['job_id']}", {}).get("hold_id")
            last = self.stored.get(f"HOLD#{pointer}", {})
            is_its_own = last.get("job", {}).get("job_id") == job["job_id"]
            if not is_its_own or last["created_at"] < self.stored[f"HOLD#{hold_id}"]["created_at"]:
                yield f"{job['job_id']} points at {pointer}"
        if len(set(open_jobs)) != len(open_jobs):
            yield f"a job has two open holds: {open_jobs}"
        quotes = {sk.partition("#")[2]: q for sk, q in self.stored.items() if sk[:6] == "QUOTE#"}
        if odd := quoted.keys() - quotes.keys():
            yield f"held for quotes that are not there: {sorted(odd)}"
        for quote_id, quote in quotes.items():
            yield from self._quote(quote_id, quote, quoted.get(quote_id, ""))

    def _quote(self, quote_id: str, quote: Plain, hold_id: str) -> Iterator[str]:
        item = self.stored[f"HOLD#{hold_id}"] if hold_id else {}
        cents = -(-sum(line["unit"] * line["quantity"] for line in quote["line_items"]) // 10_000)
        placed = self.placed.get(hold_id, (None, cents * 10_000))
        if quote.get("used_by") != item.get("job", {}).get("job_id"):
            yield f"{quote_id} is used by {quote.get('used_by')}"
        if (quote.get("entry_id"), cents * 10_000) != placed:
            yield f"{quote_id} is of {cents} cents, its hold is {placed}"
        if quote_id.replace("quote_", "ent_") not in self.entry_ids:
            yield f"{quote_id} has no receipt"
