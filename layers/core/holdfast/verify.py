"""Checks an export of a wallet's entries offline: `python -m holdfast.verify FILE`.

The export is one entry a line, as `GET /v1/billing/entries` gives them, printed by `jq -cS`.
Nothing is used here but the export and the standard library: not the code that wrote the entries,
nor the table they came from. `docs/reference/hash-chain.md` is the specification.

Exit status: 0 all is well; 1 an entry is broken, and the first one is named; 2 nothing was checked.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

GENESIS = "0" * 64
"""What the first entry of a wallet is chained to."""
CASH = "cash"
"""The name under which plain cash stands among the lots; it alone may go below zero."""
MILLION = 10**6
"""Amounts are compared in millionths of a minor unit: no currency here is finer."""
REQUIRED = frozenset(
    "id account_id seq type amount currency balance_after held_after postings lots reference "
    "source details created_at prev hash".split()
)
OPTIONAL = frozenset(["hold_id", "amount_decimal", "balance_after_decimal", "held_after_decimal"])
HELD = frozenset(["held", "held_credit"])
# The ledger accounts that make up a balance; credit for some meters only counts in none.
BALANCE = frozenset(["wallet", "credit"]) | HELD
CUSTOMER = BALANCE | frozenset(["restricted_credit"])
# Entries of money that may only have gone through, between a card and the house.
THROUGH = frozenset(["card_purchase", "card_refund", "card_refund_failed"])

FORMS = {
    "id": re.compile(r"ent_[a-z2-7]{26}"),
    "account_id": re.compile(r"acct_[a-z2-7]{26}"),
    "type": re.compile(r"[a-z][a-z_]*"),
    "currency": re.compile(r"[a-z]{3}"),
    "source": re.compile(r"[a-z][a-z0-9_]*"),
    "created_at": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"),
    "prev": re.compile(r"[0-9a-f]{64}"),
    "hash": re.compile(r"[0-9a-f]{64}"),
    "hold_id": re.compile(r"hold_[0-9a-z]{26}_[a-z]{3}"),
}
_ACCOUNT = re.compile(r"[a-z][a-z0-9_]*")
_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9]*)\.([0-9]{0,5}[1-9])")

type Shown = dict[str, Any]


class Wrong(Exception):
    """What is wrong with one line."""


class Unusable(Exception):
    """Nothing can be checked, and why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the chain needs of a line that is sound in itself; amounts in millionths."""

    line: int
    id: str
    wallet: tuple[str, str]
    seq: int
    prev: str
    hash: str
    balance_delta: int
    held_delta: int
    balance_after: int
    held_after: int
    lots: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The entry that is broken, as far as it can be told, and what is wrong with it."""

    line: int
    seq: int | None
    id: str | None
    what: str

    def __str__(self) -> str:
        entry = "" if self.seq is None else f", entry {self.seq} ({self.id})"
        return f"line {self.line}{entry}: {self.what}"


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet as its last entry leaves it; amounts in millionths of a minor unit."""

    account_id: str
    currency: str
    first_seq: int
    last_seq: int
    head: str
    balance: int
    held: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and what was found: `broken[0]` is the first broken entry."""

    entries: int
    wallets: tuple[Wallet, ...]
    broken: tuple[Broken, ...]


def verify(
    lines: Iterable[bytes], *, from_seq: int = 1, prev: str = GENESIS, head: str | None = None
) -> Report:
    """Check the lines of an export, in any order.

    Entries are numbered from `from_seq`, and the first of them is chained to `prev`. `head` is the
    hash that the last one must have: without it nobody can tell that the newest are missing.

    Raises:
        Unusable: There are no entries, or several wallets where only one can be meant.
    """
    checked, broken = _read(lines)
    if not checked and not broken:
        if head in (None, GENESIS):
            raise Unusable("there are no entries in it")
        broken.append(Broken(0, None, None, f"there are no entries; the head is {head}"))
    wallets: defaultdict[tuple[str, str], list[Checked]] = defaultdict(list)
    for entry in checked:
        wallets[entry.wallet].append(entry)
    if len(wallets) > 1 and not broken and (head is not None or from_seq != 1):
        raise Unusable(f"{len(wallets)} wallets are in it; check each on its own")
    if broken:
        # A line that is not sound in itself says nothing about its neighbours.
        broken.sort(key=lambda each: (each.seq is not None, each.seq or 0, each.line))
        return Report(len(checked), (), tuple(broken))
    states = []
    for each in wallets.values():
        each.sort(key=lambda entry: (entry.seq, entry.line))
        broken += _first_broken_link(each, from_seq=from_seq, prev=prev, head=head)
        states.append(_state(each))
    return Report(len(checked), tuple(states), tuple(broken))


