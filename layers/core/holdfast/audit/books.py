"""What is stored, laid out for the audit: by account, and all of it together."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from holdfast.domain import entries as words
from holdfast.domain import holds
from holdfast.domain.accounts import Account
from holdfast.domain.budgets import Budget, Place
from holdfast.domain.credits import CreditGrant, Starter
from holdfast.domain.disputes import Dispute
from holdfast.domain.entries import Entry
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Record, Wallet
from holdfast.domain.members import Member
from holdfast.domain.payments import Payment
from holdfast.domain.quotes import HeldJob, Quote
from holdfast.domain.wallet import Refunded
from holdfast.domain.workspaces import LinkedWorkspace, Workspace
from holdfast.store import items, keys
from holdfast.store.attributes import Attributes
from holdfast.store.items import Receipt
from holdfast.store.keys import Key
from holdfast.store.kinds import to_tenant

OWN_ACCOUNTS = words.CUSTOMER_ACCOUNTS | {words.RESTRICTED_CREDIT}
"""Where the customer's money stands, whether or not it counts in the balance."""

type Found = Iterator[tuple[str, str]]
"""Where, and what was found."""


@dataclass(slots=True)
class Owned:
    """All that belongs to one account, but for what it keeps count of."""

    segment: str = ""
    account: Account | None = None
    wallets: dict[str, tuple[Wallet, Attributes]] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    quotes: dict[str, Quote] = field(default_factory=dict)
    jobs: dict[str, HeldJob] = field(default_factory=dict)
    refunded: dict[str, Refunded] = field(default_factory=dict)
    grants: dict[str, CreditGrant] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    linked: dict[str, LinkedWorkspace] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    starter: Starter | None = None
    entries: dict[str, Entry] = field(default_factory=dict)

    def of(self, currency: str) -> list[Entry]:
        """The entries of one wallet, in order."""
        mine = (entry for entry in self.entries.values() if entry.currency == currency)
        return sorted(mine, key=lambda entry: entry.seq)

    def frozen_in(self, currency: str) -> int:
        """What disputes have frozen of the plain cash of one wallet, in micros."""
        mine = (each for each in self.disputes.values() if each.currency == currency)
        return sum(dispute.frozen_micros for dispute in mine)

    def open_in(self, currency: str) -> list[Hold]:
        """The open holds of one wallet."""
        mine = (hold for hold in self.holds.values() if hold.currency == currency)
        return [hold for hold in mine if hold.status == holds.OPEN]

    @property
    def moves_money(self) -> bool:
        """Whether there is anything that only an account can have."""
        return bool(self.wallets or self.entries or self.members or self.linked)


@dataclass(slots=True)
class Books:
    """Everything."""

    accounts: defaultdict[str, Owned] = field(default_factory=lambda: defaultdict(Owned))
    budgets: dict[tuple[str, Place], Budget] = field(default_factory=dict)
    workspaces: dict[tuple[str, str], Workspace] = field(default_factory=dict)
    payments: dict[tuple[str, str], Payment] = field(default_factory=dict)
    records: dict[Key, Record] = field(default_factory=dict)
    receipts: list[tuple[str, Key, Receipt]] = field(default_factory=list)

    def add_entry(self, item: Attributes) -> None:
        """An entry, or the receipt of a request that moved no money."""
        if items.is_receipt(item):
            receipt = items.to_receipt(item)
            _, segment, _ = item["pk"]["S"].split("#")
            answer = items.key_of_record(to_tenant(segment), receipt.answer)
            self.receipts.append((item["pk"]["S"], answer, receipt))
            return
        entry = items.to_entry(item)
        owned = self.accounts[keys.partition(entry.tenant, entry.account_id)]
        owned.segment = entry.tenant.segment
        owned.entries[entry.id] = entry

    def add_record(self, item: Attributes) -> None:
        """A record of any kind."""
        record = items.to_record(item)
        key = Key(item["pk"]["S"], item["sk"]["S"])
        self.records[key] = record
        match key.pk.split("#"):
            case ["ORG", segment, "WS", name] if isinstance(record, Workspace):
                self.workspaces[segment, name] = record
            case ["ORG", segment, "PAY", name] if isinstance(record, Payment):
                self.payments[segment, name] = record
            case ["ORG", segment, "ACCT", _] if isinstance(record, Budget):
                self.budgets[segment, record.place] = record
            case ["ORG", segment, "ACCT", _]:
                self.accounts[key.pk].segment = segment
                _keep(self.accounts[key.pk], record, item)


def _keep(owned: Owned, record: Record, item: Attributes) -> None:
    match record:
        case Wallet():
            owned.wallets[record.currency] = (record, item)
        case Hold():
            owned.holds[record.id] = record
        case Account():
            owned.account = record
        case Quote():
            owned.quotes[record.id] = record
        case HeldJob():
            owned.jobs[record.job_id] = record
        case Refunded():
            owned.refunded[record.entry_id] = record
        case CreditGrant():
            owned.grants[record.id] = record
        case Member():
            owned.members.append(record)
        case LinkedWorkspace():
            owned.linked[record.workspace_id] = record
        case Dispute():
            owned.disputes[record.id] = record
        case Starter():
            owned.starter = record


def own_delta(entry: Entry) -> int:
    """What the entry changes of the customer's money, in micros, restricted credit included."""
    return sum(entry.postings.get(account, 0) for account in OWN_ACCOUNTS)


def held_delta(entry: Entry) -> int:
    """What the entry changes of what is held, in micros."""
    return sum(entry.postings.get(account, 0) for account in words.HELD_ACCOUNTS)


def sign(entry: Entry) -> int:
    """Whether the draws came in (1), were taken (-1), or only moved in or out of a hold (0)."""
    delta_micros = own_delta(entry)
    return (delta_micros > 0) - (delta_micros < 0)
