"""Stories of credit: grants, their day, their end, the starter credit, and corrections."""

from tests.faults import credit
from tests.faults import world as ask
from tests.faults.stories import HOUR, Effect, Scenario
from tests.faults.world import MAJOR

_BROKE = (ask.use("spend the credit", 10 * MAJOR),)
_HISTORY = "introductory_credit usage"
_GRANTED = (*_BROKE, credit.grant("gift", 20 * MAJOR, expires_in_seconds=8 * HOUR))
_SCHEDULED = (*_BROKE, credit.grant("gift", 20 * MAJOR, on_seconds=HOUR))

STORIES_OF_CREDIT = (
    Scenario(
        name="credit is granted to a new user",
        steps=(credit.grant("gift", 20 * MAJOR, name="Welcome", priority=3, tags="spring"),),
        effect=Effect(
            lots=(10 * MAJOR, 20 * MAJOR),
            lots_held=(0, 0),
            entries="introductory_credit credit_grant",
            people="account, grant",
        ),
    ),
    Scenario(
        name="credit for a meter pays for that alone",
        given=_BROKE,
        steps=(
            credit.grant("gift", 20 * MAJOR, meters=("tokens",)),
            ask.use("something else", 1 * MAJOR),
            credit.use_on("tokens", 15 * MAJOR, meter="tokens"),
            ask.refund("back", 3 * MAJOR, of="tokens"),
        ),
        effect=Effect(
            cash=-1 * MAJOR,
            lots=(8 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} credit_grant usage usage refund",
            people="account, grant",
        ),
    ),
    Scenario(
        name="credit is scheduled",
        given=_BROKE,
        steps=(
            credit.grant("gift", 20 * MAJOR, on_seconds=HOUR),
            ask.place_hold("too early", 1 * MAJOR, at=HOUR - 60),
        ),
        effect=Effect(
            entries=f"{_HISTORY} credit_scheduled", pending=(20 * MAJOR,), people="account, grant"
        ),
        refused={"too early": "insufficient_funds"},
    ),
    Scenario(
        name="the day of scheduled credit comes with a debit",
        given=_SCHEDULED,
        steps=(ask.place_hold("hold", 15 * MAJOR, at=HOUR),),
        effect=Effect(
            lots=(5 * MAJOR,),
            lots_held=(15 * MAJOR,),
            entries=f"{_HISTORY} credit_scheduled credit_grant hold",
            holds="open",
            people="account, grant",
        ),
    ),
    Scenario(
        name="the day of scheduled credit comes with a look",
        given=_SCHEDULED,
        steps=(ask.look(at=HOUR),),
        effect=Effect(
            lots=(20 * MAJOR,),
            lots_held=(0,),
            entries=f"{_HISTORY} credit_scheduled credit_grant",
            people="account, grant",
        ),
    ),
    Scenario(
        name="the days of several come with the sweep, and the time of one has passed",
        given=(
            *_SCHEDULED,
            credit.grant("second", 5 * MAJOR, on_seconds=HOUR + 1, at=1),
            credit.grant("third", 3 * MAJOR, on_seconds=60, expires_in_seconds=60, at=2),
            credit.grant("later", 2 * MAJOR, on_seconds=3 * HOUR, at=3),
        ),
        steps=(ask.sweep(at=2 * HOUR),),
        effect=Effect(
            lots=(20 * MAJOR, 5 * MAJOR),
            lots_held=(0, 0),
            pending=(2 * MAJOR,),
            entries=f"{_HISTORY} credit_scheduled credit_scheduled credit_scheduled "
            "credit_scheduled credit_grant lot_expiry",
            people="account, grant, grant, grant, grant",
        ),
    ),
    Scenario(
        name="a grant is voided, twice",
        given=_GRANTED,
        steps=(credit.void("end", of="gift"), credit.void("again", of="gift", at=1)),
        effect=Effect(entries=f"{_HISTORY} credit_grant credit_void", people="account, void grant"),
        refused={"again": "credit_grant_voided"},
    ),
    Scenario(
        name="a grant is voided of which a part is spent and a part is held",
        given=(
            *_GRANTED,
            ask.use("work", 2 * MAJOR),
            ask.place_hold("hold", 12 * MAJOR),
        ),
        steps=(
            credit.void("end", of="gift"),
            ask.capture("part", 5 * MAJOR, of="hold", at=1),
            ask.release("back", of="hold", at=2),
            ask.refund("to nobody", 2 * MAJOR, of="work", at=3),
        ),
        effect=Effect(
            entries=f"{_HISTORY} credit_grant usage hold credit_void capture release lot_expiry "
            "refund lot_expiry",
            holds="released",
            people="account, void grant",
        ),
    ),
    Scenario(
        name="a grant is voided before its day",
        given=_SCHEDULED,
        steps=(credit.void("end", of="gift", at=1), ask.look(at=HOUR)),
        effect=Effect(
            entries=f"{_HISTORY} credit_scheduled credit_void", people="account, void grant"
        ),
    ),
    Scenario(
        name="the starter credit pays a debt first, and is given once",
        given=(*_BROKE, ask.use("debt", 2 * MAJOR), credit.save_card()),
        steps=(
            credit.starter("first"),
            credit.starter("second", at=1),
            ask.use("work", 1 * MAJOR, at=29 * 24 * HOUR),
            ask.look(at=30 * 24 * HOUR + 1),
        ),
        effect=Effect(
            entries=f"{_HISTORY} usage starter_credit usage lot_expiry",
            people="account, card, starter",
        ),
        refused={"second": "starter_credit_granted"},
    ),
    Scenario(
        name="nobody starts without a card",
        given=_BROKE,
        steps=(credit.starter("no card"),),
        effect=Effect(entries=_HISTORY),
        refused={"no card": "payment_method_needed"},
    ),
    Scenario(
        name="cash is put right, up and down",
        given=_BROKE,
        steps=(credit.adjust("up", 3 * MAJOR), credit.adjust("down", -5 * MAJOR)),
        effect=Effect(cash=-2 * MAJOR, entries=f"{_HISTORY} adjustment adjustment"),
    ),
)
