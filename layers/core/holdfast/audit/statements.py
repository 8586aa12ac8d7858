"""The audit of entries: one after the other, each sound in itself and at its time."""

from holdfast.audit.books import Found, Owned, held_delta, own_delta, sign
from holdfast.domain import entries as words
from holdfast.domain.entries import GENESIS, Entry
from holdfast.domain.lots import CASH, total

DRAWN_LIVE = frozenset(
    {words.HOLD, words.EXTENSION, words.USAGE, words.PURCHASE, words.CREDIT_VOID}
)
"""Entries whose money must come from lots that had not expired; a capture may use pinned ones."""

THROUGH = frozenset({words.CARD_PURCHASE, words.CARD_REFUND, words.CARD_REFUND_FAILED})
"""Entries of purchases by card, and of what was given back of them."""


def introduced_once(owned: Owned) -> Found:
    """An account with wallets is there, and a default one has had its first credit once."""
    introduced = sum(entry.type == words.INTRODUCTORY_CREDIT for entry in owned.entries.values())
    account = owned.account
    if account is None:
        if owned.moves_money:
            yield "account", "wallets, entries or members of an account that is not there"
        return
    if introduced != account.is_default:
        yield "account", f"{introduced} introductory credits"


def chained(owned: Owned) -> Found:
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


def balanced(owned: Owned) -> Found:
    """Postings that add up to zero and say the same as the draws."""
    for entry in owned.entries.values():
        at = f"{entry.currency} entry {entry.seq}"
        if sum(entry.postings.values()):
            yield at, f"postings add up to {sum(entry.postings.values())}"
        moved_micros = abs(own_delta(entry)) or abs(held_delta(entry))
        # What is to come on its day is drawn, and moves nothing yet; nor does what a card paid the
        # house, or got back from it.
        moves_nothing = entry.type == words.CREDIT_SCHEDULED or _passes(entry)
        if entry.amount_micros != total(entry.draws):
            yield at, "amount and draws differ"
        if moved_micros != (0 if moves_nothing else entry.amount_micros):
            yield at, "amount and postings differ"
        yield from _sides(entry, at)
        if any(draw.amount_micros <= 0 for draw in entry.draws):
            yield at, "draws nothing, or less"


def _passes(entry: Entry) -> bool:
    """Whether money only went through the wallet, between a card and the house."""
    of_house = words.REVENUE if entry.type == words.CARD_PURCHASE else words.REFUNDS
    return entry.type in THROUGH and entry.postings.keys() == {of_house, words.STRIPE_CLEARING}


def _sides(entry: Entry, at: str) -> Found:
    """Cash is posted as cash, and restricted credit as that."""
    cash_micros = sum(entry.postings.get(name, 0) for name in (words.WALLET, words.HELD))
    drawn_micros = sign(entry) * total(draw for draw in entry.draws if draw.kind == CASH)
    if cash_micros != drawn_micros:
        yield at, f"{cash_micros} of cash are posted, {drawn_micros} are drawn"
    restricted = [draw for draw in entry.draws if draw.terms and draw.terms.meters]
    posted_micros = entry.postings.get(words.RESTRICTED_CREDIT, 0)
    if posted_micros != sign(entry) * total(restricted):
        yield at, f"{posted_micros} of restricted credit are posted, and others are drawn"


def timely(owned: Owned) -> Found:
    """Nothing is drawn after its time, expires before it, or is opened before its day."""
    for entry in owned.entries.values():
        at = f"{entry.currency} entry {entry.seq}"
        terms = [draw.terms for draw in entry.draws if draw.terms]
        expired = [each.expired(entry.created_at) for each in terms]
        early = [each.granted_at > entry.created_at for each in terms]
        if entry.type in DRAWN_LIVE and any(expired):
            yield at, "draws from a lot that had expired"
        if entry.type == words.LOT_EXPIRY and not all(expired):
            yield at, "expires a lot before its time"
        if entry.type == words.CREDIT_GRANT and any(early):
            yield at, "opens a lot before its day"
        if entry.type == words.CREDIT_SCHEDULED and not all(early):
            yield at, "schedules a lot whose day has come"
        hold = entry.hold
        if entry.type == words.HOLD_EXPIRY and (hold is None or hold.expires_at > entry.created_at):
            yield at, "expires a hold before its time"


CHECKS = (introduced_once, chained, balanced, timely)
