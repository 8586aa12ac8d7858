"""The audit of wallets: each is the fold of its entries, lot by lot, and nothing expires unseen."""

from collections import Counter
from collections.abc import Sequence

from holdfast.audit.books import Found, Owned, held_delta, sign
from holdfast.domain import entries as words
from holdfast.domain.entries import GENESIS, Entry
from holdfast.domain.lots import CASH, LOTS_MAX, Terms
from holdfast.domain.payment_entries import STRIPE
from holdfast.domain.x402_credit import X402
from holdfast.store import items

OUTSIDE = frozenset({STRIPE, X402})
"""The sources of entries about what had happened outside before it was written here."""


def folded(owned: Owned) -> Found:
    """Each wallet is the fold of its entries, and each entry knows what it left behind."""
    for currency in {entry.currency for entry in owned.entries.values()} - owned.wallets.keys():
        yield currency, "entries without a wallet"
    for currency, (wallet, _) in owned.wallets.items():
        sums: Counter[str] = Counter()
        deltas = []
        held_micros = 0
        entries = owned.of(currency)
        for entry in entries:
            sums.update(entry.postings)
            deltas.append(entry.balance_delta_micros)
            held_micros += held_delta(entry)
            told = (entry.balance_after_micros, entry.held_after_micros, entry.cash_after_micros)
            if told != (sum(deltas), held_micros, _cash(sums)):
                yield f"{currency} entry {entry.seq}", f"leaves {told} behind, by its own account"
        last = entries[-1] if entries else None
        restricted = sum(lot.remaining_micros for lot in wallet.lots if lot.terms.meters)
        pairs = {
            "number": (wallet.seq, last.seq if last else 0),
            "head": (wallet.head, last.hash if last else GENESIS),
            "balance": (wallet.posted_micros, sum(deltas)),
            "held": (wallet.held_micros, held_micros),
            "cash": (wallet.cash_posted_micros, _cash(sums)),
            "restricted": (restricted, sums[words.RESTRICTED_CREDIT]),
            "credited": (wallet.credited_micros, sum(delta for delta in deltas if delta > 0)),
            "charged": (wallet.charged_micros, sums[words.REVENUE] + sums[words.REFUNDS]),
            "credits": (wallet.credits_count, sum(delta > 0 for delta in deltas)),
            "debits": (wallet.debits_count, sum(delta < 0 for delta in deltas)),
        }
        for name, (stored, fold) in pairs.items():
            if stored != fold:
                yield currency, f"{name} is {stored}, its entries make it {fold}"


def _cash(sums: Counter[str]) -> int:
    return sums[words.WALLET] + sums[words.HELD]


def lots_add_up(owned: Owned) -> Found:
    """Each lot is what came into it less what was taken; what holds have pinned of it is held.

    Of plain cash that is held, too, which disputes have frozen.
    """
    for currency, (wallet, _) in owned.wallets.items():
        there: Counter[str] = Counter()
        for entry in owned.of(currency):
            for draw in entry.draws:
                there[draw.lot_id] += sign(entry) * draw.amount_micros
        held: Counter[str] = Counter()
        for hold in owned.open_in(currency):
            for draw in hold.draws:
                held[draw.lot_id] += draw.amount_micros
        held[CASH] += owned.frozen_in(currency)
        stored = {lot.id: (lot.remaining_micros, lot.held_micros) for lot in wallet.lots}
        stored[CASH] = (wallet.cash_micros, wallet.cash_held_micros)
        for lot_id in there.keys() | held.keys() | stored.keys():
            fold = (there[lot_id] - held[lot_id], held[lot_id])
            if stored.get(lot_id, (0, 0)) != fold:
                yield currency, f"lot {lot_id} is {stored.get(lot_id)}, not {fold}"


def lots_are_sound(owned: Owned) -> Found:
    """Lots are above zero, open only with money in them, and keep the terms they came with."""
    for currency, (wallet, _) in owned.wallets.items():
        entries = owned.of(currency)
        terms: dict[str, Terms | None] = {}
        voided: set[str] = set()
        for entry in entries:
            for draw in entry.draws:
                known = terms.setdefault(draw.lot_id, draw.terms)
                # What a hold has pinned of a voided lot it keeps under the terms it had.
                if draw.terms not in (known, _now(known, is_void=draw.lot_id in voided)):
                    yield currency, f"lot {draw.lot_id} has changed its terms"
            if entry.type == words.CREDIT_VOID:
                voided.add(str(entry.reference))
        for lot in wallet.lots:
            if min(lot.remaining_micros, lot.held_micros) < 0:
                yield currency, f"lot {lot.id} is below zero"
            if not lot.remaining_micros and not lot.held_micros:
                yield currency, f"lot {lot.id} is open with nothing in it"
            if lot.id in voided and lot.remaining_micros:
                yield currency, f"lot {lot.id} was voided, and can be spent"
            if lot.terms != _now(terms.get(lot.id), is_void=lot.id in voided):
                yield currency, f"lot {lot.id} has other terms than its entries say"
        every = [*wallet.lots, *wallet.pending]
        if len(every) > LOTS_MAX or len({lot.id for lot in every}) != len(every):
            yield currency, f"{len(every)} lots: too many, or one twice"


