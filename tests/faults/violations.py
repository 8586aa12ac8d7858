"""What is wrong with a table, read from its raw items: nothing of the product is asked.

The product has an audit of its own. This one shares no line with it, nor with the code that writes
and reads items, so that one mistake cannot hide itself.
"""

import json
from base64 import b32encode
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tests.faults.violations_of_coupons import violations_of_coupons
from tests.faults.violations_of_payments import frozen, violations_of_payments
from tests.faults.violations_of_recharges import violations_of_recharges
from tests.faults.violations_of_x402 import violations_of_x402
from tests.simulator.values import Item

CENT_MICROS = 10_000
"""All currencies of these tests have cents."""
GENESIS = "0" * 64

_FREE = {"wallet": "cash", "credit": "credit"}
_HELD = {"held": "cash", "held_credit": "credit"}
_RESTRICTED = "restricted_credit"
_OWN = (*_FREE, *_HELD, _RESTRICTED)
_ADDS_TO_LOTS = (
    "introductory_credit",
    "deposit",
    "refund",
    "starter_credit",
    "credit_grant",
    "coupon_credit",
)
_TAKES_FROM_LOTS = ("withdrawal", "usage", "capture", "lot_expiry", "credit_void", "purchase")
_EITHER_WAY = ("adjustment", "card_purchase", "card_refund", "card_refund_failed")
_OUTSIDE = ("stripe", "x402")
"""Where entries come from that nobody can refuse: it has happened elsewhere."""
_WINDOWS = {"day": 10, "month": 7, "total": 0}
_CLOSES = {"captured": "capture", "released": "release", "expired": "hold_expiry"}

# Records that are no account's, by how their keys begin.
_ELSEWHERE = [["ORG", "PAY"], ["ORG", "COUPON"], ["ORG", "CARD"], ["KEY"], ["STRIPE"], ["X402"]]
_MOVES_NO_MONEY = (
    "INFO",
    "METHOD",
    "CUSTOMER",
    "SETUP",
    "DISPUTE",
    "REDEMPTION",
    "GUESSES",
    "RECHARGE",
    "ATTEMPT",
)

type Plain = dict[str, Any]
type Place = tuple[str, str, str]
"""Tenant, account, currency."""


