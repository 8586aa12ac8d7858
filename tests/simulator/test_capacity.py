"""The capacity model against the examples that AWS gives in its documentation.

Each example says where it stands, in the Amazon DynamoDB Developer Guide unless said otherwise:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
"""

import pytest

from tests.simulator.capacity import (
    Entry,
    index_write_units,
    item_size,
    number_size,
    read_units,
    transact_read_units,
    value_size,
    write_units,
)
from tests.simulator.client import Simulator
from tests.simulator.tables import LEDGER_TABLE

KB = 1024
TABLE = LEDGER_TABLE["TableName"]


def item_of(size_bytes, pk="a", sk="1", **attributes):
    """An item of exactly so many bytes."""
    item = {"pk": {"S": pk}, "sk": {"S": sk}, **attributes, "x": {"S": ""}}
    item["x"] = {"S": "x" * (size_bytes - item_size(item))}
    return item


@pytest.fixture
def simulator():
    return Simulator()


def put(simulator, item, **params):
    answer = simulator.put_item(
        TableName=TABLE, Item=item, ReturnConsumedCapacity="INDEXES", **params
    )
    return answer["ConsumedCapacity"]["CapacityUnits"]


def key(pk="a", sk="1"):
    return {"pk": {"S": pk}, "sk": {"S": sk}}


class TestSizes:
    def test_the_shirt_of_23_bytes(self):
        """Limits.html, "Item size": shirt-color "R" and shirt-size "M" are 23 bytes."""
        shirt = {"shirt-color": {"S": "R"}, "shirt-size": {"S": "M"}}

        assert item_size(shirt) == 23

    @pytest.mark.parametrize(
        ("value", "size_bytes"),
        [
            ({"S": ""}, 0),
            ({"S": "zoë"}, 4),
            ({"S": "😀"}, 4),
            ({"B": b"\x00\xff"}, 2),
            ({"BOOL": False}, 1),
            ({"NULL": True}, 1),
            ({"L": []}, 3),
            ({"M": {}}, 3),
            ({"L": [{"S": "ab"}, {"NULL": True}]}, 3 + (1 + 2) + (1 + 1)),
            ({"M": {"name": {"S": "ab"}}}, 3 + 1 + 4 + 2),
            ({"SS": ["a", "bc"]}, 3),
            ({"NS": ["1", "100"]}, 4),
            ({"BS": [b"a", b"bc"]}, 3),
        ],
    )
    def test_a_value_has_its_documented_size(self, value, size_bytes):
        """CapacityUnitCalculations.html, "DynamoDB item sizes and formats"."""
        assert value_size(value) == size_bytes

    @pytest.mark.parametrize(
        ("number", "size_bytes"),
        [("0", 1), ("1", 2), ("10", 2), ("12", 2), ("123", 3), ("-123", 3), ("0.0012", 2)],
    )
    def test_a_number_takes_a_byte_for_two_significant_digits_and_one(self, number, size_bytes):
        """CapacityUnitCalculations.html: leading and trailing zeroes are trimmed."""
        assert number_size(number) == size_bytes

    def test_the_longest_number_takes_20_bytes(self):
        """The same rule at 38 significant digits, the most a number can have."""
        assert number_size("1" * 38) == 20


