"""Who calls, read to the letter; and whom a caller may name."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.domain.accounts import Owner, default_account_id
from holdfast.domain.api_keys import SCOPES, SpendCap
from holdfast.domain.budgets import Scope
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.errors import AccountNotFound, Forbidden, InvalidField, Unauthenticated
from holdfast.http.credential import KeyUse
from holdfast.http.principal import owner_named, principal_of, user_of
from tests.http.events import ADMIN, ALICE, PLATFORM

ALICE_CALLS = principal_of(ALICE)
ADMIN_CALLS = principal_of(ADMIN)


def test_a_context_of_ours_is_read_whole():
    caller = principal_of({**ALICE, "roles": '["reseller","support"]', "tier": "pro"})

    assert (caller.org, caller.mode, caller.user) == ("acme", "live", "acme/alice")
    assert (caller.subject, caller.caller) == ("user-alice", "user-alice")
    assert (caller.roles, caller.tier) == (("reseller", "support"), "pro")
    assert not caller.is_admin
    assert not caller.is_platform


@pytest.mark.parametrize(
    ("roles", "is_admin", "is_platform"),
    [
        ("[]", False, False),
        ('["admin"]', True, False),
        ('["owner"]', True, False),
        ('["service"]', True, False),
        ('["platform"]', True, True),
        ('["Admin"]', False, False),
        ('["admin "]', False, False),
        ('["no-admin","sub admin"]', False, False),
        ('["[admin]"]', False, False),
        ('["admin,owner"]', False, False),
    ],
)
def test_a_role_is_compared_whole(roles, is_admin, is_platform):
    caller = principal_of({**ALICE, "roles": roles})

    assert (caller.is_admin, caller.is_platform) == (is_admin, is_platform)


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in ALICE),
        *({name: 7} for name in ALICE),
        *({name: ["acme"]} for name in ALICE),
        {"org": ""},
        {"org": "ac/me"},
        {"org": "Acme"},
        {"org": "acme\n"},
        {"org": "acme#live"},
        {"mode": "prod"},
        {"mode": ""},
        {"user": "alice"},
        {"user": "other/alice"},
        {"user": "Acme/Alice"},
        {"user": "acme/"},
        {"user": "acme/alice "},
        {"user": "acme/a/b"},
        {"subject": ""},
        {"subject": "a b"},
        {"subject": "a\0b"},
        {"subject": "x" * 129},
        {"roles": ""},
        {"roles": "[admin]"},
        {"roles": "admin"},
        {"roles": '"admin"'},
        {"roles": '{"admin":true}'},
        {"roles": "[1]"},
        {"roles": "[" * 100_000},
        {"tier": "a b"},
    ],
    ids=lambda changed: ascii(changed)[:40],
)
def test_a_context_that_is_not_of_ours_is_nobodys(changed):
    with pytest.raises(Unauthenticated) as refused:
        principal_of({**ALICE, **changed})

    assert refused.value.details == {"reason": "invalid_credential"}


@pytest.mark.parametrize("name", [name for name in ALICE if name != "tier"])
def test_a_context_with_a_part_missing_is_nobodys(name):
    with pytest.raises(Unauthenticated):
        principal_of({key: value for key, value in ALICE.items() if key != name})


# --- API keys ------------------------------------------------------------------------------------

KEY_ID = "key_" + "a" * 26
UNTIL = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
CAP = {"amount_micros": 5_000_000, "currency": "usd", "window": "day"}
USE = {
    "id": KEY_ID,
    "scopes": ["holds:write", "wallet:read"],
    "cap": CAP,
    "expires_at": "2026-11-21T03:30:00.000Z",
}


def with_key(use=USE, **changed):
    """The context of alice's key; `use` is what it says of the key."""
    return {**ALICE, "subject": f"key:{KEY_ID}", "key": json.dumps(use), **changed}


def before_it_expires():
    return UNTIL - MILLISECOND