def _now(terms: Terms | None, *, is_void: bool) -> Terms | None:
    """The terms that a lot has by now."""
    return terms.ended if terms is not None and is_void else terms


def pending_waits(owned: Owned) -> Found:
    """What waits for its day was scheduled, was neither opened nor voided since, and is whole."""
    for currency, (wallet, _) in owned.wallets.items():
        entries = owned.of(currency)
        due: dict[str, tuple[int, Terms | None]] = {}
        for entry in entries:
            for draw in entry.draws:
                if entry.type == words.CREDIT_SCHEDULED:
                    due[draw.lot_id] = (draw.amount_micros, draw.terms)
                elif entry.type == words.CREDIT_GRANT:
                    yield from _opened(entry, draw.lot_id, due.pop(draw.lot_id, None))
            if entry.type == words.CREDIT_VOID:
                due.pop(str(entry.reference), None)
        waiting = {lot.id: (lot.remaining_micros, lot.terms) for lot in wallet.pending}
        if waiting != due:
            odd = sorted(waiting.items() ^ due.items(), key=str)
            yield currency, f"waits for other credit than was scheduled: {odd}"
        if any(lot.held_micros for lot in wallet.pending):
            yield currency, "holds credit whose day has not come"


def _opened(entry: Entry, lot_id: str, waited: tuple[int, Terms | None] | None) -> Found:
    """Credit that the system opens has waited for it; and only that."""
    by_time = entry.source == "system"
    mine = {(draw.amount_micros, draw.terms) for draw in entry.draws if draw.lot_id == lot_id}
    if by_time != (waited is not None) or (waited is not None and mine != {waited}):
        yield f"{entry.currency} entry {entry.seq}", f"opens {lot_id}, and {waited} waited"


def due_in_time(owned: Owned) -> Found:
    """Nothing expires or opens unseen: the wallet stands in the due index early enough."""
    for currency, (wallet, item) in owned.wallets.items():
        open_holds = owned.open_in(currency)
        earliest = min((hold.expires_at for hold in open_holds), default=None)
        if earliest and (wallet.hold_due_at is None or wallet.hold_due_at > earliest):
            yield currency, f"a hold is due at {earliest}, the wallet at {wallet.hold_due_at}"
        oldest = min((hold.id for hold in open_holds), default=None)
        if oldest and (wallet.open_from is None or wallet.open_from > oldest):
            yield currency, f"{oldest} is open, the wallet looks from {wallet.open_from}"
        _, expected = items.to_item(wallet.tenant, wallet)
        for name in ("gsi2pk", "gsi2sk"):
            if item.get(name) != expected.get(name):
                yield currency, f"{name} is {item.get(name)}, not {expected.get(name)}"


def closed_for_good(owned: Owned) -> Found:
    """A closed account was emptied, with all of its wallets closed; an open one has none closed.

    What came in or went out elsewhere after that, nobody could refuse: it is there, or owed.
    """
    account = owned.account
    is_closed = account is not None and account.closed_at is not None
    if account is not None and is_closed and account.is_default:
        yield "account", "is a default one, and closed"
    if is_closed and any(link.active for link in owned.linked.values()):
        yield "account", "is closed, and linked"
    for currency, (wallet, _) in owned.wallets.items():
        if wallet.closed != is_closed:
            yield currency, f"the wallet is closed: {wallet.closed}, its account: {is_closed}"
        is_full = bool(wallet.cash_micros or wallet.cash_held_micros or wallet.lots)
        waits = wallet.pending or wallet.due_at or owned.open_in(currency)
        if is_closed and (waits or (is_full and not _was_emptied(owned.of(currency)))):
            yield currency, "is closed with something in it"


def _was_emptied(entries: Sequence[Entry]) -> bool:
    """Whether nothing has come since the wallet was empty but what happened outside."""
    for entry in reversed(entries):
        if not entry.balance_after_micros and not entry.held_after_micros:
            return True
        if entry.source not in OUTSIDE:
            return False
    return True


CHECKS = (
    folded,
    lots_add_up,
    lots_are_sound,
    pending_waits,
    due_in_time,
    closed_for_good,
)
