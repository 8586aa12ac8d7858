"""Somebody who has codes and tries them: a caller, and the provider that bonuses are paid with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from holdfast.domain import coupons as rules
from holdfast.domain.accounts import owner_of
from holdfast.domain.clock import Instant
from holdfast.domain.coupons import Coupon, Guesses, Redemption
from holdfast.domain.payments import Payment
from holdfast.errors import Contention, KeyInUse, Refusal
from holdfast.gateways.stripe import StripeGateway
from holdfast.services import cards, coupons, payments
from holdfast.services.coupons import Purchase, Redeemed, Validity
from holdfast.store import items
from local.stripe import paying
from tests.api.provider import Provider
from tests.domain.samples import NOW
from tests.services.caller import CENT, LIVE, Caller
from tests.services.shop import Failing

CODE = "SPRING-26"


@dataclass(slots=True)
class Desk:
    """One account at a desk of its own. Amounts are cents."""

    caller: Caller = field(default_factory=Caller)
    provider: Provider = field(default_factory=lambda: Provider(clock=NOW.timestamp))
    doors: dict[str, Failing] = field(default_factory=dict)

    def elsewhere(self, *, now: Instant | None = None) -> "Desk":
        """The same account, from another environment."""
        return Desk(self.caller.elsewhere(now=now), self.provider, self.doors)

    def of(self, name: str) -> "Desk":
        """Another user's."""
        caller = self.caller.elsewhere(owner=owner_of(LIVE, f"acme/{name}"))
        return Desk(caller, self.provider, self.doors)

    def stripes(self, mode: str) -> StripeGateway:
        """Stripe, behind a door that may fail."""
        gateway = self.provider.gateway(mode)
        if mode not in self.doors:
            sdk: Any = gateway.cards.connection._sdk
            sdk._transport = self.doors[mode] = Failing(sdk._transport)
        return gateway

    def make(self, cents: int = 500, *, code: str = CODE, **facts: Any) -> Coupon:
        """A coupon of the org's; of credit, unless it is said otherwise."""
        facts = {"kind": "credit", "currency": "usd", **facts}
        asked = Coupon(code=code, amount_micros=cents * CENT, created_at=self.caller.now, **facts)
        made = coupons.create(self.caller.store, asked, once=self.caller.once()).record
        assert isinstance(made, Coupon)
        return made

    def change(self, code: str = CODE, **told: Any) -> Coupon:
        once = self.caller.once()
        changed = coupons.change(self.caller.store, code, lambda _: told, once=once).record
        assert isinstance(changed, Coupon)
        return changed

    def redeem(
        self, code: str = CODE, *, key: str | None = None, buy: int = 0, card: str = "pm_card_visa"
    ) -> Redeemed:
        """The coupon redeemed; with a purchase of so many cents, if any."""
        return coupons.redeem(
            self.caller.store,
            self.stripes,
            self.caller.owner,
            code=code,
            purchase=Purchase(Decimal(buy).scaleb(-2), card) if buy else None,
            once=self.caller.once(key, asked=f"{code} {buy} {card}"),
        )

    def validate(self, code: str = CODE, *, buy: int | None = None) -> Validity:
        return coupons.validate(
            self.caller.store,
            self.caller.owner,
            code=code,
            purchase=None if buy is None else Decimal(buy).scaleb(-2),
            now=self.caller.now,
        )

    def save_card(self, card_id: str = "pm_card_visa") -> str:
        """The id under which a card is on file."""
        saved = cards.save_card(
            self.caller.store,
            self.stripes,
            self.caller.owner,
            card_id=card_id,
            make_default=True,
            once=self.caller.once(),
        )
        return saved.method.id

    def kept(self, kind: type) -> list[Any]:
        """The records of a kind."""
        found = [each for each in self.caller.stored() if each["sk"]["S"] != "ENTRY"]
        return [record for record in map(items.to_record, found) if isinstance(record, kind)]

    def coupon(self, code: str = CODE) -> Coupon:
        (found,) = (each for each in self.kept(Coupon) if each.code == code)
        assert isinstance(found, Coupon)
        return found

    def uses(self) -> int:
        """How often all accounts have used coupons."""
        return sum(each.uses for each in self.kept(Redemption))

    def reserved(self) -> list[str]:
        """The payments that coupons are reserved for."""
        return [each.reserved_for for each in self.kept(Redemption) if each.reserved_for]

    def misses(self) -> int:
        """How many codes were tried in vain."""
        return sum(len(each.misses) for each in self.kept(Guesses))

    def payments(self) -> list[Payment]:
        """The account's payments."""
        mine = self.caller.owner.account_id
        return [each for each in self.kept(Payment) if each.account_id == mine]

    def look(self) -> list[str]:
        """What Stripe says of each of the account's payments, taken in."""
        store, now = self.caller.store, self.caller.now
        seen = [payments.look(store, self.stripes, each, now=now) for each in self.payments()]
        return [each.payment.status for each in seen]

    def sweep(self) -> None:
        """What a worker does about each of the account's payments that is due."""
        for each in self.payments():
            payments.sweep(self.caller.store, self.stripes, LIVE, each.id, now=self.caller.now)

    def confirm(self, *, is_done: bool = True) -> None:
        """The owners of cards confirm what waits for them, or fail to."""
        counter = self.provider.counter("live")
        for intent in counter.every("payment_intent"):
            if intent["status"] != "requires_action":
                continue
            if not is_done:
                paying.fail_authentication(counter, intent)
                continue
            intent["_authenticated"] = True
            paying.charge(counter, intent, counter.find("payment_method", intent["payment_method"]))

    def charged(self) -> int:
        """What all cards together were charged."""
        intents = self.provider.counter("live").every("payment_intent")
        return sum(intent["amount_received"] for intent in intents)

    def spend_guesses(self, codes: int = rules.MISSES_MAX) -> None:
        """So many codes tried in vain."""
        for number in range(codes):
            assert told(partial(self.redeem, f"WRONG-{number}")) == "coupon_invalid"


def told(work: Callable[[], Any]) -> str:
    """What a client is told in the end: what was done, or the code of the refusal."""
    for _ in range(40):
        try:
            done = work()
        except (Contention, KeyInUse):
            continue
        except Refusal as refusal:
            return refusal.code
        return "done again" if getattr(done, "replayed", False) else "done"
    raise AssertionError("no definite answer")
