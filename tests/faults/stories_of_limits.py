"""Stories of scopes and caps: money is reserved under all of them, or under none."""

from tests.faults import credit
from tests.faults import world as ask
from tests.faults.credit import cap, scope, under
from tests.faults.stories import HOUR, Effect, Scenario
from tests.faults.world import MAJOR

_THREE = (
    scope("run", "r1", 40 * MAJOR),
    scope("workspace", "ws_1", 60 * MAJOR, window="month"),
    scope("key", credit.KEY, 50 * MAJOR, window="day"),
)
_FUNDED = (ask.deposit("fund", 100 * MAJOR),)
_HELD = (*_FUNDED, ask.place_hold("hold", 30 * MAJOR, scopes=_THREE))
_HISTORY = "introductory_credit deposit hold"

STORIES_OF_LIMITS = (
    Scenario(
        name="a hold under three scopes",
        given=_FUNDED,
        steps=(
            ask.place_hold("hold", 30 * MAJOR, scopes=_THREE),
            ask.place_hold("too much for the run", 10 * MAJOR + 1, scopes=_THREE),
        ),
        effect=Effect(
            cash=80 * MAJOR,
            cash_held=20 * MAJOR,
            lots=(0,),
            lots_held=(10 * MAJOR,),
            entries=_HISTORY,
            holds="open",
            budgets="key 0/30, run 0/30, workspace 0/30",
        ),
        refused={"too much for the run": "budget_exceeded"},
    ),
    Scenario(
        name="a hold under three scopes is captured, extended and given back",
        given=_HELD,
        steps=(
            ask.capture("part", 12 * MAJOR, of="hold"),
            ask.extend("more", 10 * MAJOR, of="hold", seconds=2 * HOUR),
            ask.extend("too much", 1, of="hold"),
            ask.capture("most", 20 * MAJOR, of="hold", final=True),
        ),
        effect=Effect(
            cash=78 * MAJOR,
            entries=f"{_HISTORY} capture extension capture",
            holds="captured",
            budgets="key 32/0, run 32/0, workspace 32/0",
        ),
        refused={"too much": "budget_exceeded"},
    ),
    Scenario(
        name="a hold under three scopes is released",
        given=_HELD,
        steps=(ask.release("back", of="hold"), ask.release("again", of="hold", at=1)),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} release",
            holds="released",
            budgets="key 0/0, run 0/0, workspace 0/0",
        ),
    ),
    Scenario(
        name="holds under scopes expire, one of them by being captured",
        given=(
            *_HELD,
            ask.place_hold(
                "kept", 5 * MAJOR, scopes=_THREE[:2], expiry_policy="capture", at=1, seconds=HOUR
            ),
        ),
        steps=(ask.sweep(at=HOUR + 1),),
        effect=Effect(
            cash=95 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} hold hold_expiry hold_expiry",
            holds="expired expired",
            budgets="key 0/0, run 5/0, workspace 5/0",
        ),
    ),
    Scenario(
        name="who finds an expired hold under scopes has its room again",
        given=_HELD,
        steps=(ask.place_hold("next", 40 * MAJOR, scopes=_THREE, at=HOUR),),
        effect=Effect(
            cash=70 * MAJOR,
            cash_held=30 * MAJOR,
            lots=(0,),
            lots_held=(10 * MAJOR,),
            entries=f"{_HISTORY} hold_expiry hold",
            holds="expired open",
            budgets="key 0/40, run 0/40, workspace 0/40",
        ),
    ),
    Scenario(
        name="usage and a withdrawal under a key's cap",
        given=_FUNDED,
        steps=(
            under(ask.use("work", 12 * MAJOR), cap(20 * MAJOR)),
            under(ask.withdraw("out", 8 * MAJOR), cap(20 * MAJOR)),
            under(ask.withdraw("a micro more", 1), cap(20 * MAJOR)),
            under(ask.use("the next day", 20 * MAJOR, at=21 * HOUR), cap(20 * MAJOR)),
        ),
        effect=Effect(
            cash=70 * MAJOR,
            entries="introductory_credit deposit usage withdrawal usage",
            budgets="key 20/0",
        ),
        refused={"a micro more": "budget_exceeded"},
    ),
    Scenario(
        name="what is given and taken back is not spent",
        given=(ask.use("spend the credit", 10 * MAJOR),),
        steps=(
            under(credit.grant("gift", 20 * MAJOR), cap(1)),
            under(credit.void("end", of="gift"), cap(1)),
            under(credit.adjust("up", 2 * MAJOR), cap(1)),
            under(credit.adjust("down", -2), cap(1)),
        ),
        effect=Effect(
            cash=2 * MAJOR,
            entries="introductory_credit usage credit_grant credit_void adjustment",
            people="account, void grant",
        ),
        refused={"down": "budget_exceeded"},
    ),
    Scenario(
        name="a cap in another currency allows nothing",
        given=_FUNDED,
        steps=(
            under(ask.use("work", 1), cap(20 * MAJOR, currency="eur")),
            under(ask.place_hold("hold", 1), cap(20 * MAJOR, currency="eur")),
            under(ask.deposit("more", 5 * MAJOR), cap(1, currency="eur")),
        ),
        effect=Effect(
            cash=105 * MAJOR,
            lots=(10 * MAJOR,),
            lots_held=(0,),
            entries="introductory_credit deposit deposit",
        ),
        refused={"work": "budget_exceeded", "hold": "budget_exceeded"},
    ),
    Scenario(
        name="a cap that is among the scopes counts once, under the lower of its limits",
        given=_FUNDED,
        steps=(
            under(
                ask.place_hold("more", 20 * MAJOR + 1, scopes=(cap(50 * MAJOR),)), cap(20 * MAJOR)
            ),
            under(
                ask.place_hold("more still", 20 * MAJOR + 1, scopes=(cap(20 * MAJOR),)),
                cap(50 * MAJOR),
            ),
            under(ask.place_hold("hold", 20 * MAJOR, scopes=(cap(50 * MAJOR),)), cap(20 * MAJOR)),
        ),
        effect=Effect(
            cash=90 * MAJOR,
            cash_held=10 * MAJOR,
            lots=(0,),
            lots_held=(10 * MAJOR,),
            entries=_HISTORY,
            holds="open",
            budgets="key 0/20",
        ),
        refused={"more": "budget_exceeded", "more still": "budget_exceeded"},
    ),
    Scenario(
        name="a hold is captured with another key's cap",
        given=_HELD,
        steps=(
            under(
                ask.capture("with a cap", 12 * MAJOR, of="hold"),
                scope("key", "key_other", 15 * MAJOR),
            ),
            under(
                ask.capture("too much for it", 4 * MAJOR, of="hold"),
                scope("key", "key_other", 15 * MAJOR),
            ),
            under(
                ask.extend("not this hold", 1 * MAJOR, of="hold"),
                scope("key", "key_other", 15 * MAJOR),
            ),
            under(ask.release("back", of="hold"), scope("key", "key_other", 15 * MAJOR)),
        ),
        effect=Effect(
            cash=98 * MAJOR,
            entries=f"{_HISTORY} capture release",
            holds="released",
            budgets="key 12/0, key 12/0, run 12/0, workspace 12/0",
        ),
        refused={"too much for it": "budget_exceeded", "not this hold": "forbidden"},
    ),
    Scenario(
        name="a hardware job under a key's cap",
        given=(*_FUNDED, ask.quote("quote"), ask.quote("dear", shots=13_000)),
        steps=(
            under(ask.hold_quoted("hold", of="quote"), cap(20 * MAJOR)),
            under(ask.hold_quoted("too dear", of="dear", job="job-2"), cap(20 * MAJOR)),
            under(ask.release_job("done", 1 * MAJOR), cap(20 * MAJOR)),
        ),
        effect=Effect(
            cash=100 * MAJOR,
            lots=(9 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} capture",
            holds="captured",
            budgets="key 1/0",
        ),
        refused={"too dear": "budget_exceeded"},
    ),
    Scenario(
        name="the first call of a new user passes a cap and leaves nothing",
        steps=(under(ask.use("work", 6 * MAJOR), cap(5 * MAJOR)),),
        effect=Effect(entries="", people=""),
        refused={"work": "budget_exceeded"},
    ),
    Scenario(
        name="the first call of a new user is within a cap",
        steps=(under(ask.place_hold("hold", 5 * MAJOR), cap(5 * MAJOR)),),
        effect=Effect(
            lots=(5 * MAJOR,),
            lots_held=(5 * MAJOR,),
            entries="introductory_credit hold",
            holds="open",
            budgets="key 0/5",
        ),
    ),
)
