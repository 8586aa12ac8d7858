"""A plain model of the ledger: what each operation does, in integers and dicts.

Written from the architecture and the contract pages, not from the code that it judges. It knows no
storage, no keys, no retries, no hashes. Amounts are micros, instants milliseconds. Ids are made by
others; the model only demands that a new one is new.
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

type Place = tuple[str, str, str]  # tenant, user, currency
type Draws = list[tuple[str, int]]
type Line = dict[str, Any]
type Moves = list[tuple[Draws, int, int]]  # draws; what becomes of free, of held with them
type Count = tuple[str, str, str, str, str, str]  # tenant, user, kind, id, currency, window

NEVER = 10**18
AMOUNT_MAX = 10**15
WALLET_MAX = 10**17
LOTS_MAX = 200
INTRODUCTORY = 10_000_000
STARTER = 5_000_000
STARTER_LIFE = 30 * 24 * 3_600_000
SPENDING = ("revenue", "withdrawals", "adjustments")
PERIODS = {"day": "%Y-%m-%d", "month": "%Y-%m", "total": ""}
CHARGES = ("usage", "capture", "hold_expiry")


class Refused(Exception):
    """The caller cannot have it; `args[0]` is the code. Nothing has changed."""


class Answered(Exception):
    """Nothing to do: the entry `args[0]` did it before. Nothing has changed."""


class Scope(NamedTuple):
    """A limit on what is spent under a name in a window, counted by somebody's account."""

    place: Count
    limit: int


class Ask(NamedTuple):
    """Whose wallet, when, the id of the entry that the answer would be, and the caller's caps."""

    place: Place
    entry: str
    now: int
    caps: tuple[Scope, ...] = ()


class Terms(NamedTuple):
    """What stays true of a lot."""

    kind: str
    granted: int
    until: int
    priority: int = 0
    meters: tuple[str, ...] = ()
    given: bool = False


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


def period(window: str, now: int) -> str:
    """The UTC day or month that an instant lies in; nothing for all time."""
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now)).strftime(
        PERIODS[window]
    )