def violations(items: Iterable[Item]) -> list[str]:
    """Every broken invariant, in words; empty for a sound ledger."""
    plain = [_plain_item(item) for item in items]
    found = [
        *violations_of_payments(plain),
        *violations_of_x402(plain),
        *violations_of_coupons(plain),
        *violations_of_recharges(plain),
    ]
    table = _Table(plain)
    for place, wallet in table.wallets.items():
        entries = table.statements.get(place, [])
        holds = table.holds.get(place, [])
        broken = (
            *_chain(wallet, entries),
            *_folds(wallet, entries),
            *_lots(wallet, entries, holds, table.frozen[place]),
            *_held(wallet, holds, table.frozen[place]),
            *_waits(wallet, entries),
            *_one_rank(wallet, entries, holds, table.grants.get(place[:2], {})),
            *_due(wallet, holds),
            *_hold_histories(holds, entries),
            *_refunds(entries, table.refunded.get(place[:2], {})),
        )
        found.extend(f"{place[1][-4:]} {place[2]}: {finding}" for finding in broken)
    found.extend(f"no wallet for the entries of {place}" for place in table.orphans())
    found.extend(_accounts(table))
    found.extend(_jobs(table))
    found.extend(_grants(table))
    found.extend(_budgets(table))
    found.extend(_workspaces(table))
    found.extend(_receipts(table))
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
        self.grants: dict[tuple[str, str], dict[str, Plain]] = defaultdict(dict)
        self.starters: dict[tuple[str, str], Plain] = {}
        self.budgets: dict[tuple[str, str, str], Plain] = {}
        self.links: dict[tuple[str, str, str], Plain] = {}
        self.members: dict[tuple[str, str, str], Plain] = {}
        self.workspaces: dict[tuple[str, str], Plain] = {}
        self.answers: list[Plain] = []
        self.versions: dict[tuple[str, str], int] = {}
        self.frozen = frozen(items)
        for item in items:
            self._add(item)
        for statement in self.statements.values():
            statement.sort(key=lambda entry: str(entry["gsi1sk"]))

    def _add(self, item: Plain) -> None:
        noun = item["sk"].partition("#")[0]
        if noun == "ENTRY" and "gsi1pk" not in item:
            # A receipt: a request that moved no money has used up its key.
            self.answers.append(item["answer"])
            return
        if noun == "ENTRY":
            _, tenant, account, currency = item["gsi1pk"].split("#")
            item["id"] = item["pk"].split("#")[2]
            self.statements[tenant, account, currency].append(item)
            self.entries[item["id"]] = item
            return
        self.versions[item["pk"], item["sk"]] = item["version"]
        match item["pk"].split("#"):
            case ["ORG", tenant, "ACCT" | "WS", owner]:
                self._keep(item, tenant, owner)
            case parts:
                assert parts[::2][:2] in _ELSEWHERE, f"what is {noun}?"

    def _keep(self, item: Plain, tenant: str, account: str) -> None:
        noun, _, name = item["sk"].partition("#")
        single = {"ACCOUNT": self.accounts, "STARTER": self.starters, "WORKSPACE": self.workspaces}
        named = {
            "WALLET": self.wallets,
            "BUDGET": self.budgets,
            "LINKED": self.links,
            "MEMBER": self.members,
        }
        several = {"REFUNDED": self.refunded, "GRANT": self.grants}
        if noun in single:
            single[noun][tenant, account] = item
        elif noun in named:
            named[noun][tenant, account, name] = item
        elif noun in several:
            several[noun][tenant, account][name] = item
        elif noun == "HOLD":
            self.holds[tenant, account, item["currency"]].append({**item, "id": name})
        elif noun == "JOB":
            self.jobs.append({**item, "id": name})
        elif noun == "QUOTE":
            self.quotes[name] = item
        else:
            assert noun in _MOVES_NO_MONEY, f"what is {noun}?"

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
        if entry.get("cash", 0) != sums["wallet"] + sums["held"]:
            yield f"entry {number} tells another sum of cash than the postings"
        credited += max(0, sum(own))
        credits_count += sum(own) > 0
        debits_count += sum(own) < 0
        if entry["balance"] != sum(sums[account] for account in (*_FREE, *_HELD)):
            yield f"entry {number} tells another balance than the postings"
        if entry.get("held", 0) != sum(sums[account] for account in _HELD):
            yield f"entry {number} tells another held amount than the postings"
    kept = _kept(wallet)
    if wallet.get("charged", 0) != sums["revenue"] + sums["refunds"]:
        yield f"{wallet.get('charged', 0)} charged, which is not what the entries took"
    for account in _OWN:
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
        free = _RESTRICTED if "meters" in lot else free
        kept[free] += lot["left"]
        kept[held] += lot.get("held", 0)
    return kept


def _lots(
    wallet: Plain, entries: list[Plain], holds: list[Plain], frozen_micros: int
) -> Iterator[str]:
    """Each lot has what the entries' draws left of it, and holds have pinned their part of it.

    What disputes have frozen is plain cash.
    """
    drawn: Counter[str] = Counter()
    for entry in entries:
        sign = _sign(entry)
        for draw in entry.get("draws", []):
            drawn[draw["id"]] += sign * draw["amount"]
    pinned = Counter(cash=frozen_micros)
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
            yield f"lot {name} has {held} held, holds and disputes say {pinned[name]}"


