"""Every state of a hold, every operation on it, around its expiry, under every policy."""

from collections.abc import Callable

import pytest

from holdfast.domain import holds as rules
from holdfast.domain.clock import Instant
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Answered, Decision, Journal, Wallet
from holdfast.domain.lots import CASH
from holdfast.domain.once import Once
from holdfast.errors import HoldClosed, HoldExpired, Refusal
from tests.domain.samples import (
    HOUR,
    MILLISECOND,
    NOW,
    credit,
    funds,
    hold,
    hold_after,
    once,
    wallet,
    wallet_after,
)

EXPIRY = NOW + HOUR
FULL = wallet(credit("gift", 100), cash=70)


class Standing:
    """A hold of 120 in some state, and the wallet it belongs to."""

    def __init__(self, **policies: str) -> None:
        self.wallet, self.hold = FULL, hold(120, **policies)  # type: ignore[arg-type]
        self.take(rules.place_hold(self.wallet, self.hold, once("place")))

    def take(self, decision: Decision) -> None:
        self.wallet, self.hold = wallet_after(decision), hold_after(decision)

    def capture(self, amount: int, asked: Once, *, final: bool) -> Journal:
        return rules.capture_hold(self.wallet, self.hold, asked, amount_micros=amount, final=final)

    def extend(self, asked: Once) -> Journal:
        later = asked.now + HOUR
        return rules.extend_hold(self.wallet, self.hold, asked, expires_at=later, amount_micros=1)

    def release(self, asked: Once) -> Decision:
        return rules.release_hold(self.wallet, self.hold, asked)

    def expire(self, asked: Once) -> Decision:
        return rules.expire_hold(self.wallet, self.hold, asked)


OPERATIONS: dict[str, Callable[[Standing, Once], Decision]] = {
    "capture a part": lambda it, asked: it.capture(1, asked, final=False),
    "capture finally": lambda it, asked: it.capture(1, asked, final=True),
    "extend": Standing.extend,
    "release": Standing.release,
    "expire": Standing.expire,
}


def captured_in_part(it: Standing) -> None:
    it.take(it.capture(60, once("part"), final=False))


def released_after_a_part(it: Standing) -> None:
    captured_in_part(it)
    it.take(it.release(once("release")))


STATES: dict[str, Callable[[Standing], None]] = {
    "open": lambda it: None,
    "open, captured in part": captured_in_part,
    "open, with nothing left": lambda it: it.take(it.capture(120, once("all"), final=False)),
    "captured": lambda it: it.take(it.capture(60, once("final"), final=True)),
    "released": lambda it: it.take(it.release(once("release"))),
    "released, captured in part": released_after_a_part,
    "expired": lambda it: it.take(it.expire(once("expire", now=EXPIRY))),
}

FIRST = "the first answer"
# What becomes of the operations, in their order above.
WORKS = ("capture", "capture", "extension", "release", "hold_not_due")
EMPTY = ("above", "above", "extension", "release", "hold_not_due")
PASSED = ("hold_expired", "hold_expired", "hold_expired", "hold_expiry", "hold_expiry")
TAKEN = ("hold_closed", "hold_closed", "hold_closed", "hold_closed", FIRST)
GIVEN = ("hold_closed", "hold_closed", "hold_closed", FIRST, FIRST)
SWEPT = ("hold_expired", "hold_expired", "hold_expired", FIRST, FIRST)
# Before the expiry, at it, after it.
TABLE = {
    "open": (WORKS, PASSED, PASSED),
    "open, captured in part": (WORKS, PASSED, PASSED),
    "open, with nothing left": (EMPTY, PASSED, PASSED),
    "captured": (TAKEN, TAKEN, TAKEN),
    "released": (GIVEN, GIVEN, GIVEN),
    "released, captured in part": (GIVEN, GIVEN, GIVEN),
    "expired": (SWEPT, SWEPT, SWEPT),
}
TIMES = {"before": EXPIRY - MILLISECOND, "at": EXPIRY, "after": EXPIRY + MILLISECOND}
# A capture above what is left.
ABOVE = {"reject": "hold_exceeded", "cap": "capture", "overdraft": "capture"}