def test_a_key_is_read_whole():
    caller = principal_of(with_key(), clock=before_it_expires)

    assert caller.key == KeyUse(
        id=KEY_ID,
        scopes=("holds:write", "wallet:read"),
        cap=SpendCap(5_000_000, "usd", "day"),
        expires_at=UNTIL,
    )
    assert (caller.user, caller.subject, caller.caller) == (
        "acme/alice",
        f"key:{KEY_ID}",
        f"key:{KEY_ID}",
    )
    assert (caller.is_admin, caller.is_platform) == (False, False)


def test_who_came_with_a_token_has_no_key():
    assert ALICE_CALLS.key is None
    assert ALICE_CALLS.caps == ()


def test_what_a_key_spends_counts_against_its_cap_in_its_users_account():
    caller = principal_of(with_key(), clock=before_it_expires)

    assert caller.caps == (
        Scope(
            account_id=default_account_id(caller.tenant, "acme/alice"),
            kind="key",
            id=KEY_ID,
            limit_micros=5_000_000,
            currency="usd",
            window="day",
        ),
    )


def test_a_key_without_a_cap_counts_nothing():
    assert principal_of(with_key({**USE, "cap": None, "expires_at": None})).caps == ()


@pytest.mark.parametrize(
    ("since_expiry", "claim"),
    [(-MILLISECOND, True), (timedelta(), False), (MILLISECOND, False)],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_a_key_is_good_until_its_expiry_whatever_the_gateway_remembers(since_expiry, claim):
    if claim:
        assert principal_of(with_key(), clock=lambda: UNTIL + since_expiry).key
    else:
        with pytest.raises(Unauthenticated) as refused:
            principal_of(with_key(), clock=lambda: UNTIL + since_expiry)
        assert refused.value.details == {"reason": "expired_key"}


def test_a_key_expires_by_the_clock_on_the_wall():
    with pytest.raises(Unauthenticated) as refused:
        principal_of(with_key({**USE, "expires_at": "2020-01-01T00:00:00.000Z"}))

    assert refused.value.details == {"reason": "expired_key"}


@pytest.mark.parametrize("context", [ALICE, with_key({**USE, "expires_at": None})])
def test_nobody_asks_for_the_time_without_an_expiry(context):
    def broken_clock():
        raise AssertionError("somebody asked for the time")

    assert principal_of(context, clock=broken_clock).user == "acme/alice"


@pytest.mark.parametrize(
    ("scopes", "roles", "claim"),
    [
        (["admin"], '["admin"]', True),
        (["wallet:read", "admin"], '["admin"]', True),
        (list(SCOPES), '["admin"]', True),
        (["wallet:read"], "[]", True),
        ([], "[]", True),
        (["admin"], "[]", False),
        (["wallet:read"], '["admin"]', False),
        (["wallet:write"], '["owner"]', False),
        (["wallet:write"], '["support"]', False),
        (["admin"], '["platform"]', False),
        (["admin"], '["admin","platform"]', False),
        (["admin"], '["admin","admin"]', False),
        ([], '["service"]', False),
    ],
)
def test_a_key_has_the_power_of_its_scopes_alone(scopes, roles, claim):
    context = with_key({**USE, "scopes": scopes}, roles=roles)

    if claim:
        caller = principal_of(context, clock=before_it_expires)
        assert (caller.is_admin, caller.is_platform) == ("admin" in scopes, False)
    else:
        with pytest.raises(Unauthenticated) as refused:
            principal_of(context, clock=before_it_expires)
        assert refused.value.details == {"reason": "invalid_credential"}


def test_a_cap_may_be_as_large_as_an_amount():
    use = {**USE, "cap": {**CAP, "amount_micros": AMOUNT_MICROS_MAX}}

    assert principal_of(with_key(use), clock=before_it_expires).caps[0].limit_micros == 10**15


WRONG_USES = [
    *({name: value for name, value in USE.items() if name != left_out} for left_out in USE),
    {**USE, "more": None},
    {**USE, "id": None},
    {**USE, "id": 7},
    {**USE, "id": "key_" + "a" * 25},
    {**USE, "id": "key_" + "A" * 26},
    {**USE, "id": KEY_ID + " "},
    {**USE, "id": [KEY_ID]},
    {**USE, "scopes": None},
    {**USE, "scopes": "wallet:read"},
    {**USE, "scopes": {"wallet:read": True}},
    {**USE, "scopes": ["wallet:read", 7]},
    {**USE, "scopes": [["wallet:read"]]},
    {**USE, "scopes": ["wallet"]},
    {**USE, "scopes": ["platform"]},
    {**USE, "scopes": ["Wallet:read"]},
    {**USE, "scopes": ["*"]},
    {**USE, "cap": False},
    {**USE, "cap": 0},
    {**USE, "cap": {}},
    {**USE, "cap": "5000000"},
    {**USE, "cap": [5_000_000, "usd", "day"]},
    *({**USE, "cap": {n: v for n, v in CAP.items() if n != left_out}} for left_out in CAP),
    {**USE, "cap": {**CAP, "more": None}},
    {**USE, "cap": {**CAP, "amount_micros": 0}},
    {**USE, "cap": {**CAP, "amount_micros": -1}},
    {**USE, "cap": {**CAP, "amount_micros": True}},
    {**USE, "cap": {**CAP, "amount_micros": 5e6}},
    {**USE, "cap": {**CAP, "amount_micros": "5000000"}},
    {**USE, "cap": {**CAP, "amount_micros": None}},
    {**USE, "cap": {**CAP, "amount_micros": AMOUNT_MICROS_MAX + 1}},
    {**USE, "cap": {**CAP, "amount_micros": float("nan")}},
    {**USE, "cap": {**CAP, "currency": "USD"}},
    {**USE, "cap": {**CAP, "currency": "xxx"}},
    {**USE, "cap": {**CAP, "currency": None}},
    {**USE, "cap": {**CAP, "window": "week"}},
    {**USE, "cap": {**CAP, "window": ["day"]}},
    {**USE, "expires_at": False},
    {**USE, "expires_at": ""},
    {**USE, "expires_at": 1_795_231_800},
    {**USE, "expires_at": "2026-11-21"},
    {**USE, "expires_at": "2026-11-21T03:30:00Z"},
    {**USE, "expires_at": "2026-11-21T03:30:00.000"},
    {**USE, "expires_at": "2026-11-21T04:30:00.000+01:00"},
    {**USE, "expires_at": "2026-11-31T03:30:00.000Z"},
    {**USE, "expires_at": "0001-01-01T00:00:00.000+23:00"},
    {**USE, "expires_at": "never"},
    [USE],
    "key",
    KEY_ID,
    None,
    7,
]


@pytest.mark.parametrize("use", WRONG_USES, ids=lambda use: ascii(use)[-70:])
def test_a_key_that_is_not_said_to_the_letter_is_nobodys(use):
    with pytest.raises(Unauthenticated) as refused:
        principal_of(with_key(use), clock=before_it_expires)

    assert refused.value.details == {"reason": "invalid_credential"}


@pytest.mark.parametrize("key_id", ["", "key_", "key_" + "A" * 26, KEY_ID + "a", "alice"])
def test_an_id_that_no_key_has_is_nobodys_though_the_subject_says_the_same(key_id):
    with pytest.raises(Unauthenticated):
        principal_of(
            with_key({**USE, "id": key_id}, subject=f"key:{key_id}"), clock=before_it_expires
        )


@pytest.mark.parametrize(
    "changed",
    [
        {"key": None},
        {"key": ""},
        {"key": 7},
        {"key": USE},
        {"key": [json.dumps(USE)]},
        {"key": json.dumps(USE)[:-1]},
        {"key": json.dumps(json.dumps(USE))},
        {"key": json.dumps({**USE, "cap": None}).replace("null", "9" * 5000)},
        {"key": "[" * 100_000},
        {"key": '{"cap":' * 100_000},
        {"subject": "user-alice"},
        {"subject": f"key:{KEY_ID[:-1]}b"},
        {"subject": KEY_ID},
        {"subject": f"KEY:{KEY_ID}"},
        {"subject": "key:"},
    ],
    ids=lambda changed: ascii(changed)[:40],
)
def test_a_context_that_is_not_that_of_the_key_is_nobodys(changed):
    with pytest.raises(Unauthenticated) as refused:
        principal_of(with_key(**changed), clock=before_it_expires)

    assert refused.value.details == {"reason": "invalid_credential"}


@pytest.mark.parametrize(
    ("subject", "claim"),
    [
        (f"key:{KEY_ID}", False),
        ("key:key_", False),
        (KEY_ID, True),
        ("key:alice", True),
        (f"user:{KEY_ID}", True),
    ],
)
def test_nobody_else_has_the_subject_of_a_key(subject, claim):
    if claim:
        assert principal_of({**ALICE, "subject": subject}).subject == subject
    else:
        with pytest.raises(Unauthenticated):
            principal_of({**ALICE, "subject": subject})


# --- Whom a caller may name ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "name", "user"),
    [
        (ALICE_CALLS, None, "acme/alice"),
        (ALICE_CALLS, "acme/alice", "acme/alice"),
        (ALICE_CALLS, " Acme/ALICE ", "acme/alice"),
        (ALICE_CALLS, "alice", "acme/alice"),
        (ADMIN_CALLS, None, "acme/root"),
        (ADMIN_CALLS, "bob", "acme/bob"),
        (ADMIN_CALLS, "acme/bob", "acme/bob"),
        (principal_of(PLATFORM), "acme/bob", "acme/bob"),
    ],
)
def test_a_caller_may_name_itself_and_an_admin_anybody_of_its_org(caller, name, user):
    assert user_of(caller, name) == user
    assert owner_named(caller, name).account_id == default_account_id(caller.tenant, user)
    assert owner_named(caller, name).user == user


