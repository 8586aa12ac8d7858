"""Nobody spends past a budget, however many ask at once; budgets stand and fall together."""

from dataclasses import replace

import pytest

from tests.concurrency.crowds import GOOD_FOR, REQUESTS, Outcome
from tests.concurrency.nested import in_the_way, problems_of_nested, thousand_nested_holds

# One with each of the three in the way; `python -m tests.concurrency --nested
# --seeds 20` runs as many as there is time for.
SEEDS = range(1, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_a_thousand_holds_the_hundred_that_the_tightest_budget_is_good_for_succeed(
    client, environments, record_property, seed
):
    outcome = thousand_nested_holds(client, environments, seed=seed)

    assert problems_of_nested(outcome) == []
    assert len(outcome.held_ids) == GOOD_FOR
    assert outcome.refusals == {"budget_exceeded": REQUESTS - GOOD_FOR}
    assert len(outcome.books.budgets) == 3
    record_property(
        "figure",
        f"1,000 holds at once through three budgets of which {in_the_way(outcome.crowd).name} is "
        f"good for 100: 100 placed, {outcome.asked_again} asked again, {outcome.seconds:.1f} s",
    )


def _one_forgot(outcome: Outcome) -> Outcome:
    budgets = outcome.books.budgets
    less = replace(budgets[0], held_micros=budgets[0].held_micros - outcome.crowd.amount_micros)
    return replace(outcome, books=replace(outcome.books, budgets=[less, *budgets[1:]]))


def _one_is_gone(outcome: Outcome) -> Outcome:
    return replace(outcome, books=replace(outcome.books, budgets=outcome.books.budgets[1:]))


def _another_was_blamed(outcome: Outcome) -> Outcome:
    refused = next(answer for answer in outcome.answers if answer.refused is not None)
    others = [answer for answer in outcome.answers if answer is not refused]
    return replace(outcome, answers=[*others, replace(refused, scope="run:another")])


def _all_forgot(outcome: Outcome) -> Outcome:
    less = [
        replace(each, held_micros=each.held_micros - outcome.crowd.amount_micros)
        for each in outcome.books.budgets
    ]
    return replace(outcome, books=replace(outcome.books, budgets=less))


def test_what_would_be_wrong_is_found(client, environments):
    """A check that finds nothing proves something only if it could have found it."""
    sound = thousand_nested_holds(client, environments, seed=0)

    assert problems_of_nested(sound) == []
    for spoil in (_one_forgot, _one_is_gone, _another_was_blamed, _all_forgot):
        assert problems_of_nested(spoil(sound)), spoil.__name__
