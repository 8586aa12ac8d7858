"""Nobody spends the same money twice, however many ask for it at once."""

import time
from collections import Counter
from dataclasses import replace

import pytest

from tests.concurrency.crowds import (
    CENT_MICROS,
    GOOD_FOR,
    REQUESTS,
    Outcome,
    crowd_of,
    outcome_of,
    problems_of,
    thousand_holds,
)
from tests.concurrency.handlers import handlers, place_all

# As many as a minute has room for; `python -m tests.concurrency --seeds 20` runs all of them.
SEEDS = range(1, 9)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_a_thousand_holds_the_hundred_that_there_is_money_for_succeed(
    client, environments, record_property, seed
):
    outcome = thousand_holds(client, environments, seed=seed)

    assert problems_of(outcome) == []
    assert len(outcome.held_ids) == GOOD_FOR
    assert outcome.refusals == {"insufficient_funds": REQUESTS - GOOD_FOR}
    assert environments.environments == 16
    record_property(
        "figure",
        f"1,000 holds at once on a wallet good for 100, seed {seed}: 100 placed, "
        f"{outcome.asked_again} asked again, {outcome.seconds:.1f} s",
    )


def test_a_key_that_two_processes_send_at_once_has_one_effect(
    client, environments, record_property
):
    outcome = thousand_holds(client, environments, seed=1, in_pairs=True)

    assert problems_of(outcome) == []
    assert outcome.refusals == {"insufficient_funds": 2 * (REQUESTS - GOOD_FOR)}
    assert outcome.told_alike
    # One delivery of the two did it, and the other one says that it is a replay.
    assert sum(answer.replayed for answer in outcome.answers) == GOOD_FOR
    # It proves something only if deliveries of one key were under way together.
    assert outcome.met > GOOD_FOR // 2
    record_property(
        "figure",
        f"1,000 keys, each from two processes at once: {outcome.met} of the 100 that were placed "
        "were under way twice",
    )


def test_a_hundred_requests_at_a_wallet_good_for_ten_place_ten(server_url, client):
    store, crowd = crowd_of(client, seed=1, good_for=10)
    keys = [f"request-{number}" for number in range(100)]

    with handlers(server_url, crowd.table, processes=5) as pool:
        began = time.monotonic()
        answers = place_all(pool, keys, amount_cents=crowd.amount_micros // CENT_MICROS)
        outcome = outcome_of(store, crowd, answers, seconds=time.monotonic() - began)

    assert Counter(answer.status for answer in answers) == {201: 10, 402: 90}
    assert problems_of(outcome, good_for=10) == []


def _spent_twice(outcome: Outcome) -> Outcome:
    entries = outcome.books.entries
    twice = replace(entries[-1], seq=entries[-1].seq + 1)
    return replace(outcome, books=replace(outcome.books, entries=[*entries, twice]))


def _forgotten(outcome: Outcome) -> Outcome:
    return replace(outcome, books=replace(outcome.books, entries=outcome.books.entries[:-1]))


def _unfounded(outcome: Outcome) -> Outcome:
    refused = next(answer for answer in outcome.answers if answer.refused is not None)
    others = [answer for answer in outcome.answers if answer is not refused]
    promised = replace(refused, refused=None, hold_id="hold_" + "0" * 26 + "_usd")
    return replace(outcome, answers=[*others, promised])


def _not_held(outcome: Outcome) -> Outcome:
    wallet = replace(outcome.books.wallet, cash_held_micros=0)
    return replace(outcome, books=replace(outcome.books, wallet=wallet))


def test_what_would_be_wrong_is_found(client, environments):
    """A check that finds nothing proves something only if it could have found it."""
    sound = thousand_holds(client, environments, seed=0)

    assert problems_of(sound) == []
    for spoil in (_spent_twice, _forgotten, _unfounded, _not_held):
        assert problems_of(spoil(sound)), spoil.__name__
