"""Stripe's events on their way: from the simulated Stripe, by one of two ways in, to the worker."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from holdfast import providers, runtime
from holdfast.domain import payments as rules
from holdfast.domain.accounts import Tenant, owner_of
from holdfast.domain.once import Once
from holdfast.domain.payments import Payment
from holdfast.domain.stripe_events import StripeEvent
from holdfast.errors import PaymentDeclined
from holdfast.services import cards, payments
from holdfast.services.payments import Asked
from holdfast.services.refs import Owner
from holdfast.store import items
from local.stripe import disputes as at_stripe
from local.stripe.pages import Pages
from local.stripe.wire import Request
from local.stripe.world import World as Counter
from local.stripe.world import public
from stripe_webhook.worker import work
from tests.api.arrivals import SECRETS, delivery, signed, written
from tests.api.world import World
from tests.events.rig import messages

CENT = 10_000
BUS = "aws.partner/stripe.com/ed_test_61Q"
URLS: Any = {
    "success_url": "https://app.example.com/ok",
    "cancel_url": "https://app.example.com/no",
}

type Event = dict[str, Any]


@dataclass(slots=True)
class Mail:
    """A ledger, a Stripe, and everything that it has told so far."""

    world: World = field(default_factory=World)
    mode: str = "live"
    _made: int = 0

    def stand_in(self, replace: Callable[[object, str, object], None]) -> None:
        """Take the place of the environment."""
        replace(runtime, "ledger_store", lambda: self.world.store)
        replace(runtime, "now", lambda: self.world.now)
        replace(providers, "stripe", self._stripe)

    def _stripe(self, mode: str) -> Any:
        # As it is by then: tests put another one there.
        return self.world.stripes(mode)

    # What happens at Stripe

    @property
    def counter(self) -> Counter:
        return self.world.provider.counter(self.mode)

    @property
    def gateway(self) -> Any:
        return self.world.provider.gateway(self.mode)

    @property
    def alice(self) -> Owner:
        return owner_of(Tenant("acme", self.mode), "acme/alice")

    def once(self) -> Once:
        self._made += 1
        return Once(
            tenant=self.alice.tenant,
            caller="acme/alice",
            key=f"request {self._made}",
            fingerprint="f" * 32,
            now=self.world.now,
        )

    def asked(self, kind: Any = rules.TOPUP, cents: int = 500, **more: Any) -> Asked:
        return Asked(
            kind=kind, amount_micros=cents * CENT, currency="usd", surface="billing", **more
        )

    def intent(self, card: str = "pm_card_visa", **more: Any) -> Payment:
        """A top-up that a browser confirmed at Stripe, which nobody here has heard of."""
        begun = payments.open_intent(
            self.world.store,
            self.world.stripes,
            self.alice,
            self.asked(**more),
            once=self.once(),
        ).payment
        self.confirm(begun, card)
        return begun

    def confirm(self, begun: Payment, card: str) -> None:
        with suppress(PaymentDeclined):
            self.gateway.payment_intents.confirm(
                begun.payment_intent_id, key=f"browser {begun.id} {card}", payment_method_id=card
            )

    def page(self, *, number: str = "4242424242424242") -> Payment:
        """A top-up on a page of Stripe's, on which somebody paid."""
        opened = payments.open_page(
            self.world.store,
            self.world.stripes,
            self.alice,
            self.asked(rules.CHECKOUT),
            title="Funds",
            once=self.once(),
            **URLS,
        )
        if number:
            form = {"number": number, "expiry": "12/40", "cvc": "123", "email": "a@example.com"}
            self.post(str(opened.session.url), form)
        return opened.payment

    def post(self, url: str, form: dict[str, str]) -> None:
        path = urlsplit(url).path
        answer = Pages(self.counter).answer(Request("POST", path, "", {}, urlencode(form).encode()))
        assert int(answer.status) in (302, 303), answer.body

    def refund(self, paid: Payment, cents: int | None = None) -> Any:
        """A refund that somebody makes on Stripe's own pages."""
        self._made += 1
        return self.gateway.refunds.create(
            key=f"dashboard {self._made}",
            payment_intent_id=paid.payment_intent_id,
            currency="usd",
            amount_micros=None if cents is None else cents * CENT,
            metadata={},
        )

    def charge_of(self, paid: Payment) -> Any:
        intent = self.counter.find("payment_intent", paid.payment_intent_id)
        return self.counter.find("charge", intent["latest_charge"])

    def dispute(self, paid: Payment, **more: Any) -> Any:
        return at_stripe.open_dispute(self.counter, self.charge_of(paid), **more)

    def customer(self) -> str:
        """Alice's customer."""
        payer, _ = cards.customer(
            self.world.store, self.world.stripes, self.alice, now=self.world.now
        )
        return payer.id

    # What is told of it

    def events(self, *kinds: str) -> list[Event]:
        """What Stripe has told so far, the oldest first; of some types only, if any are named."""
        told = [deepcopy(public(event)) for event in self.counter.every("event")][::-1]
        for event in told:
            event["livemode"] = self.mode == "live"
        return [event for event in told if not kinds or event["type"] in kinds]

    def knock(self, event: Event) -> int:
        """Deliver an event at the door; the status of the answer."""
        raw = written(event)
        signature = signed(raw, SECRETS[self.mode], at=self.world.now.timestamp())
        return self.world.deliver(delivery(raw, signature), to="stripe_webhook").status

    def by_bus(self, event: Event) -> str:
        """The message that a rule on Stripe's own bus makes of an event."""
        return json.dumps(
            {
                "version": "0",
                "id": f"6f7e{event['id']}",
                "detail-type": event["type"],
                "source": BUS,
                "account": "123456789012",
                "time": "2026-11-21T12:00:00Z",
                "region": "us-east-1",
                "resources": [f"arn:aws:events:us-east-1::event-source/{BUS}"],
                "detail": event,
            }
        )

    def work(self, bodies: Iterable[str] | None = None) -> list[str]:
        """Let the worker have what is queued, or these messages; those that come again."""
        waiting = self.world.arrivals.messages.emptied() if bodies is None else list(bodies)
        if not waiting:
            return []
        answer = work(messages(waiting), None)
        return [waiting[int(one["itemIdentifier"][1:])] for one in answer["batchItemFailures"]]

    def bring(self, *events: Event) -> None:
        """Deliver events, one after the other, and let the worker have each."""
        for event in events:
            assert self.knock(event) == 200
            assert self.work() == []

    # What is known here

    def records(self, kind: type) -> list[Any]:
        found = [item for item in self.world.items() if item["sk"]["S"] != "ENTRY"]
        return [record for record in map(items.to_record, found) if isinstance(record, kind)]

    def noted(self) -> dict[str, StripeEvent]:
        """The events that are known, by their id."""
        return {event.id: event for event in self.records(StripeEvent)}

    def outcomes(self) -> list[tuple[str, str]]:
        """Type and outcome of each."""
        return sorted((event.type, event.outcome) for event in self.noted().values())

    def payment(self, begun: Payment) -> Payment:
        return payments.payment(self.world.store, begun.tenant, begun.id)

    def entries(self) -> list[tuple[str, int]]:
        """Alice's statement, oldest first: types, and amounts in cents."""
        found = [items.to_entry(item) for item in self.world.items() if items.is_entry(item)]
        mine = [entry for entry in found if entry.account_id == self.alice.account_id]
        in_order = sorted(mine, key=lambda entry: entry.seq)
        return [(entry.type, entry.amount_micros // CENT) for entry in in_order]
