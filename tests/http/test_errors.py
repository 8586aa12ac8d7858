"""Every refusal there is can be answered."""

import re

import pytest

from holdfast import errors
from holdfast.errors import Refusal
from holdfast.http.errors import STATUS, failure_of


def every_refusal(base=Refusal):
    for refusal in base.__subclasses__():
        if refusal.__module__.startswith(f"{errors.__name__}."):
            yield refusal
            yield from every_refusal(refusal)


REFUSALS = sorted(set(every_refusal()), key=lambda refusal: refusal.__name__)


def bare(refusal):
    made = refusal.__new__(refusal)
    Refusal.__init__(made)
    return made


def test_there_are_refusals_to_look_at():
    assert len(REFUSALS) > 60


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_every_refusal_has_a_status_and_a_family(refusal):
    failure = failure_of(bare(refusal))

    assert 400 <= failure.status < 600
    assert failure.status != 500
    assert failure.code == refusal.code
    assert failure.type in {family.code for family in STATUS}


def test_every_code_is_lower_snake_and_names_one_refusal():
    codes = [refusal.code for refusal in REFUSALS]

    assert all(re.fullmatch(r"[a-z][a-z0-9_]*[a-z]", code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_every_message_is_a_sentence_of_its_own():
    messages = [refusal.message for refusal in REFUSALS]

    assert all(message.endswith(".") for message in messages)
    assert len(set(messages)) == len(messages)


def test_the_tree_at_the_top_of_the_module_is_the_tree():
    assert errors.__doc__ is not None
    drawn = set(re.findall(r"[A-Z][A-Za-z0-9]+(?=[ ,\n]|$)", errors.__doc__))

    missing = {refusal.__name__ for refusal in REFUSALS} - drawn

    assert missing == set()
