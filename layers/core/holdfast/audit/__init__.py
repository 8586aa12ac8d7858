"""The audit: whether what is stored is what the rules of the ledger can have stored.

`audit` takes items as they were scanned or exported, in any order, and names every rule that they
break. It needs no clock and no table: run it over a restored backup as well as over a live export.
A picture that was taken while money moved can show a wallet without its last entries: export to a
point in time.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from holdfast.domain import entries as words
from holdfast.domain import holds
from holdfast.domain.accounts import Account, default_account_id
from holdfast.domain.entries import GENESIS, Entry
from holdfast.domain.holds import Hold, Job
from holdfast.domain.ledger import Wallet
from holdfast.domain.lots import CASH, LOTS_MAX, Terms, total
from holdfast.domain.quotes import HeldJob, Quote
from holdfast.domain.wallet import CHARGES, Refunded
from holdfast.store import items, keys
from holdfast.store.attributes import Attributes

DRAWN_LIVE = frozenset({words.HOLD, words.EXTENSION, words.USAGE})
"""Entries whose money must come from lots that had not expired; a capture may use pinned ones."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One broken rule: which, where, and what was found."""

    rule: str
    where: str
    what: str


@dataclass(slots=True)
class _Owned:
    """All that belongs to one account."""

    account: Account | None = None
    wallets: dict[str, tuple[Wallet, Attributes]] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    quotes: dict[str, Quote] = field(default_factory=dict)
    jobs: dict[str, HeldJob] = field(default_factory=dict)
    refunded: dict[str, Refunded] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    def of(self, currency: str) -> list[Entry]:
        """The entries of one wallet, in order."""
        mine = (entry for entry in self.entries.values() if entry.currency == currency)
        return sorted(mine, key=lambda entry: entry.seq)

    def open_in(self, currency: str) -> list[Hold]:
        """The open holds of one wallet."""
        mine = (hold for hold in self.holds.values() if hold.currency == currency)
        return [hold for hold in mine if hold.status == holds.OPEN]


type _Found = Iterator[tuple[str, str]]
type _Check = Callable[[_Owned], _Found]


def audit(records: Iterable[Attributes], entries: Iterable[Attributes]) -> list[Violation]:
    """Every rule that these items break; an empty list if they break none.

    `entries` are the items of entries, and the receipts that stand among them; `records` all the
    others.
    """
    books: defaultdict[str, _Owned] = defaultdict(_Owned)
    found: list[Violation] = []
    for read, some in ((_read_entry, entries), (_read_record, records)):
        for item in some:
            try:
                read(books, item)
            except (AttributeError, KeyError, TypeError, ValueError) as broken:
                place = f"{_text(item, 'pk')} {_text(item, 'sk')}"
                found.append(Violation("readable", place, f"cannot be read: {broken!r}"))
    for place, owned in books.items():
        for check in _CHECKS:
            found += [Violation(_name(check), place, f"{at}: {what}") for at, what in check(owned)]
    return sorted(found)


def audit_items(stored: Iterable[Attributes]) -> list[Violation]:
    """The audit of a whole table, entries and other records in any order."""
    parts: tuple[list[Attributes], list[Attributes]] = ([], [])
    for item in stored:
        parts[_text(item, "sk") == "ENTRY"].append(item)
    return audit(*parts)


def _name(check: _Check) -> str:
    return check.__name__.removeprefix("_")


def _text(item: Attributes, name: str) -> str:
    return str(item.get(name, {}).get("S", "?"))


def _read_entry(books: defaultdict[str, _Owned], item: Attributes) -> None:
    if not items.is_receipt(item):
        entry = items.to_entry(item)
        books[keys.partition(entry.tenant, entry.account_id)].entries[entry.id] = entry


def _read_record(books: defaultdict[str, _Owned], item: Attributes) -> None:
    owned = books[item["pk"]["S"]]
    match items.to_record(item):
        case Wallet() as wallet:
            owned.wallets[wallet.currency] = (wallet, item)
        case Hold() as hold:
            owned.holds[hold.id] = hold
        case Account() as account:
            owned.account = account
        case Quote() as quote:
            owned.quotes[quote.id] = quote
        case HeldJob() as job:
            owned.jobs[job.job_id] = job
        case Refunded() as refunded:
            owned.refunded[refunded.entry_id] = refunded


