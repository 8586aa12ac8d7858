from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from holdfast.domain.accounts import owner_of
from holdfast.domain.holds import new_id
from holdfast.errors import (
    HoldClosed,
    HoldExceeded,
    HoldExpired,
    HoldNotFound,
    InsufficientFunds,
    Unavailable,
)
from holdfast.services import holds
from holdfast.services.holds import LOOKED_AT_MAX, HoldPage
from tests.domain.samples import NOW
from tests.services.caller import (
    CENT,
    HOUR,
    INTRODUCTORY,
    MILLISECOND,
    TEST,
    Caller,
    bob,
    later,
)
from tests.simulator.scheduler import interleave

START = INTRODUCTORY + 500


def rich() -> Caller:
    alice = Caller()
    alice.deposit(500)
    return alice


def test_a_hold_is_placed_captured_in_parts_and_released():
    alice = rich()

    placed = alice.place(800, reference="order 17", metadata={"team": "x"}).entry.hold
    assert placed is not None
    assert alice.balance() == (START - 800, 800)

    alice.capture(placed.id, 300, final=False)
    assert alice.balance() == (START - 800, 500)

    alice.extend(placed.id, cents=100, expires_in=5 * HOUR)
    assert alice.balance() == (START - 900, 600)

    alice.capture(placed.id, 50, final=False)
    released = alice.release(placed.id)
    assert alice.balance() == (START - 350, 0)
    assert released.entry.amount_micros == 550 * CENT
    assert alice.entries()[2:] == ["hold", "capture", "extension", "capture", "release"]


