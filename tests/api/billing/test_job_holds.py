"""A quoted amount set aside and given back: `hardware/hold`, `…/{job_id}/release`, `jobs`."""

import pytest

from tests.api.world import BOB, CURSOR, HOLD_ID, JOB_ID, NOON_TEXT, QUOTE_ID, Refusal
from tests.http.events import ADMIN

HOLD = "/v1/billing/hardware/hold"
JOBS = "/v1/billing/jobs"
UNKNOWN_QUOTE = "quote_" + "a" * 26
COST = 110
"""Cents that the quotes here are for."""


def hold(world, quote=None, **body):
    quote = quote or world.quote()["quote_id"]
    return world.ask("POST", HOLD, body={"quote_id": quote, **body})


def release(world, job, **body):
    return world.ask("POST", f"{HOLD}/{job}/release", body=body)


def refused(world, path=HOLD, **body):
    return world.refused("POST", path, body=body)


def jobs(world, **query):
    return world.get(JOBS, query=query)["data"]


# --- Hold -----------------------------------------------------------------------------------------


def test_a_job_hold_is_answered_with_the_wallet_it_left(world):
    quote = world.quote()["quote_id"]

    answer = hold(world, quote, job_id="job-1")

    assert answer.status == 201
    assert answer.body == {
        "hold_id": HOLD_ID,
        "job_id": "job-1",
        "quote_id": quote,
        "status": "active",
        "amount_cents": COST,
        "currency": "usd",
        "expires_at": "2026-11-22T12:00:00.000Z",
        "wallet": {"balance_cents": 1000, "held_cents": COST, "available_cents": 1000 - COST},
    }


def test_a_job_without_a_name_gets_one(world):
    assert hold(world).body["job_id"] == JOB_ID


def test_a_quote_may_name_its_job(world):
    quote = world.quote(job_id="job-1")["quote_id"]

    assert hold(world, quote).body["job_id"] == "job-1"


@pytest.mark.parametrize("name", [{"job_id": "job-1"}, {}], ids=["named again", "not named"])
def test_the_same_job_and_quote_again_is_the_same_hold(world, name):
    quote = world.quote()["quote_id"]
    first = hold(world, quote, job_id="job-1")
    mark = world.mark()

    again = hold(world, quote, **name)

    assert (again.status, again.text) == (200, first.text)
    assert world.written_since(mark) == []


def test_the_same_quote_again_is_the_same_hold_long_after_it_expired(world):
    quote = world.quote()["quote_id"]
    first = hold(world, quote, job_id="job-1")
    world.wait(minutes=16)

    again = hold(world, quote, job_id="job-1")

    assert (again.status, again.body["hold_id"]) == (200, first.body["hold_id"])


def test_a_quote_serves_one_job(world):
    quote = world.quote()["quote_id"]
    hold(world, quote, job_id="job-1")

    refusal = refused(world, quote_id=quote, job_id="job-2")

    assert refusal[:2] == (409, "quote_already_used")


def test_a_job_has_one_active_hold(world):
    held = hold(world, job_id="job-1").body["hold_id"]
    quote = world.quote()["quote_id"]

    refusal = refused(world, quote_id=quote, job_id="job-1")

    assert refusal == (409, "job_already_held", None, {"hold_id": held})


@pytest.mark.parametrize("ended", ["released", "expired"])
def test_a_job_whose_hold_is_over_can_be_held_again(world, ended):
    first = hold(world, job_id="job-1").body
    if ended == "released":
        release(world, "job-1")
    else:
        world.wait(days=1)

    second = hold(world, job_id="job-1")

    assert second.status == 201
    assert second.body["hold_id"] != first["hold_id"]


@pytest.mark.parametrize(("seconds", "is_held"), [(899.999, True), (900, False)])
def test_a_quote_is_good_for_a_quarter_of_an_hour(world, seconds, is_held):
    quote = world.quote()["quote_id"]
    world.wait(seconds=seconds)

    if is_held:
        assert hold(world, quote).status == 201
        return
    told = {"expires_at": "2026-11-21T12:15:00.000Z"}
    assert refused(world, quote_id=quote) == (410, "quote_expired", None, told)


def test_a_quote_is_held_at_what_it_said(world):
    quote = world.quote(device="iqm-garnet", shots=1)

    assert hold(world, quote["quote_id"]).body["amount_cents"] == quote["total_cents"] == 31


