"""Callers with an API key that has a spend cap: whatever they spend counts, wherever."""

from datetime import UTC, datetime

import pytest

from tests.api.keyed import key_id, keyed
from tests.api.world import BOB, Refusal
from tests.http.events import ADMIN, ALICE

HOLDS = "/v1/billing/holds"
WITHDRAW = "/api/v1/billing/withdraw"
USAGE = "/api/v1/billing/usage"
LAST_MINUTE = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
SCOPES = ("holds:read", "holds:write", "wallet:read", "wallet:write")


def alices(cap=500, **facts):
    """A key of Alice's that may spend so many cents."""
    return keyed(ALICE, *SCOPES, cap=cap, **facts)


def admins(cap=500, **facts):
    """A key of the admin's that may name other users."""
    return keyed(ADMIN, *SCOPES, "admin", cap=cap, **facts)


def beyond(*, needed, used=0, limit=500, window="total", currency="usd", name="a"):
    told = {
        "scope": f"key:{key_id(name)}",
        "window": window,
        "limit": limit,
        "used": used,
        "needed": needed,
        "currency": currency,
    }
    return Refusal(402, "budget_exceeded", None, told)


def hold(world, amount, *, by, **body):
    return world.ask("POST", HOLDS, by=by, body={"amount": amount, **body})


def use(world, amount, *, by, user="acme/alice", **asked):
    body = {"user": user, "amount": amount}
    return world.ask("POST", USAGE, by=by, body=body, **asked)


@pytest.mark.parametrize(("amount", "fits"), [(499, True), (500, True), (501, False)])
def test_a_hold_needs_room_under_the_cap(world, amount, fits):
    world.wallet()

    if fits:
        told = hold(world, amount, by=alices()).body
        assert told["scopes"] == [{"kind": "key", "id": key_id(), "limit": 500, "window": "total"}]
        return
    refusal = world.refused("POST", HOLDS, by=alices(), body={"amount": amount})
    assert refusal == beyond(needed=501)
    assert world.cents() == (1000, 0)


@pytest.mark.parametrize(("amount", "fits"), [(199, True), (200, True), (201, False)])
def test_a_withdrawal_needs_room_under_the_cap(world, amount, fits):
    world.deposit(2000)
    hold(world, 300, by=alices())
    body = {"user": "alice", "amount": amount}

    if fits:
        assert world.ask("POST", WITHDRAW, by=alices(), body=body).status == 201
        return
    refusal = world.refused("POST", WITHDRAW, by=alices(), body=body)
    assert refusal == Refusal(402, "budget_exceeded", None, beyond(needed=201, used=300).details)


@pytest.mark.parametrize(("amount", "fits"), [(499, True), (500, True), (501, False)])
def test_a_charge_needs_room_under_the_cap_of_whoever_records_it(world, amount, fits):
    world.wallet()

    if fits:
        assert use(world, amount, by=admins()).status == 201
        assert world.cents() == (1000 - amount, 0)
        return
    body = {"user": "acme/alice", "amount": amount}
    assert world.refused("POST", USAGE, by=admins(), body=body) == beyond(needed=501)


def test_what_a_key_does_for_two_users_counts_together(world):
    assert use(world, 300, by=admins(), user="acme/alice").status == 201

    body = {"user": "acme/bob", "amount": 201}
    assert world.refused("POST", USAGE, by=admins(), body=body) == beyond(needed=201, used=300)
    assert use(world, 200, by=admins(), user="acme/bob").status == 201


def test_two_keys_of_one_user_have_a_cap_each(world):
    hold(world, 500, by=alices())

    assert hold(world, 500, by=alices(name="b")).status == 201


def test_what_the_user_spends_without_the_key_is_not_counted(world):
    world.hold(400)
    world.use(100)

    assert hold(world, 500, by=alices()).status == 201


def test_money_that_comes_in_needs_no_room(world):
    body = {"user": "acme/alice", "amount": 5000}
    by = admins(cap=1)

    assert world.ask("POST", "/api/v1/billing/deposit", by=by, body=body).status == 201
    refund = {"user": "alice", "amount": 100, "originalTransactionId": used_by_alice(world)}
    assert world.ask("POST", "/api/v1/billing/refund", by=by, body=refund).status == 201
    assert use(world, 1, by=by).status == 201


def used_by_alice(world):
    return world.use(100)["transactionId"]


@pytest.mark.parametrize(("amount", "status"), [(-500, 200), (-501, 402), (10_000, 200)])
def test_cash_that_is_taken_by_hand_counts(world, amount, status):
    world.deposit(2000)
    body = {"customerId": "alice", "amount": amount}

    answer = world.ask(
        "POST", "/api/v1/billing/customer-balance/adjustments", by=admins(), body=body
    )

    assert answer.status == status


