"""The stories whose every call is made to fail. What each comes to, undisturbed, stands beside it.

A new user has 10.00 of introductory credit; `_FUNDED` has 100.00 of cash as well.
"""

from tests.faults import world as ask
from tests.faults.stories import HOUR, Effect, Scenario
from tests.faults.stories_of_coupons import STORIES_OF_COUPONS
from tests.faults.stories_of_credit import STORIES_OF_CREDIT
from tests.faults.stories_of_disputes import STORIES_OF_DISPUTES
from tests.faults.stories_of_limits import STORIES_OF_LIMITS
from tests.faults.stories_of_people import STORIES_OF_PEOPLE
from tests.faults.stories_of_purchases import STORIES_OF_PURCHASES
from tests.faults.world import MAJOR

_FUNDED = (ask.deposit("fund", 100 * MAJOR),)
_BROKE = (ask.use("spend the credit", 10 * MAJOR),)
_HELD = (*_FUNDED, ask.place_hold("hold", 30 * MAJOR))
_HISTORY = "introductory_credit deposit hold"

_OF_MONEY = (
    Scenario(
        name="the first call of a new user is a deposit",
        steps=(ask.deposit("first", 25 * MAJOR),),
        effect=Effect(
            cash=25 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries="introductory_credit deposit",
        ),
    ),
    Scenario(
        name="the first call of a new user is a hold",
        steps=(ask.place_hold("first", 4 * MAJOR),),
        effect=Effect(
            lots=(6 * MAJOR,),
            lots_held=(4 * MAJOR,),
            entries="introductory_credit hold",
            holds="open",
        ),
    ),
    Scenario(
        name="a new user looks at the wallet",
        steps=(ask.look(),),
        effect=Effect(lots=(10 * MAJOR,), lots_held=(0,), entries="introductory_credit"),
    ),
    Scenario(
        name="a new user pays in euros",
        steps=(ask.deposit("euros", 7 * MAJOR, currency="eur"),),
        effect=Effect(cash=7 * MAJOR, entries="deposit", currency="eur"),
    ),
    Scenario(
        name="a deposit",
        given=_FUNDED,
        steps=(ask.deposit("more", 5 * MAJOR),),
        effect=Effect(
            cash=105 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries="introductory_credit deposit deposit",
        ),
    ),
    Scenario(
        name="a deposit that expires pays a debt first",
        given=(*_BROKE, ask.use("debt", 2 * MAJOR)),
        steps=(ask.deposit("expiring", 5 * MAJOR, expires_in_seconds=HOUR),),
        effect=Effect(
            lots=(3 * MAJOR,), lots_held=(0,), entries="introductory_credit usage usage deposit"
        ),
    ),
    Scenario(
        name="usage draws credit first",
        given=_FUNDED,
        steps=(ask.use("work", 12 * MAJOR),),
        effect=Effect(cash=98 * MAJOR, entries="introductory_credit deposit usage"),
    ),
    Scenario(
        name="usage draws credit first, then what expires first",
        given=(
            ask.deposit("for long", 5 * MAJOR, expires_in_seconds=3 * HOUR),
            ask.deposit("not for long", 5 * MAJOR, expires_in_seconds=HOUR, at=1),
            ask.deposit("for ever", 5 * MAJOR),
        ),
        steps=(ask.use("work", 11 * MAJOR, at=2),),
        effect=Effect(
            cash=5 * MAJOR,
            lots=(5 * MAJOR, 4 * MAJOR),
            lots_held=(0, 0),
            entries="introductory_credit deposit deposit deposit usage",
        ),
    ),
    Scenario(
        name="a lot expires while a hold has pinned a part of it",
        given=(
            *_BROKE,
            ask.deposit("expiring", 5 * MAJOR, expires_in_seconds=HOUR),
            ask.place_hold("hold", 3 * MAJOR, seconds=2 * HOUR),
        ),
        steps=(
            ask.deposit("more", 1 * MAJOR, at=HOUR),
            ask.capture("part", 2 * MAJOR, of="hold", at=HOUR),
            ask.release("back", of="hold", at=HOUR),
        ),
        effect=Effect(
            cash=1 * MAJOR,
            entries="introductory_credit usage deposit hold lot_expiry deposit capture release "
            "lot_expiry",
            holds="released",
        ),
    ),
    Scenario(
        name="usage of parts of a cent, below zero",
        given=_BROKE,
        steps=(ask.use("work", 3 * MAJOR + 12_345),),
        effect=Effect(cash=-3 * MAJOR - 12_345, entries="introductory_credit usage usage"),
    ),
    Scenario(
        name="usage after a lot has expired",
        given=(*_FUNDED, ask.deposit("expiring", 5 * MAJOR, expires_in_seconds=60)),
        steps=(ask.use("work", 12 * MAJOR, at=60),),
        effect=Effect(
            cash=98 * MAJOR, entries="introductory_credit deposit deposit lot_expiry usage"
        ),
    ),
    Scenario(
        name="a withdrawal leaves credit alone",
        given=_FUNDED,
        steps=(ask.withdraw("out", 100 * MAJOR),),
        effect=Effect(
            lots=(10 * MAJOR,), lots_held=(0,), entries="introductory_credit deposit withdrawal"
        ),
    ),
    Scenario(
        name="a withdrawal of more than there is",
        given=_FUNDED,
        steps=(ask.withdraw("out", 100 * MAJOR + 1),),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries="introductory_credit deposit",
        ),
        refused={"out": "insufficient_funds"},
    ),
    Scenario(
        name="a withdrawal of what an expired hold still has",
        given=(*_BROKE, *_FUNDED, ask.place_hold("hold", 100 * MAJOR, seconds=60)),
        steps=(ask.withdraw("out", 90 * MAJOR, at=60),),
        effect=Effect(
            cash=10 * MAJOR,
            entries="introductory_credit usage deposit hold hold_expiry withdrawal",
            holds="expired",
        ),
    ),
    Scenario(
        name="a charge is refunded in parts",
        given=(*_FUNDED, ask.use("work", 12 * MAJOR)),
        steps=(
            ask.refund("part 1", 7 * MAJOR, of="work"),
            ask.refund("part 2", 4 * MAJOR, of="work"),
            ask.refund("too much", 1 * MAJOR + 1, of="work"),
            ask.refund("the rest", 1 * MAJOR, of="work"),
        ),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries="introductory_credit deposit usage refund refund refund",
        ),
        refused={"too much": "refund_exceeded"},
    ),
    Scenario(
        name="a hold is placed",
        given=_FUNDED,
        steps=(ask.place_hold("hold", 30 * MAJOR, metadata={"order": "17"}),),
        effect=Effect(
            cash=80 * MAJOR,
            cash_held=20 * MAJOR,
            lots=(0,),
            lots_held=(10 * MAJOR,),
            entries=_HISTORY,
            holds="open",
        ),
    ),
    Scenario(
        name="a hold for more than there is",
        given=_FUNDED,
        steps=(ask.place_hold("hold", 110 * MAJOR + 1),),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries="introductory_credit deposit",
        ),
        refused={"hold": "insufficient_funds"},
    ),
    Scenario(
        name="a hold is captured in parts",
        given=_HELD,
        steps=(
            ask.capture("part 1", 4 * MAJOR, of="hold"),
            ask.capture("part 2", 8 * MAJOR, of="hold"),
        ),
        effect=Effect(
            cash=80 * MAJOR,
            cash_held=18 * MAJOR,
            entries=f"{_HISTORY} capture capture",
            holds="open",
        ),
    ),
    Scenario(
        name="a final capture gives the rest back",
        given=_HELD,
        steps=(
            ask.capture("all", 4 * MAJOR, of="hold", final=True),
            ask.capture("more", 4 * MAJOR, of="hold"),
            ask.release("back", of="hold"),
        ),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(6 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} capture",
            holds="captured",
        ),
        refused={"more": "hold_closed", "back": "hold_closed"},
    ),
    Scenario(
        name="a capture above the hold takes the rest from the wallet",
        given=(
            *_FUNDED,
            ask.place_hold(
                "hold", 108 * MAJOR, over_capture="overdraft", overdraft_micros=3 * MAJOR
            ),
        ),
        steps=(
            ask.capture("too far", 113 * MAJOR + 1, of="hold"),
            ask.capture("over", 113 * MAJOR, of="hold", final=True),
        ),
        effect=Effect(cash=-3 * MAJOR, entries=f"{_HISTORY} capture", holds="captured"),
        refused={"too far": "insufficient_funds"},
    ),
    Scenario(
        name="a capture above the hold is cut",
        given=(*_FUNDED, ask.place_hold("hold", 30 * MAJOR, over_capture="cap")),
        steps=(ask.capture("over", 50 * MAJOR, of="hold"),),
        effect=Effect(cash=80 * MAJOR, entries=f"{_HISTORY} capture", holds="open"),
    ),
    Scenario(
        name="a hold is extended with money and time",
        given=_HELD,
        steps=(ask.extend("more", 6 * MAJOR, of="hold", seconds=2 * HOUR),),
        effect=Effect(
            cash=74 * MAJOR,
            cash_held=26 * MAJOR,
            lots=(0,),
            lots_held=(10 * MAJOR,),
            entries=f"{_HISTORY} extension",
            holds="open",
        ),
    ),
    Scenario(
        name="an extension never shortens a hold",
        given=_HELD,
        steps=(
            ask.extend("shorter", of="hold", seconds=60),
            ask.capture("later", 1 * MAJOR, of="hold", at=HOUR - 60),
        ),
        effect=Effect(
            cash=80 * MAJOR,
            cash_held=20 * MAJOR,
            lots=(0,),
            lots_held=(9 * MAJOR,),
            entries=f"{_HISTORY} extension capture",
            holds="open",
        ),
    ),
    Scenario(
        name="a hold is released, twice",
        given=_HELD,
        steps=(ask.release("back", of="hold"), ask.release("again", of="hold", at=1)),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} release",
            holds="released",
        ),
    ),
    Scenario(
        name="the release of an expired hold is its expiry",
        given=_HELD,
        steps=(
            ask.release("back", of="hold", at=HOUR),
            ask.capture("too late", 1 * MAJOR, of="hold", at=HOUR),
        ),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} hold_expiry",
            holds="expired",
        ),
        refused={"too late": "hold_expired"},
    ),
    Scenario(
        name="time passes over holds and lots",
        given=(
            *_FUNDED,
            ask.deposit("expiring", 5 * MAJOR, expires_in_seconds=HOUR),
            ask.place_hold("hold", 30 * MAJOR),
            ask.place_hold("kept", 8 * MAJOR, seconds=HOUR - 1, expiry_policy="capture", at=1),
            ask.place_hold("longer", 2 * MAJOR, seconds=2 * HOUR, at=2),
        ),
        steps=(ask.sweep(at=HOUR),),
        effect=Effect(
            cash=90 * MAJOR,
            cash_held=2 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries="introductory_credit deposit deposit hold hold hold "
            "hold_expiry hold_expiry lot_expiry",
            holds="expired expired open",
        ),
    ),
    Scenario(
        name="a user looks at a wallet in which a hold has expired",
        given=_HELD,
        steps=(ask.look(at=HOUR),),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} hold_expiry",
            holds="expired",
        ),
    ),
    Scenario(
        name="a hardware job is quoted, held and released",
        given=_FUNDED,
        steps=(
            ask.quote("quote"),
            ask.hold_quoted("hold", of="quote"),
            ask.hold_quoted("same again", of="quote"),
            ask.hold_quoted("for another job", of="quote", job="job-2"),
            ask.release_job("done", 1 * MAJOR),
            ask.release_job("done again", 1 * MAJOR),
            ask.release_job("done otherwise", 1 * MAJOR + 1),
        ),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(9 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} capture",
            holds="captured",
        ),
        refused={"for another job": "quote_already_used", "done otherwise": "release_differs"},
    ),
    Scenario(
        name="a hardware job costs nothing",
        given=(*_FUNDED, ask.quote("quote"), ask.hold_quoted("hold", of="quote")),
        steps=(ask.release_job("done", 0),),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} release",
            holds="released",
        ),
    ),
)

SCENARIOS = (
    *_OF_MONEY,
    *STORIES_OF_LIMITS,
    *STORIES_OF_CREDIT,
    *STORIES_OF_COUPONS,
    *STORIES_OF_PEOPLE,
    *STORIES_OF_DISPUTES,
    *STORIES_OF_PURCHASES,
)
