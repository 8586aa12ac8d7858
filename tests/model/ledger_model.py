"""A plain model of the ledger: what each operation does, in integers and dicts.

Written from the architecture and the contract pages, not from the code that it judges. It knows no
storage, no keys, no retries, no hashes. Amounts are micros, instants milliseconds. Ids are made by
others; the model only demands that a new one is new.
"""

from collections import Counter, defaultdict
from typing import Any, NamedTuple

type Place = tuple[str, str, str]  # tenant, user, currency
type Draws = list[tuple[str, int]]
type Line = dict[str, Any]
type Moves = list[tuple[Draws, int, int]]  # draws; what becomes of free, of held with them

NEVER = 10**18
AMOUNT_MAX = 10**15
WALLET_MAX = 10**17
LOTS_MAX = 200
INTRODUCTORY = 10_000_000
CHARGES = ("usage", "capture", "hold_expiry")


class Refused(Exception):
    """The caller cannot have it; `args[0]` is the code. Nothing has changed."""


class Answered(Exception):
    """Nothing to do: the entry `args[0]` did it before. Nothing has changed."""


class Ask(NamedTuple):
    """Whose wallet, when, and the id of the entry that the answer would be."""

    place: Place
    entry: str
    now: int


def part(draws: Draws, start: int, size: int) -> Draws:
    """The micros from number `start` on, `size` of them, of draws laid end to end."""
    taken, place = [], 0
    for lot, amount in draws:
        low, high = max(start, place), min(start + size, place + amount)
        if low < high:
            taken.append((lot, high - low))
        place += amount
    return taken


def total(draws: Draws) -> int:
    return sum(amount for _, amount in draws)