def _sign(entry: Plain) -> int:
    if entry["type"] in _ADDS_TO_LOTS:
        return +1
    if entry["type"] in _TAKES_FROM_LOTS:
        return -1
    if entry["type"] in _EITHER_WAY or entry["type"].startswith("dispute_"):
        own: int = sum(entry["postings"].get(account, 0) for account in _OWN)
        return (own > 0) - (own < 0)
    captured_by_time = entry["type"] == "hold_expiry" and "revenue" in entry["postings"]
    return -1 if captured_by_time else 0


def _held(wallet: Plain, holds: list[Plain], frozen_micros: int) -> Iterator[str]:
    kept = _kept(wallet)
    set_aside = frozen_micros + sum(_left(hold) for hold in holds)
    if kept["held"] + kept["held_credit"] != set_aside:
        yield f"{kept['held'] + kept['held_credit']} held, holds and disputes say {set_aside}"


def _left(hold: Plain) -> int:
    return sum(draw["amount"] for draw in hold.get("draws", []))


def _due(wallet: Plain, holds: list[Plain]) -> Iterator[str]:
    """The wallet stands in the due index no later than at the first instant that matters."""
    open_holds = [hold for hold in holds if hold["status"] == "open"]
    instants = [hold["expires_at"] for hold in open_holds]
    instants += [lot["until"] for lot in wallet.get("lots", []) if lot["left"] and "until" in lot]
    instants += [lot["at"] for lot in wallet.get("pending", [])]
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
    if any(entry["hold"].get("scopes") != hold.get("scopes") for entry in history):
        yield "under other scopes than it was placed"
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
    charged = {entry["id"]: entry["postings"].get("revenue", 0) for entry in entries}
    for charge, micros in given.items():
        if micros > charged.get(charge, 0):
            yield f"{micros} given back of a charge of {charged.get(charge, 0)}"
        if refunded.get(charge, {}).get("refunded") != micros:
            yield f"{micros} given back, and another sum remembered"


def _waits(wallet: Plain, entries: list[Plain]) -> Iterator[str]:
    """What is scheduled waits whole, until it is opened or voided; what is opened has waited."""
    due: dict[str, Plain] = {}
    for entry in entries:
        if entry["type"] == "credit_scheduled":
            due |= {draw["id"]: draw for draw in entry["draws"]}
        if entry["type"] == "credit_grant" and entry["source"] == "system":
            for draw in entry["draws"]:
                if due.pop(draw["id"], None) != draw or draw["at"] > entry["created_at"]:
                    yield f"{draw['id']} was opened, and did not wait for that"
        if entry["type"] == "credit_void":
            due.pop(entry["reference"], None)
    waiting = [{**lot, "amount": lot["left"]} for lot in wallet.get("pending", [])]
    for lot in waiting:
        del lot["left"]
    if {lot["id"]: lot for lot in waiting} != due or len(waiting) != len(due):
        yield f"{waiting} wait, scheduled are {due}"


def _one_rank(
    wallet: Plain, entries: list[Plain], holds: list[Plain], grants: Mapping[str, Plain]
) -> Iterator[str]:
    """A lot has one priority, one purpose and one day wherever it is mentioned."""
    mentions = [*wallet.get("lots", []), *wallet.get("pending", [])]
    for each in (*entries, *holds):
        mentions += each.get("draws", [])
    ranks: dict[str, set[str]] = defaultdict(set)
    for lot in mentions:
        told = [lot.get(name) for name in ("kind", "at", "prio", "tag", "meters")]
        ranks[lot["id"]].add(str(told))
    for name, grant in grants.items():
        names = ("effective_at", "priority", "tags", "meters")
        ranks[name].add(str(["credit", *((grant.get(each) or None) for each in names)]))
    for name, mentioned in ranks.items():
        if len(mentioned) > 1:
            yield f"lot {name} is told of as {mentioned}"