def merged(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """Each name once, under the lowest of its limits."""
    limits: dict[Count, int] = {}
    for count, limit in scopes:
        limits[count] = min(limit, limits.get(count, limit))
    return tuple(Scope(*each) for each in limits.items())


class Model:
    """All wallets of all tenants. A pot is the money of one lot: what is free, what is held."""

    def __init__(self) -> None:
        self.accounts: set[tuple[str, ...]] = set()
        self.terms: dict[str, Terms] = {"cash": Terms("cash", 0, NEVER)}
        self.pinned: dict[str, Terms] = {}
        self.pending: defaultdict[Place, dict[str, int]] = defaultdict(dict)
        self.grants: dict[str, Line] = {}
        self.started: dict[tuple[str, ...], str] = {}
        self.cards: set[tuple[str, ...]] = set()
        self.budgets: defaultdict[Count, Line] = defaultdict(
            lambda: {"period": "", "spent": 0, "held": 0, "version": 0}
        )
        self.pots: defaultdict[Place, dict[str, tuple[int, int]]] = defaultdict(dict)
        self.counts: defaultdict[Place, Counter[str]] = defaultdict(Counter)
        self.entries: dict[str, Line] = {}
        self.refunds: defaultdict[str, list[int]] = defaultdict(list)
        self.holds: dict[str, Line] = {}
        self.open: defaultdict[Place, set[str]] = defaultdict(set)

    def available(self, place: Place, now: int) -> int:
        """What can be spent on anything: plain cash, and lots in their time."""
        come = [(lot, amount) for lot, amount in self.due_pending(place, now)]
        live = [draw for draw in come if self.terms[draw[0]].until > now]
        free = [draw for draw in [*self._free(place, now), *live] if self._pays(draw[0], None)]
        return total(free) + min(0, self.pots[place].get("cash", (0, 0))[0])

    def due_pending(self, place: Place, now: int) -> Draws:
        """What waited for a day that has come, in the order of drawing."""
        waiting = self.pending[place].items()
        come = [(lot, amount) for lot, amount in waiting if self.terms[lot].granted <= now]
        return sorted(come, key=lambda draw: self._rank(draw[0]))

    def _pays(self, lot: str, meter: str | None) -> bool:
        meters = self.terms[lot].meters
        return not meters or meter in meters

    def due_lots(self, place: Place, now: int) -> Draws:
        """What is to expire, in the order of drawing."""
        free = self._free(place, -1)
        return [(lot, amount) for lot, amount in free if self.terms[lot].until <= now]

    def due_holds(self, place: Place, now: int) -> list[str]:
        """Open holds whose time has come."""
        return [hold_id for hold_id in self.open[place] if self.holds[hold_id]["until"] <= now]

    def _rank(self, lot: str, *, pinned: bool = False) -> tuple[int, int, int, int, str]:
        """Credit first, by priority, then cash that expires, then plain cash; earliest, oldest."""
        terms = self.pinned.get(lot, self.terms[lot]) if pinned else self.terms[lot]
        kind = 0 if terms.kind == "credit" else 2 if lot == "cash" else 1
        return (kind, 0 if kind else terms.priority, terms.until, terms.granted, lot)

    def _free(self, place: Place, now: int) -> Draws:
        pots = [(lot, free) for lot, (free, _) in self.pots[place].items() if free > 0]
        live = [draw for draw in pots if self.terms[draw[0]].until > now]
        return sorted(live, key=lambda draw: self._rank(draw[0]))

    def _draw(self, ask: Ask, amount: int, meter: str | None = None) -> Draws:
        """`amount` in the order of drawing; what there is not comes from plain cash."""
        free = [draw for draw in self._free(ask.place, ask.now) if draw[0] != "cash"]
        lots = [draw for draw in free if self._pays(draw[0], meter)]
        taken = part(lots, 0, amount)
        rest = amount - total(taken)
        return [*taken, ("cash", rest)] if rest else taken

    def _merge(self, draws: Draws) -> Draws:
        sums: Counter[str] = Counter()
        for lot, amount in draws:
            sums[lot] += amount
        return sorted(sums.items(), key=lambda draw: self._rank(draw[0], pinned=True))

    def _write(self, ask: Ask, what: str, moves: Moves, house: str = "", **more: Any) -> Line:
        """Move the money, and say so in one line of the ledger."""
        own = more["hold"]["scopes"] if more.get("hold") else ()
        spent = sum(max(0, -(free + held) * total(draws)) for draws, free, held in moves)
        held = sum(held * total(draws) for draws, _, held in moves)
        counted = self._counted(ask, own, held, spent if house in SPENDING else 0)
        pots, postings = dict(self.pots[ask.place]), Counter[str]()
        for draws, to_free, to_held in moves:
            for lot, micros in draws:
                free, held = pots.get(lot, (0, 0))
                pots[lot] = (free + to_free * micros, held + to_held * micros)
                terms = self.terms[lot]
                credit = terms.kind == "credit"
                name = "restricted_credit" if terms.meters else "credit" if credit else "wallet"
                postings[name] += to_free * micros
                postings["held_credit" if credit else "held"] += to_held * micros
                gift = what == "lot_expiry" and (credit or terms.given)
                postings["promotions" if gift else house] -= (to_free + to_held) * micros
        pots = {lot: pair for lot, pair in pots.items() if any(pair)}
        assert all(min(pair) >= 0 for lot, pair in pots.items() if lot != "cash"), "lot below zero"
        self._need_place(ask.place, len(pots.keys() - {"cash"}))
        before, (balance, held, cash) = self._sums(self.pots[ask.place]), self._sums(pots)
        beyond = sum(free for lot, (free, _) in pots.items() if self.terms[lot].meters)
        beyond += sum(self.pending[ask.place].values())
        if abs(balance) + beyond > WALLET_MAX and not more.get("by_time"):
            raise Refused("amount_too_large")
        assert ask.entry not in self.entries, f"{ask.entry} is there already"
        line: Line = {"place": ask.place, "type": what, "balance": balance, "held": held}
        line |= {"draws": moves[0][0], "reference": None, "hold": None, "cash": cash, **more}
        line["amount"] = total(line["draws"])
        line["delta"] = balance - before[0]
        line["postings"] = {name: micros for name, micros in postings.items() if micros}
        self.pots[ask.place] = pots
        self.entries[ask.entry] = line
        self.budgets |= counted
        self._count(line)
        return line

    def _sums(self, pots: dict[str, tuple[int, int]]) -> tuple[int, int, int]:
        """The balance, what of it is held, and what of it was paid in."""
        kinds = [(self.terms[lot], free, held) for lot, (free, held) in pots.items()]
        held = sum(held for _, _, held in kinds)
        balance = held + sum(free for terms, free, _ in kinds if not terms.meters)
        return (
            balance,
            held,
            sum(free + held for terms, free, held in kinds if terms.kind == "cash"),
        )

    def _need_place(self, place: Place, lots: int) -> None:
        is_more = lots > len(self.pots[place].keys() - {"cash"})
        if is_more and lots + len(self.pending[place]) > LOTS_MAX:
            raise Refused("too_many_lots")

    # Budgets

    def _counted(
        self, ask: Ask, own: tuple[Scope, ...], held: int, spent: int
    ) -> dict[Count, Line]:
        """The budgets as they would be: those of the hold, and the caps of the caller."""
        after: dict[Count, Line] = {}
        names = {count for count, _ in own}
        for count, limit in (*own, *(cap for cap in ask.caps if cap.place not in names)):
            # A cap that the hold was not placed under counts what is taken out of it in full.
            more_held = held if count in names else 0
            budget, now_in = self.budgets[count], period(count[5], ask.now)
            before = budget["spent"] if budget["period"] >= now_in else 0
            same = count[4] == ask.place[2]
            room = limit - budget["held"] - before if same else 0
            if more_held + spent > max(0, room):
                raise Refused("budget_exceeded")
            if more_held or spent:
                after[count] = {
                    "period": max(budget["period"], now_in),
                    "spent": before + spent,
                    "held": budget["held"] + more_held,
                    "version": budget["version"] + 1,
                }
                assert after[count]["held"] >= 0, "a budget that holds less than nothing"
        return after

    def _count(self, line: Line) -> None:
        counts = self.counts[line["place"]]
        counts["seq"] += 1
        counts["credited"] += max(0, line["delta"])
        counts["credits"] += line["delta"] > 0
        counts["debits"] += line["delta"] < 0
        counts["charged"] += line["postings"].get("revenue", 0)
        counts["charged"] += line["postings"].get("refunds", 0)
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
        self.terms[lot] = Terms("credit", ask.now, NEVER)
        moves = [([(lot, INTRODUCTORY)], +1, 0)]
        return self._write(ask, "introductory_credit", moves, "promotions")

    def deposit(self, ask: Ask, amount: int, lot: str, until: int | None) -> Line:
        """Cash in. With an expiry it pays first what plain cash is short of, then is a lot."""
        self._bound(amount)
        draws = [("cash", amount)]
        if until is not None:
            draws = self._paid_in(ask, amount, lot, Terms("cash", ask.now, until))
        return self._write(ask, "deposit", [(draws, +1, 0)], "deposits")

    def _paid_in(self, ask: Ask, amount: int, lot: str, terms: Terms) -> Draws:
        debt = min(amount, max(0, -self.pots[ask.place].get("cash", (0, 0))[0]))
        self.terms[lot] = terms
        return [draw for draw in (("cash", debt), (lot, amount - debt)) if draw[1]]

    def starter(self, ask: Ask, lot: str) -> Line:
        """Five dollars for thirty days, once, for whoever has a card on file."""
        person = ask.place[:2]
        if person in self.started:
            raise Refused("starter_credit_granted")
        if person not in self.cards:
            raise Refused("payment_method_needed")
        terms = Terms("cash", ask.now, ask.now + STARTER_LIFE, given=True)
        draws = self._paid_in(ask, STARTER, lot, terms)
        line = self._write(ask, "starter_credit", [(draws, +1, 0)], "promotions")
        self.started[person] = ask.entry
        return line

    def grant(self, ask: Ask, lot: str, amount: int, terms: Terms) -> Line:
        """Credit, now or on its day."""
        self._bound(amount)
        self.terms[lot] = terms
        what, moves, waits = "credit_grant", [([(lot, amount)], +1, 0)], terms.granted > ask.now
        if waits:
            if (
                len(self.pots[ask.place].keys() - {"cash"}) + len(self.pending[ask.place])
                >= LOTS_MAX
            ):
                raise Refused("too_many_lots")
            what, moves = "credit_scheduled", [([], +1, 0)]
            self.pending[ask.place][lot] = amount
        try:
            line = self._write(ask, what, moves, "promotions", draws=[(lot, amount)], reference=lot)
        except Refused:
            self.pending[ask.place].pop(lot, None)
            raise
        self.grants[lot] = {"place": ask.place, "amount": amount, "voided": None}
        return line

    def open_pending(self, ask: Ask) -> Line:
        """The day of some credit has come."""
        come = self.due_pending(ask.place, ask.now)
        for lot, _ in come:
            del self.pending[ask.place][lot]
        reference = come[0][0] if len(come) == 1 else None
        more = {"reference": reference, "by_time": True}
        return self._write(ask, "credit_grant", [(come, +1, 0)], "promotions", **more)

    def void(self, ask: Ask, lot: str) -> Line:
        """What nobody has spent of a grant is taken back; what comes back later, expires."""
        grant = self.grants.get(lot)
        if grant is None or grant["place"][0] != ask.place[0]:
            raise Refused("credit_grant_not_found")
        if grant["voided"] is not None:
            raise Refused("credit_grant_voided")
        left = self.pots[grant["place"]].get(lot, (0, 0))[0]
        self.pending[grant["place"]].pop(lot, None)
        draws = [(lot, left)] if left else []
        line = self._write(ask, "credit_void", [(draws, -1, 0)], "promotions", reference=lot)
        # Its time never was; what holds have pinned of it they keep under the terms it had.
        self.pinned[lot] = self.terms[lot]
        self.terms[lot] = self.terms[lot]._replace(until=self.terms[lot].granted)
        grant["voided"] = ask.now
        return line

    def adjust(self, ask: Ask, amount: int, down: bool) -> Line:
        """Plain cash put right by hand, below zero if need be."""
        self._bound(amount)
        moves = [([("cash", amount)], -1 if down else +1, 0)]
        return self._write(ask, "adjustment", moves, "adjustments")

    def withdraw(self, ask: Ask, amount: int) -> Line:
        """Plain cash out; no credit, and no cash that expires."""
        self._bound(amount)
        self._counted(ask, (), 0, amount)
        if amount > self.pots[ask.place].get("cash", (0, 0))[0]:
            raise Refused("insufficient_funds")
        return self._write(ask, "withdrawal", [([("cash", amount)], -1, 0)], "withdrawals")

    def use(self, ask: Ask, amount: int, reference: str | None, meter: str | None = None) -> Line:
        """A charge for work that was done, below zero if need be; a meter's from its credit too."""
        self._bound(amount)
        moves = [(self._draw(ask, amount, meter), -1, 0)]
        return self._write(ask, "usage", moves, "revenue", reference=reference)

    def refund(self, ask: Ask, charge_id: str, amount: int) -> Line:
        """Part of a charge back to where it came from, in the order in which it was drawn."""
        self._bound(amount)
        charge = self.entries.get(charge_id)
        if charge is None or charge["place"][:2] != ask.place[:2]:
            raise Refused("transaction_not_found")
        if charge["place"] != ask.place:
            raise Refused("invalid_field")
        if charge["type"] not in CHARGES or charge["postings"].get("revenue", 0) <= 0:
            raise Refused("not_refundable")
        done = sum(self.refunds[charge_id])
        if amount > charge["amount"] - done:
            raise Refused("refund_exceeded")
        back = part(charge["draws"], done, amount)
        moves = [(back, +1, 0)]
        line = self._write(ask, "refund", moves, "refunds", reference=charge_id)
        self.refunds[charge_id].append(amount)
        return line

    def expire_lots(self, ask: Ask) -> Line:
        """What nobody spent in time is gone."""
        due = self.due_lots(ask.place, ask.now)
        reference = due[0][0] if len(due) == 1 else None
        more = {"reference": reference, "by_time": True}
        return self._write(ask, "lot_expiry", [(due, -1, 0)], "breakage", **more)

    # Holds

    def hold(
        self,
        ask: Ask,
        hold_id: str,
        amount: int,
        until: int,
        scopes: tuple[Scope, ...] = (),
        **more: Any,
    ) -> Line:
        """Money set aside, under all scopes that are named and all caps of the caller."""
        self._bound(amount)
        scopes = merged((*scopes, *ask.caps))
        self._counted(ask, scopes, amount, 0)
        if amount > self.available(ask.place, ask.now):
            raise Refused("insufficient_funds")
        assert hold_id not in self.holds, f"{hold_id} is there already"
        draws = self._draw(ask, amount)
        hold = {"id": hold_id, "place": ask.place, "status": "open", "amount": amount}
        hold |= {"draws": draws, "until": until, "captured": 0, "last": 0, "released": 0}
        hold |= {"closed_by": None, "policy": "release", "over": "reject", "limit": 0}
        hold |= {"reference": None, "job": None, "scopes": scopes, **more}
        return self._write(ask, "hold", [(draws, -1, +1)], hold=hold, reference=hold["reference"])

    def extend(self, ask: Ask, hold_id: str, amount: int, until: int | None) -> Line:
        """More money, more time, or both; never less."""
        hold = self._open(ask, hold_id)
        if amount and {cap.place for cap in ask.caps} - {scope.place for scope in hold["scopes"]}:
            raise Refused("forbidden")
        self._counted(ask, hold["scopes"], amount, 0)
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
            self._counted(ask, hold["scopes"], -there, amount)
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
