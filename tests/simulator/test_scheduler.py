from math import comb

import pytest

from tests.simulator.client import Simulator
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import KILLED_AFTER, RETRIED
from tests.simulator.scheduler import TooManyOrders, all_orders, interleave, yield_point
from tests.simulator.tables import LEDGER_TABLE

TABLE = LEDGER_TABLE["TableName"]
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}


def balance_of(simulator):
    item = simulator.get_item(TableName=TABLE, Key=KEY, ConsistentRead=True)["Item"]
    return int(item["n"]["N"])


def world():
    simulator = Simulator()
    simulator.put_item(TableName=TABLE, Item={**KEY, "n": {"N": "0"}})
    return simulator


def careless_increment(simulator):
    """Reads, adds, writes: loses an update if another comes between."""
    n = balance_of(simulator)
    simulator.put_item(TableName=TABLE, Item={**KEY, "n": {"N": str(n + 1)}})


def careful_increment(simulator):
    """The same on condition that nothing came between, as often as it takes."""
    while True:
        n = balance_of(simulator)
        try:
            simulator.put_item(
                TableName=TABLE,
                Item={**KEY, "n": {"N": str(n + 1)}},
                ConditionExpression="n = :read",
                ExpressionAttributeValues={":read": {"N": str(n)}},
            )
        except simulator.exceptions.ConditionalCheckFailedException:
            continue
        return n + 1


def final(simulator):
    return int(simulator.items()[0]["n"]["N"])


@pytest.mark.parametrize(
    ("order", "sum_"), [([0, 0, 1, 1], 2), ([0, 1, 0, 1], 1), ([0, 1, 1, 0], 1), ([1, 1, 0, 0], 2)]
)
def test_an_order_of_calls_is_what_happens(order, sum_):
    simulator = world()

    run = interleave([lambda: careless_increment(simulator)] * 2, order=order)

    assert final(simulator) == sum_
    assert run.order == tuple(order)
    assert [label for _, label in run.trace].count("put_item") == 2


def test_every_order_of_two_operations_is_gone_through_once():
    runs = [run for _, run in all_orders(world, careless_increment, careless_increment)]

    assert len(runs) == comb(4, 2)
    assert len({run.order for run in runs}) == len(runs)


def test_all_orders_find_the_lost_update():
    sums = [final(simulator) for simulator, _ in all_orders(world, *[careless_increment] * 2)]

    assert sorted(sums) == [1, 1, 1, 1, 2, 2]


def test_all_orders_follow_operations_that_call_more_often_in_some():
    runs = list(all_orders(world, careful_increment, careful_increment))

    assert {final(simulator) for simulator, _ in runs} == {2}
    assert {len(run.order) for _, run in runs} == {4, 6}
    assert len({run.order for _, run in runs}) == len(runs)


def test_three_operations_have_orders_too():
    runs = list(all_orders(world, *[careless_increment] * 3))

    assert len(runs) == comb(6, 2) * comb(4, 2)


def test_too_many_orders_are_refused_and_not_left_out():
    with pytest.raises(TooManyOrders):
        list(all_orders(world, *[careless_increment] * 3, orders_max=89))

    assert len(list(all_orders(world, *[careless_increment] * 3, orders_max=90))) == 90


def test_a_seed_decides_and_decides_the_same_again():
    def run(seed):
        simulator = world()
        works = [lambda: careless_increment(simulator)] * 4
        done = interleave(works, seed=seed)
        return done.order, final(simulator)

    runs = [run(seed) for seed in range(20)]

    assert runs == [run(seed) for seed in range(20)]
    assert len({order for order, _ in runs}) > 10
    assert min(final_sum for _, final_sum in runs) < 4


def test_a_run_can_be_done_again_by_its_order():
    simulator, again = world(), world()
    run = interleave([lambda: careful_increment(simulator)] * 3, seed=5)

    repeated = interleave([lambda: careful_increment(again)] * 3, order=run.order)

    assert repeated == run


def test_outcomes_tell_values_and_errors():
    simulator = world()
    simulator.faults = simulator.from_now({1: KILLED_AFTER})

    run = interleave([lambda: balance_of(simulator)] * 2, order=[0, 1])

    assert run.outcomes[0].result() == 0
    with pytest.raises(ProcessKilled):
        run.outcomes[1].result()


def test_between_a_call_and_its_retry_another_may_come():
    simulator = world()
    simulator.faults = {1: RETRIED}

    def put():
        simulator.put_item(TableName=TABLE, Item={**KEY, "n": {"N": "7"}})

    run = interleave([put, lambda: careful_increment(simulator)], order=[0, 1, 1, 0])

    assert run.outcomes[1].result() == 8
    assert final(simulator) == 7


def test_other_stand_ins_yield_by_the_same_call():
    seen = []

    def work(name):
        for number in range(2):
            yield_point("send")
            seen.append(f"{name}{number}")

    interleave([lambda: work("a"), lambda: work("b")], order=[1, 0, 0, 1])

    assert seen == ["b0", "a0", "a1", "b1"]


def test_outside_of_a_run_nothing_yields():
    yield_point("nobody is asked")

    assert balance_of(world()) == 0


def test_an_operation_that_differs_from_run_to_run_is_found_out():
    calls = iter([1, 3, 0, 2, 1, 3])

    def fickle(simulator):
        for _ in range(next(calls, 0)):
            balance_of(simulator)

    with pytest.raises(AssertionError):
        list(all_orders(world, fickle, careless_increment))


def test_threads_without_a_scheduler_see_whole_calls():
    """The lock is held for a call: concurrent conditional writes lose nothing."""
    from concurrent.futures import ThreadPoolExecutor

    simulator = world()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: careful_increment(simulator), range(200)))

    assert final(simulator) == 200
