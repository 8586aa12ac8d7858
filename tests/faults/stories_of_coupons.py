"""Stories of coupons: redeemed, refused, changed meanwhile, and guessed."""

from typing import Any

from holdfast.domain.coupons import Coupon
from holdfast.domain.once import Once
from holdfast.services import coupons
from holdfast.store.ledger_store import Committed, LedgerStore
from tests.api.provider import Provider
from tests.faults import world as ask
from tests.faults.stories import HOUR, Effect, Scenario
from tests.faults.world import MAJOR, START, Step, World

CODE = "SPRING-26"
_STRIPE = Provider(clock=START.timestamp)
"""Nobody pays anything here."""


def make(key: str, micros: int = 5 * MAJOR, *, code: str = CODE, **facts: Any) -> Step:
    """A coupon of the org's."""

    def do(world: World, store: LedgerStore, once: Once) -> Any:
        asked = Coupon(
            code=code,
            kind="credit",
            currency="usd",
            amount_micros=micros,
            created_at=once.now,
            **facts,
        )
        return coupons.create(store, asked, once=once)

    return Step(key=key, ask=do)


def change(key: str, *, at: float = 0, **told: Any) -> Step:
    """Something else said of the coupon."""

    def do(world: World, store: LedgerStore, once: Once) -> Any:
        return coupons.change(store, CODE, lambda coupon: told, once=once)

    return Step(key=key, ask=do, at_seconds=at)


def redeem(key: str, code: str = CODE, *, at: float = 0) -> Step:
    """A coupon redeemed by Alice."""

    def do(world: World, store: LedgerStore, once: Once) -> Any:
        done = coupons.redeem(
            store, _STRIPE.gateway, world.owner, code=code, purchase=None, once=once
        )
        assert done.entry is not None
        return Committed(done.entry, done.replayed)

    return Step(key=key, ask=do, at_seconds=at)


_HISTORY = "introductory_credit"
_WRONG = tuple(redeem(f"guess {number}", f"WRONG-{number}") for number in range(5))

STORIES_OF_COUPONS = (
    Scenario(
        name="the first call of a new user redeems a coupon",
        given=(make("make"),),
        steps=(redeem("redeem"), redeem("again", at=1)),
        effect=Effect(
            lots=(10 * MAJOR, 5 * MAJOR),
            lots_held=(0, 0),
            entries=f"{_HISTORY} coupon_credit",
            people="1 of a coupon, 1 use, account",
        ),
        refused={"again": "coupon_already_redeemed"},
    ),
    Scenario(
        name="a coupon is made, twice, and redeemed as often as one may",
        given=(ask.look("first look"),),
        steps=(
            make("make", per_user=2),
            make("make it again"),
            redeem("redeem"),
            redeem("once more", at=1),
            redeem("too often", at=2),
        ),
        effect=Effect(
            lots=(10 * MAJOR, 5 * MAJOR, 5 * MAJOR),
            lots_held=(0, 0, 0),
            entries=f"{_HISTORY} coupon_credit coupon_credit",
            people="2 of a coupon, 2 uses, account",
        ),
        refused={"make it again": "coupon_exists", "too often": "coupon_already_redeemed"},
    ),
    Scenario(
        name="credit of a coupon is spent first",
        given=(make("make"), ask.use("spend the credit", 10 * MAJOR)),
        steps=(
            redeem("redeem"),
            ask.place_hold("hold", 4 * MAJOR, at=1),
            ask.capture("work", 3 * MAJOR, of="hold", final=True, at=2),
        ),
        effect=Effect(
            lots=(2 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} usage coupon_credit hold capture",
            holds="captured",
            people="1 of a coupon, 1 use, account",
        ),
    ),
    Scenario(
        name="a coupon is switched off before it is redeemed, and on again",
        given=(make("make"), ask.look("first look")),
        steps=(
            change("off", active=False),
            redeem("too late", at=1),
            change("on", active=True, max_redemptions=1, at=2),
            redeem("in time", at=3),
        ),
        effect=Effect(
            lots=(10 * MAJOR, 5 * MAJOR),
            lots_held=(0, 0),
            entries=f"{_HISTORY} coupon_credit",
            people="1 guess, 1 of a coupon, 1 use, account",
        ),
        refused={"too late": "coupon_invalid"},
    ),
    Scenario(
        name="after five wrong codes a good one has to wait",
        given=(make("make"), ask.look("first look"), *_WRONG[:4]),
        steps=(
            _WRONG[4],
            redeem("a good one", at=1),
            redeem("guess 4 again", "WRONG-4", at=2),
            redeem("later", at=HOUR),
        ),
        effect=Effect(
            lots=(10 * MAJOR, 5 * MAJOR),
            lots_held=(0, 0),
            entries=f"{_HISTORY} coupon_credit",
            people="1 of a coupon, 1 use, 5 guesses, account",
        ),
        refused={
            **dict.fromkeys((f"guess {number}" for number in range(5)), "coupon_invalid"),
            "a good one": "rate_limited",
            "guess 4 again": "coupon_invalid",
        },
    ),
)
