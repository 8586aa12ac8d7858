"""Somebody who pays in every way there is, and whether what they paid adds up in the end.

Amounts are in cents.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from holdfast.audit import audit_items
from holdfast.domain import entries as words
from holdfast.domain.once import Once
from holdfast.domain.payments import INTENT, Payment
from holdfast.services import cards, intents, payments, refunds
from holdfast.services.observing import Outcome
from holdfast.services.refunds import Refunded
from holdfast.store import items, keys, pages
from tests.services.caller import CENT, Caller
from tests.services.shop import Shop


@dataclass(slots=True)
class Payer:
    """A customer of the shop, with money in the wallet and a card on file."""

    shop: Shop = field(default_factory=Shop)

    @property
    def caller(self) -> Caller:
        return self.shop.caller

    def on_file(self, card_id: str = "pm_card_visa") -> str:
        """The id of a card that is saved just now."""
        once = self.caller.once()
        saved = cards.save_card(
            self.caller.store,
            self.shop.stripes,
            self.caller.owner,
            card_id=card_id,
            make_default=True,
            once=once,
        )
        return saved.method.id

    def intent(
        self, cents: int = 300, *, currency: str = "usd", micros: int = 0, **asked: Any
    ) -> str:
        """The id of something to be paid."""
        told = payments.Asked(
            kind=INTENT,
            amount_micros=micros or cents * CENT,
            currency=currency,
            surface="commerce",
            **asked,
        )
        store, owner = self.caller.store, self.caller.owner
        once = self.caller.once()
        return intents.create(store, self.shop.stripes, owner, told, once=once).payment.id

    def confirm(self, payment_id: str, method: str, once: Once | None = None) -> Outcome:
        once = once or self.caller.once()
        return intents.confirm(
            self.caller.store, self.shop.stripes, payment_id, method_id=method, once=once
        )

    def capture(self, payment_id: str, micros: int | None = None, once: Once | None = None) -> int:
        """What was taken, in micros."""
        once = once or self.caller.once()
        done = intents.capture(
            self.caller.store, self.shop.stripes, payment_id, amount_micros=micros, once=once
        )
        return done.payment.received_micros

    def cancel(self, payment_id: str) -> str:
        """The state that it is in then."""
        done = intents.cancel(
            self.caller.store,
            self.shop.stripes,
            payment_id,
            reason=None,
            once=self.caller.once(),
        )
        return done.payment.status

    def refund(
        self, payment_id: str, micros: int | None = None, once: Once | None = None
    ) -> Refunded:
        return refunds.refund(
            self.caller.store,
            self.shop.stripes,
            self.caller.owner.tenant,
            payment_id,
            amount_micros=micros,
            once=once or self.caller.once(),
        )

    def payment(self, payment_id: str) -> Payment:
        """A payment as it is by now."""
        return payments.payment(self.caller.store, self.caller.owner.tenant, payment_id)

    def kept(self) -> list[Payment]:
        """All payments, as they are stored."""
        stored = [item for item in self.caller.stored() if item["sk"] == {"S": "PAYMENT"}]
        found = [items.to_record(item) for item in stored]
        return [each for each in found if isinstance(each, Payment)]

    def sweep(self, *waits: timedelta) -> None:
        """What the schedule does after each wait, and what it does not leave for later."""
        for wait in waits or (timedelta(minutes=3), timedelta(minutes=8), timedelta(hours=2)):
            self.shop.wait(wait)
            for shard in range(keys.DUE_SHARDS):
                for each in pages.due(self.caller.store, shard, now=self.shop.now):
                    if each.noun == "PAYMENT":
                        self.swept(each.name)

    def swept(self, payment_id: str) -> None:
        tenant, now = self.caller.owner.tenant, self.shop.now
        payments.sweep(self.caller.store, self.shop.stripes, tenant, payment_id, now=now)

    def hear(self) -> None:
        """All that Stripe could tell, the newest first, as a webhook brings it."""
        store, stripes, now = self.caller.store, self.shop.stripes, self.shop.now
        for kind in ("payment_intent", "checkout.session"):
            for thing in list(self.shop.counter.every(kind)):
                payments.fulfil(store, stripes, "live", thing["id"], now=now)
        for refund in list(self.shop.counter.every("refund")):
            refunds.take_in(store, stripes, "live", refund["id"], now=now)

    def breaks(self, kind: str, *calls: int) -> None:
        """Let calls of Stripe fail, counted from now, "before" or "after" they are done."""
        self.shop.stripes("live")
        door = self.shop.doors["live"]
        door.plan = {door.calls + number: kind for number in calls}

    def flaws(self) -> list[object]:
        """What is wrong with the books, and between them and Stripe's."""
        stored = self.caller.stored()
        found = [items.to_entry(item) for item in stored if items.is_entry(item)]
        here = -sum(entry.postings.get(words.STRIPE_CLEARING, 0) for entry in found)
        there = self._at_stripe()
        return [*audit_items(stored), *([] if here == there else [("books", here, there)])]

    def _at_stripe(self) -> int:
        """Micros that Stripe has taken and not given back: all of them in hundredths."""
        counter = self.shop.counter
        taken = sum(each["amount_received"] for each in counter.every("payment_intent"))
        given = sum(
            each["amount"]
            for each in counter.every("refund")
            # What was never captured is called a refund too, and moved no money.
            if each["status"] in ("succeeded", "pending") and each["balance_transaction"]
        )
        return (int(taken) - int(given)) * CENT


def payer(cents: int = 5_000) -> Payer:
    """Somebody with so much in the wallet besides what everybody has."""
    made = Payer()
    made.shop.pay(cents, "funds")
    return made
