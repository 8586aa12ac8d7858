from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import members as rules
from holdfast.domain.accounts import Account
from holdfast.domain.members import ADMIN, MEMBER, MEMBERS_MAX, OWNER, ROLES, VIEWER, Member
from holdfast.errors import (
    Forbidden,
    InvalidField,
    MemberExists,
    MemberNotFound,
    OwnerStays,
    Refusal,
    TooManyMembers,
)
from tests.domain.samples import ACCOUNT_ID, NOW, TENANT

LATER = NOW + timedelta(minutes=5)
OTHERS = [ADMIN, MEMBER, VIEWER]
ACCOUNT = Account(tenant=TENANT, id=ACCOUNT_ID, owner="acme/alice", name="Alice", created_at=NOW)
THE_OWNER = rules.owner_of_account(ACCOUNT)


def added(
    member: Member | None = None,
    *,
    user: str = "acme/bob",
    role: str = MEMBER,
    email: str | None = "bob@acme.io",
) -> Member:
    """A user as a member of Alice's account, from `LATER`."""
    return rules.add(
        member,
        tenant=TENANT,
        account_id=ACCOUNT_ID,
        account_owner="acme/alice",
        user=user,
        role=role,
        email=email,
        now=LATER,
    )


BOB = added()
GONE = replace(BOB, removed_at=LATER, version=4)


@pytest.mark.parametrize("role", OTHERS)
def test_a_user_becomes_a_member_in_a_role(role):
    assert added(role=role) == Member(
        tenant=TENANT,
        account_id=ACCOUNT_ID,
        user="acme/bob",
        role=role,
        email="bob@acme.io",
        added_at=LATER,
        version=1,
    )
    assert added(role=role).active


def test_a_member_may_have_no_email():
    assert added(email=None).email is None


def test_a_member_is_the_same_one_of_an_account_come_and_gone():
    # Ids that callers keep are made of it: another derivation would lose every member there is.
    assert BOB.id == "mem_uvanmmvuumlokxj5r57pl5y3m3"
    assert GONE.id == added(GONE).id == rules.member_id(ACCOUNT_ID, "acme/bob") == BOB.id


def test_each_user_of_each_account_is_a_member_of_its_own():
    named = [(account, user) for account in ("acct_a", "acct_b") for user in ("acme/a", "acme/b")]

    ids = {rules.member_id(account, user) for account, user in named}

    assert len(ids) == len(named)
    assert all(rules.is_member_id(each) for each in ids)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (f"mem_{'a' * 26}", True),
        (f"mem_{'a' * 25}", False),
        (f"mem_{'a' * 27}", False),
        (f"mem_{'A' * 26}", False),
        (f"mem_{'1' * 26}", False),
        (f"mem_{'a' * 25}#", False),
        (f"mem_{'a' * 26}\n", False),
        ("acme/bob", False),
        ("", False),
    ],
)
def test_a_members_id_is_told_by_its_form(text, claim):
    assert rules.is_member_id(text) is claim


@pytest.mark.parametrize("role", OTHERS)
def test_a_member_is_not_added_twice(role):
    with pytest.raises(MemberExists):
        added(BOB, role=role)


@pytest.mark.parametrize("role", ROLES)
def test_the_owner_is_not_added_to_the_own_account(role):
    with pytest.raises(MemberExists):
        added(user="acme/alice", role=role)


@pytest.mark.parametrize("member", [None, GONE])
def test_nobody_is_added_as_the_owner(member):
    with pytest.raises(OwnerStays):
        added(member, role=OWNER)


def test_a_member_who_was_removed_comes_back_as_a_new_one():
    back = added(GONE, role=VIEWER, email=None)

    assert back == replace(
        GONE, role=VIEWER, email=None, added_at=LATER, removed_at=None, version=5
    )
    assert back.active


def test_a_member_who_is_taken_for_another_is_our_mistake():
    with pytest.raises(AssertionError):
        added(GONE, user="acme/carol")


@pytest.mark.parametrize("before", OTHERS)
@pytest.mark.parametrize("after", OTHERS)
def test_a_member_changes_from_any_role_to_any_other(before, after):
    member = added(role=before)

    changed = rules.change_role(member, after)

    if before == after:
        assert changed is member
    else:
        assert changed == replace(member, role=after, version=2)


@pytest.mark.parametrize("role", ["", "Owner", "root", "ADMIN", "admin "])
def test_a_role_that_there_is_not_is_refused(role):
    with pytest.raises(InvalidField) as adding:
        added(role=role)
    with pytest.raises(InvalidField) as changing:
        rules.change_role(BOB, role)

    assert (adding.value.param, changing.value.param) == ("role", "role")
    assert adding.value.details == {"reason": "not one of owner, admin, member, viewer"}