CASES = [
    pytest.param(state, operation, now, outcome, id=f"{operation}: {state}, {when} the expiry")
    for state, rows in TABLE.items()
    for (when, now), outcomes in zip(TIMES.items(), rows, strict=True)
    for operation, outcome in zip(OPERATIONS, outcomes, strict=True)
]
POLICIES = [
    pytest.param({"expiry_policy": expiry, "over_capture": over}, id=f"{expiry}, {over}")
    for expiry in ("release", "capture")
    for over in ABOVE
]


def outcome_of(decide: Callable[[], Decision]) -> tuple[str, Decision | None]:
    try:
        decision = decide()
    except Refusal as refused:
        return refused.code, None
    return (FIRST if isinstance(decision, Answered) else decision.entry.type), decision


@pytest.mark.parametrize("policies", POLICIES)
@pytest.mark.parametrize(("state", "operation", "now", "expected"), CASES)
def test_what_becomes_of(state: str, operation: str, now: Instant, expected: str, policies):
    standing = Standing(**policies)
    STATES[state](standing)
    if expected == "above":
        expected = ABOVE[policies["over_capture"]]

    outcome, decision = outcome_of(lambda: OPERATIONS[operation](standing, once("now", now=now)))

    assert outcome == expected
    match decision:
        case Answered():
            assert decision.entry_id == standing.hold.closed_by
        case Journal():
            assert_consistent(standing, decision)


def assert_consistent(before: Standing, journal: Journal) -> None:
    """One step on: the wallet holds what its one hold has left, and a closed hold has nothing."""
    after, held = wallet_after(journal), hold_after(journal)
    assert held.version == before.hold.version + 1
    assert journal.entry.hold == held
    assert after.held_micros == held.remaining_micros
    if held.status == "open":
        assert held.closed_by is None
    else:
        assert held.remaining_micros == 0
        assert held.closed_by == journal.entry.id
        # Only what an overdraft took came from outside of the hold.
        settled_micros = held.captured_micros + held.released_micros
        assert settled_micros == max(held.amount_micros, held.captured_micros)


def test_the_table_names_every_state_and_operation():
    reached = set()
    for make in STATES.values():
        standing = Standing()
        make(standing)
        reached.add(standing.hold.status)

    assert reached == {rules.OPEN, rules.CAPTURED, rules.RELEASED, rules.EXPIRED}
    assert TABLE.keys() == STATES.keys()


@pytest.mark.parametrize("policies", POLICIES)
@pytest.mark.parametrize("state", STATES)
def test_a_terminal_state_absorbs_whatever_comes(state, policies):
    standing = Standing(**policies)
    STATES[state](standing)
    if standing.hold.status == "open":
        standing.take(standing.release(once("close")))
    closed: tuple[Wallet, Hold] = standing.wallet, standing.hold

    outcomes = [
        outcome_of(lambda: operation(standing, once("again", now=now)))  # noqa: B023
        for operation in OPERATIONS.values()
        for now in TIMES.values()
    ]

    assert not [decision for _, decision in outcomes if isinstance(decision, Journal)]
    assert (standing.wallet, standing.hold) == closed
    assert funds(standing.wallet)[CASH][1] == 0


@pytest.mark.parametrize(
    ("state", "now", "refusal", "details"),
    [
        ("captured", NOW, HoldClosed, {"status": "captured"}),
        ("captured", EXPIRY, HoldClosed, {"status": "captured"}),
        ("released", NOW, HoldClosed, {"status": "released"}),
        ("expired", EXPIRY + HOUR, HoldExpired, {"expires_at": "2026-11-21T04:30:00.000Z"}),
        ("open", EXPIRY, HoldExpired, {"expires_at": "2026-11-21T04:30:00.000Z"}),
    ],
)
def test_a_refusal_says_in_which_state_the_hold_is(state, now, refusal, details):
    standing = Standing()
    STATES[state](standing)

    with pytest.raises(refusal) as refused:
        rules.require_open(standing.hold, now)

    assert refused.value.details == details
