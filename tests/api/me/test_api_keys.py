"""API keys of the caller: `/v1/me/api-keys`."""

import pytest

from holdfast.domain.api_keys import SCOPES
from tests.api.keyed import keyed
from tests.api.world import BOB, NOON_TEXT, TEST_ALICE, ZOE, Like, Refusal
from tests.http.events import ADMIN, ALICE, PLATFORM

KEYS = "/v1/me/api-keys"
KEY_ID = Like(r"key_[a-z2-7]{26}")
FORBIDDEN = Refusal(403, "forbidden", None, {})
UNKNOWN = Refusal(404, "api_key_not_found", None, {})


def make(world, *, by=ALICE, key=None, **body):
    body = {"name": "ci", "scopes": ["wallet:read"], **body}
    return world.ask("POST", KEYS, by=by, body=body, key=key)


def refused(world, **body):
    body = {"name": "ci", "scopes": ["wallet:read"], **body}
    return world.refused("POST", KEYS, body=body)


def keys(world, *, by=ALICE):
    found = world.get(KEYS, by=by)
    assert (found["has_more"], found["next_cursor"]) == (False, None)
    return found["data"]


def revoke(world, key_id, *, by=ALICE, key=None):
    return world.ask("DELETE", f"{KEYS}/{key_id}", by=by, key=key)


# --- Making ---------------------------------------------------------------------------------------


def test_a_key_is_shown_with_all_that_it_is_for(world):
    answer = make(
        world,
        scopes=["wallet:write", "accounts:read", "wallet:write"],
        expires_at="2027-11-21T13:00:00+01:00",
        spend_cap={"amount": 2500, "window": "month"},
    )

    assert answer.status == 201
    assert answer.body == {
        "id": KEY_ID,
        "prefix": answer.body["key"][:12],
        "key": Like(r"hf_live_[a-z2-7]{52}"),
        "name": "ci",
        "scopes": ["accounts:read", "wallet:write"],
        "expires_at": "2027-11-21T12:00:00.000Z",
        "created_at": NOON_TEXT,
        "spend_cap": {"amount": 2500, "window": "month", "currency": "usd"},
    }


def test_a_key_may_be_for_ever_and_without_a_cap(world):
    shown = make(world).body

    assert (shown["expires_at"], shown["spend_cap"]) == (None, None)


def test_a_key_of_test_mode_says_so(world):
    assert make(world, by=TEST_ALICE).body["key"].startswith("hf_test_")


def test_a_cap_is_in_the_minor_units_of_its_currency(world):
    cap = {"amount": 500, "window": "day", "currency": "JPY"}

    assert make(world, spend_cap=cap).body["spend_cap"] == {**cap, "currency": "jpy"}


def test_every_request_makes_a_key_of_its_own(world):
    made = [make(world, by=by).body for by in (ALICE, ALICE, BOB, TEST_ALICE)]

    assert len({each["key"] for each in made}) == len({each["id"] for each in made}) == 4


def test_a_request_that_is_delivered_again_is_shown_the_very_same_key(world):
    asked = {"expires_at": "2026-11-21T12:00:01Z", "key": "k1"}
    first = make(world, **asked)
    world.wait(days=400)
    revoke(world, first.body["id"])
    world.start_anew()

    again = make(world, **asked)

    assert (again.status, again.text, again.replayed) == (201, first.text, True)
    assert len(keys(world)) == 1


def test_the_key_itself_is_kept_nowhere(world):
    token = make(world).body["key"]

    assert token not in str(world.items())
    assert token[12:] not in str(world.items())


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["wallet"]}, "scopes"),
        ({"scopes": ["wallet:read", "Wallet:read"]}, "scopes"),
        ({"scopes": ["*"]}, "scopes"),
        ({"scopes": ["wallet:read"] * (len(SCOPES) + 1)}, "scopes"),
        ({"scopes": [""]}, "scopes.0"),
        ({"scopes": "wallet:read"}, "scopes"),
        ({"expires_at": NOON_TEXT}, "expires_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"spend_cap": {}}, "spend_cap.amount"),
        ({"spend_cap": {"amount": 0, "window": "day"}}, "spend_cap.amount"),
        ({"spend_cap": {"amount": 10**11 + 1, "window": "day"}}, "spend_cap.amount"),
        ({"spend_cap": {"amount": 1, "window": "week"}}, "spend_cap.window"),
        ({"spend_cap": {"amount": 1}}, "spend_cap.window"),
        (
            {"spend_cap": {"amount": 1, "window": "day", "currency": "xau"}},
            "spend_cap.currency",
        ),
        ({"spend_cap": {"amount": 1, "window": "day", "x": 1}}, "spend_cap.x"),
    ],
    ids=str,
)
def test_what_a_key_cannot_be_is_refused_by_name(world, body, param):
    refusal = refused(world, **body)

    assert (refusal.status, refusal.param) == (422, param)
    assert world.items() == []


