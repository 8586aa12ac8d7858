"""Stories of auto-recharge: what its deliveries come to, whatever breaks on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from holdfast.domain.payments import Payment
from holdfast.domain.recharge import LOOK_AFTER
from holdfast.errors import StripeUnavailable
from tests.services.refills import ASKS, DEAD, Refill, low


@dataclass(frozen=True, slots=True, kw_only=True)
class Recharge:
    """`ask` is one delivery, which meets the faults, after `given` without any.

    Once all is over there are so many cents to spend, so many were charged, and the attempts have
    ended so.
    """

    name: str
    given: Callable[[], Refill]
    ask: Callable[[Refill], Any]
    available: int = 500
    charged: tuple[int, ...] = ()
    attempts: tuple[str, ...] = ()
    enabled: bool = True


def _saved() -> Refill:
    refill = Refill()
    refill.save()
    refill.caller.use(400)
    return refill


def _full() -> Refill:
    refill = low()
    refill.caller.deposit(5_000)
    return refill


def _lost() -> Refill:
    """Somebody charged the card, and never heard so."""
    refill = low()
    intents: Any = refill.provider.gateway("live").payment_intents
    create = intents.create

    def lost(**asked: Any) -> None:
        create(**asked)
        raise StripeUnavailable(outcome_unknown=True)

    intents.create = lost
    refill.recharge()
    intents.create = create
    refill.wait(LOOK_AFTER)
    return refill


def _found() -> Refill:
    """As `_lost`; and its payment was found paid, which nobody has told the attempt."""
    refill = _lost()
    refill.sweep_payments()
    return refill


def _follow(refill: Refill) -> None:
    (payment,) = refill.kept(Payment)
    refill.follow(payment)


STORIES_OF_RECHARGE = (
    Recharge(
        name="it is switched on",
        given=_saved,
        ask=lambda refill: refill.switch_on(500, 2_000, "on"),
        available=600,
    ),
    Recharge(
        name="it is switched off",
        given=low,
        ask=lambda refill: refill.switch_off("off"),
        enabled=False,
    ),
    Recharge(
        name="a low wallet is recharged",
        given=low,
        ask=Refill.recharge,
        available=2_500,
        charged=(2_000,),
        attempts=("succeeded",),
    ),
    Recharge(
        name="a dead card is charged",
        given=lambda: low(DEAD),
        ask=Refill.recharge,
        charged=(2_000,),
        attempts=("failed",),
    ),
    Recharge(
        name="a card is charged whose owner has to confirm",
        given=lambda: low(ASKS),
        ask=Refill.recharge,
        charged=(2_000,),
        attempts=("requires_action",),
    ),
    Recharge(
        name="a full wallet is recharged because somebody asks for it",
        given=_full,
        ask=lambda refill: refill.try_out("try"),
        available=7_500,
        charged=(2_000,),
        attempts=("succeeded",),
    ),
    Recharge(
        name="it is rehearsed",
        given=_full,
        ask=lambda refill: refill.rehearse("card_declined", "rehearse"),
        available=5_500,
        attempts=("failed",),
    ),
    Recharge(
        name="an attempt is looked after that nobody heard of",
        given=_lost,
        ask=Refill.sweep,
        available=2_500,
        charged=(2_000,),
        attempts=("succeeded",),
    ),
    Recharge(
        name="a payment is followed that was found paid",
        given=_found,
        ask=_follow,
        available=2_500,
        charged=(2_000,),
        attempts=("succeeded",),
    ),
)