# --- Holds and who placed them --------------------------------------------------------------------


def test_a_capture_of_its_own_hold_counts_once(world):
    placed = hold(world, 500, by=alices()).body["id"]

    answer = world.ask("POST", f"{HOLDS}/{placed}/capture", by=alices(), body={"amount": 300})

    assert answer.status == 200
    refusal = world.refused("POST", HOLDS, by=alices(), body={"amount": 201})
    assert refusal == beyond(needed=201, used=300)
    assert hold(world, 200, by=alices()).status == 201


def test_a_capture_by_its_user_counts_under_the_cap_that_the_hold_was_placed_under(world):
    placed = hold(world, 500, by=alices()).body["id"]

    world.post(f"{HOLDS}/{placed}/capture", body={"amount": 500})

    refusal = world.refused("POST", HOLDS, by=alices(), body={"amount": 1})
    assert refusal == beyond(needed=1, used=500)


@pytest.mark.parametrize(("amount", "fits"), [(499, True), (500, True), (501, False)])
def test_a_capture_of_a_hold_of_somebody_else_counts_in_full(world, amount, fits):
    placed = world.hold(600)["id"]
    path = f"{HOLDS}/{placed}/capture"

    if fits:
        assert world.ask("POST", path, by=alices(), body={"amount": amount}).status == 200
        refusal = world.refused("POST", HOLDS, by=alices(), body={"amount": 500})
        assert refusal == beyond(needed=500, used=amount)
        return
    refusal = world.refused("POST", path, by=alices(), body={"amount": amount})
    assert refusal == beyond(needed=501)
    assert world.cents() == (1000, 600)


@pytest.mark.parametrize(("amount", "fits"), [(199, True), (200, True), (201, False)])
def test_an_extension_needs_room_under_the_cap(world, amount, fits):
    placed = hold(world, 300, by=alices()).body["id"]
    path = f"{HOLDS}/{placed}/extend"

    if fits:
        told = world.post(path, by=alices(), body={"amount": amount})
        assert told["remaining"] == 300 + amount
        return
    refusal = world.refused("POST", path, by=alices(), body={"amount": amount})
    assert refusal == beyond(needed=201, used=300)


def test_a_hold_does_not_come_under_a_cap_half_way(world):
    placed = world.hold(300)["id"]

    refusal = world.refused("POST", f"{HOLDS}/{placed}/extend", by=alices(), body={"amount": 1})

    assert refusal == (403, "forbidden", None, {})
    more_time = {"expires_in_seconds": 604_800}
    assert world.ask("POST", f"{HOLDS}/{placed}/extend", by=alices(), body=more_time).status == 200


def test_a_release_gives_the_room_back(world):
    placed = hold(world, 500, by=alices()).body["id"]

    world.post(f"{HOLDS}/{placed}/release")

    assert hold(world, 500, by=alices()).status == 201


def test_a_hold_that_names_its_own_key_shares_the_count_and_the_lower_limit_holds(world):
    named = {"kind": "key", "id": key_id(), "limit": 300}

    told = hold(world, 200, by=alices(), scopes=[named]).body

    assert told["scopes"] == [{**named, "window": "total"}]
    refusal = world.refused("POST", HOLDS, by=alices(), body={"amount": 101, "scopes": [named]})
    assert refusal == beyond(needed=101, used=200, limit=300)
    assert hold(world, 300, by=alices()).status == 201
    refusal = world.refused("POST", HOLDS, by=alices(), body={"amount": 1})
    assert refusal == beyond(needed=1, used=500)


def test_a_key_cannot_raise_its_cap_by_naming_itself(world):
    named = {"kind": "key", "id": key_id(), "limit": 10_000}
    world.wallet()

    refusal = world.refused("POST", HOLDS, by=alices(), body={"amount": 501, "scopes": [named]})

    assert refusal == beyond(needed=501)


def test_a_cap_stands_beside_the_scopes_that_are_named(world):
    run = {"kind": "run", "id": "r1", "limit": 100, "window": "day"}

    told = hold(world, 100, by=alices(), scopes=[run]).body

    assert [scope["kind"] for scope in told["scopes"]] == ["run", "key"]
    refusal = world.refused("POST", HOLDS, by=alices(), body={"amount": 1, "scopes": [run]})
    assert refusal.details["scope"] == "run:r1"