class TestReads:
    @pytest.mark.parametrize(
        ("size_bytes", "consistent", "units"),
        [
            (3.5 * KB, True, 1),
            (10 * KB, True, 3),
            (8 * KB, True, 2),
            (8 * KB, False, 1),
            (3_500, True, 1),
            (80 * KB, False, 10),
            (0, True, 1),
            (0, False, 0.5),
        ],
        ids=str,
    )
    def test_a_read_is_rounded_up_to_4_kb(self, size_bytes, consistent, units):
        """read-write-operations.html: 3.5 KB and 10 KB items, 8 KB both ways, 80 KB eventually,
        and an item that does not exist: one unit, or half a unit."""
        assert read_units(int(size_bytes), consistent=consistent) == units

    def test_a_transactional_read_of_8_kb_is_4_units(self):
        """aws.amazon.com/dynamodb/pricing/on-demand, "Read request unit"."""
        assert transact_read_units(8 * KB) == 4

    def test_a_query_rounds_the_sum_of_its_items(self):
        """read-write-operations.html: 40.8 KB are 44; 1,500 items of 64 bytes are 96 KB."""
        assert read_units(int(40.8 * KB), consistent=True) == 44 / 4
        assert read_units(1500 * 64, consistent=True) == 96 / 4

    def test_a_batch_rounds_each_item(self, simulator):
        """read-write-operations.html: 1.5 KB and 6.5 KB are 4 KB + 8 KB, not 8 KB."""
        put(simulator, item_of(int(1.5 * KB), sk="1"))
        put(simulator, item_of(int(6.5 * KB), sk="2"))
        keys = {"Keys": [key(sk="1"), key(sk="2")], "ConsistentRead": True}

        answer = simulator.batch_get_item(
            RequestItems={TABLE: keys}, ReturnConsumedCapacity="TOTAL"
        )

        (consumed,) = answer["ConsumedCapacity"]
        assert consumed["CapacityUnits"] == 3

    def test_a_query_of_an_index_counts_index_entries_by_halves(self, simulator):
        """GSI.html, "Read capacity units": 8 entries of 2,000 bytes are 2 units."""
        for number in range(8):
            index_key = {"gsi1pk": {"S": "g"}, "gsi1sk": {"S": str(number)}}
            put(simulator, item_of(2000, sk=str(number), **index_key))

        answer = simulator.query(
            TableName=TABLE,
            IndexName="gsi1",
            KeyConditionExpression="gsi1pk = :g",
            ExpressionAttributeValues={":g": {"S": "g"}},
            ReturnConsumedCapacity="INDEXES",
        )

        consumed = answer["ConsumedCapacity"]
        assert consumed["CapacityUnits"] == 2
        assert consumed["GlobalSecondaryIndexes"]["gsi1"]["CapacityUnits"] == 2

    def test_what_a_filter_drops_is_paid(self, simulator):
        """Query.FilterExpression.html: a filter does not consume fewer units."""
        for number in range(8):
            put(simulator, item_of(2000, sk=str(number)))

        answer = simulator.query(
            TableName=TABLE,
            KeyConditionExpression="pk = :p",
            FilterExpression="attribute_exists(nothing)",
            ExpressionAttributeValues={":p": {"S": "a"}},
            ConsistentRead=True,
            ReturnConsumedCapacity="TOTAL",
        )

        assert answer["Count"] == 0
        assert answer["ConsumedCapacity"]["CapacityUnits"] == 4


class TestWrites:
    @pytest.mark.parametrize(
        ("size_bytes", "units"),
        [(500, 1), (512, 1), (1023, 1), (1024, 1), (1025, 2), (1638, 2), (3584, 4)],
    )
    def test_a_write_is_rounded_up_to_1_kb(self, simulator, size_bytes, units):
        """read-write-operations.html: 500 and 512 bytes are 1 KB, 1.6 KB are 2, 3.5 KB are 4."""
        assert put(simulator, item_of(size_bytes)) == units

    def test_a_put_pays_for_the_larger_of_old_and_new(self, simulator):
        """read-write-operations.html, PutItem: "the larger of the two"."""
        put(simulator, item_of(3 * KB))

        assert put(simulator, item_of(500)) == 3
        assert put(simulator, item_of(2 * KB)) == 2

    def test_an_update_pays_for_the_whole_item(self, simulator):
        """read-write-operations.html, UpdateItem: the full amount for a subset of attributes."""
        put(simulator, item_of(3 * KB))

        answer = simulator.update_item(
            TableName=TABLE,
            Key=key(),
            UpdateExpression="SET n = :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnConsumedCapacity="TOTAL",
        )

        assert answer["ConsumedCapacity"]["CapacityUnits"] == 4

    def test_a_delete_pays_for_the_deleted_item(self, simulator):
        """read-write-operations.html, DeleteItem: the size of the deleted item."""
        put(simulator, item_of(int(1.6 * KB)))
        params = {"TableName": TABLE, "Key": key(), "ReturnConsumedCapacity": "TOTAL"}

        assert simulator.delete_item(**params)["ConsumedCapacity"]["CapacityUnits"] == 2
        assert simulator.delete_item(**params)["ConsumedCapacity"]["CapacityUnits"] == 1

    @pytest.mark.parametrize(
        ("there_bytes", "put_bytes", "units"), [(1 * KB, 1 * KB, 1), (1 * KB, 2 * KB, 2)]
    )
    def test_a_failed_condition_is_paid(self, simulator, there_bytes, put_bytes, units):
        """WorkingWithItems.html, "Capacity units consumed by conditional writes": 1 KB is one
        unit, twice that size is two; ProvisionedThroughput.html: the size of the new item."""
        put(simulator, item_of(there_bytes))
        refuse = {"ConditionExpression": "attribute_not_exists(pk)"}

        refused = simulator.exceptions.ConditionalCheckFailedException
        with pytest.raises(refused), simulator.measure() as used:
            simulator.put_item(TableName=TABLE, Item=item_of(put_bytes), **refuse)

        assert tuple(used) == (0, units, 0)