def _introduced_once(owned: _Owned) -> _Found:
    """An account with wallets is there, and a default one has had its first credit once."""
    introduced = sum(entry.type == words.INTRODUCTORY_CREDIT for entry in owned.entries.values())
    account = owned.account
    if account is None:
        if owned.wallets or owned.entries:
            yield "account", "wallets or entries of an account that is not there"
        return
    due = account.id == default_account_id(account.tenant, account.owner)
    if introduced != due:
        yield "account", f"{introduced} introductory credits"


def _chained(owned: _Owned) -> _Found:
    """Numbers without a gap, each entry hashed and chained to the one before."""
    for currency in {entry.currency for entry in owned.entries.values()}:
        head, seq = GENESIS, 0
        for entry in owned.of(currency):
            at = f"{currency} entry {entry.seq}"
            if entry.seq != seq + 1:
                yield at, f"follows number {seq}"
            if entry.prev != head:
                yield at, "is not chained to the one before"
            if words.chain_hash(entry) != entry.hash:
                yield at, "does not have its own hash"
            head, seq = entry.hash, entry.seq


def _balanced(owned: _Owned) -> _Found:
    """Postings that add up to zero and say the same as the draws."""
    for entry in owned.entries.values():
        at = f"{entry.currency} entry {entry.seq}"
        if sum(entry.postings.values()):
            yield at, f"postings add up to {sum(entry.postings.values())}"
        moved_micros = abs(entry.balance_delta_micros) or abs(_held_delta(entry))
        if not entry.amount_micros == total(entry.draws) == moved_micros:
            yield at, "amount, draws and postings differ"
        cash_micros = sum(entry.postings.get(name, 0) for name in (words.WALLET, words.HELD))
        drawn_micros = _sign(entry) * total(draw for draw in entry.draws if draw.kind == CASH)
        if cash_micros != drawn_micros:
            yield at, f"{cash_micros} of cash are posted, {drawn_micros} are drawn"
        if any(draw.amount_micros <= 0 for draw in entry.draws):
            yield at, "draws nothing, or less"


def _timely(owned: _Owned) -> _Found:
    """Nothing is drawn after its time, and nothing expires before it."""
    for entry in owned.entries.values():
        at = f"{entry.currency} entry {entry.seq}"
        expired = [draw.terms.expired(entry.created_at) for draw in entry.draws if draw.terms]
        if entry.type in DRAWN_LIVE and any(expired):
            yield at, "draws from a lot that had expired"
        if entry.type == words.LOT_EXPIRY and not all(expired):
            yield at, "expires a lot before its time"
        hold = entry.hold
        if entry.type == words.HOLD_EXPIRY and (hold is None or hold.expires_at > entry.created_at):
            yield at, "expires a hold before its time"


def _folded(owned: _Owned) -> _Found:
    """Each wallet is the fold of its entries, and each entry knows what it left behind."""
    for currency in {entry.currency for entry in owned.entries.values()} - owned.wallets.keys():
        yield currency, "entries without a wallet"
    for currency, (wallet, _) in owned.wallets.items():
        balance_micros = held_micros = 0
        deltas = []
        entries = owned.of(currency)
        for entry in entries:
            deltas.append(entry.balance_delta_micros)
            balance_micros += entry.balance_delta_micros
            held_micros += _held_delta(entry)
            after = (entry.balance_after_micros, entry.held_after_micros)
            if after != (balance_micros, held_micros):
                yield f"{currency} entry {entry.seq}", f"leaves {after} behind, by its own account"
        last = entries[-1] if entries else None
        pairs = {
            "number": (wallet.seq, last.seq if last else 0),
            "head": (wallet.head, last.hash if last else GENESIS),
            "balance": (wallet.posted_micros, balance_micros),
            "held": (wallet.held_micros, held_micros),
            "credited": (wallet.credited_micros, sum(delta for delta in deltas if delta > 0)),
            "credits": (wallet.credits_count, sum(delta > 0 for delta in deltas)),
            "debits": (wallet.debits_count, sum(delta < 0 for delta in deltas)),
        }
        for name, (stored, folded) in pairs.items():
            if stored != folded:
                yield currency, f"{name} is {stored}, its entries make it {folded}"