def test_ten_scopes_and_a_cap_are_counted_together(world):
    scopes = [{"kind": "run", "id": f"r{number}", "limit": 100} for number in range(10)]

    told = hold(world, 100, by=alices(), scopes=scopes).body
    world.post(f"{HOLDS}/{told['id']}/capture", by=alices(name="b"), body={"amount": 100})

    assert len(told["scopes"]) == 11
    for scope in scopes:
        refusal = world.refused("POST", HOLDS, body={"amount": 1, "scopes": [scope]})
        assert refusal.details["used"] == 100
    assert world.refused("POST", HOLDS, by=alices(), body={"amount": 401}) == beyond(
        needed=401, used=100
    )


def test_a_job_counts_under_the_cap(world):
    world.deposit(2000)
    by = alices(cap=110)
    quote = world.quote(by=by)["quote_id"]

    placed = world.ask(
        "POST", "/v1/billing/hardware/hold", by=by, body={"quote_id": quote, "job_id": "job-1"}
    )

    assert placed.status == 201
    refusal = world.refused("POST", HOLDS, by=by, body={"amount": 1})
    assert refusal == beyond(needed=1, used=110, limit=110)


# --- Windows and currencies -----------------------------------------------------------------------


@pytest.mark.parametrize(("window", "is_new"), [("day", True), ("month", True), ("total", False)])
def test_a_cap_starts_anew_with_its_window(world, window, is_new):
    world.now = LAST_MINUTE
    by = admins(window=window)
    use(world, 500, by=by)
    world.wait(seconds=59, milliseconds=999)
    body = {"user": "acme/alice", "amount": 1}
    full = beyond(needed=1, used=500, window=window)
    assert world.refused("POST", USAGE, by=by, body=body) == full

    world.wait(milliseconds=1)

    if is_new:
        assert use(world, 500, by=by).status == 201
    assert world.refused("POST", USAGE, by=by, body=body) == full


@pytest.mark.parametrize("amount", [1, 400])
def test_a_cap_in_one_currency_allows_nothing_in_another(world, amount):
    world.deposit(5000, currency="eur")
    asked = {"amount": amount, "currency": "eur"}

    refusal = world.refused("POST", HOLDS, by=alices(), body=asked)

    assert refusal == beyond(needed=amount, limit=0, currency="eur")
    assert hold(world, 500, by=alices()).status == 201


def test_a_cap_in_another_currency_is_one_of_that_currency(world):
    world.deposit(5000, currency="jpy")
    by = alices(cap=300, currency="jpy")

    assert hold(world, 300, by=by, currency="jpy").status == 201
    refusal = world.refused("POST", HOLDS, by=by, body={"amount": 1, "currency": "jpy"})
    assert refusal == beyond(needed=1, used=300, limit=300, currency="jpy")
    assert world.refused("POST", HOLDS, by=by, body={"amount": 1}) == beyond(needed=1, limit=0)


def test_money_that_comes_in_in_another_currency_needs_no_room(world):
    body = {"user": "acme/alice", "amount": 5000, "currency": "eur"}

    assert world.ask("POST", "/api/v1/billing/deposit", by=admins(), body=body).status == 201


# --- Keys -----------------------------------------------------------------------------------------


def test_a_key_does_what_it_is_for_and_nothing_else(world):
    world.wallet()
    reader = keyed(ALICE, "wallet:read", cap=500)
    writer = keyed(ALICE, "holds:write")

    assert world.get("/v1/billing/wallet", by=reader)["balance_cents"] == 1000
    for by, path, scope in (
        (reader, HOLDS, "holds:write"),
        (writer, WITHDRAW, "wallet:write"),
        (keyed(ALICE, "wallet:read", "admin"), USAGE, "wallet:write"),
    ):
        refusal = world.refused("POST", path, by=by, body={"amount": 1})
        assert refusal == (403, "forbidden", None, {"scope": scope})


def test_a_replay_by_a_key_that_is_used_up_is_the_first_answer(world):
    asked = {"by": alices(), "body": {"amount": 500}, "key": "k1"}
    first = world.ask("POST", HOLDS, **asked)
    assert world.refused("POST", HOLDS, by=alices(), body={"amount": 1}).status == 402
    mark = world.mark()

    again = world.ask("POST", HOLDS, **asked)

    assert (again.status, again.text, again.replayed) == (201, first.text, True)
    assert world.written_since(mark) == []


def test_a_key_that_names_a_stranger_is_told_nothing_of_its_cap(world):
    world.deposit(5000, user="bob")
    body = {"user": "acme/bob", "amount": 501}

    assert world.refused("POST", WITHDRAW, by=alices(), body=body) == (403, "forbidden", None, {})
    assert world.cents(by=BOB) == (6000, 0)
