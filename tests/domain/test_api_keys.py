import hashlib
import hmac
import inspect
import re
from base64 import b32encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.domain import api_keys as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.api_keys import ApiKey, SpendCap
from holdfast.domain.clock import Instant
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.domain.once import Once
from holdfast.errors import InvalidField, TooManyKeys
from tests.domain.samples import HOUR, MILLISECOND, NOW, TENANT, once

SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(1, 33))
CAP = SpendCap(amount_micros=5_000_000, currency="usd", window="day")
BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=8)


def issue(
    request: Once | None = None,
    *,
    secret: bytes = SECRET,
    scopes: tuple[str, ...] = ("wallet:read",),
    expires_at: Instant | None = None,
) -> tuple[str, ApiKey]:
    return rules.issue(
        once() if request is None else request,
        house_secret=secret,
        user="acme/alice",
        name="ci",
        scopes=scopes,
        cap=CAP,
        expires_at=expires_at,
    )


TOKEN, KEY = issue()
TEST_TOKEN, TEST_KEY = issue(replace(once(), tenant=Tenant("acme", "test")))


# --- A new key -----------------------------------------------------------------------------------


def test_a_key_is_what_was_asked_for():
    token, key = issue(scopes=("holds:write", "wallet:read"), expires_at=NOW + HOUR)

    assert re.fullmatch(r"hf_live_[a-z2-7]{52}", token)
    assert re.fullmatch(r"key_[a-z2-7]{26}", key.id)
    assert re.fullmatch(r"[0-9a-f]{64}", key.hash)
    assert (key.tenant, key.user, key.name, key.cap) == (TENANT, "acme/alice", "ci", CAP)
    assert key.scopes == ("holds:write", "wallet:read")
    assert (key.created_at, key.expires_at, key.revoked_at) == (NOW, NOW + HOUR, None)
    assert (key.prefix, key.version) == (token[:12], 1)


def test_what_is_derived_stays_what_it_was():
    """Another derivation would turn every key that is out there into nothing."""

    def derived(text):
        return hmac.new(SECRET, text, hashlib.sha256).digest()

    secret = b32encode(derived(b"api-key\0acme/live\0alice\0key")).decode().lower()[:52]
    digest = derived(f"api-key-hash\0hf_live_{secret}".encode())

    token, key = issue()
    assert token == f"hf_live_{secret}"
    assert key.hash == digest.hex()
    assert key.id == f"key_{b32encode(digest).decode().lower()[:26]}"


def test_a_key_says_its_mode():
    assert TOKEN.startswith("hf_live_")
    assert TEST_TOKEN.startswith("hf_test_")
    assert (rules.mode_of(TOKEN), rules.mode_of(TEST_TOKEN)) == ("live", "test")


def test_nothing_that_is_kept_holds_the_token():
    kept = repr(KEY)

    secret = TOKEN.removeprefix("hf_live_")
    assert secret[:4] in kept
    assert secret[:5] not in kept
    assert secret[-8:] not in kept


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(replace(once(), now=NOW + timedelta(days=400)), id="a year later"),
        pytest.param(replace(once(), fingerprint="0" * 64), id="with another body"),
    ],
)
def test_a_second_delivery_is_told_the_same_token(again):
    token, key = issue(again)

    assert token == TOKEN
    assert rules.token_of(again, SECRET) == TOKEN
    assert (key.id, key.hash) == (KEY.id, KEY.hash)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(once(), key="order-18"), id="another key"),
        pytest.param(replace(once(), caller="bob"), id="another caller"),
        pytest.param(replace(once(), tenant=Tenant("acme", "test")), id="the other mode"),
        pytest.param(replace(once(), tenant=Tenant("acme2", "live")), id="another org"),
        pytest.param(replace(once(), caller="alicek", key="ey"), id="joined alike"),
    ],
)
def test_another_request_makes_another_key(other):
    token, key = issue(other)

    assert token.removeprefix("hf_test_") != TOKEN.removeprefix("hf_live_")
    assert token[8:] != TOKEN[8:]
    assert key.id != KEY.id
    assert key.hash != KEY.hash


def test_another_house_makes_another_key_of_the_same_request():
    token, key = issue(secret=OTHER_SECRET)

    assert token != TOKEN
    assert key.id != KEY.id
    assert rules.key_id(TOKEN, OTHER_SECRET) not in (KEY.id, key.id)


@pytest.mark.parametrize(("length", "claim"), [(31, False), (32, True), (33, True)])
def test_a_short_secret_makes_no_keys(length, claim):
    if claim:
        assert issue(secret=b"s" * length)[1].user == "acme/alice"
    else:
        with pytest.raises(AssertionError):
            issue(secret=b"s" * length)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (("wallet:read",), ("wallet:read",)),
        (("wallet:read", "holds:write"), ("holds:write", "wallet:read")),
        (("admin", "wallet:read", "admin"), ("wallet:read", "admin")),
        (rules.SCOPES, rules.SCOPES),
    ],
)
def test_scopes_are_kept_once_and_in_their_order(asked, kept):
    assert issue(scopes=asked)[1].scopes == kept