def test_a_user_has_a_hundred_good_keys_at_most(world):
    made = [make(world, expires_at="2026-11-22T12:00:00Z").body["id"] for _ in range(100)]
    mark = world.mark()

    assert make(world).refusal == (422, "too_many_api_keys", None, {"keys_max": 100})
    assert world.written_since(mark) == []
    assert make(world, by=BOB).status == 201

    revoke(world, made[0])
    assert make(world).status == 201
    assert make(world).status == 422
    world.wait(days=1)
    assert make(world).status == 201


# --- Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "status"), [(ALICE, 403), (ADMIN, 201), (PLATFORM, 201)])
def test_a_key_that_may_name_others_is_made_by_who_may(world, by, status):
    world.wallet(by=by)
    mark = world.mark()

    answer = make(world, by=by, scopes=["wallet:read", "admin"])

    assert answer.status == status
    if status == 201:
        assert answer.body["scopes"] == ["wallet:read", "admin"]
    else:
        assert answer.refusal == (403, "forbidden", None, {"scope": "admin"})
        assert world.written_since(mark) == []


def test_a_key_makes_and_revokes_no_keys(world):
    own = make(world).body["id"]
    by = keyed(ALICE, "accounts:read", "accounts:write")
    mark = world.mark()

    assert make(world, by=by).refusal == FORBIDDEN
    assert revoke(world, own, by=by).refusal == FORBIDDEN
    assert world.written_since(mark) == []
    assert [each["id"] for each in keys(world, by=by)] == [own]


def test_a_key_that_is_for_other_things_does_not_list_keys(world):
    refusal = world.refused("GET", KEYS, by=keyed(ALICE, "wallet:read"))

    assert refusal == (403, "forbidden", None, {"scope": "accounts:read"})


# --- Listing and revoking -------------------------------------------------------------------------


def test_keys_are_listed_newest_first_and_without_the_key_itself(world):
    first = make(world, name="first").body
    world.wait(seconds=1)
    second = make(world, name="second", spend_cap={"amount": 1, "window": "total"}).body

    newest, oldest = keys(world)

    del first["key"], second["key"]
    assert oldest == {**first, "revoked_at": None}
    assert newest == {**second, "revoked_at": None}


def test_a_revoked_key_stays_in_the_list(world):
    key_id = make(world).body["id"]
    world.wait(seconds=1)

    answer = revoke(world, key_id)

    assert (answer.status, answer.text) == (204, "")
    assert [each["revoked_at"] for each in keys(world)] == ["2026-11-21T12:00:01.000Z"]


def test_a_key_is_revoked_once_however_often_it_is_asked(world):
    key_id = make(world).body["id"]
    revoke(world, key_id, key="k1")
    world.wait(seconds=1)
    mark = world.mark()

    answers = [revoke(world, key_id, key=key) for key in ("k1", "k2", None)]

    assert [each.status for each in answers] == [204] * 3
    assert world.written_since(mark) == []
    assert keys(world)[0]["revoked_at"] == NOON_TEXT


@pytest.mark.parametrize("by", [BOB, ADMIN, TEST_ALICE, ZOE], ids=lambda by: by["user"])
def test_somebody_elses_key_is_as_unknown_as_none(world, by):
    key_id = make(world).body["id"]
    mark = world.mark()

    refusals = [revoke(world, each, by=by).refusal for each in (key_id, "key_" + "a" * 26, "x")]

    assert refusals == [UNKNOWN] * 3
    assert keys(world, by=by) == []
    assert world.written_since(mark) == []