@pytest.mark.parametrize(("available", "is_held"), [(COST, True), (COST - 1, False)])
def test_a_job_hold_needs_the_money(world, available, is_held):
    quote = world.quote()["quote_id"]
    world.hold(1000 - available)

    if is_held:
        assert hold(world, quote).body["wallet"]["available_cents"] == 0
        return
    assert refused(world, quote_id=quote) == Refusal(
        402,
        "insufficient_funds",
        None,
        {"needed": COST, "available": available, "currency": "usd"},
    )


def test_a_quote_that_could_not_be_held_can_be_once_there_is_money(world):
    quote = world.quote()["quote_id"]
    rest = world.hold(1000)["id"]
    assert refused(world, quote_id=quote).code == "insufficient_funds"

    world.post(f"/v1/billing/holds/{rest}/release")

    assert hold(world, quote).status == 201


def test_a_quote_of_somebody_else_is_as_unknown_as_none(world):
    theirs = world.quote()["quote_id"]

    for by in (BOB, ADMIN):
        world.wallet(by=by)
        foreign = world.refused("POST", HOLD, by=by, body={"quote_id": theirs})
        unknown = world.refused("POST", HOLD, by=by, body={"quote_id": UNKNOWN_QUOTE})
        assert foreign == unknown == (404, "quote_not_found", None, {})


def test_two_users_may_name_their_jobs_alike(world):
    hold(world, job_id="job-1")
    quote = world.quote(by=BOB)["quote_id"]

    answer = world.ask("POST", HOLD, by=BOB, body={"quote_id": quote, "job_id": "job-1"})

    assert answer.status == 201


# --- Release --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "status", "captured", "released"),
    [
        ({}, "released", 0, COST),
        ({"capture_cents": 0}, "released", 0, COST),
        ({"capture_cents": 1}, "partially_captured", 1, COST - 1),
        ({"actual_cents": COST - 1}, "partially_captured", COST - 1, 1),
        ({"actual_cents": COST}, "captured", COST, 0),
    ],
)
def test_a_release_charges_what_the_job_cost_and_gives_the_rest_back(
    world, cost, status, captured, released
):
    held = hold(world, job_id="job-1").body

    answer = release(world, "job-1", reason="completed", **cost)

    assert answer.status == 200
    assert answer.body == {
        "job_id": "job-1",
        "hold_id": held["hold_id"],
        "status": status,
        "captured_cents": captured,
        "released_cents": released,
        "wallet": {
            "balance_cents": 1000 - captured,
            "held_cents": 0,
            "available_cents": 1000 - captured,
        },
    }


@pytest.mark.parametrize("cost", [{}, {"capture_cents": 40}])
def test_releasing_again_is_the_same_answer_and_changes_nothing(world, cost):
    hold(world, job_id="job-1")
    first = release(world, "job-1", **cost)
    mark = world.mark()

    again = release(world, "job-1", **cost)

    assert (again.status, again.text) == (200, first.text)
    assert world.written_since(mark) == []


@pytest.mark.parametrize(("first", "second"), [(0, 40), (40, 0), (40, 41)])
def test_releasing_again_with_another_amount_is_a_conflict(world, first, second):
    hold(world, job_id="job-1")
    release(world, "job-1", capture_cents=first)

    refusal = refused(world, f"{HOLD}/job-1/release", actual_cents=second)

    assert refusal == (409, "release_differs", None, {"captured": first, "currency": "usd"})


@pytest.mark.parametrize("field", ["capture_cents", "actual_cents"])
def test_a_job_cannot_cost_more_than_was_held(world, field):
    hold(world, job_id="job-1")

    assert refused(world, f"{HOLD}/job-1/release", **{field: COST + 1}) == Refusal(
        422, "hold_exceeded", field, {"asked": COST + 1, "remaining": COST, "currency": "usd"}
    )


@pytest.mark.parametrize("field", ["capture_cents", "actual_cents"])
def test_a_cost_beyond_all_bounds_is_refused_by_name(world, field):
    hold(world, job_id="job-1")

    refusal = refused(world, f"{HOLD}/job-1/release", **{field: 10**11 + 1})

    assert refusal[:3] == (422, "amount_too_large", field)