def _grants(table: _Table) -> Iterator[str]:
    """Each grant was given once and voided once at most; the starter credit once."""
    for owner in {*table.accounts, *table.grants, *table.starters}:
        mine = [entry for place, some in table.statements.items() if place[:2] == owner
                for entry in some]  # fmt: skip
        given: Counter[tuple[str, int]] = Counter()
        voids: dict[str, str] = {}
        for entry in mine:
            if entry["type"] in ("credit_grant", "credit_scheduled") and entry["source"] == "api":
                given[entry["reference"], entry["amount"]] += 1
            if entry["type"] == "credit_void":
                if entry["reference"] in voids:
                    yield f"{entry['reference']} was voided twice"
                voids[entry["reference"]] = entry["created_at"]
        stored = table.grants.get(owner, {})
        if given != Counter((name, grant["amount"]) for name, grant in stored.items()):
            yield f"granted was {given}, stored are {sorted(stored)}"
        ended = {name: grant["voided_at"] for name, grant in stored.items() if "voided_at" in grant}
        if ended != voids:
            yield f"voided were {voids}, by the grants' own account {ended}"
        for lot in (lot for place, wallet in table.wallets.items() if place[:2] == owner
                    for lot in wallet.get("lots", [])):  # fmt: skip
            if lot["id"] in ended and lot["left"]:
                yield f"{lot['id']} was voided, and {lot['left']} of it can be spent"
        starts = [entry["id"] for entry in mine if entry["type"] == "starter_credit"]
        noted = table.starters.get(owner)
        if starts != ([noted["entry_id"]] if noted else []):
            yield f"starter credit by {starts}, noted is {noted}"


def _budgets(table: _Table) -> Iterator[str]:
    """What a budget holds is what the open holds under it have left; what it spent they took."""
    held: Counter[tuple[str, str, str]] = Counter()
    spent: Counter[tuple[str, str, str]] = Counter()
    named: set[tuple[str, str, str]] = set()
    for (tenant, account, currency), holds in table.holds.items():
        for hold in holds:
            for scope in hold.get("scopes", []):
                name = _budget((tenant, account, currency), scope)
                named.add(name)
                held[name] += _left(hold)
    for place, entries in table.statements.items():
        for entry in entries:
            for scope in entry.get("hold", {}).get("scopes", []):
                name = _budget(place, scope)
                length = _WINDOWS[scope.get("window", "total")]
                period = table.budgets.get(name, {}).get("period", "")
                if entry["created_at"][:length] == period:
                    spent[name] += entry["postings"].get("revenue", 0)
    for name in {*named, *table.budgets}:
        budget = table.budgets.get(name, {"held": None, "spent": None})
        if budget["held"] != held[name]:
            yield f"{name} holds {budget['held']}, the open holds under it {held[name]}"
        of_key = name[2].startswith("key#")
        if budget["spent"] != spent[name] and not (of_key and budget["spent"] >= spent[name]):
            yield f"{name} has spent {budget['spent']}, the holds under it took {spent[name]}"
        if name not in named and not (of_key and budget["spent"]):
            yield f"{name} is there for nothing"


def _budget(place: Place, scope: Plain) -> tuple[str, str, str]:
    tenant, account, currency = place
    names = (scope["kind"], scope["id"], scope.get("currency", currency))
    name = "#".join((*names, scope.get("window", "total")))
    return tenant, scope.get("account_id", account), name


def _workspaces(table: _Table) -> Iterator[str]:
    """One default account, always linked; and each account knows what is linked to it."""
    linked = {
        (tenant, link["account_id"], name): link["linked_at"]
        for (tenant, name), workspace in table.workspaces.items()
        for link in workspace["links"]
    }
    known = {
        place: link["linked_at"] for place, link in table.links.items() if "unlinked_at" not in link
    }
    if linked != known:
        yield f"linked are {linked}, the accounts know {known}"
    for tenant, account, name in linked:
        if "closed_at" in table.accounts.get((tenant, account), {"closed_at": "never there"}):
            yield f"{name} is linked to {account}, which is closed or not there"
    for (tenant, name), workspace in table.workspaces.items():
        ids = [link["account_id"] for link in workspace["links"]]
        if len(set(ids)) != len(ids) or workspace["default_account_id"] not in ids:
            yield f"{tenant} {name} is linked to {ids}, by default {workspace}"
    for (tenant, account, name), member in table.members.items():
        owner = table.accounts.get((tenant, account), {}).get("owner")
        if owner in (None, member["user"]) or member["role"] not in ("admin", "member", "viewer"):
            yield f"{name} is {member['role']} of an account of {owner}"