@pytest.mark.parametrize("role", OTHERS)
def test_no_member_becomes_the_owner(role):
    member = added(role=role)

    with pytest.raises(OwnerStays):
        rules.change_role(member, OWNER)

    assert member == added(role=role)


@pytest.mark.parametrize("role", ROLES)
def test_who_was_removed_has_no_role_to_change(role):
    with pytest.raises(MemberNotFound):
        rules.change_role(GONE, role)


def test_a_removed_member_is_none_from_then_on():
    removed = rules.remove(BOB, LATER)

    assert removed == replace(BOB, removed_at=LATER, version=2)
    assert not removed.active


def test_a_member_is_not_removed_twice():
    with pytest.raises(MemberNotFound):
        rules.remove(GONE, LATER)


def test_the_owner_reads_as_a_member_who_is_stored_nowhere():
    owner = rules.owner_of_account(ACCOUNT)

    assert owner == Member(
        tenant=TENANT,
        account_id=ACCOUNT_ID,
        user="acme/alice",
        role=OWNER,
        email=None,
        added_at=NOW,
        version=0,
    )


@pytest.mark.parametrize("role", OTHERS)
def test_the_owner_of_an_account_stays_its_owner(role):
    with pytest.raises(OwnerStays):
        rules.change_role(THE_OWNER, role)
    with pytest.raises(OwnerStays):
        rules.remove(THE_OWNER, LATER)

    assert rules.change_role(THE_OWNER, OWNER) is THE_OWNER


@pytest.mark.parametrize(
    ("role", "reads", "spends", "manages"),
    [
        (OWNER, True, True, True),
        (ADMIN, True, True, True),
        (MEMBER, True, True, False),
        (VIEWER, True, False, False),
        (None, False, False, False),
        ("root", False, False, False),
        ("", False, False, False),
    ],
)
def test_a_role_says_what_its_user_may_do(role, reads, spends, manages):
    assert rules.may_read(role) is reads
    assert rules.may_spend(role) is spends
    assert rules.may_manage(role) is manages


@pytest.mark.parametrize("role", [OWNER, ADMIN])
def test_the_owner_and_admins_manage_an_account(role):
    rules.require_manager(role)

    assert rules.may_manage(role)


@pytest.mark.parametrize("role", [MEMBER, VIEWER, None])
def test_nobody_else_manages_an_account(role):
    with pytest.raises(Forbidden):
        rules.require_manager(role)


@pytest.mark.parametrize(
    ("user", "member", "role"),
    [
        pytest.param("acme/alice", None, OWNER, id="the owner"),
        pytest.param("acme/bob", None, None, id="a stranger"),
        pytest.param("acme/bob", BOB, MEMBER, id="a member"),
        pytest.param("acme/bob", added(role=VIEWER), VIEWER, id="a viewer"),
        pytest.param("acme/bob", GONE, None, id="one who was removed"),
    ],
)
def test_what_a_user_is_to_an_account(user, member, role):
    assert rules.role_of(user, account_owner="acme/alice", member=member) == role


def test_anothers_membership_is_not_the_users():
    with pytest.raises(AssertionError):
        rules.role_of("acme/carol", account_owner="acme/alice", member=BOB)


@pytest.mark.parametrize("members", [0, MEMBERS_MAX - 1])
def test_there_is_place_for_a_hundred_members(members):
    rules.require_place(members)

    assert members + 1 <= MEMBERS_MAX == 100


@pytest.mark.parametrize("members", [MEMBERS_MAX, MEMBERS_MAX + 1])
def test_there_is_no_place_for_one_more(members):
    with pytest.raises(TooManyMembers) as refused:
        rules.require_place(members)

    assert refused.value.details == {"members_max": 100}


actions = st.tuples(st.sampled_from(["add", "change", "remove"]), st.sampled_from(ROLES))


@given(st.lists(actions, max_size=12))
def test_a_member_comes_goes_and_changes_but_never_owns(todo):
    member: Member | None = None
    for action, role in todo:
        before = member
        try:
            if action == "add":
                member = added(before, role=role)
            elif before is not None and action == "change":
                member = rules.change_role(before, role)
            elif before is not None:
                member = rules.remove(before, LATER)
        except Refusal:
            assert member is before
            continue
        if member is None or member is before:
            continue
        assert member.version == (before.version if before else 0) + 1
        assert member.id == BOB.id
        assert member.role != OWNER
        assert member.active == (action != "remove")
        assert before is None or before.active != (action == "add")
