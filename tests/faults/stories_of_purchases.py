"""Stories of purchases that the wallet pays: at once, or set aside first; and given back."""

from typing import Any

from holdfast.domain.once import Once
from holdfast.domain.payments import BALANCE, INTENT
from holdfast.services import intents, refunds
from holdfast.services.payments import Asked, Outcome
from holdfast.store.ledger_store import Committed, Enacted, LedgerStore
from tests.api.provider import Provider
from tests.faults import world as ask
from tests.faults.stories import HOUR, Effect, Scenario
from tests.faults.world import MAJOR, START, Step, World

_STRIPE = Provider(clock=START.timestamp)
"""Nobody pays anything here."""


def begin(key: str, micros: int, *, by_hand: bool = False) -> Step:
    """A purchase that waits to be confirmed."""

    def do(world: World, store: LedgerStore, once: Once) -> Any:
        asked = Asked(
            kind=INTENT,
            amount_micros=micros,
            currency="usd",
            surface="commerce",
            captures_by_hand=by_hand,
        )
        made = intents.create(store, _STRIPE.gateway, world.owner, asked, once=once)
        return Enacted(made.payment, made.replayed)

    return Step(key=key, ask=do)


def confirm(key: str, *, of: str, at: float = 0) -> Step:
    """The purchase under the key `of`, paid from the wallet, or set aside there."""

    def do(world: World, store: LedgerStore, once: Once) -> Any:
        named = world.answers[of].id
        return _entry_of(
            intents.confirm(store, _STRIPE.gateway, named, method_id=BALANCE, once=once)
        )

    return Step(key=key, ask=do, at_seconds=at)


def capture(key: str, micros: int | None = None, *, of: str, at: float = 0) -> Step:
    """So much of what was set aside, taken; or all of it."""

    def do(world: World, store: LedgerStore, once: Once) -> Any:
        named = world.answers[of].id
        return _entry_of(
            intents.capture(store, _STRIPE.gateway, named, amount_micros=micros, once=once)
        )

    return Step(key=key, ask=do, at_seconds=at)


def cancel(key: str, *, of: str, at: float = 0) -> Step:
    """The purchase, given up."""

    def do(world: World, store: LedgerStore, once: Once) -> Any:
        named = world.answers[of].id
        done = intents.cancel(store, _STRIPE.gateway, named, reason=None, once=once)
        return done.payment.id, done.payment.status

    return Step(key=key, ask=do, at_seconds=at)


def give_back(key: str, micros: int | None = None, *, of: str, at: float = 0) -> Step:
    """So much of the purchase, back in the wallet; or all that is left."""

    def do(world: World, store: LedgerStore, once: Once) -> Any:
        paid = world.answers[of]
        done = refunds.refund(
            store, _STRIPE.gateway, paid.tenant, paid.id, amount_micros=micros, once=once
        )
        return done.refund.id, done.refund.status, done.refund.amount_micros

    return Step(key=key, ask=do, at_seconds=at)


def _entry_of(done: Outcome) -> Committed:
    assert done.entry is not None
    return Committed(done.entry, done.replayed)


_HISTORY = "introductory_credit deposit"
_FUNDED = (ask.deposit("top up", 20 * MAJOR),)
_ASIDE = (*_FUNDED, begin("begin", 15 * MAJOR, by_hand=True))

STORIES_OF_PURCHASES = (
    Scenario(
        name="a purchase from the wallet is captured in part and the rest goes back",
        given=_ASIDE,
        steps=(
            confirm("confirm", of="begin"),
            capture("too much", 16 * MAJOR, of="begin", at=1),
            capture("take", 12 * MAJOR, of="begin", at=1),
            capture("once more", of="begin", at=2),
        ),
        effect=Effect(
            cash=18 * MAJOR,
            entries=f"{_HISTORY} hold capture",
            holds="captured",
            people="account, succeeded intent",
        ),
        refused={"too much": "hold_exceeded", "once more": "payment_state"},
    ),
    Scenario(
        name="a purchase from the wallet is set aside and given up",
        given=_ASIDE,
        steps=(
            confirm("confirm", of="begin"),
            cancel("give up", of="begin", at=1),
            cancel("and again", of="begin", at=2),
            capture("too late", of="begin", at=3),
        ),
        effect=Effect(
            cash=20 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} hold release",
            holds="released",
            people="account, canceled intent",
        ),
        refused={"too late": "payment_state"},
    ),
    Scenario(
        name="a purchase from the wallet is paid at once and goes back in parts",
        given=(*_FUNDED, begin("begin", 15 * MAJOR)),
        steps=(
            confirm("confirm", of="begin"),
            confirm("twice", of="begin", at=1),
            give_back("some", 4 * MAJOR, of="begin", at=2),
            give_back("the rest", of="begin", at=HOUR),
            give_back("more", 1 * MAJOR, of="begin", at=HOUR),
        ),
        effect=Effect(
            cash=20 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} purchase refund refund",
            people="account, succeeded intent, succeeded refund, succeeded refund",
        ),
        refused={"twice": "payment_state", "more": "refund_exceeded"},
    ),
    Scenario(
        name="a purchase that is captured in part goes back as far as that",
        given=(*_ASIDE, confirm("confirm", of="begin")),
        steps=(
            capture("take", 12 * MAJOR, of="begin"),
            give_back("too much", 13 * MAJOR, of="begin", at=1),
            give_back("back", of="begin", at=1),
        ),
        effect=Effect(
            cash=20 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} hold capture refund",
            holds="captured",
            people="account, succeeded intent, succeeded refund",
        ),
        refused={"too much": "refund_exceeded"},
    ),
)
