"""What is wrong with a table, read from its raw items: nothing of the product is asked.

The product has an audit of its own. This one shares no line with it, nor with the code that writes
and reads items, so that one mistake cannot hide itself.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tests.simulator.values import Item

CENT_MICROS = 10_000
"""All currencies of these tests have cents."""
GENESIS = "0" * 64

_FREE = {"wallet": "cash", "credit": "credit"}
_HELD = {"held": "cash", "held_credit": "credit"}
_ADDS_TO_LOTS = ("introductory_credit", "deposit", "refund")
_TAKES_FROM_LOTS = ("withdrawal", "usage", "capture", "lot_expiry")
_CLOSES = {"captured": "capture", "released": "release", "expired": "hold_expiry"}

type Plain = dict[str, Any]
type Place = tuple[str, str, str]
"""Tenant, account, currency."""


def violations(items: Iterable[Item]) -> list[str]:
    """Every broken invariant, in words; empty for a sound ledger."""
    table = _Table([_plain_item(item) for item in items])
    found: list[str] = []
    for place, wallet in table.wallets.items():
        entries = table.statements.get(place, [])
        holds = table.holds.get(place, [])
        broken = (
            *_chain(wallet, entries),
            *_folds(wallet, entries),
            *_lots(wallet, entries, holds),
            *_held(wallet, holds),
            *_due(wallet, holds),
            *_hold_histories(holds, entries),
            *_refunds(entries, table.refunded.get(place[:2], {})),
        )
        found.extend(f"{place[1][-4:]} {place[2]}: {finding}" for finding in broken)
    found.extend(f"no wallet for the entries of {place}" for place in table.orphans())
    found.extend(_accounts(table))
    found.extend(_jobs(table))
    return found


def _plain_item(item: Item) -> Plain:
    return {name: _plain(value) for name, value in item.items()}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "N":
        return int(content)
    if kind == "M":
        return _plain_item(content)
    if kind == "L":
        return [_plain(element) for element in content]
    return content


class _Table:
    """Raw items by what they are."""

    def __init__(self, items: list[Plain]) -> None:
        self.wallets: dict[Place, Plain] = {}
        self.holds: dict[Place, list[Plain]] = defaultdict(list)
        self.statements: dict[Place, list[Plain]] = defaultdict(list)
        self.entries: dict[str, Plain] = {}
        self.refunded: dict[tuple[str, str], dict[str, Plain]] = defaultdict(dict)
        self.accounts: dict[tuple[str, str], Plain] = {}
        self.jobs: list[Plain] = []
        self.quotes: dict[str, Plain] = {}
        for item in items:
            self._add(item)
        for statement in self.statements.values():
            statement.sort(key=lambda entry: str(entry["gsi1sk"]))

    def _add(self, item: Plain) -> None:
        noun, _, name = item["sk"].partition("#")
        if noun == "ENTRY" and "gsi1pk" not in item:
            return  # a receipt: a request that moved no money has used up its key
        if noun == "ENTRY":
            _, tenant, account, currency = item["gsi1pk"].split("#")
            item["id"] = item["pk"].split("#")[2]
            self.statements[tenant, account, currency].append(item)
            self.entries[item["id"]] = item
            return
        _, tenant, _, account = item["pk"].split("#")
        match noun:
            case "WALLET":
                self.wallets[tenant, account, name] = item
            case "HOLD":
                self.holds[tenant, account, item["currency"]].append({**item, "id": name})
            case "REFUNDED":
                self.refunded[tenant, account][name] = item
            case "ACCOUNT":
                self.accounts[tenant, account] = item
            case "JOB":
                self.jobs.append({**item, "id": name})
            case "QUOTE":
                self.quotes[name] = item
            case _:
                raise AssertionError(f"what is {noun}?")

    def orphans(self) -> list[Place]:
        return [place for place in (*self.statements, *self.holds) if place not in self.wallets]


def _chain(wallet: Plain, entries: list[Plain]) -> Iterator[str]:
    numbers = [int(entry["gsi1sk"]) for entry in entries]
    if numbers != list(range(1, wallet["seq"] + 1)):
        yield f"entries {numbers} for a wallet at number {wallet['seq']}"
    before = GENESIS
    for entry in entries:
        if entry["prev"] != before:
            yield f"entry {entry['gsi1sk']} is not chained to the one before"
        if entry["hash"] != sha256(_document(entry)).hexdigest():
            yield f"entry {entry['gsi1sk']} is not what was hashed"
        before = entry["hash"]
    if wallet["head"] != before:
        yield "the head is not the hash of the last entry"


def _document(entry: Plain) -> bytes:
    _, _, account, currency = entry["gsi1pk"].split("#")
    postings = sorted(entry["postings"].items())
    shown = {
        "id": entry["id"],
        "account_id": account,
        "seq": int(entry["gsi1sk"]),
        "type": entry["type"],
        **_amount("amount", entry["amount"]),
        "currency": currency,
        **_amount("balance_after", entry["balance"]),
        **_amount("held_after", entry.get("held", 0)),
        "postings": [{"account": name, **_amount("amount", micros)} for name, micros in postings],
        "lots": [
            {"id": draw["id"], **_amount("amount", draw["amount"])}
            for draw in entry.get("draws", [])
        ],
        "reference": entry.get("reference"),
        "source": entry["source"],
        "details": entry.get("details", {}),
        "created_at": entry["created_at"],
        "prev": entry["prev"],
    }
    if "hold_id" in entry:
        shown["hold_id"] = entry["hold_id"]
    return json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _amount(name: str, micros: int) -> Plain:
    exact = Decimal(micros) / CENT_MICROS
    floor = int(exact.to_integral_value(rounding="ROUND_FLOOR"))
    return {name: floor} if exact == floor else {name: floor, f"{name}_decimal": f"{exact:f}"}


def _folds(wallet: Plain, entries: list[Plain]) -> Iterator[str]:
    """Postings add up to zero, and to every balance that was told or is kept."""
    sums: Counter[str] = Counter()
    credited = credits_count = debits_count = 0
    for entry in entries:
        number = entry["gsi1sk"].lstrip("0")
        if sum(entry["postings"].values()):
            yield f"postings of entry {number} do not add up to zero"
        if entry["amount"] < 0:
            yield f"entry {number} has a negative amount"
        sums.update(entry["postings"])
        own = [entry["postings"].get(account, 0) for account in (*_FREE, *_HELD)]
        credited += max(0, sum(own))
        credits_count += sum(own) > 0
        debits_count += sum(own) < 0
        if entry["balance"] != sum(sums[account] for account in (*_FREE, *_HELD)):
            yield f"entry {number} tells another balance than the postings"
        if entry.get("held", 0) != sum(sums[account] for account in _HELD):
            yield f"entry {number} tells another held amount than the postings"
    kept = _kept(wallet)
    for account in (*_FREE, *_HELD):
        if kept[account] != sums[account]:
            yield f"{account} is {kept[account]}, the postings say {sums[account]}"
    if (wallet["credited"], wallet["credits"], wallet["debits"]) != (
        credited,
        credits_count,
        debits_count,
    ):
        yield "the counters are not those of the entries"


def _kept(wallet: Plain) -> Counter[str]:
    """The wallet's balances, by the ledger account they belong to."""
    kept = Counter(wallet=wallet["cash"], held=wallet.get("cash_held", 0))
    for lot in wallet.get("lots", []):
        free, held = ("wallet", "held") if lot["kind"] == "cash" else ("credit", "held_credit")
        kept[free] += lot["left"]
        kept[held] += lot.get("held", 0)
    return kept


