"""A second audit, written apart from `holdfast.audit` so that one mistake cannot hide in both.

It reads raw items and uses nothing of the ledger's code. And it goes another way: it plays the
entries of each wallet again from the first one, draws by the order of drawing, hold by hold, and
compares every step with what the entry says and the end with what is stored.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

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
}


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
    for item in map(plain, items):
        if item["sk"] == "ENTRY":
            entry_ids.add(item["pk"].split("#")[2])
            if "gsi1pk" in item:
                statements[item["gsi1pk"]].append(item)
        else:
            stored[item["pk"]][item["sk"]] = item
    found: list[str] = []
    played: defaultdict[str, list[Play]] = defaultdict(list)
    for place, entries in statements.items():
        play = Play(place)
        played[f"ORG#{play.tenant}#ACCT#{play.account}"].append(play)
        found += play.run(sorted(entries, key=lambda entry: entry["gsi1sk"]))
    for partition in stored.keys() | played.keys():
        account = _Account(stored[partition], played[partition], entry_ids)
        found += [f"{partition}: {what}" for what in account.wrong()]
    return found


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
        self.counts = {"credited": 0, "credits": 0, "debits": 0}
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
            terms = {name: draw[name] for name in draw.keys() - {"id", "amount"}}
            _need(self.terms.setdefault(draw["id"], terms) == terms, "terms of a lot have changed")
        self.types[entry["type"]] += 1
        getattr(self, f"_{entry['type']}")(entry, _pairs(entry.get("draws", [])))
        _need(all(left >= 0 for lot, left in self.free.items() if lot != "cash"), "lot below 0")
        _need(min(self.held.values(), default=0) >= 0, "held below 0")
        after = self._sums()
        moved = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        total = sum(moved.values())
        self._count(entry, total)
        house = {name: micros for name, micros in entry["postings"].items() if name not in after}
        posted = {name: micros for name, micros in entry["postings"].items() if name in after}
        _need(posted == moved, f"posts {posted}, moves {moved}")
        _need(sum(house.values()) == -total, "postings do not add up to zero")
        expected = self._house(entry, total)
        _need(house == expected, f"posts {house} on the house's side, not {expected}")
        _need(entry["balance"] == sum(after.values()), "balance")
        _need(entry.get("held", 0) == after["held"] + after["held_credit"], "held")

    def _count(self, entry: Plain, total: int) -> None:
        if total < 0:
            self.charges[entry["pk"].split("#")[2]] = entry
        self.counts["credited"] += max(0, total)
        self.counts["credits"] += total > 0
        self.counts["debits"] += total < 0

    def _house(self, entry: Plain, total: int) -> dict[str, int]:
        if entry["type"] != "lot_expiry":
            return {HOUSE[entry["type"]]: -total} if total else {}
        sums: defaultdict[str, int] = defaultdict(int)
        for lot, amount in _pairs(entry["draws"]):
            sums["promotions" if self._is_credit(lot) else "breakage"] += amount
        return dict(sums)

    def _sums(self) -> dict[str, int]:
        sums = dict.fromkeys(("wallet", "credit", "held", "held_credit"), 0)
        for lot, amount in self.free.items():
            sums["credit" if self._is_credit(lot) else "wallet"] += amount
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

    def _rank(self, lot: str) -> tuple[int, int, str, str, str]:
        if lot == "cash":
            return (2, 0, "", "", "")
        terms = self.terms[lot]
        credit = terms["kind"] == "credit"
        priority = terms.get("prio", 0) if credit else 0
        return (1 - credit, priority, terms.get("until", "~"), terms["at"], lot)

    def _in_order(self, amount: int, at: str) -> Draws:
        """What a draw of `amount` must take; what is missing comes from plain cash."""
        there = [lot for lot, left in self.free.items() if left > 0 and lot != "cash"]
        live = sorted((lot for lot in there if self._until(lot) > at), key=self._rank)
        laid = [(lot, self.free[lot]) for lot in live]
        taken = _part(laid, 0, amount)
        rest = amount - sum(part for _, part in taken)
        return [*taken, ("cash", rest)] if rest else taken

    def _until(self, lot: str) -> str:
        return str(self.terms[lot].get("until", "~"))

    def _in_rank(self, draws: Draws) -> Draws:
        sums: defaultdict[str, int] = defaultdict(int)
        for lot, amount in draws:
            sums[lot] += amount
        return sorted(sums.items(), key=lambda pair: self._rank(pair[0]))

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
        self._need_order(draws, entry["amount"], entry["created_at"])
        self._shift(draws, free=-1)

    def _lot_expiry(self, entry: Plain, draws: Draws) -> None:
        at = entry["created_at"]
        gone = {lot: self.free[lot] for lot in self.free if self._until(lot) <= at}
        _need(dict(draws) == {lot: left for lot, left in gone.items() if left}, "not what expired")
        self._shift(draws, free=-1)

    def _refund(self, entry: Plain, draws: Draws) -> None:
        charge = self.charges[entry["reference"]]
        _need(charge["type"] in ("usage", "capture", "hold_expiry"), "refund of no charge")
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
        return sum(left for lot, left in self.free.items() if self._until(lot) > at)

    def _need_money(self, entry: Plain) -> None:
        enough = self._free_money(entry) >= entry["amount"] or not entry["amount"]
        _need(enough, "holds more than there is")

    def _need_order(self, draws: Draws, amount: int, at: str) -> None:
        expected = self._in_order(amount, at)
        _need(draws == expected, f"draws {draws}, in order were {expected}")


class _Account:
    """What is stored of one account, against what was played."""

    def __init__(self, stored: dict[str, Plain], plays: list[Play], entry_ids: set[str]) -> None:
        self.stored = stored
        self.plays = {play.currency: play for play in plays}
        self.entry_ids = entry_ids
        self.holds = {id_: hold for play in plays for id_, hold in play.holds.items()}
        self.placed = {id_: entry for play in plays for id_, entry in play.placed.items()}

    def wrong(self) -> Iterator[str]:
        introduced = sum(play.types["introductory_credit"] for play in self.plays.values())
        if introduced != ("ACCOUNT" in self.stored):
            yield f"{introduced} introductory credits"
        expected = {f"WALLET#{currency}" for currency in self.plays}
        expected |= {f"HOLD#{hold_id}" for hold_id in self.holds}
        expected |= {f"REFUNDED#{id_}" for play in self.plays.values() for id_ in play.refunded}
        kinds = ("WALLET#", "HOLD#", "REFUNDED#")
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
        yield from self._hardware()

    def _wallet(self, item: Plain, play: Play) -> Iterator[str]:
        lots = {lot["id"]: (lot["left"], lot.get("held", 0)) for lot in item.get("lots", [])}
        told = (item["seq"], item["head"], item["cash"], item.get("cash_held", 0), lots)
        names = (play.free.keys() | play.held.keys()) - {"cash"}
        pairs = {lot: (play.free[lot], play.held[lot]) for lot in names}
        lots = {lot: pair for lot, pair in pairs.items() if any(pair)}
        made = (play.number, play.head, play.free["cash"], play.held["cash"], lots)
        if told != made:
            yield f"wallet {play.currency} is stored as {told}, played as {made}"
        for lot in item.get("lots", []):
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
