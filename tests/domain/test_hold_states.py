"""Every state of a hold, every operation on it, around its expiry, under every policy."""

from collections.abc import Callable

import pytest

from holdfast.domain import holds as rules
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Answered, Decision, Journal
from holdfast.domain.once import Once
from holdfast.errors import HoldClosed, HoldExpired, Refusal
from tests.domain.samples import (
    HOUR,
    MILLISECOND,
    NOW,
    credit,
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

POLICIES = [
    pytest.param({"expiry_policy": expiry, "over_capture": over}, id=f"{expiry}, {over}")
    for expiry in ("release", "capture")
    for over in ABOVE
]


def in_state(state: str, **policies: str) -> Standing:
    standing = Standing(**policies)
    STATES[state](standing)
    return standing


def outcome_of(name: str, standing: Standing, now: Instant) -> str:
    """What becomes of an operation, in one word; and that what it leaves behind is consistent."""
    try:
        decision = OPERATIONS[name](standing, once("now", now=now))
    except Refusal as refused:
        return refused.code
    if isinstance(decision, Answered):
        assert decision.entry_id == standing.hold.closed_by
        return FIRST
    assert_consistent(standing, decision)
    return decision.entry.type


@pytest.mark.parametrize("policies", POLICIES)
@pytest.mark.parametrize("state", TABLE)
def test_every_operation_around_the_expiry(state: str, policies: dict[str, str]):
    standing = in_state(state, **policies)
    rows = dict(zip(TIMES, TABLE[state], strict=True))

    found = {
        when: {name: outcome_of(name, standing, now) for name in OPERATIONS}
        for when, now in TIMES.items()
    }

    assert found == {
        when: {
            name: ABOVE[policies["over_capture"]] if outcome == "above" else outcome
            for name, outcome in zip(OPERATIONS, row, strict=True)
        }
        for when, row in rows.items()
    }


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
    reached = {in_state(state).hold.status for state in TABLE}

    assert reached == {rules.OPEN, rules.CAPTURED, rules.RELEASED, rules.EXPIRED}
    assert TABLE.keys() == STATES.keys()


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
    standing = in_state(state)

    with pytest.raises(refusal) as refused:
        rules.require_open(standing.hold, now)

    assert refused.value.details == details
