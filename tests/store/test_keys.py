from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.accounts import Tenant
from holdfast.errors import InvariantBroken
from holdfast.store import keys
from holdfast.store.keys import Key
from tests.domain.samples import HOUR, MILLISECOND, NOW

LIVE = Tenant("acme", "live")
TEST = Tenant("acme", "test")


@pytest.mark.parametrize(
    ("key", "pk", "sk"),
    [
        (keys.account(LIVE, "acct_1"), "ORG#acme/live#ACCT#acct_1", "ACCOUNT"),
        (keys.wallet(LIVE, "acct_1", "usd"), "ORG#acme/live#ACCT#acct_1", "WALLET#usd"),
        (keys.hold(LIVE, "acct_1", "hold_1"), "ORG#acme/live#ACCT#acct_1", "HOLD#hold_1"),
        (keys.quote(LIVE, "acct_1", "quote_1"), "ORG#acme/live#ACCT#acct_1", "QUOTE#quote_1"),
        (keys.held_job(LIVE, "acct_1", "job 1"), "ORG#acme/live#ACCT#acct_1", "JOB#job 1"),
        (keys.refunded(LIVE, "acct_1", "ent_1"), "ORG#acme/live#ACCT#acct_1", "REFUNDED#ent_1"),
        (keys.entry(LIVE, "ent_1"), "ENTRY#acme/live#ent_1", "ENTRY"),
    ],
    ids=lambda value: value.sk if isinstance(value, Key) else "",
)
def test_a_key_is_spelled_as_it_was_when_it_was_stored(key, pk, sk):
    assert key == Key(pk, sk)


def test_index_keys_are_spelled_as_they_were_when_they_were_stored():
    assert keys.statement(LIVE, "acct_1", "usd") == "STMT#acme/live#acct_1#usd"
    assert keys.statement_place(42) == "0000000000000042"
    assert keys.jobs(LIVE, "acct_1") == "JOBS#acme/live#acct_1"
    assert keys.job_place(NOW, "hold_1") == "2026-11-21T03:30:00.000Z#hold_1"
    assert keys.due(LIVE, "acct_1", "usd", NOW) == {
        "gsi2pk": "DUE#12",
        "gsi2sk": "2026-11-21T03:30:00.000Z#acme/live#acct_1#usd",
    }


MAKERS = {
    "account": lambda name: keys.account(LIVE, name),
    "wallet": lambda name: keys.wallet(LIVE, name, "usd"),
    "wallet's currency": lambda name: keys.wallet(LIVE, "acct_1", name),
    "hold": lambda name: keys.hold(LIVE, "acct_1", name),
    "quote": lambda name: keys.quote(LIVE, "acct_1", name),
    "held job": lambda name: keys.held_job(LIVE, "acct_1", name),
    "refunded": lambda name: keys.refunded(LIVE, "acct_1", name),
    "entry": lambda name: keys.entry(LIVE, name),
    "statement": lambda name: keys.statement(LIVE, name, "usd"),
    "statement's currency": lambda name: keys.statement(LIVE, "acct_1", name),
    "jobs": lambda name: keys.jobs(LIVE, name),
    "due": lambda name: keys.due(LIVE, name, "usd", NOW),
    "due currency": lambda name: keys.due(LIVE, "acct_1", name, NOW),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(
    "segment",
    [
        pytest.param("", id="nothing"),
        pytest.param("#", id="the joint"),
        pytest.param("a#b", id="a joint inside"),
        pytest.param("acct_1#", id="a joint at the end"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("a\nb", id="a line feed"),
        pytest.param("a\x7f", id="a control character"),
        pytest.param("a\ud800", id="half a surrogate pair"),
        pytest.param("a\u202eb", id="a right-to-left override"),
    ],
)
def test_a_segment_that_could_imitate_another_key_is_refused_and_not_cleaned(make, segment):
    with pytest.raises(InvariantBroken):
        make(segment)


SEGMENT = st.text(st.characters(codec="ascii", min_codepoint=0x21), min_size=1, max_size=6).filter(
    lambda text: "#" not in text and text.isprintable()
)


@given(one=st.tuples(SEGMENT, SEGMENT), other=st.tuples(SEGMENT, SEGMENT))
def test_two_different_things_never_meet_in_one_key(one, other):
    makers = (keys.wallet, keys.hold, keys.quote, keys.held_job, keys.refunded)
    made = [
        make(tenant, *names) for names in {one, other} for make in makers for tenant in (LIVE, TEST)
    ]

    assert len(set(made)) == len(made)


def test_an_accounts_own_items_share_a_partition_and_its_entries_have_their_own():
    partition = keys.partition(LIVE, "acct_1")

    assert keys.wallet(LIVE, "acct_1", "usd").pk == partition
    assert keys.hold(LIVE, "acct_1", "hold_1").pk == partition
    assert keys.entry(LIVE, "ent_1").pk != keys.entry(LIVE, "ent_2").pk != partition


@given(one=st.integers(0, 10**16 - 1), other=st.integers(0, 10**16 - 1))
def test_places_in_a_statement_sort_as_their_numbers_do(one, other):
    places = keys.statement_place(one), keys.statement_place(other)

    assert (places[0] < places[1]) == (one < other)
    assert len(places[0]) == len(places[1]) == keys.SEQ_DIGITS


@pytest.mark.parametrize("seq", [-1, 10**16])
def test_a_number_that_has_no_place_in_a_statement_is_our_mistake(seq):
    with pytest.raises(AssertionError):
        keys.statement_place(seq)


def test_a_wallet_stays_in_its_shard_and_sorts_by_what_is_due_first():
    due = [keys.due(LIVE, "acct_1", "usd", at) for at in (NOW, NOW + MILLISECOND, NOW + HOUR)]

    assert len({each["gsi2pk"] for each in due}) == 1
    assert all(one["gsi2sk"] < other["gsi2sk"] for one, other in pairwise(due))


def test_wallets_are_spread_over_all_shards():
    shards = {keys.due(LIVE, f"acct_{n}", "usd", NOW)["gsi2pk"] for n in range(500)}

    assert shards == {keys.due_shard(shard) for shard in range(keys.DUE_SHARDS)}