@pytest.mark.parametrize(
    ("caller", "name", "refusal"),
    [
        (ALICE_CALLS, "bob", Forbidden),
        (ALICE_CALLS, "acme/bob", Forbidden),
        (ALICE_CALLS, "other/bob", AccountNotFound),
        (ADMIN_CALLS, "other/bob", AccountNotFound),
        (principal_of(PLATFORM), "other/bob", AccountNotFound),
        (ADMIN_CALLS, "", InvalidField),
        (ADMIN_CALLS, "acme/bob/x", InvalidField),
        (ADMIN_CALLS, "acme/b\0b", InvalidField),
        (ADMIN_CALLS, "acme/" + "x" * 129, InvalidField),
        (ADMIN_CALLS, "acme/bob#WALLET", InvalidField),
    ],
)
def test_a_caller_may_name_nobody_else(caller, name, refusal):
    with pytest.raises(refusal):
        user_of(caller, name)
    with pytest.raises(refusal):
        owner_named(caller, name)


def test_an_account_id_is_taken_from_an_admin_and_from_its_owner():
    bobs = default_account_id(ALICE_CALLS.tenant, "acme/bob")
    alices = default_account_id(ALICE_CALLS.tenant, "acme/alice")

    assert owner_named(ALICE_CALLS, alices).account_id == alices
    assert owner_named(ALICE_CALLS, alices).user == "acme/alice"
    assert owner_named(ADMIN_CALLS, bobs).account_id == bobs
    assert owner_named(ADMIN_CALLS, bobs).user is None
    # Whether alice has a seat in bob's account is for the service to find out.
    assert owner_named(ALICE_CALLS, bobs) == Owner(ALICE_CALLS.tenant, bobs, asker="acme/alice")
    assert owner_named(ADMIN_CALLS, bobs).asker is None


def test_the_same_user_in_test_mode_has_another_account():
    in_test = principal_of({**ALICE, "mode": "test"})

    assert owner_named(in_test, None).account_id != owner_named(ALICE_CALLS, None).account_id
    asked = owner_named(in_test, owner_named(ALICE_CALLS, None).account_id)
    assert (asked.tenant.mode, asked.user, asked.asker) == ("test", None, "acme/alice")


def test_the_wrong_name_is_named_by_the_parameter_that_has_it():
    with pytest.raises(InvalidField) as refused:
        user_of(ADMIN_CALLS, "a b", param="user_id")

    assert refused.value.param == "user_id"