def test_a_cost_is_given_once(world):
    hold(world, job_id="job-1")

    refusal = refused(world, f"{HOLD}/job-1/release", capture_cents=1, actual_cents=1)

    assert refusal[:3] == (422, "invalid_field", "actual_cents")


def test_a_release_after_the_expiry_tells_that_it_was_freed(world):
    hold(world, job_id="job-1")
    world.wait(days=1)

    answer = release(world, "job-1", capture_cents=40)

    assert answer.status == 200
    assert (answer.body["status"], answer.body["captured_cents"]) == ("expired", 0)
    assert answer.body["released_cents"] == COST
    assert world.cents() == (1000, 0)


def test_a_job_that_is_not_there_is_unknown(world):
    hold(world, job_id="job-1")
    world.wallet(by=BOB)

    assert refused(world, f"{HOLD}/job-2/release") == (404, "job_not_found", None, {})
    foreign = world.refused("POST", f"{HOLD}/job-1/release", by=BOB, body={})
    assert foreign == (404, "job_not_found", None, {})


@pytest.mark.parametrize("job", ["a.b_c:d~e@f+g=h-1", "J" * 128, "arn:aws:braket:job"])
def test_a_job_is_released_by_whatever_name_it_has(world, job):
    hold(world, job_id=job)

    assert release(world, job).body["job_id"] == job


def test_a_job_name_may_be_escaped_in_the_path(world):
    hold(world, job_id="a@b")

    assert release(world, "a%40b").status == 200


def test_a_job_hold_is_a_hold_like_others(world):
    held = hold(world, job_id="job-1").body["hold_id"]

    world.post(f"/v1/billing/holds/{held}/capture", body={"amount": 40})

    assert jobs(world)[0]["status"] == "partially_captured"
    assert release(world, "job-1", capture_cents=40).body["released_cents"] == COST - 40


# --- Jobs -----------------------------------------------------------------------------------------


def test_a_job_is_listed_with_what_was_quoted_held_and_charged(world):
    quote = world.quote()["quote_id"]
    held = hold(world, quote, job_id="job-1").body["hold_id"]
    world.wait(seconds=90)
    release(world, "job-1", capture_cents=40)

    assert world.get(JOBS) == {
        "data": [
            {
                "job_id": "job-1",
                "hold_id": held,
                "provider": "braket",
                "device": "ionq-forte",
                "shots": 10,
                "status": "partially_captured",
                "quote_id": QUOTE_ID,
                "quoted_cents": COST,
                "held_cents": 0,
                "charged_cents": 40,
                "released_cents": COST - 40,
                "created_at": NOON_TEXT,
                "updated_at": "2026-11-21T12:01:30.000Z",
            }
        ],
        "has_more": False,
        "next_cursor": None,
    }


def some_of_each(world):
    for job, cost in {"captured": COST, "partially_captured": 1, "released": 0}.items():
        hold(world, job_id=job)
        world.wait(seconds=1)
        release(world, job, capture_cents=cost)
    hold(world, job_id="expired")
    world.wait(days=1)
    hold(world, job_id="active")


@pytest.mark.parametrize(
    "status", ["active", "released", "captured", "partially_captured", "expired"]
)
def test_jobs_are_listed_by_what_became_of_them(world, status):
    some_of_each(world)

    (shown,) = jobs(world, status=status)

    assert (shown["job_id"], shown["status"]) == (status, status)


def test_jobs_come_newest_first_and_other_holds_are_none(world):
    some_of_each(world)
    world.hold(1)

    assert [job["job_id"] for job in jobs(world)] == [
        "active",
        "expired",
        "released",
        "partially_captured",
        "captured",
    ]


def test_a_page_of_jobs_says_where_the_list_goes_on(world):
    some_of_each(world)

    shown = world.get(JOBS, query={"limit": 2})

    assert [job["job_id"] for job in shown["data"]] == ["active", "expired"]
    assert shown["has_more"] is True
    assert shown["next_cursor"] == CURSOR


def test_everybody_sees_their_own_jobs_alone(world):
    hold(world, job_id="job-1")

    assert world.get(JOBS, by=BOB)["data"] == []
    assert world.get(JOBS, by=ADMIN)["data"] == []


@pytest.mark.parametrize("status", ["open", "Active", "", "succeeded"])
def test_another_status_is_no_status(world, status):
    refusal = world.refused("GET", JOBS, query={"status": status})

    assert refusal[:3] == (422, "invalid_field", "status")
