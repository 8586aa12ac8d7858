"""A second set of books, kept beside the rules: what becomes of every lot, and in which order."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from holdfast.domain import credits as credit_rules
from holdfast.domain import entries, holds
from holdfast.domain import wallet as wallet_rules
from holdfast.domain.book import SYSTEM, settled
from holdfast.domain.clock import Instant
from holdfast.domain.credits import CreditGrant
from holdfast.domain.entries import Entry
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Decision, Journal, Wallet
from holdfast.domain.lots import CASH, CREDIT, Draw, Lot
from holdfast.domain.once import Once
from holdfast.domain.wallet import Refunded
from holdfast.errors import HoldExpired
from tests.domain.samples import ACCOUNT_ID, HOUR, NOW, hold, once, taken, wallet
from tests.domain.test_hold_lives import at

METERS = ("gpu", "cpu")
FAR = NOW + timedelta(days=9)

# Few different values: ties, and lots that expire together, are where an order goes wrong.
amounts = st.integers(1, 60)
hours = st.integers(0, 6)
life = st.none() | st.integers(1, 6)
priorities = st.integers(0, 2)
meters = st.sampled_from([(), (), ("gpu",), ("cpu",), METERS])


def order_of(lot: Lot) -> tuple[Any, ...]:
    """The order of drawing as the contract words it, written a second time."""
    terms = lot.terms
    never = terms.expires_at is None
    if terms.kind == CREDIT:
        return (0, terms.priority, never, terms.expires_at or NOW, terms.granted_at, lot.id)
    return (1, 0, never, terms.expires_at or NOW, terms.granted_at, lot.id)


def expected_draws(
    before: Wallet, amount: int, now: Instant, meter: str | None = None
) -> list[tuple[str, int]]:
    """What `amount` is made up of, micro by micro."""
    found: Counter[str] = Counter()
    for lot in sorted(before.lots, key=order_of):
        until, only = lot.terms.expires_at, lot.terms.meters
        if (until is None or now < until) and (not only or meter in only):
            part = min(amount, lot.remaining_micros)
            found[lot.id] += part
            amount -= part
    found[CASH] += amount
    return [(lot_id, micros) for lot_id, micros in found.items() if micros]


def for_meters(of: Wallet) -> int:
    """What is restricted to some meters."""
    return sum(lot.remaining_micros for lot in of.lots if lot.terms.meters)


class Lives(RuleBasedStateMachine):
    """Grants, holds, charges, refunds and voids, while time goes by; and a second set of books.

    The books know of each lot only what came in, what was paid with it, what was given back, and
    what time or a void took. What is left must be what the wallet says.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.wallet: Wallet = wallet(cash=50)
        self.count = 0
        self.left: Counter[str] = Counter({CASH: 50})
        self.pending: dict[str, int] = {}
        self.house: Counter[str] = Counter()
        self.grants: dict[str, CreditGrant] = {}
        self.holds: dict[str, Hold] = {}
        self.charges: dict[str, tuple[Entry, Refunded]] = {}

    # --- What may happen --------------------------------------------------------------------------

    @rule(by=st.integers(0, 2))
    def time_goes_by(self, by: int) -> None:
        self.now += by * HOUR

    @rule(by=st.integers(0, 1))
    def somebody_looks(self, by: int) -> None:
        self.now += by * HOUR
        written, change = settled(self.wallet, self.holds.values(), self._once())
        for entry in written:
            self._note(entry)
        if change is not None:
            assert isinstance(change.after, Wallet)
            self.wallet = change.after
        assert not [lot for lot in self.wallet.pending if lot.terms.granted_at <= self.now]

    @rule(amount=amounts, wait=hours, until=life, priority=priorities, only=meters)
    def grant(
        self, amount: int, wait: int, until: int | None, priority: int, only: tuple[str, ...]
    ) -> None:
        asked = self._once()
        day = self.now + wait * HOUR
        given = CreditGrant(
            id=credit_rules.new_id(asked, "usd"),
            account_id=ACCOUNT_ID,
            user="acme/alice",
            name="n",
            amount_micros=amount,
            currency="usd",
            effective_at=day,
            created_at=self.now,
            expires_at=None if until is None else day + until * HOUR,
            priority=priority,
            meters=only,
        )
        self.grants[given.id] = given
        self._write(credit_rules.grant(self.wallet, given, asked))

    @rule(amount=amounts, until=life)
    def deposit(self, amount: int, until: int | None) -> None:
        asked = self._once()
        expires_at = None if until is None else self.now + until * HOUR
        self._write(
            wallet_rules.deposit(self.wallet, asked, amount_micros=amount, expires_at=expires_at)
        )

    @rule(amount=amounts, meter=st.none() | st.sampled_from(METERS))
    def use(self, amount: int, meter: str | None) -> None:
        asked = self._once()
        expected = expected_draws(self._settled(), amount, self.now, meter)
        journal = wallet_rules.use(self.wallet, asked, amount_micros=amount, meter=meter)
        assert taken(journal.entry.draws) == expected
        self._write(journal)
        self._charged(journal.entry)

    @rule(amount=amounts, lasts=st.integers(1, 4), policy=st.sampled_from(["release", "capture"]))
    def place(self, amount: int, lasts: int, policy: str) -> None:
        asked = self._once()
        wanted = hold(amount, key=asked.key, expiry_policy=policy)
        wanted = replace(wanted, expires_at=self.now + lasts * HOUR)
        before = self._settled()
        if amount > before.available_micros(self.now):
            return
        journal = holds.place_hold(self.wallet, wanted, asked)
        assert taken(journal.entry.draws) == expected_draws(before, amount, self.now)
        self._write(journal)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), amount=amounts)
    def extend(self, data: st.DataObject, amount: int) -> None:
        placed = self._one_of(data, self.holds)
        before = self._settled()
        if amount > before.available_micros(self.now) or placed.due(self.now):
            return
        journal = holds.extend_hold(
            self.wallet, placed, self._once(), expires_at=None, amount_micros=amount
        )
        assert taken(journal.entry.draws) == expected_draws(before, amount, self.now)
        self._write(journal)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), final=st.booleans())
    def capture(self, data: st.DataObject, final: bool) -> None:
        placed = self._one_of(data, self.holds)
        if placed.due(self.now):
            try:
                holds.require_open(placed, self.now)
            except HoldExpired:
                return
            raise AssertionError("a hold outlived its time")
        amount = data.draw(st.integers(1, max(1, placed.remaining_micros)))
        if amount > placed.remaining_micros:
            return
        journal = holds.capture_hold(
            self.wallet, placed, self._once(), amount_micros=amount, final=final
        )
        self._write(journal)
        self._charged(journal.entry)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self._end(self._one_of(data, self.holds))

    @precondition(lambda self: self.charges)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        charge, so_far = self._one_of(data, self.charges)
        given = so_far.refunded_micros
        room = charge.postings[entries.REVENUE] - given
        if not room:
            return
        amount = data.draw(st.integers(1, room))
        # Which lot each micro of the charge came from, in the order of drawing.
        micros = [draw.lot_id for draw in charge.draws for _ in range(draw.amount_micros)]
        ended = {each.id for each in self.grants.values() if each.voided_at is not None}
        journal = wallet_rules.refund(
            self.wallet,
            so_far,
            self._once(),
            original=charge,
            amount_micros=amount,
            voided=ended,
        )
        assert Counter(dict(taken(journal.entry.draws))) == Counter(micros[given : given + amount])
        self._write(journal)
        (done,) = (c.after for c in journal.changes if isinstance(c.after, Refunded))
        self.charges[charge.id] = (charge, done)

    @precondition(lambda self: self.grants)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        chosen = self._one_of(data, self.grants)
        if chosen.voided_at is None:
            journal = credit_rules.void(self.wallet, chosen, self._once())
            assert {draw.lot_id for draw in journal.entry.draws} <= {chosen.id}
            self._write(journal)
            self.pending.pop(chosen.id, None)
            assert not self.grants[chosen.id].active(self.wallet, self.now)

    # --- What must stay true ----------------------------------------------------------------------

    @invariant()
    def each_lot_has_what_came_in_less_what_went_out(self) -> None:
        stored = {lot.id: lot.remaining_micros + lot.held_micros for lot in self.wallet.lots}
        stored[CASH] = self.wallet.cash_micros + self.wallet.cash_held_micros
        assert {lot_id: micros for lot_id, micros in self.left.items() if micros} == {
            lot_id: micros for lot_id, micros in stored.items() if micros
        }

    @invariant()
    def what_waits_for_its_day_is_all_there(self) -> None:
        waiting = {lot.id: lot.remaining_micros for lot in self.wallet.pending}
        assert waiting == self.pending

    @invariant()
    def what_is_held_of_a_lot_is_what_open_holds_have_pinned(self) -> None:
        pinned: Counter[str] = Counter()
        for placed in self.holds.values():
            for draw in placed.draws:
                pinned[draw.lot_id] += draw.amount_micros
                assert draw.amount_micros > 0
                assert draw.terms is None or not draw.terms.meters
        stored = {lot.id: lot.held_micros for lot in self.wallet.lots}
        stored[CASH] = self.wallet.cash_held_micros
        assert pinned == Counter(stored)

    @invariant()
    def a_hold_has_one_draw_a_lot_in_the_order_of_drawing(self) -> None:
        for placed in self.holds.values():
            lots = [_lot_of(draw) for draw in placed.draws if draw.terms is not None]
            assert lots == sorted(lots, key=order_of)
            assert [draw.lot_id for draw in placed.draws].count(CASH) <= 1

    @invariant()
    def all_ledger_accounts_add_up_to_zero(self) -> None:
        assert self.house.total() == 0
        free = self.wallet.posted_micros - self.wallet.held_micros
        cash_free = free - sum(
            lot.remaining_micros
            for lot in self.wallet.lots
            if lot.terms.kind == CREDIT and not lot.terms.meters
        )
        assert self.house[entries.WALLET] + 50 == cash_free
        assert self.house[entries.WALLET] + self.house[entries.CREDIT] + 50 == free
        assert self.house[entries.RESTRICTED_CREDIT] == for_meters(self.wallet)
        held = self.house[entries.HELD] + self.house[entries.HELD_CREDIT]
        assert held == self.wallet.held_micros

    @invariant()
    def voided_grants_are_drawn_by_their_holds_alone(self) -> None:
        for given in self.grants.values():
            if given.voided_at is not None:
                assert not given.active(self.wallet, self.now)
                assert not any(lot.id == given.id for lot in self.wallet.pending)
                assert all(
                    lot.remaining_micros == 0 for lot in self.wallet.lots if lot.id == given.id
                )

    def teardown(self) -> None:
        for placed in list(self.holds.values()):
            self._end(placed)
            self.each_lot_has_what_came_in_less_what_went_out()
        assert self.wallet.held_micros == 0
        self.all_ledger_accounts_add_up_to_zero()

    # --- How it is written down -------------------------------------------------------------------

    def _once(self) -> Once:
        self.count += 1
        return once(f"request {self.count}", now=self.now)

    def _one_of(self, data: st.DataObject, some: dict[str, Any]) -> Any:
        return some[data.draw(st.sampled_from(sorted(some)))]

    def _settled(self) -> Wallet:
        return at(self.now, self.wallet)

    def _charged(self, entry: Entry) -> None:
        self.charges[entry.id] = (entry, Refunded(entry_id=entry.id, account_id=ACCOUNT_ID))

    def _end(self, placed: Hold) -> None:
        due = placed.due(self.now)
        journal = holds.release_hold(self.wallet, placed, self._once())
        self._write(journal)
        entry = journal.entry if isinstance(journal, Journal) else None
        assert entry is not None
        assert (entry.type == entries.HOLD_EXPIRY) is due
        if entry.postings.get(entries.REVENUE):
            self._charged(entry)

    def _write(self, decision: Decision) -> None:
        """Take the decision over, and note in the second books what its entries say."""
        assert isinstance(decision, Journal)
        written = sorted((*decision.others, decision.entry), key=lambda entry: entry.seq)
        assert [entry.seq for entry in written] == [
            self.wallet.seq + number for number in range(1, len(written) + 1)
        ]
        for entry in written:
            self._note(entry)
        for change in decision.changes:
            match change.after:
                case Wallet() as after:
                    self.wallet = after
                case Hold() as after:
                    self.holds[after.id] = after
                    if after.status != holds.OPEN:
                        del self.holds[after.id]
                case CreditGrant() as after:
                    self.grants[after.id] = after

    def _note(self, entry: Entry) -> None:
        assert sum(entry.postings.values()) == 0
        self.house.update(entry.postings)
        came = {entries.DEPOSIT, entries.CREDIT_GRANT, entries.REFUND}
        went = {entries.USAGE, entries.CAPTURE, entries.LOT_EXPIRY, entries.CREDIT_VOID}
        captured = entry.type == entries.HOLD_EXPIRY and entry.postings.get(entries.REVENUE, 0)
        sign = (entry.type in came) - (entry.type in went or bool(captured))
        for draw in entry.draws:
            self.left[draw.lot_id] += sign * draw.amount_micros
            if entry.type == entries.CREDIT_SCHEDULED:
                self.pending[draw.lot_id] = draw.amount_micros
            if entry.type == entries.CREDIT_GRANT and entry.source == SYSTEM:
                assert self.grants[draw.lot_id].effective_at <= self.now
                assert self.pending.pop(draw.lot_id) == draw.amount_micros


def _lot_of(draw: Draw) -> Lot:
    assert draw.terms is not None
    return Lot(id=draw.lot_id, terms=draw.terms, remaining_micros=draw.amount_micros)
