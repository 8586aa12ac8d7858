"""Entries: the immutable lines of the ledger, each chained to the one before it.

An entry's *document* is what a customer reads and exports, and it is what is hashed: SHA-256 over
the canonical JSON of the document without its `hash`. Anybody can check a chain with a JSON parser
and SHA-256; `docs/reference/hash-chain.md` is the whole specification.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from holdfast.domain import money
from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant, rfc3339
from holdfast.domain.lots import Draw

if TYPE_CHECKING:
    from holdfast.domain.holds import Hold

type Json = str | int | bool | list["Json"] | dict[str, "Json"] | None

ENTRY_PREFIX = "ent_"
GENESIS = "0" * 64
"""What the first entry of a wallet is chained to."""

# What an entry records. Public words: `docs/reference/glossary.md`.
INTRODUCTORY_CREDIT = "introductory_credit"
DEPOSIT = "deposit"
WITHDRAWAL = "withdrawal"
USAGE = "usage"
REFUND = "refund"
HOLD = "hold"
EXTENSION = "extension"
CAPTURE = "capture"
RELEASE = "release"
HOLD_EXPIRY = "hold_expiry"
LOT_EXPIRY = "lot_expiry"
STARTER_CREDIT = "starter_credit"
CREDIT_SCHEDULED = "credit_scheduled"
CREDIT_GRANT = "credit_grant"
CREDIT_VOID = "credit_void"
ADJUSTMENT = "adjustment"
COUPON_CREDIT = "coupon_credit"
PURCHASE = "purchase"
CARD_PURCHASE = "card_purchase"
CARD_REFUND = "card_refund"
CARD_REFUND_FAILED = "card_refund_failed"
DISPUTE_OPENED = "dispute_opened"
DISPUTE_WON = "dispute_won"
DISPUTE_LOST = "dispute_lost"

# Ledger accounts of the customer: the four always add up to the wallet's balance.
WALLET = "wallet"
CREDIT = "credit"
HELD = "held"
HELD_CREDIT = "held_credit"
# The customer's too, but no part of the balance: credit that pays for some meters only.
RESTRICTED_CREDIT = "restricted_credit"
CUSTOMER_ACCOUNTS = frozenset({WALLET, CREDIT, HELD, HELD_CREDIT})
HELD_ACCOUNTS = frozenset({HELD, HELD_CREDIT})

# Ledger accounts of the house. No item stands for them: they are folded from the entries.
DEPOSITS = "deposits"
WITHDRAWALS = "withdrawals"
REVENUE = "revenue"
REFUNDS = "refunds"
PROMOTIONS = "promotions"
BREAKAGE = "breakage"
ADJUSTMENTS = "adjustments"
DISPUTES = "disputes"
STRIPE_CLEARING = "stripe_clearing"
X402_CLEARING = "x402_clearing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One operation on one wallet, and what it left behind.

    `amount_micros` is the size of the operation, never negative: the type says which way it went
    and the postings say exactly. Postings add up to zero; a positive one is money that arrived on
    that ledger account. `draws` are the lots that the operation's money came from or went to.
    """

    id: str
    tenant: Tenant
    account_id: str
    currency: str
    seq: int
    type: str
    amount_micros: int
    balance_after_micros: int
    held_after_micros: int
    postings: Mapping[str, int]
    draws: tuple[Draw, ...]
    reference: str | None
    source: str
    details: Mapping[str, Json]
    hold_id: str | None
    created_at: Instant
    prev: str
    hash: str = ""
    # Not part of the document: what a second delivery of the request is checked against, and
    # what its first answer showed besides, so that it can be given again: the hold as this entry
    # left it, the balance once lots that expired right after it were gone, if any were, and how
    # much of it all was cash.
    fingerprint: str = ""
    balance_left_micros: int | None = None
    cash_after_micros: int = 0
    hold: "Hold | None" = field(default=None, repr=False)

    @property
    def balance_micros(self) -> int:
        """What the owner had when the request was done."""
        left_micros = self.balance_left_micros
        return self.balance_after_micros if left_micros is None else left_micros

    @property
    def available_micros(self) -> int:
        """What the owner could spend when the request was done."""
        return self.balance_micros - self.held_after_micros

    @property
    def balance_delta_micros(self) -> int:
        """How the customer's balance changed, held money included."""
        return sum(self.postings.get(account, 0) for account in CUSTOMER_ACCOUNTS)


def document(entry: Entry) -> dict[str, Json]:
    """The entry as its owner reads it, amounts in minor units, without its hash.

    An amount that is not whole is floored, and its exact value stands beside it as a decimal
    string under the same name with `_decimal`.
    """
    currency = entry.currency
    shown: dict[str, Json] = {
        "id": entry.id,
        "account_id": entry.account_id,
        "seq": entry.seq,
        "type": entry.type,
        **_amount("amount", entry.amount_micros, currency),
        "currency": currency,
        **_amount("balance_after", entry.balance_after_micros, currency),
        **_amount("held_after", entry.held_after_micros, currency),
        "postings": [
            {"account": account, **_amount("amount", amount_micros, currency)}
            for account, amount_micros in sorted(entry.postings.items())
        ],
        "lots": [
            {"id": draw.lot_id, **_amount("amount", draw.amount_micros, currency)}
            for draw in entry.draws
        ],
        "reference": entry.reference,
        "source": entry.source,
        "details": dict(entry.details),
        "created_at": rfc3339(entry.created_at),
        "prev": entry.prev,
    }
    if entry.hold_id is not None:
        shown["hold_id"] = entry.hold_id
    return shown


def canonical_json(shown: Mapping[str, Json]) -> bytes:
    """UTF-8 JSON with sorted keys and no white space: the bytes that are hashed."""
    return json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def chain_hash(entry: Entry) -> str:
    """SHA-256, in hex, over the entry's document; the document holds the hash before it."""
    return sha256(canonical_json(document(entry))).hexdigest()


def _amount(name: str, amount_micros: int, currency: str) -> dict[str, Json]:
    shown: dict[str, Json] = {name: money.minor_floor(amount_micros, currency)}
    if not money.is_whole_minor(amount_micros, currency):
        shown[f"{name}_decimal"] = money.minor_decimal(amount_micros, currency)
    return shown