def _receipts(table: _Table) -> Iterator[str]:
    """What was answered is there, as it was then or newer."""
    for answer in table.answers:
        if table.versions.get((answer["pk"], answer["sk"]), 0) < answer["version"]:
            yield f"{answer['sk']} was answered at version {answer['version']}, and is not there"


def _is_default(owner: tuple[str, str], account: Plain) -> bool:
    digest = sha256(f"account\0{owner[0]}\0{account['owner']}".encode()).digest()
    return owner[1] == f"acct_{b32encode(digest).decode().lower()[:26]}"


def _accounts(table: _Table) -> Iterator[str]:
    """A default account has its introductory credit once, and nothing comes without an account."""
    given: Counter[tuple[str, str]] = Counter()
    for (tenant, account, _), entries in table.statements.items():
        given[tenant, account] += sum(e["type"] == "introductory_credit" for e in entries)
    for owner in {*given, *table.accounts}:
        stored = table.accounts.get(owner)
        expected = stored is not None and _is_default(owner, stored)
        if given[owner] != expected:
            yield f"{owner[1]}: introductory credit {given[owner]} times, expected {expected}"
        if stored is None:
            yield f"{owner[1]} has entries and is not there"
    for place, wallet in table.wallets.items():
        if wallet.get("closed", False) != ("closed_at" in table.accounts.get(place[:2], {})):
            yield f"{place} is closed or open, and its account is not"
        open_holds = [hold for hold in table.holds.get(place, []) if hold["status"] == "open"]
        full = any(wallet.get(name) for name in ("cash", "cash_held", "lots"))
        waits = wallet.get("pending") or wallet.get("gsi2sk") or open_holds
        emptied = not full or _emptied(table.statements.get(place, []))
        if wallet.get("closed") and (waits or not emptied):
            yield f"{place} is closed with something in it"


def _emptied(entries: list[Plain]) -> bool:
    """Whether the wallet was empty before what came in, or went out, without being asked."""
    empty = [0, *(n for n, e in enumerate(entries, 1) if not e["balance"] and not e.get("held"))]
    return all(entry["source"] in _OUTSIDE for entry in entries[empty[-1] :])


def _jobs(table: _Table) -> Iterator[str]:
    """A job names its last hold; a quote served one job, once."""
    hold_ids = {hold["id"]: hold for holds in table.holds.values() for hold in holds}
    users: dict[str, list[str]] = defaultdict(list)
    for hold in hold_ids.values():
        if "job" in hold:
            users[hold["job"]["quote_id"]].append(hold["job"]["job_id"])
    noted = {job["id"] for job in table.jobs}
    for hold in hold_ids.values():
        if "job" in hold and hold["job"]["job_id"] not in noted:
            yield f"{hold['job']['job_id']} has a hold, and knows of none"
    for job in table.jobs:
        if job["hold_id"] not in hold_ids:
            yield f"job {job['id']} names a hold that is not there"
    for quote_id in {*users, *(name for name, quote in table.quotes.items() if "used_by" in quote)}:
        quote = table.quotes.get(quote_id, {})
        if [quote.get("used_by")] != users[quote_id]:
            yield f"quote {quote_id} was used for {users[quote_id]}"
        if table.entries.get(quote.get("entry_id", ""), {}).get("type") != "hold":
            yield f"quote {quote_id} names no entry that placed a hold"
