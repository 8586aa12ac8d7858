"""Operations as they usually are, for whoever asks what they cost.

A usual request has the fingerprint of a real one (26 characters), a usual hold a reference and no
metadata, and a usual wallet cash alone: the introductory credit is soon used up.
"""

from dataclasses import dataclass, replace
from typing import Any

from tests.faults import credit, people
from tests.faults import world as ask
from tests.faults.credit import cap, scope, under
from tests.faults.world import MAJOR, Step, World
from tests.simulator.capacity import Meter, item_size
from tests.simulator.client import Call

FINGERPRINT = "n7bh2q4xk5vz3m6c1d8f9g0j2a"


def usual(step: Step) -> Step:
    return replace(step, fingerprint=FINGERPRINT)


_CASH = (ask.use("spend the credit", 10 * MAJOR), ask.deposit("fund", 100 * MAJOR))
_HOLD = ask.place_hold("hold", 30 * MAJOR, reference="order-000017")
_OTHER = ask.place_hold("other hold", 5 * MAJOR, seconds=1800)
_HELD = (*_CASH, _OTHER, _HOLD)
_QUOTED = (*_CASH, _OTHER, ask.quote("quote"))
_RUN = scope("run", "run-000017", 900 * MAJOR)
_SCOPES = (
    _RUN,
    scope("workspace", "ws_aaaaaaaaaaaaaaaaaaaaaaaaaa", 900 * MAJOR, window="month"),
    scope("key", credit.KEY, 900 * MAJOR, window="day"),
)
_LIMITED = ask.place_hold("limited", 30 * MAJOR, reference="order-000017", scopes=_SCOPES)
_CAP = cap(900 * MAJOR)
_SPENT = under(ask.use("spend before", MAJOR), _CAP)
_COUNTED = ask.place_hold("before", MAJOR, seconds=1800, scopes=_SCOPES)
_GRANT = credit.grant("grant", 20 * MAJOR, name="Spring", tags="spring")
_ALICE = (ask.look("first look"),)
_LAB = (*_ALICE, people.open_account("lab"), people.open_workspace("work"))
_LINKED = (*_LAB, people.link("link", of="lab", to="work"))
_SEAT = (*_LAB, people.add_member("seat", of="lab"))
_JOB = (*_QUOTED, ask.hold_quoted("job", of="quote"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request, in a wallet where `given` has happened."""

    name: str
    given: tuple[Step, ...]
    step: Step


def _operation(name: str, given: tuple[Step, ...], step: Step) -> Operation:
    return Operation(name=name, given=tuple(map(usual, given)), step=usual(step))


OPERATIONS = (
    _operation("deposit", _CASH, ask.deposit("deposit", 25 * MAJOR)),
    _operation("usage", _CASH, ask.use("usage", 12_500)),
    _operation("withdraw", _CASH, ask.withdraw("withdraw", 20 * MAJOR)),
    _operation("hold in an idle wallet", _CASH, _HOLD),
    _operation("hold beside a hold", (*_CASH, _OTHER), _HOLD),
    _operation("capture", _HELD, ask.capture("capture", 12 * MAJOR, of="hold")),
    _operation("final capture", _HELD, ask.capture("final", 12 * MAJOR, of="hold", final=True)),
    _operation("extend", _HELD, ask.extend("extend", 5 * MAJOR, of="hold", seconds=7200)),
    _operation("release", _HELD, ask.release("release", of="hold")),
    _operation("refund", (*_CASH, ask.use("w", 2 * MAJOR)), ask.refund("r", 1 * MAJOR, of="w")),
    _operation("hardware quote", _CASH, ask.quote("quote")),
    _operation("hardware hold", _QUOTED, ask.hold_quoted("job", of="quote")),
    _operation("hardware release", _JOB, ask.release_job("done", MAJOR)),
)
LIMITED = (
    _operation("usage under a cap", (*_CASH, _SPENT), under(ask.use("usage", 12_500), _CAP)),
    _operation(
        "withdraw under a cap", (*_CASH, _SPENT), under(ask.withdraw("withdraw", MAJOR), _CAP)
    ),
    _operation(
        "hold under a scope",
        (*_CASH, _COUNTED),
        ask.place_hold("hold", 30 * MAJOR, reference="order-000017", scopes=(_RUN,)),
    ),
    _operation("hold under three scopes", (*_CASH, _COUNTED), _LIMITED),
    _operation(
        "capture under three scopes",
        (*_CASH, _OTHER, _LIMITED),
        ask.capture("capture", 12 * MAJOR, of="limited"),
    ),
    _operation(
        "release under three scopes", (*_CASH, _OTHER, _LIMITED), ask.release("r", of="limited")
    ),
)
OF_CREDIT = (
    _operation("grant", _CASH, _GRANT),
    _operation("scheduled grant", _CASH, credit.grant("later", 20 * MAJOR, on_seconds=9000)),
    _operation("void", (*_CASH, _GRANT), credit.void("void", of="grant")),
    _operation("starter credit", (*_CASH, credit.save_card()), credit.starter("start")),
    _operation("adjustment", _CASH, credit.adjust("adjust", MAJOR)),
)
OF_PEOPLE = (
    _operation("account open", _ALICE, people.open_account("new")),
    _operation(
        "account close", (*_ALICE, people.open_account("old")), people.close_account("c", of="old")
    ),
    _operation("workspace open", _ALICE, people.open_workspace("work")),
    _operation("link", _LAB, people.link("link", of="lab", to="work")),
    _operation("default", _LINKED, people.make_default("swap", of="lab", to="work")),
    _operation("unlink", _LINKED, people.unlink("unlink", of="lab", to="work")),
    _operation("member add", _LAB, people.add_member("seat", of="lab")),
    _operation("member change", _SEAT, people.change_role("rise", "admin", of="lab")),
    _operation("API key", _ALICE, people.issue_key("key")),
    _operation("billing info", _ALICE, people.tell("tell", name="Alice Ltd")),
)
EVERY = (*OPERATIONS, *LIMITED, *OF_CREDIT, *OF_PEOPLE)
BY_NAME = {operation.name: operation for operation in EVERY}


@dataclass(frozen=True, slots=True)
class Bill:
    """What one request used, and the sizes in bytes of what it wrote, by the kind of item."""

    used: Meter
    calls: tuple[Call, ...]
    answer: Any
    world: World

    @property
    def sizes(self) -> dict[str, int]:
        return {
            put["sk"]["S"].partition("#")[0].lower(): item_size(put)
            for call in self.calls
            if call.method == "transact_write_items" and call.error is None
            for put in (step["Put"]["Item"] for step in call.params["TransactItems"])
        }


def bill(operation: Operation, *, warm: bool, times: int = 1) -> Bill:
    """Deliver the request `times` times; the bill of the last. Warm: where all was written."""
    world = World()
    store = world.run(operation.given)
    if not warm:
        store = world.store()
    world.run([operation.step] * (times - 1), store)
    before = len(world.simulator.calls)
    with world.simulator.measure() as used:
        world.run([operation.step], store)
    calls = tuple(world.simulator.calls[before:])
    return Bill(used, calls, world.answers[operation.step.key], world)
