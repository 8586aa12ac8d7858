from functools import partial

import pytest

from tests.simulator.client import ManualClock, Simulator
from tests.simulator.tables import LEDGER_TABLE

TABLE = LEDGER_TABLE["TableName"]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def simulator(clock):
    return Simulator(clock=clock)


def item(sk, **attributes):
    return {"pk": {"S": "a"}, "sk": {"S": sk}, **attributes}


def put(sk, condition=None, **attributes):
    step = {"TableName": TABLE, "Item": item(sk, **attributes)}
    if condition:
        step["ConditionExpression"] = condition
        step["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return {"Put": step}


def reasons(refused):
    return refused.value.response["CancellationReasons"]


def test_all_steps_happen_or_none(simulator):
    steps = [put("1"), put("2", "attribute_exists(pk)"), put("3")]

    with pytest.raises(simulator.exceptions.TransactionCanceledException):
        simulator.transact_write_items(TransactItems=steps)
    assert simulator.items() == []

    simulator.transact_write_items(TransactItems=[steps[0], steps[2]])
    assert simulator.items() == [item("1"), item("3")]


def test_reasons_stand_in_the_order_of_the_steps_with_the_old_item(simulator):
    simulator.put_item(TableName=TABLE, Item=item("2", n={"N": "7"}))
    steps = [put("1"), put("2", "attribute_not_exists(pk)"), put("3", "n = n")]

    with pytest.raises(simulator.exceptions.TransactionCanceledException) as refused:
        simulator.transact_write_items(TransactItems=steps)

    assert [reason["Code"] for reason in reasons(refused)] == [
        "None",
        "ConditionalCheckFailed",
        "ConditionalCheckFailed",
    ]
    assert reasons(refused)[1]["Item"] == item("2", n={"N": "7"})
    assert "Item" not in reasons(refused)[2]
    assert refused.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert "[None, ConditionalCheckFailed, ConditionalCheckFailed]" in str(refused.value)


def test_the_old_item_comes_only_to_who_asks_for_it(simulator):
    simulator.put_item(TableName=TABLE, Item=item("1"))
    step = put("1", "attribute_not_exists(pk)")
    del step["Put"]["ReturnValuesOnConditionCheckFailure"]

    with pytest.raises(simulator.exceptions.TransactionCanceledException) as refused:
        simulator.transact_write_items(TransactItems=[step])

    assert "Item" not in reasons(refused)[0]


def test_put_delete_update_and_check_go_together(simulator):
    simulator.put_item(TableName=TABLE, Item=item("gone"))
    simulator.put_item(TableName=TABLE, Item=item("counted", n={"N": "1"}))
    keyed = {"TableName": TABLE}
    steps = [
        put("new"),
        {"Delete": {**keyed, "Key": item("gone")}},
        {
            "Update": {
                **keyed,
                "Key": item("counted"),
                "UpdateExpression": "SET n = n + :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }
        },
        {
            "ConditionCheck": {
                **keyed,
                "Key": item("absent"),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        },
    ]

    simulator.transact_write_items(TransactItems=steps)

    assert simulator.items() == [item("counted", n={"N": "2"}), item("new")]


class TestTokens:
    def test_a_request_that_comes_again_is_applied_once(self, simulator):
        add = {
            "TableName": TABLE,
            "Key": item("1"),
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        params = {"TransactItems": [{"Update": add}], "ClientRequestToken": "t"}

        for _ in range(3):
            simulator.transact_write_items(**params)

        assert simulator.items() == [item("1", n={"N": "1"})]

    def test_a_replay_succeeds_though_its_condition_no_longer_holds(self, simulator):
        step = put("1", "attribute_not_exists(pk)")
        send = partial(simulator.transact_write_items, TransactItems=[step], ClientRequestToken="t")

        send()
        send()

        with pytest.raises(simulator.exceptions.TransactionCanceledException):
            simulator.transact_write_items(TransactItems=[step], ClientRequestToken="other")

    @pytest.mark.parametrize(
        "other",
        [
            {"TransactItems": [put("2")]},
            {"TransactItems": [put("1", n={"N": "1"})]},
            {"TransactItems": [put("1", "attribute_not_exists(pk)")]},
            {"TransactItems": [put("1"), put("2")]},
            {"TransactItems": [put("1")], "ReturnConsumedCapacity": "TOTAL"},
        ],
        ids=["key", "attribute", "condition", "step", "capacity"],
    )
    def test_a_token_does_not_serve_another_request(self, simulator, other):
        simulator.transact_write_items(TransactItems=[put("1")], ClientRequestToken="t")

        with pytest.raises(simulator.exceptions.IdempotentParameterMismatchException):
            simulator.transact_write_items(**{"ClientRequestToken": "t", **other})

        assert simulator.items() == [item("1")]

    @pytest.mark.parametrize(("seconds", "is_replay"), [(599, True), (600, False), (601, False)])
    def test_a_token_is_remembered_for_ten_minutes(self, simulator, clock, seconds, is_replay):
        params = {"TransactItems": [put("1")], "ClientRequestToken": "t"}
        simulator.transact_write_items(**params)
        simulator.delete_item(TableName=TABLE, Key=item("1"))
        clock.advance(seconds)

        simulator.transact_write_items(**params)

        assert simulator.items() == ([] if is_replay else [item("1")])

    def test_a_refused_request_does_not_use_its_token_up(self, simulator):
        step = put("1", "attribute_exists(pk)")
        send = partial(simulator.transact_write_items, TransactItems=[step], ClientRequestToken="t")
        with pytest.raises(simulator.exceptions.TransactionCanceledException):
            send()

        simulator.put_item(TableName=TABLE, Item=item("1"))

        send()

    def test_without_a_token_every_call_counts(self, simulator):
        step = put("1", "attribute_not_exists(pk)")
        simulator.transact_write_items(TransactItems=[step])

        with pytest.raises(simulator.exceptions.TransactionCanceledException):
            simulator.transact_write_items(TransactItems=[step])


class TestLimits:
    def refused(self, simulator, steps):
        with pytest.raises(simulator.exceptions.ClientError) as refused:
            simulator.transact_write_items(TransactItems=steps)
        assert simulator.items() == []
        return refused.value.response["Error"]["Code"]

    def test_a_hundred_actions_are_the_most(self, simulator):
        steps = [put(str(number)) for number in range(101)]

        assert self.refused(simulator, steps) == "ValidationException"
        simulator.transact_write_items(TransactItems=steps[:100])

    def test_four_megabytes_are_the_most(self, simulator):
        def steps(total_bytes):
            filler = total_bytes // 11 - len("pk" + "a" + "sk" + "00" + "x")
            return [put(f"{number:02}", x={"S": "x" * filler}) for number in range(11)]

        limit_bytes = 4 * 1024 * 1024

        assert self.refused(simulator, steps(limit_bytes + 11)) == "ValidationException"
        simulator.transact_write_items(TransactItems=steps(limit_bytes))

    def test_400_kb_are_the_most_for_an_item(self, simulator):
        filler = 400 * 1024 - len("pk" + "a" + "sk" + "1" + "x")

        assert self.refused(simulator, [put("1", x={"S": "x" * (filler + 1)})]) == (
            "ValidationException"
        )
        simulator.transact_write_items(TransactItems=[put("1", x={"S": "x" * filler})])

    def test_an_item_has_one_action_at_most(self, simulator):
        check = {
            "TableName": TABLE,
            "Key": item("1"),
            "ConditionExpression": "attribute_not_exists(pk)",
        }

        assert self.refused(simulator, [put("1"), {"ConditionCheck": check}]) == (
            "ValidationException"
        )

    def test_an_unknown_table_is_refused(self, simulator):
        step = {"Put": {"TableName": "no-such-table", "Item": item("1")}}

        assert self.refused(simulator, [put("1"), step]) == "ResourceNotFoundException"

    @pytest.mark.parametrize("attribute", ["sk", "gsi1pk", "gsi2sk"])
    def test_a_key_of_another_kind_is_a_reason(self, simulator, attribute):
        step = put("1")
        step["Put"]["Item"][attribute] = {"N": "1"}

        with pytest.raises(simulator.exceptions.TransactionCanceledException) as refused:
            simulator.transact_write_items(TransactItems=[put("2"), step])

        assert [reason["Code"] for reason in reasons(refused)] == ["None", "ValidationError"]


def test_reads_within_a_transaction_come_in_order_with_holes(simulator):
    simulator.put_item(TableName=TABLE, Item=item("2", n={"N": "1"}))
    gets = [{"Get": {"TableName": TABLE, "Key": item(sk)}} for sk in "123"]

    answer = simulator.transact_get_items(TransactItems=gets)

    assert answer["Responses"] == [{}, {"Item": item("2", n={"N": "1"})}, {}]