def canonical(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no white space: the bytes that are hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _read(lines: Iterable[bytes]) -> tuple[list[Checked], list[Broken]]:
    checked: list[Checked] = []
    broken: list[Broken] = []
    for number, raw in enumerate(lines, start=1):
        shown: Any = None
        try:
            shown = _parsed(raw.removesuffix(b"\n"))
            checked.append(_checked(shown, number))
        except Wrong as wrong:
            broken.append(Broken(number, *_name(shown), str(wrong)))
    return checked, broken


def _name(shown: Any) -> tuple[int | None, str | None]:
    """The number and the id that an unsound line says it has."""
    if isinstance(shown, dict) and type(shown.get("seq")) is int:
        return shown["seq"], str(shown.get("id"))
    return None, None


def _parsed(raw: bytes) -> Any:
    """The JSON of a line, if the line is how that JSON is spelled canonically."""
    try:
        shown = json.loads(raw.decode(), parse_float=_refuse, parse_constant=_refuse)
        spelled = canonical(shown)
    except (ValueError, RecursionError) as error:
        raise Wrong("is not JSON that an entry can be") from error
    # jq writes the one control character that JSON may hold as it is, U+007F, as an escape.
    if raw not in (spelled, spelled.replace(b"\x7f", b"\\u007f")):
        raise Wrong("is not spelled canonically (sorted keys, no white space): jq -cS does it")
    return shown


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"no number of an entry is {text}")


def _checked(shown: Any, line: int) -> Checked:
    """Everything that can be checked of an entry by itself."""
    if not isinstance(shown, dict):
        raise Wrong("is not an entry")
    if "data" in shown:
        raise Wrong("is a page of entries: make lines of it with jq -cS '.data[]'")
    _require_fields(shown)
    unhashed = {name: value for name, value in shown.items() if name != "hash"}
    if sha256(canonical(unhashed)).hexdigest() != shown["hash"]:
        raise Wrong("does not have the hash that it says it has")
    deltas = _posted(shown)
    own_delta, held_delta = _sum(deltas, CUSTOMER), _sum(deltas, HELD)
    amount = _amount(shown, "amount")
    lots = tuple((_text(lot, "id"), _amount(lot, "amount")) for lot in _rows(shown, "lots", "id"))
    amounts = [lot_amount for _, lot_amount in lots]
    if min(amounts, default=1) <= 0:
        raise Wrong("has a lot with nothing in it")
    if amount != sum(amounts):
        raise Wrong("has lots that do not add up to its amount")
    through = shown["type"] in THROUGH and not deltas.keys() & CUSTOMER
    moved = max(deltas.values(), default=0) if through else abs(own_delta) or abs(held_delta)
    if moved != (0 if shown["type"] == "credit_scheduled" else amount):
        raise Wrong("has an amount that its postings do not move")
    return Checked(
        line=line,
        id=shown["id"],
        wallet=(shown["account_id"], shown["currency"]),
        seq=shown["seq"],
        prev=shown["prev"],
        hash=shown["hash"],
        balance_delta=_sum(deltas, BALANCE),
        held_delta=held_delta,
        balance_after=_amount(shown, "balance_after"),
        held_after=_amount(shown, "held_after"),
        lots=tuple((lot_id, _sign(own_delta) * drawn) for lot_id, drawn in lots),
    )


def _require_fields(shown: Shown) -> None:
    if missing := REQUIRED - shown.keys():
        raise Wrong(f"has no {min(missing)}")
    if more := shown.keys() - REQUIRED - OPTIONAL:
        raise Wrong(f"has a field that no entry has: {min(more)}")
    for name, form in FORMS.items():
        if name in shown and not form.fullmatch(_text(shown, name)):
            raise Wrong(f"has a {name} of the wrong form")
    if type(shown["seq"]) is not int or shown["seq"] < 1:
        raise Wrong("has a seq that is not a number from 1 on")
    if shown["reference"] is not None:
        _text(shown, "reference")
    if not isinstance(shown["details"], dict):
        raise Wrong("has details that are not an object")


def _posted(shown: Shown) -> dict[str, int]:
    """The postings by ledger account: in order, none of them zero, all together zero."""
    rows = _rows(shown, "postings", "account")
    deltas = {_text(row, "account"): _amount(row, "amount") for row in rows}
    if len(deltas) != len(rows) or list(deltas) != sorted(deltas):
        raise Wrong("has postings out of order, or two on one ledger account")
    if not all(_ACCOUNT.fullmatch(account) for account in deltas) or 0 in deltas.values():
        raise Wrong("has a posting that posts nothing")
    if sum(deltas.values()):
        raise Wrong("has postings that do not add up to zero")
    return deltas


def _rows(shown: Shown, name: str, key: str) -> list[Shown]:
    rows = shown[name]
    allowed = {frozenset([key, "amount"]), frozenset([key, "amount", "amount_decimal"])}
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and frozenset(row) in allowed for row in rows
    ):
        raise Wrong(f"has {name} that are not a list of {key} and amount")
    return rows


def _text(shown: Shown, name: str) -> str:
    value = shown[name]
    if not isinstance(value, str):
        raise Wrong(f"has a {name} that is not text")
    return value