def _lots(wallet: Plain, entries: list[Plain], holds: list[Plain]) -> Iterator[str]:
    """Each lot has what the entries' draws left of it, and holds have pinned their part of it."""
    drawn: Counter[str] = Counter()
    for entry in entries:
        sign = _sign(entry)
        for draw in entry.get("draws", []):
            drawn[draw["id"]] += sign * draw["amount"]
    pinned: Counter[str] = Counter()
    for hold in holds:
        for draw in hold.get("draws", []):
            pinned[draw["id"]] += draw["amount"]
    lots = {lot["id"]: (lot["left"], lot.get("held", 0)) for lot in wallet.get("lots", [])}
    if len(lots) != len(wallet.get("lots", [])):
        yield "two lots with one id"
    if any(left < 0 or held < 0 for left, held in lots.values()) or wallet.get("cash_held", 0) < 0:
        yield "a lot, or held cash, is below zero"
    lots["cash"] = (wallet["cash"], wallet.get("cash_held", 0))
    for name in {*lots, *drawn, *pinned}:
        left, held = lots.get(name, (0, 0))
        if left + held != drawn[name]:
            yield f"lot {name} has {left + held}, its draws say {drawn[name]}"
        if held != pinned[name]:
            yield f"lot {name} has {held} held, the open holds say {pinned[name]}"


def _sign(entry: Plain) -> int:
    if entry["type"] in _ADDS_TO_LOTS:
        return +1
    if entry["type"] in _TAKES_FROM_LOTS:
        return -1
    captured_by_time = entry["type"] == "hold_expiry" and "revenue" in entry["postings"]
    return -1 if captured_by_time else 0


def _held(wallet: Plain, holds: list[Plain]) -> Iterator[str]:
    kept = _kept(wallet)
    set_aside = sum(_left(hold) for hold in holds)
    if kept["held"] + kept["held_credit"] != set_aside:
        yield f"{kept['held'] + kept['held_credit']} held, the open holds say {set_aside}"


def _left(hold: Plain) -> int:
    return sum(draw["amount"] for draw in hold.get("draws", []))


