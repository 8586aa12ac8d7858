"""Who calls, read to the letter; and whom a caller may name."""

import pytest

from holdfast.domain.accounts import default_account_id
from holdfast.errors import AccountNotFound, Forbidden, InvalidField, Unauthenticated
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
    with pytest.raises(AccountNotFound):
        owner_named(ALICE_CALLS, bobs)


def test_the_same_user_in_test_mode_has_another_account():
    in_test = principal_of({**ALICE, "mode": "test"})

    assert owner_named(in_test, None).account_id != owner_named(ALICE_CALLS, None).account_id
    with pytest.raises(AccountNotFound):
        owner_named(in_test, owner_named(ALICE_CALLS, None).account_id)


def test_the_wrong_name_is_named_by_the_parameter_that_has_it():
    with pytest.raises(InvalidField) as refused:
        user_of(ADMIN_CALLS, "a b", param="user_id")

    assert refused.value.param == "user_id"
