import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.accounts import (
    Tenant,
    default_account_id,
    is_account_id,
    owner_of,
    short_digest,
    user_name,
)
from holdfast.errors import InvalidField

LIVE = Tenant("acme", "live")
TEST = Tenant("acme", "test")


@pytest.mark.parametrize("org", ["a", "acme", "a" * 64, "0rg", "acme.io", "a-b_c"])
def test_a_tenant_is_an_org_in_a_mode(org):
    assert Tenant(org, "live").segment == f"{org}/live"
    assert Tenant(org, "test").segment == f"{org}/test"


@pytest.mark.parametrize(
    ("org", "mode"),
    [
        pytest.param("", "live", id="no name"),
        pytest.param("a" * 65, "live", id="65 characters"),
        pytest.param("Acme", "live", id="upper case"),
        pytest.param("acme/live", "test", id="a slash, which would imitate another tenant"),
        pytest.param("acme#x", "live", id="a hash, which would imitate another key"),
        pytest.param("-acme", "live", id="begins with a dash"),
        pytest.param("acme\n", "live", id="ends with a line feed"),
        pytest.param("äcme", "live", id="not ASCII"),
        pytest.param("acme", "", id="no mode"),
        pytest.param("acme", "LIVE", id="mode in upper case"),
        pytest.param("acme", "sandbox", id="unknown mode"),
    ],
)
def test_what_is_no_tenant_is_refused(org, mode):
    with pytest.raises(InvalidField):
        Tenant(org, mode)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("acme/alice", "acme/alice"),
        ("Acme/ALICE", "acme/alice"),
        ("  acme/alice\t", "acme/alice"),
        ("alice", "acme/alice"),
        ("other/alice", "other/alice"),
        ("alice@example.com", "acme/alice@example.com"),
        ("a" * 128, f"acme/{'a' * 128}"),
        (f"{'o' * 64}/x", f"{'o' * 64}/x"),
    ],
)
def test_a_user_is_trimmed_and_lower_cased_and_has_an_owner(text, name):
    assert user_name(text, org="acme") == name


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "/", "/alice", "acme/", "acme/alice/bob", "acme /alice", "acme/ alice"),
        *("acme/al ice", "acme/al#ice", "acme/al\0ice", "acme/älice", "-/alice", "acme/-"),
        pytest.param("a" * 129, id="a name of 129 characters"),
        pytest.param(f"{'o' * 65}/x", id="an owner of 65 characters"),
        # Lower case of the Kelvin sign is a plain k: two names would meet in one account.
        pytest.param("acme/\u212aim", id="a Kelvin sign"),
        pytest.param("\u212a/alice", id="a Kelvin sign for an owner"),
    ],
)
def test_what_is_no_user_name_is_refused_under_the_callers_name(text):
    with pytest.raises(InvalidField) as refused:
        user_name(text, org="acme", param="customerId")

    assert refused.value.param == "customerId"


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@+=~-]{0,20}", fullmatch=True))
def test_a_name_that_was_normalised_stays_as_it_is(text):
    name = user_name(f" {text} ", org="acme")

    assert user_name(name, org="somebody-else") == name


def test_the_default_account_is_derived_and_never_changes():
    # Stored keys are made of it: another derivation would lose every account there is.
    account_id = default_account_id(LIVE, "acme/alice")

    assert account_id == "acct_5htnog4vtal2dd5ha6xjhnbkvw"
    assert owner_of(LIVE, "acme/alice").account_id == account_id


def test_each_tenant_mode_and_user_has_an_account_of_its_own():
    named = [
        (tenant, user)
        for tenant in (LIVE, TEST, Tenant("other", "live"))
        for user in ("acme/alice", "acme/bob", "other/alice")
    ]

    accounts = {default_account_id(tenant, user) for tenant, user in named}

    assert len(accounts) == len(named)
    assert all(is_account_id(account_id) for account_id in accounts)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (f"acct_{'a' * 26}", True),
        (f"acct_{'234567' * 4}zz", True),
        (f"acct_{'a' * 25}", False),
        (f"acct_{'a' * 27}", False),
        (f"acct_{'A' * 26}", False),
        (f"acct_{'1' * 26}", False),
        (f"acct_{'a' * 26}\n", False),
        ("a" * 26, False),
        ("acme/alice", False),
        ("", False),
    ],
)
def test_an_account_id_is_told_from_a_user_by_its_form(text, claim):
    assert is_account_id(text) is claim


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", "b"), ("ab",)),
        (("a", ""), ("a",)),
        (("", "a"), ("a", "")),
        (("a", "b"), ("b", "a")),
        (("a/b", "c"), ("a", "b/c")),
        (("a\x1fb",), ("a", "b")),
    ],
)
def test_parts_that_run_together_alike_have_different_digests(one, other):
    assert short_digest(*one) != short_digest(*other)


TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=4)
PARTS = st.lists(TEXT, min_size=1, max_size=4)


@given(one=PARTS, other=PARTS)
def test_digests_are_equal_only_for_equal_parts(one, other):
    assert (short_digest(*one) == short_digest(*other)) == (one == other)


def test_a_part_with_the_joint_in_it_is_our_mistake():
    with pytest.raises(AssertionError):
        short_digest("a\0b")
