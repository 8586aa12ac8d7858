"""Every planted bug is caught: that is what a green run of these tests is worth."""

import pytest

from tests.mutants.running import TESTS_PASSED, Mutant, NotPlanted, catalogue, judge, plant

MUTANTS = catalogue()
MUTANTS_MIN = 100


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught(mutant):
    verdict = judge(mutant)

    assert verdict.is_killed, f"{mutant.why}\n{verdict.output}"


def test_there_are_enough_of_them_and_each_is_another(record_property):
    changes = {(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}

    assert len(changes) == len(MUTANTS) >= MUTANTS_MIN
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert all(mutant.why for mutant in MUTANTS)
    record_property("figure", f"mutants: {len(MUTANTS)}, each with tests that must fail")


def test_without_a_bug_the_same_tests_pass_in_the_same_place():
    """What kills a mutant is the mutant, and not the copy it lives in."""
    quick = {test for mutant in MUTANTS for test in mutant.killed_by if "_is_as_good_" not in test}

    assert judge(None, *sorted(quick)).exit_code == TESTS_PASSED


@pytest.mark.parametrize("old", ["no such text", "return"], ids=["nowhere", "in several places"])
def test_a_bug_that_fits_no_place_is_not_planted(old, tmp_path):
    rotten = Mutant(
        name="rotten", file="domain/lots.py", why="", old=old, new="", killed_by=("anything",)
    )

    with pytest.raises(NotPlanted):
        plant(rotten, tmp_path)


def test_a_test_that_is_not_there_kills_nothing():
    mutant, *_ = MUTANTS

    assert not judge(mutant, "faults/test_mutants.py::test_that_is_not_there").is_killed