@pytest.mark.parametrize(
    "scopes",
    [
        (),
        ("wallet",),
        ("wallet:",),
        ("wallet:delete",),
        ("wallet:read ",),
        ("Wallet:read",),
        ("overview:read",),
        ("*",),
        ("admin:read",),
        ("platform",),
        ("wallet:read", "nothing:read"),
    ],
)
def test_a_scope_that_is_none_is_refused(scopes):
    with pytest.raises(InvalidField) as refused:
        issue(scopes=scopes)

    assert refused.value.param == "scopes"


def test_the_scopes_are_those_of_the_functions_and_one_more():
    assert rules.SCOPES == (
        "accounts:read",
        "accounts:write",
        "credits:read",
        "credits:write",
        "funding:read",
        "funding:write",
        "holds:read",
        "holds:write",
        "payment_methods:read",
        "payment_methods:write",
        "payments:read",
        "payments:write",
        "wallet:read",
        "wallet:write",
        "admin",
    )


@pytest.mark.parametrize(
    ("after", "claim"),
    [(-MILLISECOND, False), (0 * HOUR, False), (MILLISECOND, True)],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_a_key_expires_after_it_was_made(after, claim):
    if claim:
        assert issue(expires_at=NOW + after)[1].expires_at == NOW + after
    else:
        with pytest.raises(InvalidField) as refused:
            issue(expires_at=NOW + after)
        assert refused.value.param == "expires_at"


def test_an_expiry_is_kept_in_whole_milliseconds():
    fine = datetime(2026, 11, 21, 3, 30, 1, 999_999, tzinfo=UTC)

    assert issue(expires_at=fine)[1].expires_at == fine.replace(microsecond=999_000)
    with pytest.raises(InvalidField):
        issue(expires_at=NOW + timedelta(microseconds=999))


# --- A cap ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount_micros", "claim"),
    [
        (-1, False),
        (0, False),
        (1, True),
        (AMOUNT_MICROS_MAX, True),
        (AMOUNT_MICROS_MAX + 1, False),
    ],
)
def test_a_cap_is_an_amount_that_can_move(amount_micros, claim):
    if claim:
        assert SpendCap(amount_micros, "usd", "day").amount_micros == amount_micros
    else:
        with pytest.raises(InvalidField) as refused:
            SpendCap(amount_micros, "usd", "day")
        assert refused.value.param == "spend_cap"


@pytest.mark.parametrize("window", ["day", "month", "total"])
def test_a_cap_has_a_window(window):
    assert SpendCap(1, "jpy", window).window == window


@pytest.mark.parametrize(
    ("currency", "window"),
    [("usd", "week"), ("usd", ""), ("usd", "Day"), ("USD", "day"), ("xau", "day"), ("", "day")],
)
def test_a_cap_that_counts_nothing_is_refused(currency, window):
    with pytest.raises(InvalidField) as refused:
        SpendCap(1, currency, window)

    assert refused.value.param == "spend_cap"


# --- A token -------------------------------------------------------------------------------------


def test_a_token_leads_to_its_record_and_matches_it():
    assert rules.is_token(TOKEN)
    assert rules.key_id(TOKEN, SECRET) == KEY.id
    assert rules.is_key_id(KEY.id)
    assert rules.matches(KEY, TOKEN, SECRET)


OTHER_LAST = "a" if TOKEN[-1] == "q" else "q"
NO_TOKENS = {
    "nothing": "",
    "its beginning": "hf_live_",
    "one character less": TOKEN[:-1],
    "one character more": TOKEN + "a",
    "upper-case": TOKEN.upper(),
    "upper-case secret": TOKEN[:8] + TOKEN[8:].upper(),
    "upper-case mode": TOKEN.replace("live", "LIVE"),
    "no mode": TOKEN.replace("live_", ""),
    "another mode": TOKEN.replace("live", "prod"),
    "space before": " " + TOKEN,
    "space after": TOKEN + " ",
    "space inside": TOKEN[:20] + " " + TOKEN[21:],
    "line feed after": TOKEN + "\n",
    "no base32": TOKEN[:-2] + "1" + TOKEN[-1],
    "padding": TOKEN + "====",
    "bits that no byte has": TOKEN[:-1] + "b",
    "full-width": TOKEN[:-1] + "\uff41",
    "two of them": TOKEN + TOKEN,
    "a surrogate": TOKEN[:-1] + "\ud800",
    "huge": TOKEN * 200,
}


@pytest.mark.parametrize("name", NO_TOKENS)
def test_what_is_not_a_token_to_the_letter_is_none(name):
    assert not rules.is_token(NO_TOKENS[name])
    assert not rules.matches(KEY, NO_TOKENS[name], SECRET)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(TOKEN[:-1] + OTHER_LAST, id="another last character"),
        pytest.param(TOKEN.replace("live", "test"), id="said to be of the other mode"),
        pytest.param(TEST_TOKEN, id="of the other mode"),
        pytest.param(issue(once("other"))[0], id="another request's"),
        pytest.param(issue(secret=OTHER_SECRET)[0], id="another house's"),
        pytest.param("hf_live_" + "a" * 52, id="made up"),
    ],
)
def test_another_token_leads_elsewhere_and_does_not_match(other):
    assert rules.is_token(other)
    assert rules.key_id(other, SECRET) != KEY.id
    assert not rules.matches(KEY, other, SECRET)