def _lots_add_up(owned: _Owned) -> _Found:
    """Each lot is what came into it less what was taken; what holds have pinned of it is held."""
    for currency, (wallet, _) in owned.wallets.items():
        there: Counter[str] = Counter()
        for entry in owned.of(currency):
            for draw in entry.draws:
                there[draw.lot_id] += _sign(entry) * draw.amount_micros
        held: Counter[str] = Counter()
        for hold in owned.open_in(currency):
            for draw in hold.draws:
                held[draw.lot_id] += draw.amount_micros
        stored = {lot.id: (lot.remaining_micros, lot.held_micros) for lot in wallet.lots}
        stored[CASH] = (wallet.cash_micros, wallet.cash_held_micros)
        for lot_id in there.keys() | held.keys() | stored.keys():
            folded = (there[lot_id] - held[lot_id], held[lot_id])
            if stored.get(lot_id, (0, 0)) != folded:
                yield currency, f"lot {lot_id} is {stored.get(lot_id)}, not {folded}"


def _lots_are_sound(owned: _Owned) -> _Found:
    """Lots are above zero, open only with money in them, and keep the terms they came with."""
    for currency, (wallet, _) in owned.wallets.items():
        terms: dict[str, Terms | None] = {}
        for entry in owned.of(currency):
            for draw in entry.draws:
                if terms.setdefault(draw.lot_id, draw.terms) != draw.terms:
                    yield currency, f"lot {draw.lot_id} has changed its terms"
        for lot in wallet.lots:
            if min(lot.remaining_micros, lot.held_micros) < 0:
                yield currency, f"lot {lot.id} is below zero"
            if not lot.remaining_micros and not lot.held_micros:
                yield currency, f"lot {lot.id} is open with nothing in it"
            if lot.terms != terms.get(lot.id):
                yield currency, f"lot {lot.id} has other terms than its entries say"
        if len(wallet.lots) > LOTS_MAX or len({lot.id for lot in wallet.lots}) != len(wallet.lots):
            yield currency, f"{len(wallet.lots)} lots: too many, or one twice"


def _holds_stand(owned: _Owned) -> _Found:
    """Each hold is as its last entry left it, and its money is all there or accounted for."""
    by_hold: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(owned.entries.values(), key=lambda entry: entry.seq):
        if entry.hold_id is not None:
            by_hold[entry.hold_id].append(entry)
    for hold_id in by_hold.keys() - owned.holds.keys():
        yield hold_id, "entries of a hold that is not there"
    for hold_id, hold in owned.holds.items():
        mine = by_hold[hold_id]
        if not mine or mine[0].type != words.HOLD:
            yield hold_id, "was never placed"
            continue
        if mine[-1].hold != hold or hold.version != len(mine):
            yield hold_id, "is not as its last entry left it"
        if any(entry.hold is None or entry.hold.status != holds.OPEN for entry in mine[:-1]):
            yield hold_id, "was closed more than once"
        if hold.closed_by != (None if hold.status == holds.OPEN else mine[-1].id):
            yield hold_id, f"{hold.status}, closed by {hold.closed_by}"
        placed_micros = sum(
            entry.amount_micros for entry in mine if entry.type in (words.HOLD, words.EXTENSION)
        )
        charged_micros = -sum(entry.balance_delta_micros for entry in mine)
        if (hold.amount_micros, hold.captured_micros) != (placed_micros, charged_micros):
            yield hold_id, f"its entries hold {placed_micros} and capture {charged_micros}"
        yield from _hold_adds_up(hold, pinned_micros=sum(map(_held_delta, mine)))


def _hold_adds_up(hold: Hold, *, pinned_micros: int) -> _Found:
    if hold.remaining_micros != pinned_micros:
        yield hold.id, f"has {hold.remaining_micros} left, its entries leave {pinned_micros}"
    if any(draw.amount_micros <= 0 for draw in hold.draws):
        yield hold.id, "has pinned nothing of a lot, or less"
    if hold.status == holds.OPEN:
        # Money that was added after an overdraft is left beside what was captured above the hold.
        gone_micros = hold.captured_micros + hold.remaining_micros
        whole = hold.captured_last_micros == hold.released_micros == 0
    else:
        gone_micros = hold.captured_micros + hold.released_micros
        whole = not hold.draws and hold.captured_last_micros <= hold.captured_micros
    above = hold.over_capture == holds.OVERDRAFT and gone_micros > hold.amount_micros
    if not whole or min(hold.captured_micros, hold.released_micros) < 0:
        yield hold.id, f"is {hold.status}, and its amounts say otherwise"
    if gone_micros != hold.amount_micros and not above:
        yield hold.id, f"{gone_micros} of {hold.amount_micros} are accounted for"


