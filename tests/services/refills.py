"""A wallet that is recharged by itself, with the provider whose cards are charged for that."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from holdfast.domain.clock import Instant
from holdfast.domain.due import Due
from holdfast.domain.payments import Payment
from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import Attempt, Breaker
from holdfast.services import auto_recharge, cards, payments, recharge
from holdfast.services.auto_recharge import Configured, Simulated
from holdfast.services.refs import Owner
from holdfast.store import items, keys, pages
from tests.api.provider import Provider
from tests.domain.samples import NOW
from tests.services.caller import CENT, Caller

DEAD = "pm_card_chargeCustomerFail"
"""Can be saved, and is declined whenever it is charged."""
ASKS = "pm_card_authenticationRequired"
"""Whose owner is asked at every charge."""


@dataclass(slots=True)
class Clock:
    """What the provider's clock shows."""

    now: Instant = NOW

    def seconds(self) -> float:
        return self.now.timestamp()


@dataclass(slots=True)
class Refill:
    """A user with a wallet in an environment of their own, and the one provider of all."""

    caller: Caller = field(default_factory=Caller)
    clock: Clock = field(default_factory=Clock)
    provider: Provider = field(init=False)

    def __post_init__(self) -> None:
        self.provider = Provider(clock=self.clock.seconds)

    def elsewhere(self, *, owner: Owner | None = None) -> "Refill":
        """The same world from another environment, perhaps by another user."""
        other = Refill(self.caller.elsewhere(owner=owner), self.clock)
        other.provider = self.provider
        return other

    def wait(self, by: timedelta) -> None:
        """Let time pass, here and at the provider."""
        self.caller.now += by
        self.clock.now = self.caller.now

    def save(self, card_id: str = "pm_card_visa") -> str:
        """Save a card, as the default one; its id."""
        saved = cards.save_card(
            self.caller.store,
            self.provider.gateway,
            self.caller.owner,
            card_id=card_id,
            make_default=True,
            once=self.caller.once(asked=card_id),
        )
        return saved.method.id

    def switch_on(
        self, threshold: int = 1_000, amount: int = 2_000, key: str | None = None
    ) -> Configured:
        """Recharge by so many cents whenever there is less than the threshold."""
        return auto_recharge.configure(
            self.caller.store,
            self.caller.owner,
            threshold_micros=threshold * CENT,
            amount_micros=amount * CENT,
            once=self.caller.once(key, asked=f"recharge {threshold} {amount}"),
        )

    def switch_off(self, key: str | None = None) -> Configured:
        return auto_recharge.disable(
            self.caller.store, self.caller.owner, once=self.caller.once(key, asked="off")
        )

    def recharge(self) -> Attempt | None:
        """What an image of the low wallet brings about."""
        return recharge.recharge(
            self.caller.store, self.provider.gateway, self.caller.owner, now=self.caller.now
        )

    def follow(self, payment: Payment) -> None:
        """What an image of a payment brings about."""
        recharge.follow(self.caller.store, self.provider.gateway, payment, now=self.caller.now)

    def sweep(self) -> int:
        """What the schedule brings about; how many accounts were due."""
        store, now = self.caller.store, self.caller.now
        due = self._due("RECHARGE")
        for each in due:
            recharge.sweep(store, self.provider.gateway, each, now=now)
        return len(due)

    def sweep_payments(self) -> None:
        """What the schedule brings about for payments."""
        store, now = self.caller.store, self.caller.now
        for each in self._due("PAYMENT"):
            payments.sweep(store, self.provider.gateway, each.tenant, each.name, now=now)

    def _due(self, noun: str) -> list[Due]:
        store, now = self.caller.store, self.caller.now
        shards = (pages.due(store, shard, now=now) for shard in range(keys.DUE_SHARDS))
        return [each for shard in shards for each in shard if each.noun == noun]

    def rehearse(self, simulated: Simulated | None = None, key: str | None = None) -> Attempt:
        once = self.caller.once(key, asked=f"rehearse {simulated}")
        return auto_recharge.rehearse(
            self.caller.store, self.caller.owner, simulated=simulated, once=once
        )[0]

    def try_out(self, key: str | None = None) -> Attempt:
        once = self.caller.once(key, asked="try out")
        return auto_recharge.try_out(
            self.caller.store, self.provider.gateway, self.caller.owner, once=once
        )[0]

    def status(self) -> auto_recharge.Status:
        return auto_recharge.recovery_status(
            self.caller.store, self.provider.gateway, self.caller.owner, now=self.caller.now
        )

    def kept[T](self, kind: type[T]) -> list[T]:
        """The records of a kind."""
        found = [each for each in self.caller.stored() if each["sk"]["S"] != "ENTRY"]
        return [record for record in map(items.to_record, found) if isinstance(record, kind)]

    @property
    def settings(self) -> AutoRecharge:
        (found,) = self.kept(AutoRecharge)
        return found

    @property
    def breaker(self) -> Breaker:
        (found,) = self.kept(Breaker)
        return found

    def attempts(self) -> list[tuple[str, int]]:
        """Status and cents of all attempts, the oldest first."""
        return [(each.status, each.amount_micros // CENT) for each in self.kept(Attempt)]

    def at_stripe(self) -> list[dict[str, Any]]:
        """The payment intents that the provider ever made."""
        return list(self.provider.counter(self.caller.owner.tenant.mode).every("payment_intent"))

    def available(self) -> int:
        """Cents that can be spent."""
        return self.caller.balance()[0]


def cents(intents: Iterable[dict[str, Any]]) -> list[int]:
    """What payment intents are about."""
    return [int(each["amount"]) for each in intents]


def low(card_id: str = "pm_card_visa", *, threshold: int = 1_000, amount: int = 2_000) -> Refill:
    """Alice, who has 5.00 left of her 10.00, and whose wallet is recharged."""
    refill = Refill()
    refill.save(card_id)
    refill.caller.use(500)
    refill.switch_on(threshold, amount)
    return refill