class Model:
    """All wallets of all tenants. A pot is the money of one lot: what is free, what is held."""

    def __init__(self) -> None:
        self.accounts: set[tuple[str, ...]] = set()
        self.terms: dict[str, tuple[str, int, int]] = {"cash": ("cash", 0, NEVER)}
        self.pots: defaultdict[Place, dict[str, tuple[int, int]]] = defaultdict(dict)
        self.counts: defaultdict[Place, Counter[str]] = defaultdict(Counter)
        self.entries: dict[str, Line] = {}
        self.refunds: defaultdict[str, list[int]] = defaultdict(list)
        self.holds: dict[str, Line] = {}
        self.open: defaultdict[Place, set[str]] = defaultdict(set)

    def available(self, place: Place, now: int) -> int:
        """What can be spent: plain cash, and lots whose time has not come."""
        return total(self._free(place, now)) + min(0, self.pots[place].get("cash", (0, 0))[0])

    def due_lots(self, place: Place, now: int) -> Draws:
        """What is to expire, in the order of drawing."""
        free = self._free(place, -1)
        return [(lot, amount) for lot, amount in free if self.terms[lot][2] <= now]

    def due_holds(self, place: Place, now: int) -> list[str]:
        """Open holds whose time has come."""
        return [hold_id for hold_id in self.open[place] if self.holds[hold_id]["until"] <= now]

    def _rank(self, lot: str) -> tuple[int, int, int, str]:
        """Credit first, then cash that expires, then plain cash; the earliest, then the oldest."""
        kind, granted, until = self.terms[lot]
        return (0 if kind == "credit" else 2 if lot == "cash" else 1, until, granted, lot)

    def _free(self, place: Place, now: int) -> Draws:
        pots = [(lot, free) for lot, (free, _) in self.pots[place].items() if free > 0]
        live = [draw for draw in pots if self.terms[draw[0]][2] > now]
        return sorted(live, key=lambda draw: self._rank(draw[0]))

    def _draw(self, ask: Ask, amount: int) -> Draws:
        """`amount` in the order of drawing; what there is not comes from plain cash."""
        lots = [draw for draw in self._free(ask.place, ask.now) if draw[0] != "cash"]
        taken = part(lots, 0, amount)
        rest = amount - total(taken)
        return [*taken, ("cash", rest)] if rest else taken

    def _merge(self, draws: Draws) -> Draws:
        sums: Counter[str] = Counter()
        for lot, amount in draws:
            sums[lot] += amount
        return sorted(sums.items(), key=lambda draw: self._rank(draw[0]))

    def _write(self, ask: Ask, what: str, moves: Moves, house: str = "", **more: Any) -> Line:
        """Move the money, and say so in one line of the ledger."""
        pots, postings = dict(self.pots[ask.place]), Counter[str]()
        for draws, to_free, to_held in moves:
            for lot, micros in draws:
                free, held = pots.get(lot, (0, 0))
                pots[lot] = (free + to_free * micros, held + to_held * micros)
                credit = self.terms[lot][0] == "credit"
                postings["credit" if credit else "wallet"] += to_free * micros
                postings["held_credit" if credit else "held"] += to_held * micros
                kept = "promotions" if what == "lot_expiry" and credit else house
                postings[kept] -= (to_free + to_held) * micros
        pots = {lot: pair for lot, pair in pots.items() if any(pair)}
        assert all(min(pair) >= 0 for lot, pair in pots.items() if lot != "cash"), "lot below zero"
        if len(pots.keys() - {"cash"}) > max(LOTS_MAX, len(self.pots[ask.place].keys() - {"cash"})):
            raise Refused("too_many_lots")
        held = sum(held for _, held in pots.values())
        balance = held + sum(free for free, _ in pots.values())
        if abs(balance) > WALLET_MAX:
            raise Refused("amount_too_large")
        assert ask.entry not in self.entries, f"{ask.entry} is there already"
        line: Line = {"place": ask.place, "type": what, "balance": balance, "held": held}
        line |= {"draws": moves[0][0], "reference": None, "hold": None, **more}
        line["amount"] = total(line["draws"])
        line["delta"] = balance - sum(map(sum, self.pots[ask.place].values()))
        line["postings"] = {name: micros for name, micros in postings.items() if micros}
        self.pots[ask.place] = pots
        self.entries[ask.entry] = line
        self._count(line)
        return line

    def _count(self, line: Line) -> None:
        counts = self.counts[line["place"]]
        counts["seq"] += 1
        counts["credited"] += max(0, line["delta"])
        counts["credits"] += line["delta"] > 0
        counts["debits"] += line["delta"] < 0
        if hold := line["hold"]:
            self.holds[hold["id"]] = hold
            holds = self.open[hold["place"]]
            (holds.add if hold["status"] == "open" else holds.discard)(hold["id"])

    def _bound(self, amount: int) -> None:
        if amount > AMOUNT_MAX:
            raise Refused("amount_too_large")

    # Money in and out

    def introduce(self, ask: Ask, lot: str) -> Line:
        assert ask.place[2] == "usd"
        assert ask.place[:2] not in self.accounts, "introduced twice"
        self.accounts.add(ask.place[:2])
        self.terms[lot] = ("credit", ask.now, NEVER)
        moves = [([(lot, INTRODUCTORY)], +1, 0)]
        return self._write(ask, "introductory_credit", moves, "promotions")

    def deposit(self, ask: Ask, amount: int, lot: str, until: int | None) -> Line:
        """Cash in. With an expiry it pays first what plain cash is short of, then is a lot."""
        self._bound(amount)
        draws = [("cash", amount)]
        if until is not None:
            debt = min(amount, max(0, -self.pots[ask.place].get("cash", (0, 0))[0]))
            self.terms[lot] = ("cash", ask.now, until)
            draws = [draw for draw in (("cash", debt), (lot, amount - debt)) if draw[1]]
        return self._write(ask, "deposit", [(draws, +1, 0)], "deposits")

    def withdraw(self, ask: Ask, amount: int) -> Line:
        """Plain cash out; no credit, and no cash that expires."""
        self._bound(amount)
        if amount > self.pots[ask.place].get("cash", (0, 0))[0]:
            raise Refused("insufficient_funds")
        return self._write(ask, "withdrawal", [([("cash", amount)], -1, 0)], "withdrawals")

    def use(self, ask: Ask, amount: int, reference: str | None) -> Line:
        """A charge for work that was done, below zero if need be."""
        self._bound(amount)
        moves = [(self._draw(ask, amount), -1, 0)]
        return self._write(ask, "usage", moves, "revenue", reference=reference)

    def refund(self, ask: Ask, charge_id: str, amount: int) -> Line:
        """Part of a charge back to where it came from, in the order in which it was drawn."""
        self._bound(amount)
        charge = self.entries.get(charge_id)
        if charge is None or charge["place"][:2] != ask.place[:2]:
            raise Refused("transaction_not_found")
        if charge["place"] != ask.place:
            raise Refused("invalid_field")
        if charge["type"] not in CHARGES or charge["delta"] >= 0:
            raise Refused("not_refundable")
        done = sum(self.refunds[charge_id])
        if amount > charge["amount"] - done:
            raise Refused("refund_exceeded")
        moves = [(part(charge["draws"], done, amount), +1, 0)]
        line = self._write(ask, "refund", moves, "refunds", reference=charge_id)
        self.refunds[charge_id].append(amount)
        return line

    def expire_lots(self, ask: Ask) -> Line:
        """What nobody spent in time is gone."""
        due = self.due_lots(ask.place, ask.now)
        reference = due[0][0] if len(due) == 1 else None
        return self._write(ask, "lot_expiry", [(due, -1, 0)], "breakage", reference=reference)

    # Holds

    def hold(self, ask: Ask, hold_id: str, amount: int, until: int, **more: Any) -> Line:
        """Money set aside."""
        self._bound(amount)
        if amount > self.available(ask.place, ask.now):
            raise Refused("insufficient_funds")
        assert hold_id not in self.holds, f"{hold_id} is there already"
        draws = self._draw(ask, amount)
        hold = {"id": hold_id, "place": ask.place, "status": "open", "amount": amount}
        hold |= {"draws": draws, "until": until, "captured": 0, "last": 0, "released": 0}
        hold |= {"closed_by": None, "policy": "release", "over": "reject", "limit": 0}
        hold |= {"reference": None, "job": None, **more}
        return self._write(ask, "hold", [(draws, -1, +1)], hold=hold, reference=hold["reference"])

    def extend(self, ask: Ask, hold_id: str, amount: int, until: int | None) -> Line:
        """More money, more time, or both; never less."""
        hold = self._open(ask, hold_id)
        self._bound(hold["amount"] + amount)
        if amount and amount > self.available(hold["place"], ask.now):
            raise Refused("insufficient_funds")
        draws = self._draw(ask, amount)
        after = {**hold, "amount": hold["amount"] + amount}
        after["draws"] = self._merge([*hold["draws"], *draws])
        after["until"] = max(hold["until"], until or 0)
        return self._write(
            ask, "extension", [(draws, -1, +1)], hold=after, reference=hold["reference"]
        )

    def capture(self, ask: Ask, hold_id: str, amount: int, final: bool) -> Line:
        """Take from the hold; above it as its policy says; a final one gives back the rest."""
        self._bound(amount)
        hold = self._open(ask, hold_id)
        there, above = min(amount, total(hold["draws"])), []
        if amount > there and hold["over"] == "reject":
            raise Refused("hold_exceeded")
        if amount > there and hold["over"] == "overdraft":
            if amount - there > self.available(hold["place"], ask.now) + hold["limit"]:
                raise Refused("insufficient_funds")
            above = self._draw(ask, amount - there)
        taken, rest = there + total(above), part(hold["draws"], there, AMOUNT_MAX)
        captured = part(hold["draws"], 0, there)
        after = {**hold, "captured": hold["captured"] + taken, "draws": [] if final else rest}
        if final:
            after |= {"status": "captured", "last": taken, "released": total(rest)}
            after["closed_by"] = ask.entry
        moves = [(captured, 0, -1), (above, -1, 0), (rest if final else [], +1, -1)]
        draws = self._merge([*captured, *above])
        more = {"draws": draws, "hold": after, "reference": hold["reference"]}
        return self._write(ask, "capture", moves, "revenue", **more)

    def release(self, ask: Ask, hold_id: str) -> Line:
        """All that is left back. A second time, or after the expiry, changes nothing."""
        hold = self._known(ask, hold_id)
        if hold["status"] == "captured":
            raise Refused("hold_closed")
        if hold["status"] != "open":
            raise Answered(hold["closed_by"])
        if hold["until"] <= ask.now:
            return self.expire_hold(ask, hold_id)
        return self._close(ask, hold, "released", "release")

    def expire_hold(self, ask: Ask, hold_id: str) -> Line:
        """Time is up: back it goes, or it is captured, as its policy says."""
        hold = self.holds[hold_id]
        assert hold["status"] == "open", "expired after it was closed"
        assert hold["until"] <= ask.now, "expired before its time"
        return self._close(ask, hold, "expired", "hold_expiry")

    def _close(self, ask: Ask, hold: Line, status: str, what: str) -> Line:
        back, captures = hold["draws"], status == "expired" and hold["policy"] == "capture"
        after = {**hold, "status": status, "draws": [], "closed_by": ask.entry}
        after |= {"last" if captures else "released": total(back)}
        after["captured"] += total(back) if captures else 0
        moves, house = [(back, 0 if captures else +1, -1)], "revenue" if captures else ""
        return self._write(ask, what, moves, house, hold=after, reference=hold["reference"])

    def _known(self, ask: Ask, hold_id: str) -> Line:
        hold = self.holds.get(hold_id)
        if hold is None or hold["place"][:2] != ask.place[:2]:
            raise Refused("hold_not_found")
        return hold

    def _open(self, ask: Ask, hold_id: str) -> Line:
        hold = self._known(ask, hold_id)
        if hold["status"] == "expired" or (hold["status"] == "open" and hold["until"] <= ask.now):
            raise Refused("hold_expired")
        if hold["status"] != "open":
            raise Refused("hold_closed")
        return hold