def _due(wallet: Plain, holds: list[Plain]) -> Iterator[str]:
    """The wallet stands in the due index no later than at the first instant that matters."""
    open_holds = [hold for hold in holds if hold["status"] == "open"]
    instants = [hold["expires_at"] for hold in open_holds]
    instants += [lot["until"] for lot in wallet.get("lots", []) if lot["left"] and "until" in lot]
    listed = wallet.get("gsi2sk", "9999").partition("#")[0]
    if instants and listed > min(instants):
        yield f"due at {min(instants)}, listed at {listed}"
    oldest = min((hold["id"] for hold in open_holds), default="~")
    if wallet.get("open_from", "~") > oldest:
        yield "an open hold is older than the wallet knows"


def _hold_histories(holds: list[Plain], entries: list[Plain]) -> Iterator[str]:
    """Each hold was placed once, closed at most once, and its sums are those of its entries."""
    by_hold: dict[str, list[Plain]] = defaultdict(list)
    for entry in entries:
        if "hold_id" in entry:
            by_hold[entry["hold_id"]].append(entry)
    for hold in holds:
        history = by_hold.pop(hold["id"], [])
        for finding in _history(hold, history):
            yield f"hold {hold['id'][-8:]}: {finding}"
    yield from (f"entries of a hold that is not there: {hold_id}" for hold_id in by_hold)


def _history(hold: Plain, history: list[Plain]) -> Iterator[str]:
    types = Counter(entry["type"] for entry in history)
    if types["hold"] != 1:
        yield f"placed {types['hold']} times"
    if len(history) != hold["version"]:
        yield f"version {hold['version']} after {len(history)} entries"
    asked = sum(e["amount"] for e in history if e["type"] in ("hold", "extension"))
    if asked != hold["amount"]:
        yield f"amount {hold['amount']}, its entries say {asked}"
    captured = sum(e["amount"] for e in history if _sign(e) == -1)
    if captured != hold.get("captured", 0):
        yield f"captured {hold.get('captured', 0)}, its entries say {captured}"
    closing = [entry for entry in history if entry["hold"]["status"] != "open"]
    if hold["status"] == "open":
        if closing:
            yield "open, and closed by an entry"
        if hold.get("over_capture") != "overdraft" and _left(hold) != asked - captured:
            yield f"{_left(hold)} left, its entries say {asked - captured}"
        return
    if _left(hold):
        yield f"{hold['status']} with {_left(hold)} set aside"
    if [entry["id"] for entry in closing] != [hold.get("closed_by")]:
        yield f"closed by {len(closing)} entries"
    elif closing[0]["type"] != _CLOSES[hold["status"]]:
        yield f"{hold['status']} by a {closing[0]['type']}"


def _refunds(entries: list[Plain], refunded: dict[str, Plain]) -> Iterator[str]:
    given: Counter[str] = Counter()
    for entry in entries:
        if entry["type"] == "refund":
            given[entry["reference"]] += entry["amount"]
    charged = {entry["id"]: -_own_delta(entry) for entry in entries}
    for charge, micros in given.items():
        if micros > charged.get(charge, 0):
            yield f"{micros} given back of a charge of {charged.get(charge, 0)}"
        if refunded.get(charge, {}).get("refunded") != micros:
            yield f"{micros} given back, and another sum remembered"


def _own_delta(entry: Plain) -> int:
    return sum(entry["postings"].get(account, 0) for account in (*_FREE, *_HELD))


def _accounts(table: _Table) -> Iterator[str]:
    """An account has its introductory credit once, and no credit comes without an account."""
    given: Counter[tuple[str, str]] = Counter()
    for (tenant, account, _), entries in table.statements.items():
        given[tenant, account] += sum(e["type"] == "introductory_credit" for e in entries)
    for owner in {*given, *table.accounts}:
        expected = 1 if owner in table.accounts else 0
        if given[owner] != expected:
            yield f"{owner[1]}: introductory credit {given[owner]} times, expected {expected}"


def _jobs(table: _Table) -> Iterator[str]:
    """A job names its last hold; a quote served one job, once."""
    hold_ids = {hold["id"]: hold for holds in table.holds.values() for hold in holds}
    users: dict[str, list[str]] = defaultdict(list)
    for hold in hold_ids.values():
        if "job" in hold:
            users[hold["job"]["quote_id"]].append(hold["job"]["job_id"])
    for job in table.jobs:
        if job["hold_id"] not in hold_ids:
            yield f"job {job['id']} names a hold that is not there"
    for quote_id in {*users, *(name for name, quote in table.quotes.items() if "used_by" in quote)}:
        quote = table.quotes.get(quote_id, {})
        if [quote.get("used_by")] != users[quote_id]:
            yield f"quote {quote_id} was used for {users[quote_id]}"
        if table.entries.get(quote.get("entry_id", ""), {}).get("type") != "hold":
            yield f"quote {quote_id} names no entry that placed a hold"
