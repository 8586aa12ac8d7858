"""Somebody who pays by card, a Stripe that both can break, and the days that are reconciled.

Amounts are in cents. The clock of the shop is the clock of its Stripe.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, override
from urllib.parse import urlencode

from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import DAY, Instant
from holdfast.domain.payments import CHECKOUT, TOPUP, Payment
from holdfast.domain.reconciliation import Difference, Report
from holdfast.gateways.stripe import StripeGateway
from holdfast.gateways.stripe.transport import Transport
from holdfast.services import disputes, payments, reconciliation, refunds
from holdfast.services.payments import Asked
from holdfast.store import items
from local.stripe import disputes as disputes_there
from local.stripe import refunds as refunds_there
from local.stripe.errors import Object
from local.stripe.pages import Pages
from local.stripe.wire import Request
from local.stripe.world import World as Counter
from tests.api.provider import Provider
from tests.domain.samples import NOW
from tests.services.caller import CENT, LIVE, Caller
from tests.simulator.values import Item

ATTEMPTS = 3
_DOWN = b'{"error": {"type": "api_error", "message": "down"}}'


class Failing(Transport):
    """Stripe's door, which fails for as many attempts as one call makes.

    `plan` says by the number of the call, from 0, whether it fails before or after it was done.
    """

    def __init__(self, door: Transport) -> None:
        super().__init__(attempt_seconds=1, call_seconds=1, pause_seconds=0)
        self.door = door
        self.plan: Mapping[int, str] = {}
        self.calls = 0
        self._left = 0

    @override
    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        if not self._left:
            self._fault = self.plan.get(self.calls)
            self.calls += 1
            self._left = ATTEMPTS if self._fault else 0
        if not self._left:
            return self.door.request(method, url, headers, post_data, _usage=_usage)
        self._left -= 1
        if self._fault == "after":
            self.door.request(method, url, headers, post_data, _usage=_usage)
        return _DOWN, 500, {}


@dataclass(slots=True)
class Shop:
    """A caller with a card, who pays in live mode."""

    caller: Caller = field(default_factory=Caller)
    doors: dict[str, Failing] = field(default_factory=dict)
    card_id: str = "pm_card_visa"
    provider: Provider = field(init=False)

    def __post_init__(self) -> None:
        self.provider = Provider(clock=self.seconds)

    def seconds(self) -> float:
        """What the clock of Stripe says."""
        return self.now.timestamp()

    @property
    def now(self) -> Instant:
        return self.caller.now

    @property
    def day(self) -> str:
        """Today, as reports call it."""
        return self.now.date().isoformat()

    @property
    def counter(self) -> Counter:
        """All that Stripe knows."""
        return self.provider.counter("live")

    def stripes(self, mode: str) -> StripeGateway:
        """Stripe, behind a door that may fail."""
        gateway = self.provider.gateway(mode)
        if mode not in self.doors:
            sdk: Any = gateway.cards.connection._sdk
            sdk._transport = self.doors[mode] = Failing(sdk._transport)
        return gateway

    def wait(self, by: timedelta) -> None:
        """Let time pass, here and at Stripe."""
        self.caller = self.caller.elsewhere(now=self.caller.now + by)

    def pay(self, cents: int, key: str | None = None, **asked: Any) -> Payment:
        """A top-up by card."""
        once = self.caller.once(key, asked=f"pay {cents}")
        told = Asked(
            kind=TOPUP,
            amount_micros=cents * CENT,
            currency="usd",
            surface="billing",
            payment_method_id=self.card_id,
            is_saved=False,
            off_session=True,
            **asked,
        )
        done = payments.charge(self.caller.store, self.stripes, self.caller.owner, told, once=once)
        return done.payment

    def pay_on_page(self, cents: int) -> Payment:
        """A person pays on a page of Stripe's, and nobody hears of it."""
        asked = Asked(kind=CHECKOUT, amount_micros=cents * CENT, currency="usd", surface="billing")
        page = payments.open_page(
            self.caller.store,
            self.stripes,
            self.caller.owner,
            asked,
            title="Top-up",
            success_url="https://app.example.com/ok",
            cancel_url="https://app.example.com/no",
            once=self.caller.once(),
        )
        form = {"number": "4242424242424242", "expiry": "12 / 30", "cvc": "123"}
        typed = {**form, "email": "alice@example.com"}
        place = f"/c/pay/{page.session.id}"
        sent = Request("POST", place, "", {}, urlencode(typed).encode())
        assert Pages(self.counter).answer(sent).status in (302, 303)
        return page.payment

    def give_back(self, payment: Payment, cents: int) -> Payment:
        """A refund to the card."""
        return refunds.refund(
            self.caller.store,
            self.stripes,
            payment.tenant,
            payment.id,
            amount_micros=cents * CENT,
            once=self.caller.once(),
        ).refund

    def charge_of(self, payment: Payment) -> Object:
        """The charge at Stripe."""
        return self.counter.find("charge", payment.charge_id)

    def dispute(self, payment: Payment, *, tell: bool = True) -> Object:
        """A dispute of all of a payment, which we hear of, or do not."""
        dispute = disputes_there.open_dispute(self.counter, self.charge_of(payment))
        if tell:
            self.hear_of(dispute)
        return dispute

    def decide(self, dispute: Object, verdict: str, *, tell: bool = True) -> None:
        """How the bank decides a dispute."""
        disputes_there.end(self.counter, dispute, verdict)
        if tell:
            self.hear_of(dispute)

    def hear_of(self, dispute: Object) -> None:
        disputes.take_in(self.caller.store, self.stripes, "live", dispute["id"], now=self.now)

    def send_back(self, refund: Payment, *, tell: bool = True) -> None:
        """Let the bank send a refund back."""
        found = self.counter.find("refund", refund.refund_id)
        refunds_there.fail(self.counter, found, "expired_or_canceled_card")
        if tell:
            refunds.take_in(self.caller.store, self.stripes, "live", found["id"], now=self.now)

    def line(self, source: str) -> Object:
        """The line of the balance about a thing."""
        every = self.counter.every("balance_transaction")
        return next(line for line in every if line["source"] == source)

    def reconcile(self, day: str | None = None, *, mode: str = "live") -> Report:
        """Hold a day against the ledger; today's, unless another is named."""
        return reconciliation.reconcile(
            self.caller.store, self.stripes, mode, day or self.day, now=self.now
        )

    def next_night(self) -> Report:
        """Today's report, as it is made in the night to come."""
        day = self.day
        self.wait(DAY)
        return self.reconcile(day)

    def kept(self, payment: Payment) -> Payment:
        """A payment as it is by now."""
        return payments.payment(self.caller.store, payment.tenant, payment.id)

    def rewrite(self, changed: Callable[[Item], bool], **attributes: Any) -> None:
        """Change what is stored behind everybody's back."""
        client: Any = self.caller.simulator
        (found,) = [item for item in self.caller.simulator.items() if changed(item)]
        client.put_item(TableName="holdfast", Item={**found, **attributes})

    def entry_item(self, entry_id: str) -> Item:
        """An entry as it is stored."""
        stored = self.caller.simulator.items()
        (found,) = [item for item in stored if item["pk"]["S"].endswith(f"#{entry_id}")]
        return found

    def entries(self) -> list[str]:
        """The ids of all entries."""
        stored = self.caller.simulator.items()
        return sorted(items.to_entry(item).id for item in stored if items.is_entry(item))


def told(report: Report) -> list[tuple[str, str, int]]:
    """The differences by kind, type and cents."""
    return sorted((each.kind, each.type, each.amount_micros // CENT) for each in report.differences)


def only(report: Report) -> Difference:
    """The one difference that there is."""
    (found,) = report.differences
    assert report.count == 1
    return found


def shop() -> Shop:
    """A shop whose customer has an account, at half past three in the morning."""
    made = Shop()
    assert made.now == NOW
    assert made.caller.owner.tenant == Tenant("acme", "live") == LIVE
    return made