def _due_in_time(owned: _Owned) -> _Found:
    """No hold and no lot expires unseen: the wallet stands in the due index early enough."""
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


def _refunds_add_up(owned: _Owned) -> _Found:
    """What was given back of a charge is what its refunds say, and not more than it took."""
    given: defaultdict[str, list[int]] = defaultdict(list)
    for entry in owned.entries.values():
        if entry.type == words.REFUND:
            given[str(entry.reference)].append(entry.amount_micros)
    for entry_id in given.keys() | owned.refunded.keys():
        amounts = given[entry_id]
        record = owned.refunded.get(entry_id)
        stored = (record.refunded_micros, record.version) if record else (0, 0)
        if stored != (sum(amounts), len(amounts)):
            yield entry_id, f"{sum(amounts)} were refunded in {len(amounts)}, noted is {stored}"
        charge = owned.entries.get(entry_id)
        if charge is None or charge.type not in CHARGES:
            yield entry_id, "refunds of what is no charge of this account"
        elif sum(amounts) > -charge.balance_delta_micros:
            yield entry_id, "more was refunded than was charged"


def _quotes_hold_once(owned: _Owned) -> _Found:
    """A quote is held once, for the amount that was quoted, and names the job and the entry."""
    by_quote: defaultdict[str, list[Hold]] = defaultdict(list)
    for hold in owned.holds.values():
        if hold.job is not None:
            by_quote[hold.job.quote_id].append(hold)
    for quote_id in by_quote.keys() - owned.quotes.keys():
        yield quote_id, "was held for and is not there"
    for quote_id, quote in owned.quotes.items():
        match by_quote[quote_id]:
            case []:
                if quote.used_by is not None or quote.entry_id is not None:
                    yield quote_id, "is used, and no hold was placed for it"
            case [Hold(job=Job(job_id=job_id)) as hold]:
                entry = owned.entries.get(quote.entry_id or "")
                if entry is None or (entry.type, entry.hold_id) != (words.HOLD, hold.id):
                    yield quote_id, "does not name the entry that placed its hold"
                elif entry.amount_micros != quote.total_micros:
                    yield quote_id, "was held for another amount than was quoted"
                if quote.used_by != job_id:
                    yield quote_id, f"names job {quote.used_by}, its hold {job_id}"
            case several:
                yield quote_id, f"was held {len(several)} times"


def _jobs_hold_once(owned: _Owned) -> _Found:
    """A job points at the hold that was placed for it last, and has one open hold at most."""
    by_job: defaultdict[str, list[Hold]] = defaultdict(list)
    for hold in owned.holds.values():
        if hold.job is not None:
            by_job[hold.job.job_id].append(hold)
    for job_id in by_job.keys() | owned.jobs.keys():
        job, placed = owned.jobs.get(job_id), by_job[job_id]
        if sum(hold.status == holds.OPEN for hold in placed) > 1:
            yield job_id, "has more than one open hold"
        if job is None or job.hold_id not in {hold.id for hold in placed}:
            yield job_id, "does not point at a hold of its own"
        elif job.version != len(placed):
            yield job_id, f"was noted {job.version} times and held {len(placed)} times"


def _held_delta(entry: Entry) -> int:
    return sum(entry.postings.get(account, 0) for account in words.HELD_ACCOUNTS)


def _sign(entry: Entry) -> int:
    """Whether the draws came in (1), were taken (-1), or only moved in or out of a hold (0)."""
    delta_micros = entry.balance_delta_micros
    return (delta_micros > 0) - (delta_micros < 0)


_CHECKS: tuple[_Check, ...] = (
    _introduced_once,
    _chained,
    _balanced,
    _timely,
    _folded,
    _lots_add_up,
    _lots_are_sound,
    _holds_stand,
    _due_in_time,
    _refunds_add_up,
    _quotes_hold_once,
    _jobs_hold_once,
)