def _amount(shown: Shown, name: str) -> int:
    """An amount in millionths of a minor unit. What is not whole must be floored beside it."""
    whole = shown[name]
    if type(whole) is not int:
        raise Wrong(f"has {name} that is not a whole number")
    if f"{name}_decimal" not in shown:
        return whole * MILLION
    match = _DECIMAL.fullmatch(_text(shown, f"{name}_decimal"))
    if match is None:
        raise Wrong(f"has {name}_decimal that is not a number with decimals")
    sign, units, decimals = match.groups()
    exact = int(units) * MILLION + int(decimals.ljust(6, "0"))
    if sign:
        exact = -exact
    if exact // MILLION != whole:
        raise Wrong(f"has {name} and {name}_decimal that differ")
    return exact


def _sum(deltas: dict[str, int], accounts: frozenset[str]) -> int:
    return sum(delta for account, delta in deltas.items() if account in accounts)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _first_broken_link(
    entries: Sequence[Checked], *, from_seq: int, prev: str, head: str | None
) -> Iterator[Broken]:
    """The first entry, in the order of numbers, that does not follow from those before it."""
    # An export that starts in the middle is taken at its word for what was there before.
    first = entries[0]
    partial = from_seq != 1
    balance = first.balance_after - first.balance_delta if partial else 0
    held = first.held_after - first.held_delta if partial else 0
    lots: defaultdict[str, int] = defaultdict(int)
    seq = from_seq
    for entry in entries:
        balance += entry.balance_delta
        held += entry.held_delta
        for lot_id, delta in entry.lots:
            lots[lot_id] += delta
        if entry.seq != seq:
            twice = entry.seq == seq - 1 and seq > from_seq
            what = "is there twice" if twice else f"stands where number {seq} should: it is missing"
        elif entry.prev != prev:
            what = "is not chained to the one before it"
        elif (entry.balance_after, entry.held_after) != (balance, held):
            what = "says another balance than the postings up to it add up to"
        elif not partial and any(lots[lot_id] < 0 for lot_id, _ in entry.lots if lot_id != CASH):
            what = "takes more out of a lot than is in it"
        else:
            seq, prev = entry.seq + 1, entry.hash
            continue
        yield Broken(entry.line, entry.seq, entry.id, what)
        return
    last = entries[-1]
    if head is not None and last.hash != head:
        what = f"is the last one here, and not the head {head}: newer ones are missing"
        yield Broken(last.line, last.seq, last.id, what)


def _state(entries: Sequence[Checked]) -> Wallet:
    first, last = entries[0].seq, entries[-1]
    return Wallet(*last.wallet, first, last.seq, last.hash, last.balance_after, last.held_after)


def _spelled(amount: int) -> str:
    """Millionths of a minor unit as minor units, exact."""
    whole, rest = divmod(abs(amount), MILLION)
    decimals = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{'-' if amount < 0 else ''}{whole}{decimals}"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m holdfast.verify",
        description="Check an export of GET /v1/billing/entries, one entry a line (jq -cS).",
    )
    parser.add_argument("file", metavar="FILE", help="the export; - reads standard input")
    parser.add_argument("--head", type=_hash, help="the head that GET /v1/billing/ledger/head gave")
    parser.add_argument("--from-seq", type=int, default=1, help="the number of the oldest entry")
    parser.add_argument("--prev", type=_hash, help="the hash of the entry before the oldest")
    return parser


def _hash(text: str) -> str:
    if FORMS["hash"].fullmatch(text):
        return text
    raise argparse.ArgumentTypeError("not a hash (64 hexadecimal digits, lower case)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check that the command line asks for; the exit status."""
    parser = _arguments()
    asked = parser.parse_args(arguments)
    if asked.from_seq < 1 or (asked.from_seq == 1) != (asked.prev is None):
        parser.error("an export that starts later than entry 1 needs --from-seq and --prev")
    try:
        with sys.stdin.buffer if asked.file == "-" else Path(asked.file).open("rb") as lines:
            before = asked.prev or GENESIS
            report = verify(lines, from_seq=asked.from_seq, prev=before, head=asked.head)
    except (OSError, Unusable) as error:
        print(f"{asked.file} cannot be checked: {error}", file=sys.stderr)
        return 2
    return _told(report)


def _told(report: Report) -> int:
    if report.broken:
        first, *more = report.broken
        print(f"BROKEN {first}", *([f"       and {len(more)} more"] if more else []), sep="\n")
        return 1
    print(f"ok: {report.entries} entries, {len(report.wallets)} wallets")
    for each in sorted(report.wallets, key=lambda wallet: (wallet.account_id, wallet.currency)):
        print(
            f"{each.account_id} {each.currency} entries {each.first_seq}-{each.last_seq} "
            f"head {each.head} balance {_spelled(each.balance)} held {_spelled(each.held)}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
