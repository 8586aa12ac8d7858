from typing import Any

import pytest

from tests.simulator.conditions import program_of
from tests.simulator.errors import ServiceError

ITEM: dict[str, Any] = {
    "pk": {"S": "a"},
    "n": {"N": "5"},
    "s": {"S": "hello"},
    "emoji": {"S": "😀"},
    "b": {"B": b"\x00\x01"},
    "t": {"BOOL": True},
    "nothing": {"NULL": True},
    "l": {"L": [{"N": "1"}, {"M": {"x": {"S": "deep"}}}]},
    "m": {"M": {"n": {"N": "7"}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
}
VALUES: dict[str, Any] = {
    ":five": {"N": "5"},
    ":six": {"N": "6"},
    ":one": {"N": "1"},
    ":two": {"N": "2"},
    ":ten": {"N": "10"},
    ":true": {"BOOL": True},
    ":null": {"NULL": True},
    ":hel": {"S": "hel"},
    ":a": {"S": "a"},
    ":deep": {"S": "deep"},
    ":S": {"S": "S"},
    ":byte": {"B": b"\x00"},
    ":set": {"SS": ["a", "b"]},
}
NAMES = {"#n": "n", "#status": "status", "#dotted": "a.b", "#x": "x"}


def holds(text):
    return program_of(text, "ConditionExpression").test(ITEM, NAMES, VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "attribute_exists(n)",
        "attribute_not_exists(absent)",
        "n = :five",
        "#n = :five",
        "n <> :six",
        "n < :six",
        "n < :ten",
        "n <= :five",
        "n > :one",
        "n >= :five",
        "n BETWEEN :one AND :five",
        "n between :five and :ten",
        "n IN (:one, :five)",
        ":five = n",
        "absent <> :five",
        "NOT absent = :five",
        "NOT n = :six AND n = :five",
        "n = :six AND n = :five OR t = :true",
        "n = :five OR n = :six AND n = :ten",
        "(n = :six OR n = :five) AND t = :true",
        "t = :true",
        "nothing = :null",
        "ss = :set",
        "begins_with(s, :hel)",
        "begins_with(b, :byte)",
        "contains(s, :hel)",
        "contains(ss, :a)",
        "contains(ns, :one)",
        "contains(l, :one)",
        "size(s) = :five",
        "size(emoji) = :two",
        "size(b) = :two",
        "size(l) = :two",
        "size(m) = :one",
        "size(ss) < :ten",
        "attribute_type(s, :S)",
        "l[0] = :one",
        "l[1].x = :deep",
        "l[1].#x = :deep",
        "m.#n > :six",
        "attribute_not_exists(l[2])",
        "attribute_not_exists(m.absent.further)",
    ],
)
def test_a_condition_holds(text):
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "absent = :five",
        "absent < :five",
        "absent BETWEEN :one AND :ten",
        "absent IN (:one)",
        "n = :a",
        "s > :five",
        "t = :null",
        "begins_with(n, :hel)",
        "begins_with(absent, :hel)",
        "contains(n, :one)",
        "size(n) = :one",
        "size(absent) = :one",
        "n <> :five",
        "NOT n = :five",
        "attribute_type(n, :S)",
        "ss <> :set",
    ],
)
def test_a_condition_does_not_hold(text):
    assert not holds(text)


def test_numbers_are_compared_as_numbers():
    item = {"n": {"N": "9"}}

    assert program_of("n < :ten", "ConditionExpression").test(item, {}, VALUES)


def test_numbers_beyond_floating_point_are_compared_exactly():
    large = {"n": {"N": "12345678901234567890123456789012345678"}}
    values = {":v": {"N": "12345678901234567890123456789012345677"}}

    assert program_of("n > :v", "ConditionExpression").test(large, {}, values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "n",
        "n =",
        "= n",
        "n = n AND",
        "NOT",
        "attribute_exists(n",
        "attribute_exists()",
        "attribute_exists(n) attribute_exists(s)",
        "no_such_function(n)",
        "size(n)",
        "n ! s",
        "n IN ()",
        "n BETWEEN :one",
        "((attribute_exists(n)))",
        "((n = :one) AND ((s = :a)))",
        "l[n] = :one",
        "attribute_exists(" + "n" * 4096 + ")",
        "n IN (" + ", ".join([":one"] * 101) + ")",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ServiceError) as refused:
        program_of(text, "ConditionExpression")

    assert refused.value.code == "ValidationException"
    assert refused.value.message.startswith("Invalid ConditionExpression: ")


@pytest.mark.parametrize("name", ["status", "Status", "name", "items", "ttl", "hold", "data"])
def test_a_reserved_word_needs_a_placeholder(name):
    with pytest.raises(ServiceError, match="reserved keyword"):
        program_of(f"{name} = :five", "ConditionExpression")


def test_parentheses_that_group_are_not_redundant():
    assert holds("((n = :five) OR (n = :six)) AND (t = :true)")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("n < :v", {":v": {"BOOL": True}}),
        ("n >= :v", {":v": {"L": []}}),
        ("begins_with(s, :v)", {":v": {"N": "1"}}),
        ("attribute_type(s, :v)", {":v": {"N": "1"}}),
        ("n BETWEEN :v AND :w", {":v": {"N": "2"}, ":w": {"N": "1"}}),
        ("n BETWEEN :v AND :w", {":v": {"N": "1"}, ":w": {"S": "2"}}),
    ],
)
def test_operands_that_cannot_be_are_refused_before_any_item_is_seen(text, values):
    with pytest.raises(ServiceError):
        program_of(text, "ConditionExpression").check_operands(values)