def test_every_answer_shows_the_hold_as_it_was_then():
    alice = rich()

    first = alice.place(800)
    hold_id = first.entry.hold_id
    assert hold_id is not None
    second = alice.capture(hold_id, 300, final=False)
    third = alice.capture(hold_id, 100)

    shown = [each.entry.hold for each in (first, second, third)]
    assert [
        (hold.status, hold.captured_micros // CENT, hold.remaining_micros // CENT)
        for hold in shown
        if hold is not None
    ] == [("open", 0, 800), ("open", 300, 500), ("captured", 400, 0)]
    assert alice.look_at(hold_id) == shown[2]


@pytest.mark.parametrize(("cents", "claim"), [(START, True), (START + 1, False)])
def test_a_hold_never_takes_more_than_there_is(cents, claim):
    alice = rich()
    before = alice.stored()

    if claim:
        alice.place(cents)
        assert alice.balance() == (0, START)
    else:
        with pytest.raises(InsufficientFunds) as refused:
            alice.place(cents)
        assert refused.value.details["available_micros"] == START * CENT
        assert alice.stored() == before


def until_answered(place: Callable[[], object]) -> object:
    """Ask again under the same key for as long as the answer is to try again."""
    while True:
        with suppress(Unavailable):
            return place()


@pytest.mark.parametrize("seed", range(5))
def test_twenty_holds_at_once_never_take_more_than_there_is(seed):
    alice = rich()
    places = [partial(alice.elsewhere().place, 300, f"hold {n}") for n in range(20)]

    run = interleave([partial(until_answered, place) for place in places], seed=seed)

    errors = [type(outcome.error) for outcome in run.outcomes if outcome.error is not None]
    assert errors == [InsufficientFunds] * 15
    assert alice.balance() == (0, START)
    assert alice.entries().count("hold") == 5


@pytest.mark.parametrize("seed", range(5))
def test_parts_captured_at_once_never_add_up_to_more_than_the_hold(seed):
    alice = rich()
    hold_id = alice.hold(700)
    captures = [
        partial(alice.elsewhere().capture, hold_id, 300, f"part {n}", final=False) for n in range(4)
    ]

    run = interleave([partial(until_answered, capture) for capture in captures], seed=seed)

    errors = [type(outcome.error) for outcome in run.outcomes if outcome.error is not None]
    assert errors == [HoldExceeded] * 2
    assert alice.look_at(hold_id).captured_micros == 600 * CENT
    assert alice.balance() == (START - 700, 100)


def test_a_final_capture_gives_the_rest_back():
    alice = rich()
    hold_id = alice.hold(800)

    committed = alice.capture(hold_id, 300)

    assert alice.balance() == (START - 300, 0)
    assert committed.entry.amount_micros == 300 * CENT
    assert alice.look_at(hold_id).released_micros == 500 * CENT


def test_a_hold_is_of_one_currency():
    alice = rich()
    alice.deposit(700, currency="eur")

    hold_id = alice.hold(700, currency="eur")
    alice.capture(hold_id, 700)

    assert hold_id.endswith("_eur")
    assert alice.balance() == (START, 0)
    assert alice.wallet("eur").posted_micros == 0


@pytest.mark.parametrize("again", ["release", "capture", "expiry"])
def test_a_terminal_call_that_comes_again_gives_the_same_answer_or_says_why_not(again):
    alice = rich()
    hold_id = alice.hold(800)
    if again == "release":
        first = alice.release(hold_id)
    elif again == "capture":
        first = alice.capture(hold_id, 300)
    else:
        alice = later(alice, HOUR)
        first = alice.release(hold_id)
    before = alice.stored()

    if again == "capture":
        with pytest.raises(HoldClosed) as refused:
            alice.release(hold_id)
        assert refused.value.details == {"status": "captured"}
    else:
        assert alice.release(hold_id).entry == first.entry
    assert alice.stored() == before


OPERATIONS: dict[str, Callable[[Caller, str], object]] = {
    "capture": lambda alice, hold_id: alice.capture(hold_id, 1),
    "extend": lambda alice, hold_id: alice.extend(hold_id, cents=1),
    "release": lambda alice, hold_id: alice.release(hold_id),
    "look": lambda alice, hold_id: alice.look_at(hold_id),
}
ASKERS: dict[str, Callable[[Caller, str], tuple[Caller, str]]] = {
    "another user": lambda alice, hold_id: (bob(alice), hold_id),
    "another mode": lambda alice, hold_id: (
        alice.elsewhere(owner=owner_of(TEST, "acme/alice")),
        hold_id,
    ),
    "nobody's hold": lambda alice, _: (alice, new_id(alice.once("never"), "usd")),
    "no hold's id": lambda alice, _: (alice, "hold_1"),
}


@pytest.mark.parametrize("ask", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("who", ASKERS.values(), ids=ASKERS)
def test_a_hold_of_somebody_else_is_as_unknown_as_one_that_never_was(ask, who):
    alice = rich()
    asker, hold_id = who(alice, alice.hold(800))
    asker.wallet()
    before = alice.stored()

    with pytest.raises(HoldNotFound) as refused:
        ask(asker, hold_id)

    assert refused.value.details == {}
    assert alice.stored() == before


@pytest.mark.parametrize(
    ("ask", "refusal"),
    [
        (lambda alice, hold_id: alice.capture(hold_id, 801), HoldExceeded),
        (lambda alice, hold_id: alice.capture(hold_id, 801, final=False), HoldExceeded),
        (lambda alice, hold_id: alice.extend(hold_id, cents=START - 799), InsufficientFunds),
    ],
    ids=["exceeded", "a part exceeded", "no money to extend"],
)
def test_a_refusal_leaves_the_hold_and_the_money_as_they_were(ask, refusal):
    alice = rich()
    hold_id = alice.hold(800)
    before = alice.stored()

    with pytest.raises(refusal):
        ask(alice, hold_id)

    assert alice.stored() == before


@pytest.mark.parametrize(
    "ask",
    [
        lambda alice, hold_id: alice.capture(hold_id, 1),
        lambda alice, hold_id: alice.capture(hold_id, 1, final=False),
        lambda alice, hold_id: alice.extend(hold_id, cents=1, expires_in=HOUR),
    ],
    ids=["capture", "capture a part", "extend"],
)
def test_whoever_comes_too_late_to_a_hold_finds_it_expired(ask):
    alice = rich()
    hold_id = alice.hold(800)
    then = later(alice, HOUR)

    with pytest.raises(HoldExpired):
        ask(then, hold_id)

    # What was written is what time did; of the request there is no trace.
    assert alice.entries()[2:] == ["hold", "hold_expiry"]
    assert then.balance() == (START, 0)


@pytest.mark.parametrize(
    ("policy", "status", "captured", "available"),
    [("release", "expired", 0, START), ("capture", "expired", 800, START - 800)],
)
def test_a_look_at_an_expired_hold_shows_it_expired_and_its_money_where_it_belongs(
    policy, status, captured, available
):
    alice = rich()
    hold_id = alice.hold(800, expiry_policy=policy)

    assert alice.look_at(hold_id).status == "open"
    assert later(alice, HOUR - MILLISECOND).look_at(hold_id).status == "open"
    then = later(alice, HOUR)
    found, wallet = holds.hold(then.store, then.owner, hold_id=hold_id, now=then.now)

    assert (found.status, found.captured_micros) == (status, captured * CENT)
    assert (wallet.available_micros(then.now), wallet.held_micros) == (available * CENT, 0)


def page(
    alice: Caller, *, status: str | None = None, before: str | None = None, limit: int = 10
) -> HoldPage:
    return holds.holds(
        alice.store, alice.owner, status=status, before=before, limit=limit, now=alice.now
    )


def three_of_each() -> tuple[Caller, dict[str, list[str]]]:
    """Open, released, captured and expired holds, mixed in time; ids oldest first."""
    alice = Caller()
    alice.deposit(5_000)
    made: dict[str, list[str]] = {"open": [], "released": [], "captured": [], "expired": []}
    for number in range(3):
        for status, ids in made.items():
            alice = later(alice, timedelta(seconds=1))
            life = timedelta(minutes=5) if status == "expired" else 9 * HOUR
            ids.append(alice.hold(10 + number, expires_in=life))
    for hold_id in made["released"]:
        alice.release(hold_id)
    for hold_id in made["captured"]:
        alice.capture(hold_id, 5)
    return later(alice, HOUR), made


def test_holds_are_listed_newest_first_page_by_page():
    alice, made = three_of_each()
    everything = sorted((hold_id for ids in made.values() for hold_id in ids), reverse=True)

    for limit in (1, 2, 5, 11, 12, 13):
        found: list[str] = []
        place: str | None = None
        while True:
            one = page(alice, before=place, limit=limit)
            found += [hold.id for hold in one.holds]
            assert len(one.holds) <= limit
            place = one.next_id
            if place is None:
                break
        assert found == everything


@pytest.mark.parametrize("status", ["open", "released", "captured", "expired"])
def test_holds_are_listed_by_the_status_they_have_now(status):
    alice, made = three_of_each()

    one = page(alice, status=status)
    parts = page(alice, status=status, limit=2)
    rest = page(alice, status=status, limit=2, before=parts.next_id)

    assert [hold.id for hold in one.holds] == made[status][::-1]
    assert {hold.status for hold in one.holds} == {status}
    assert [hold.id for hold in (*parts.holds, *rest.holds)] == made[status][::-1]


def test_a_list_of_somebody_else_is_empty():
    alice, _ = three_of_each()

    assert page(bob(alice)) == HoldPage((), None)


@pytest.mark.parametrize("more", [0, 1])
def test_a_filtered_page_looks_at_two_thousand_and_says_where_to_go_on(more):
    alice = Caller()
    wanted = alice.hold(1)
    alice = later(alice, timedelta(seconds=1))
    # A cheap way to many: one open hold, copied under other ids.
    copies = LOOKED_AT_MAX - 1 + more
    for item in alice.stored():
        if item["sk"]["S"] == f"HOLD#{wanted}":
            for number in range(copies):
                hold_id = new_id(alice.once(f"copy {number}"), "usd")
                copied = {**item, "sk": {"S": f"HOLD#{hold_id}"}, "status": {"S": "released"}}
                alice.simulator.put_item(TableName="holdfast", Item=copied)

    first = page(alice, status="open")

    if more:
        assert first.holds == ()
        assert first.next_id is not None
        rest = page(alice, status="open", before=first.next_id)
        assert [hold.id for hold in rest.holds] == [wanted]
    else:
        assert [hold.id for hold in first.holds] == [wanted]
        assert first.next_id is None


def test_the_open_holds_of_a_wallet_are_the_ones_that_hold_its_money():
    alice, made = three_of_each()
    alice.deposit(100, currency="eur")
    other = alice.hold(100, currency="eur")

    usd = holds.open_holds(alice.store, alice.wallet(), limit=10, now=alice.now)
    eur = holds.open_holds(alice.store, alice.wallet("eur"), limit=10, now=alice.now)
    two = holds.open_holds(alice.store, alice.wallet(), limit=2, now=alice.now)

    assert [hold.id for hold in usd] == made["open"][::-1]
    assert [hold.id for hold in eur] == [other]
    assert two == usd[:2]
    assert sum(hold.remaining_micros for hold in usd) == alice.wallet().held_micros


def test_a_wallet_without_holds_is_not_searched_for_them():
    alice = rich()
    found = alice.wallet()

    with alice.simulator.measure() as used:
        assert holds.open_holds(alice.store, found, limit=10, now=NOW) == []

    assert used.calls == 0