def test_a_token_does_not_match_under_another_secret():
    assert not rules.matches(KEY, TOKEN, OTHER_SECRET)


def test_a_token_does_not_match_a_record_of_the_other_mode():
    assert not rules.matches(replace(KEY, tenant=Tenant("acme", "test")), TOKEN, SECRET)


@pytest.mark.parametrize("digest", ["", KEY.hash[:-1], KEY.hash.upper(), KEY.hash + "0", KEY.id])
def test_the_whole_digest_is_compared(digest):
    assert not rules.matches(replace(KEY, hash=digest), TOKEN, SECRET)


def test_digests_are_compared_in_a_time_that_tells_nothing():
    compared = inspect.getsource(rules.matches)

    assert "return hmac.compare_digest(key.hash, " in compared
    assert "==" not in compared


@given(
    st.text(max_size=80)
    | st.text(BASE32, min_size=52, max_size=52).map(lambda secret: f"hf_live_{secret}")
    | st.builds(
        lambda place, character: TOKEN[:place] + character + TOKEN[place + 1 :],
        st.integers(0, len(TOKEN) - 1),
        st.sampled_from(BASE32) | st.characters(),
    )
    | st.from_regex(r"hf_(live|test)_[a-z2-7]{51}[aq]", fullmatch=True)
)
@example(TOKEN)
def test_no_text_is_taken_for_the_token_but_the_token(text):
    assert rules.matches(KEY, text, SECRET) == (text == TOKEN)
    if rules.is_token(text):
        assert (rules.key_id(text, SECRET) == KEY.id) == (text == TOKEN)


@given(one=st.tuples(VISIBLE, VISIBLE), other=st.tuples(VISIBLE, VISIBLE))
def test_two_requests_make_one_key_only_if_caller_and_key_are_the_same(one, other):
    first, second = (replace(once(), caller=caller, key=key) for caller, key in (one, other))

    (token, made), (_, remade) = issue(first), issue(second)

    assert (made.id == remade.id) == (one == other)
    assert rules.matches(remade, token, SECRET) == (one == other)


# --- The life of a key ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since_expiry", "claim"),
    [(-MILLISECOND, True), (0 * HOUR, False), (MILLISECOND, False)],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_a_key_is_good_until_its_expiry(since_expiry, claim):
    _, key = issue(expires_at=NOW + HOUR)

    assert rules.good_at(key, NOW + HOUR + since_expiry) is claim
    assert rules.expired(key.expires_at, NOW + HOUR + since_expiry) is not claim


def test_a_key_without_an_expiry_is_good_for_ever():
    assert rules.good_at(KEY, NOW + timedelta(days=36_500))


def test_a_revoked_key_is_good_no_more():
    gone = rules.revoked(KEY, NOW + HOUR)

    assert (gone.revoked_at, gone.version) == (NOW + HOUR, KEY.version + 1)
    assert gone == replace(KEY, revoked_at=NOW + HOUR, version=2)
    assert not rules.good_at(gone, NOW)
    assert not rules.good_at(gone, NOW + 2 * HOUR)


def test_revoking_again_changes_nothing():
    gone = rules.revoked(KEY, NOW + HOUR)

    assert rules.revoked(gone, NOW + 2 * HOUR) is gone


@pytest.mark.parametrize(
    ("good", "claim"), [(99, True), (100, False), (101, False)], ids=["below", "at", "above"]
)
def test_a_user_has_room_for_a_hundred_good_keys(good, claim):
    gone = [rules.revoked(KEY, NOW), replace(KEY, expires_at=NOW)] * 60

    if claim:
        rules.require_room([*gone, *[KEY] * good], NOW)
    else:
        with pytest.raises(TooManyKeys) as refused:
            rules.require_room([*gone, *[KEY] * good], NOW)
        assert refused.value.details == {"keys_max": 100}


# --- What a key may do ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "verb"),
    [
        ("GET", "read"),
        ("HEAD", "read"),
        ("POST", "write"),
        ("PUT", "write"),
        ("PATCH", "write"),
        ("DELETE", "write"),
        ("OPTIONS", "write"),
        ("get", "write"),
    ],
)
@pytest.mark.parametrize("noun", ["accounts", "credits", "holds", "wallet"])
def test_what_only_reads_needs_to_read(noun, method, verb):
    needed = rules.needed_scope(noun, method)

    assert needed == f"{noun}:{verb}"
    assert needed in rules.SCOPES


@pytest.mark.parametrize("scope", rules.SCOPES)
def test_a_scope_allows_itself_and_nothing_else(scope):
    assert [each for each in rules.SCOPES if rules.allows((scope,), each)] == [scope]


def test_no_scopes_allow_nothing():
    assert not any(rules.allows((), each) for each in rules.SCOPES)