class TestTransactions:
    def steps(self, count, size_bytes):
        items = [item_of(size_bytes, sk=str(number)) for number in range(count)]
        return [{"Put": {"TableName": TABLE, "Item": item}} for item in items]

    def test_three_items_of_500_bytes_are_six_units(self, simulator):
        """transaction-apis.html, "Capacity management for transactions": three 500-byte items
        need six write units to write and six read units to read."""
        with simulator.measure() as used:
            simulator.transact_write_items(TransactItems=self.steps(3, 500))
        assert tuple(used) == (0, 6, 0)

        gets = [{"Get": {"TableName": TABLE, "Key": key(sk=str(number))}} for number in range(3)]
        with simulator.measure() as used:
            simulator.transact_get_items(TransactItems=gets)
        assert tuple(used) == (6, 0, 0)

    def test_a_transactional_write_of_3_kb_is_6_units(self, simulator):
        """aws.amazon.com/dynamodb/pricing/on-demand: two write units up to 1 KB."""
        with simulator.measure() as used:
            simulator.transact_write_items(TransactItems=self.steps(1, 3 * KB))

        assert tuple(used) == (0, 6, 0)

    def test_a_replay_is_billed_as_reads(self, simulator):
        """transaction-apis.html, "Idempotency": subsequent calls with the same client token
        return the number of read capacity units consumed in reading the item."""
        params = {"TransactItems": self.steps(3, 500), "ClientRequestToken": "t"}
        simulator.transact_write_items(**params)

        with simulator.measure() as used:
            answer = simulator.transact_write_items(**params)

        assert "ConsumedCapacity" not in answer
        assert tuple(used) == (6, 0, 0)

    def test_a_condition_check_costs_like_a_write_of_the_item(self, simulator):
        """transaction-apis.html: two underlying writes of every item in the transaction."""
        put(simulator, item_of(1500))
        check = {
            "TableName": TABLE,
            "Key": key(),
            "ConditionExpression": "attribute_exists(pk)",
        }

        with simulator.measure() as used:
            simulator.transact_write_items(TransactItems=[{"ConditionCheck": check}])

        assert tuple(used) == (0, 4, 0)

    def test_a_cancelled_transaction_is_paid(self, simulator):
        """Conditions that fail consume write units (WorkingWithItems.html); see capacity.py."""
        steps = self.steps(2, 500)
        steps[1]["Put"]["ConditionExpression"] = "attribute_exists(pk)"

        refused = simulator.exceptions.TransactionCanceledException
        with pytest.raises(refused), simulator.measure() as used:
            simulator.transact_write_items(TransactItems=steps)

        assert tuple(used) == (0, 4, 0)


class TestIndexes:
    """GSI.html, "Write capacity units": the five cases in their order, and larger entries."""

    def entry(self, *, at="A", content="1", size_bytes=100):
        return Entry(at, (at,), {"content": {"S": content}}, size_bytes)

    def test_a_new_entry_is_one_write(self):
        assert index_write_units(None, self.entry()) == 1

    def test_a_changed_key_is_two_writes(self):
        assert index_write_units(self.entry(at="A"), self.entry(at="B")) == 2

    def test_a_lost_key_is_one_write(self):
        assert index_write_units(self.entry(), None) == 1

    def test_an_item_outside_the_index_costs_nothing(self):
        assert index_write_units(None, None) == 0

    def test_changed_attributes_are_one_write(self):
        assert index_write_units(self.entry(), self.entry(content="2")) == 1

    def test_an_entry_that_stays_as_it_was_costs_nothing(self):
        """GSI.html: if a write does not require an index update, no capacity is consumed."""
        assert index_write_units(self.entry(), self.entry()) == 0

    def test_larger_entries_cost_more(self):
        large = self.entry(at="B", size_bytes=2049)

        assert index_write_units(None, large) == 3
        assert index_write_units(large, None) == 3
        assert index_write_units(self.entry(at="A"), large) == 4

    def test_the_indexes_of_the_ledger_are_counted_apart(self, simulator):
        entry = {"gsi1pk": {"S": "g"}, "gsi1sk": {"S": "1"}}
        due = {"gsi2pk": {"S": "d"}, "gsi2sk": {"S": "1"}}

        assert put(simulator, item_of(500, sk="1", **entry)) == 2
        assert put(simulator, item_of(500, sk="2", **due)) == 2
        assert put(simulator, item_of(600, sk="1", **entry)) == 2
        # The due index holds keys only: it does not see what else changed.
        assert put(simulator, item_of(600, sk="2", **due)) == 1
        assert put(simulator, item_of(600, sk="2", **{**due, "gsi2sk": {"S": "2"}})) == 3

    def test_an_index_costs_the_same_within_a_transaction(self, simulator):
        """An index is brought up to date after the transaction, by ordinary writes."""
        item = item_of(500, gsi1pk={"S": "g"}, gsi1sk={"S": "1"})

        with simulator.measure() as used:
            simulator.transact_write_items(
                TransactItems=[{"Put": {"TableName": TABLE, "Item": item}}]
            )

        assert tuple(used) == (0, 2, 1)


def test_write_units_have_a_floor_of_one():
    assert write_units(0, 0) == 1
