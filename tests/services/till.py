"""Paying over x402 in tests: a facilitator that does as it is told, and a desk to pay at.

The facilitator has a chain of its own: what was settled there once was paid, whatever was answered.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Literal

from holdfast.domain import x402
from holdfast.domain.accounts import Owner, owner_of
from holdfast.domain.clock import Instant
from holdfast.domain.x402_outcomes import NoWord, Outcome, Refused, Settled, Verdict
from holdfast.domain.x402_payments import read_payment
from holdfast.domain.x402_settlements import X402Settlement
from holdfast.errors import FacilitatorUnavailable
from holdfast.services import x402 as payments
from holdfast.services.x402 import Checkout, Paid
from holdfast.store import items, keys, pages
from tests.domain.samples import NOW
from tests.domain.x402_samples import PAY_TO, header, paid
from tests.services.caller import CENT, TEST, Caller
from tests.simulator.errors import ProcessKilled
from tests.simulator.scheduler import yield_point

NONCE_USED = "invalid_exact_evm_nonce_already_used"
NO_MONEY = Refused("insufficient_funds")
LATER = timedelta(days=3)
"""Long after the last attempt."""

type Fault = Literal["before", "after", "killed_before", "killed_after", "refused", "pending"]
FAULTS: tuple[Fault, ...] = (
    "before",
    "after",
    "killed_before",
    "killed_after",
    "refused",
    "pending",
)

_NUMBERS = count(1)


@dataclass(slots=True)
class Till:
    """A facilitator. `faults` are what its calls meet, by their number from 0.

    `before`: no answer, and nothing was done; `after`: done, and no answer; `killed_…`: whoever
    asked is gone then; `refused`: a plain no; `pending`: done, and nobody says so yet. One that
    does not `repeats` says of what it settled before only that the nonce was used.
    """

    faults: Mapping[int, Fault] | Callable[[int, str], Fault | None] = field(default_factory=dict)
    repeats: bool = True
    chain: dict[tuple[str, str], str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def verify(self, request: Mapping[str, Any]) -> Verdict:
        fault = self._met("verify")
        if fault in ("killed_before", "killed_after"):
            raise ProcessKilled("at the facilitator")
        if fault in ("before", "after"):
            raise FacilitatorUnavailable
        if fault is not None:
            return Verdict(is_valid=False, payer=_place(request)[0], reason=NO_MONEY.reason)
        if _place(request) in self.chain:
            return Verdict(is_valid=False, payer=_place(request)[0], reason=NONCE_USED)
        return Verdict(is_valid=True, payer=_place(request)[0])

    def settle(self, request: Mapping[str, Any]) -> Outcome:
        fault = self._met("settle")
        if fault == "killed_before":
            raise ProcessKilled("before the facilitator")
        if fault == "before":
            return NoWord("no_answer")
        place = _place(request)
        if fault == "refused" and place not in self.chain:
            return NO_MONEY
        if place in self.chain and not self.repeats:
            return Refused(NONCE_USED)
        transaction = self.chain.setdefault(place, f"0x{len(self.chain) + 1:064x}")
        yield_point("facilitator answers")
        if fault == "killed_after":
            raise ProcessKilled("after the facilitator")
        if fault == "after":
            return NoWord("no_answer")
        if fault == "pending":
            return Refused("settlement_pending", transaction)
        network = request["paymentRequirements"]["network"]
        return Settled(transaction, network, place[0])

    def _met(self, what: str) -> Fault | None:
        yield_point(f"facilitator {what}")
        number = len(self.calls)
        self.calls.append(what)
        return self.faults(number, what) if callable(self.faults) else self.faults.get(number)


def _place(request: Mapping[str, Any]) -> tuple[str, str]:
    signed = request["paymentPayload"]["payload"]["authorization"]
    return signed["from"], signed["nonce"]


@dataclass(slots=True)
class Payer:
    """A user of an org in test mode, who pays at a facilitator's into an account of the user's."""

    caller: Caller = field(default_factory=lambda: Caller(owner=owner_of(TEST, "acme/alice")))
    till: Till = field(default_factory=Till)
    workspace_id: str = "ws_1"

    def elsewhere(self, *, by: timedelta = timedelta(0), owner: Owner | None = None) -> "Payer":
        """The same payer in another environment, perhaps later, or another one."""
        caller = self.caller.elsewhere(now=self.caller.now + by, owner=owner)
        return Payer(caller, self.till, self.workspace_id)

    def signed(self, cents: int = 500, *, version: int = 2, **changed: Any) -> dict[str, Any]:
        """A payment with a nonce of its own, as the payer signs it."""
        signed = {"nonce": f"0x{next(_NUMBERS):064x}", "value": str(cents * CENT), **changed}
        return paid(version, offer=self._offer(cents), **signed)

    def pay(self, document: dict[str, Any], cents: int = 500) -> Paid:
        """Present a payment."""
        owner = self.caller.owner
        checkout = Checkout(
            tenant=owner.tenant,
            user=owner.user or "nobody",
            workspace_id=self.workspace_id,
            account_id=owner.account_id,
            offer=self._offer(cents),
        )
        return payments.pay(
            self.caller.store,
            self.till,
            checkout,
            read_payment(header(document)),
            now=self.caller.now,
        )

    def sweep(self, *, now: Instant | None = None) -> int:
        """Sweep what is due; how many payments that were."""
        now = self.caller.now if now is None else now
        shards = (pages.due(self.caller.store, n, now=now) for n in range(keys.DUE_SHARDS))
        due = [each for shard in shards for each in shard if each.noun == "X402"]
        for each in due:
            payments.sweep(self.caller.store, lambda mode: self.till, each.name, now=now)
        return len(due)

    def sweep_for(self, time: timedelta) -> None:
        """Sweep as the schedule does, for so long."""
        over_at = self.caller.now + time
        now = self.caller.now
        while now <= over_at:
            with suppress(ProcessKilled):
                self.sweep(now=now)
            dues = [each.due_at for each in self.kept() if each.due_at is not None]
            now = max(now, min(dues, default=over_at)) + timedelta(seconds=1)

    def kept(self) -> list[X402Settlement]:
        """What is stored of payments."""
        found = [each for each in self.caller.stored() if each["sk"]["S"] == "X402"]
        return [each for each in map(items.to_record, found) if isinstance(each, X402Settlement)]

    def deposits(self) -> list[int]:
        """The amounts in cents of all deposits, to anybody."""
        stored = (items.to_entry(each) for each in self.caller.stored() if items.is_entry(each))
        return [each.amount_micros // CENT for each in stored if each.type == "deposit"]

    def _offer(self, cents: int) -> x402.Offer:
        url = f"https://api.example.com/workspaces/{self.workspace_id}/billing/checkout/x402"
        tenant = self.caller.owner.tenant
        return x402.offer_of(tenant, pay_to=PAY_TO, amount_micros=cents * CENT, url=url)


def payer(**told: Any) -> Payer:
    """A payer who has an account, and a facilitator that is told how to behave."""
    made = Payer(till=Till(**told))
    made.caller.wallet()
    assert made.caller.now == NOW
    return made
