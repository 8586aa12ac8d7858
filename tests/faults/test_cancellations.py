"""What is made of a transaction that was cancelled, or of which nothing was heard."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.faults import world as ask
from tests.faults.violations import violations
from tests.faults.world import MAJOR, Refused, World
from tests.simulator.faults import BEFORE, Fault

WRITE = "transact_write_items"
BUSY_CODES = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")


class Busy:
    """A client that finds one step's item busy in the first transaction that is cancelled."""

    def __init__(self, client: Any, *, step: int, code: str) -> None:
        self._client = client
        self._step = step
        self._code = code
        self.cancelled: list[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **params: Any) -> Any:
        try:
            return self._client.transact_write_items(**params)
        except ClientError as error:
            response: Any = error.response
            reasons = response["CancellationReasons"]
            if not self.cancelled:
                reasons[self._step] = {"Code": self._code, "Message": "The item is busy"}
            self.cancelled.append([reason["Code"] for reason in reasons])
            raise


def _writes(world: World, since: int = 0) -> Iterator[Any]:
    return (call for call in world.simulator.calls[since:] if call.method == WRITE)


@pytest.mark.parametrize("code", BUSY_CODES)
@pytest.mark.parametrize("step", [0, 2], ids=["the entry is busy", "the hold is busy"])
def test_a_step_that_was_not_compared_is_read_again_before_a_refusal(step, code):
    world = World()
    old = world.run(
        (
            ask.deposit("fund", 100 * MAJOR),
            ask.place_hold("hold", 30 * MAJOR, over_capture="overdraft"),
        )
    )
    # Nearly all that was free is now in the hold: what is captured fits the hold and nothing else.
    world.run([ask.extend("75 more", 75 * MAJOR, of="hold")])
    busy = Busy(world.simulator, step=step, code=code)

    world.run([ask.capture("capture", 40 * MAJOR, of="hold")], world.environment(old, client=busy))

    assert busy.cancelled[0] == [code if n == step else c for n, c in enumerate(busy.cancelled[0])]
    assert "ConditionalCheckFailed" in busy.cancelled[0]
    assert world.answers["capture"].type == "capture"
    assert world.answers["capture"].amount_micros == 40 * MAJOR
    assert violations(world.items()) == []


@pytest.mark.parametrize("code", BUSY_CODES)
def test_an_entry_that_is_there_counts_before_a_busy_wallet(code):
    world = World()
    old = world.run([ask.deposit("fund", 100 * MAJOR)])
    step = ask.withdraw("all of it", 100 * MAJOR)
    world.run([step])
    first = world.answers["all of it"]
    busy = Busy(world.simulator, step=1, code=code)

    world.run([step], world.environment(old, client=busy))

    assert world.answers["all of it"] == first
    assert busy.cancelled == [["ConditionalCheckFailed", code]]


def test_an_entry_that_is_there_counts_before_a_race_that_was_lost():
    world = World()
    old = world.run([ask.deposit("fund", 100 * MAJOR)])
    step = ask.use("work", 5 * MAJOR)
    world.run([step])
    first = world.answers["work"]
    before = len(world.simulator.calls)

    world.run([step], old)

    assert world.answers["work"] == first
    # Both conditions failed, and one call was enough to know what that means.
    assert [call.method for call in world.simulator.calls[before:]] == [WRITE]


@pytest.mark.parametrize(
    "fault",
    [
        BEFORE,
        Fault("throttled", item=1),
        Fault("throttled", code="InternalServerError"),
        Fault("throttled", code="TransactionInProgressException"),
    ],
    ids=str,
)
def test_what_may_have_happened_is_sent_again_byte_for_byte(fault):
    world = World()
    store = world.run([ask.deposit("fund", 100 * MAJOR)])
    before = len(world.simulator.calls)
    world.disturb({0: fault})

    world.run([ask.use("work", 5 * MAJOR)], store)

    first, second = _writes(world, before)
    assert first.params == second.params
    assert first.params["ClientRequestToken"]


def test_what_lost_a_race_is_sent_again_under_another_token():
    world = World()
    old = world.run([ask.deposit("fund", 100 * MAJOR)])
    world.run([ask.deposit("more", MAJOR)])
    before = len(world.simulator.calls)

    world.run([ask.use("work", 5 * MAJOR)], old)

    first, second = _writes(world, before)
    assert first.params["ClientRequestToken"] != second.params["ClientRequestToken"]


def test_two_deliveries_of_one_request_do_not_share_a_token():
    """DynamoDB would call the second one a success, and the caller would not know of the first."""
    world = World()
    step = ask.use("work", 5 * MAJOR)
    world.run([ask.deposit("fund", 100 * MAJOR)])
    before = world.copy()

    tokens = set()
    for each in (world, before):
        start = len(each.simulator.calls)
        each.run([step], each.store())
        tokens |= {call.params["ClientRequestToken"] for call in _writes(each, start)}

    assert len(tokens) == 2


def test_a_memory_that_lost_a_race_is_gone():
    world = World()
    old = world.run([ask.deposit("fund", 100 * MAJOR)])
    world.run([ask.withdraw("elsewhere", 100 * MAJOR)])
    world.run([ask.withdraw("too late", 100 * MAJOR)], old)
    assert isinstance(world.answers["too late"], Refused)
    before = len(world.simulator.calls)

    world.run([ask.deposit("afterwards", MAJOR)], old)

    assert [call.error for call in _writes(world, before)] == [None]


def test_a_refusal_that_met_a_fault_is_still_the_refusal():
    world = World()
    world.run([ask.deposit("fund", 100 * MAJOR)])
    before = world.items()
    step = ask.withdraw("too much", 101 * MAJOR)

    for number in range(4):
        world.disturb({number: BEFORE})
        world.insist(step, world.store())
        world.calm()

        answer = world.answers["too much"]
        assert isinstance(answer, Refused)
        assert answer.code == "insufficient_funds"
        assert world.items() == before
