"""What an operation costs: calls, units and bytes, by the capacity model of the simulator.

A transaction pays twice the units of its items, each for a started KB; the statement's entry is the
one unit of the index.
"""

import pytest

from tests.faults import world as ask
from tests.faults.priced import BY_NAME, EVERY, Bill, Operation, bill, usual
from tests.faults.world import MAJOR, World
from tests.simulator.capacity import item_size, write_units

WALLET_BYTES_MAX = 900
ENTRY_BYTES_MAX = 700
ALARM_BYTES = 1024
"""The next write unit begins here."""

# Units of the table and of its indexes.
ON_A_WALLET = {"deposit": (4, 1), "usage": (4, 1), "withdraw": (4, 1)}
ON_A_HOLD = {
    # The wallet had nothing due: its first hold puts it into the due index, once.
    "hold in an idle wallet": (6, 2),
    "hold beside a hold": (6, 1),
    "capture": (6, 1),
    "final capture": (6, 1),
    "extend": (6, 1),
    "release": (6, 1),
}
# Two units more for each budget that it counts in.
UNDER_LIMITS = {
    "usage under a cap": (6, 1),
    "withdraw under a cap": (6, 1),
    "hold under a scope": (8, 1),
    "hold under three scopes": (12, 1),
    "capture under three scopes": (12, 1),
    "release under three scopes": (12, 1),
}
OTHERS = {
    "grant": (6, 1),
    "scheduled grant": (6, 2),
    "void": (6, 1),
    "starter credit": (6, 2),
    "adjustment": (4, 1),
    "account open": (4, 1),
    "workspace open": (6, 0),
    "link": (8, 1),
    "default": (4, 0),
    "member add": (4, 1),
    "API key": (4, 1),
    "billing info": (4, 0),
}
CLOSING = ("final capture", "release")
ON_AN_OPEN_HOLD = [name for name in ON_A_HOLD if name not in CLOSING]
BOUNDED = [*ON_A_WALLET.items(), *ON_A_HOLD.items()]
READS = ("get_item", "batch_get_item", "transact_get_items")
WRITE = "transact_write_items"


def _units(paid: Bill) -> tuple[float, float]:
    return paid.used.write_units, paid.used.index_write_units


@pytest.mark.parametrize(("name", "units"), BOUNDED)
def test_where_the_wallet_was_written_last_it_is_one_transaction_and_no_read(name, units):
    paid = bill(BY_NAME[name], warm=True)

    assert paid.used.methods == [WRITE]
    assert paid.used.read_units == 0
    assert _units(paid) == units


@pytest.mark.parametrize(("name", "units"), BOUNDED)
def test_elsewhere_it_is_one_consistent_read_before(name, units):
    paid = bill(BY_NAME[name], warm=False)

    read, write = paid.used.methods
    assert read in READS
    assert write == WRITE
    # A hold and its wallet are two items, and so two units of one call.
    assert paid.used.read_units == (2 if read == "batch_get_item" else 1)
    assert _units(paid) == units


@pytest.mark.parametrize(("name", "units"), UNDER_LIMITS.items())
def test_under_limits_it_is_one_transaction_too_and_where_they_are_known_no_read(name, units):
    warm, cold = bill(BY_NAME[name], warm=True), bill(BY_NAME[name], warm=False)

    assert warm.used.methods == [WRITE]
    assert _units(warm) == _units(cold) == units
    # Whose scopes a hold has is known when the hold was read; then its budgets are read with it.
    assert len(cold.used.methods) == (3 if "three" in name and "hold" not in name else 2)


@pytest.mark.parametrize(("name", "units"), OTHERS.items())
def test_whatever_it_writes_is_one_transaction(name, units):
    paid = bill(BY_NAME[name], warm=True)

    assert paid.used.methods.count(WRITE) == 1
    assert _units(paid) == units


@pytest.mark.parametrize("name", [*ON_A_WALLET, *ON_AN_OPEN_HOLD])
def test_a_replay_reads_nothing_writes_nothing_and_gives_the_same_answer(name):
    once = bill(BY_NAME[name], warm=True)
    again = bill(BY_NAME[name], warm=True, times=2)

    assert again.used.methods == [WRITE]
    assert again.calls[0].error == "TransactionCanceledException"
    assert again.used.read_units == again.used.index_write_units == 0
    assert again.answer == once.answer
    assert again.world.items() == once.world.items()


@pytest.mark.parametrize("name", CLOSING)
def test_a_replay_of_what_closed_a_hold_is_found_by_reading_alone(name):
    """The hold is closed, so the rule refuses; and before a refusal is given, it looks again."""
    once = bill(BY_NAME[name], warm=True)
    again = bill(BY_NAME[name], warm=True, times=2)

    assert set(again.used.methods) <= set(READS)
    assert again.used.calls <= 2
    assert again.used.write_units == 0
    assert again.answer == once.answer
    assert again.world.items() == once.world.items()


@pytest.mark.parametrize("name", [*ON_A_WALLET, *ON_A_HOLD])
def test_a_replay_in_a_new_environment_writes_nothing_either(name):
    once = bill(BY_NAME[name], warm=True)
    world = once.world
    before = world.items()
    with world.simulator.measure() as used:
        world.run([BY_NAME[name].step], world.store())

    assert used.calls <= 3
    assert used.index_write_units == 0
    assert world.items() == before
    assert world.answers[BY_NAME[name].step.key] == once.answer


def test_a_hardware_hold_keeps_its_quote_and_its_job_in_the_same_transaction():
    paid = bill(BY_NAME["hardware hold"], warm=False)

    assert paid.used.methods.count(WRITE) == 1
    # Entry, wallet, hold, quote, job; in the indexes the statement and the list of jobs.
    assert _units(paid) == (10, 2)


def test_a_wallet_whose_hold_has_expired_costs_again_what_it_cost_before():
    world = World()
    store = world.run(
        (ask.deposit("fund", 100 * MAJOR), ask.place_hold("hold", 30 * MAJOR, seconds=60))
    )
    before = len(world.simulator.calls)
    world.run([ask.deposit("who finds it", MAJOR, at=60)], store)
    writes = [call for call in world.simulator.calls[before:] if call.method == WRITE]

    assert [call.error for call in writes] == [None, None, None]
    for number in range(3):
        with world.simulator.measure() as used:
            world.run([ask.deposit(f"afterwards {number}", MAJOR, at=61)], store)

        assert used.methods == [WRITE]


@pytest.mark.parametrize("operation", EVERY, ids=lambda operation: operation.name)
def test_a_usual_item_stays_clear_of_the_next_unit(operation, record_property):
    sizes = bill(operation, warm=True).sizes
    record_property("figure", f"bytes of {operation.name}: {_listed(sizes)}")

    assert max(sizes.values()) < ALARM_BYTES
    assert sizes.get("wallet", 0) < WALLET_BYTES_MAX


@pytest.mark.parametrize(
    "name",
    ["deposit", "usage", "withdraw", "refund", "hold in an idle wallet", "hold beside a hold"],
)
def test_a_usual_entry_is_smaller_still(name):
    assert bill(BY_NAME[name], warm=True).sizes["entry"] < ENTRY_BYTES_MAX


def test_a_hold_on_credit_and_cash_with_metadata_is_still_one_unit():
    hold = ask.place_hold(
        "hold", 30 * MAJOR, reference="order-000017", metadata={"customer": "cus_0000000017"}
    )
    operation = Operation(
        name="hold", given=(usual(ask.deposit("fund", 100 * MAJOR)),), step=usual(hold)
    )

    paid = bill(operation, warm=True)

    assert paid.sizes["entry"] < ALARM_BYTES
    assert _units(paid) == (6, 2)


def test_a_wallet_full_of_lots_takes_one_call_whatever_happens_to_them(record_property):
    """Two hundred lots: drawn by one hold, given back, and then gone all at once."""
    lots = [ask.deposit(f"lot {number}", 10_000, expires_in_seconds=7200) for number in range(199)]
    world = World()
    store = world.run(lots)
    before = len(world.simulator.calls)
    steps = [
        ask.place_hold("of all", 11 * MAJOR, seconds=3600),
        ask.release("back", of="of all"),
        ask.use("after they expired", MAJOR, at=7200),
    ]
    world.run(steps, store)

    (wallet,) = [item for item in world.items() if item["sk"]["S"] == "WALLET#usd"]
    writes = [c for c in world.simulator.calls[before:] if c.method == WRITE and c.error is None]
    largest = max(item_size(s["Put"]["Item"]) for c in writes for s in c.params["TransactItems"])
    record_property(
        "figure",
        f"a wallet of 200 lots: largest item {largest:,} bytes, {write_units(0, largest)} units "
        f"(twice that in a transaction), most steps "
        f"{max(len(call.params['TransactItems']) for call in writes)}",
    )
    assert [getattr(world.answers[step.key], "type", None) for step in steps] == [
        "hold",
        "release",
        "usage",
    ]
    assert all(len(call.params["TransactItems"]) <= 100 for call in writes)
    assert len(wallet["lots"]["L"]) == 1, "but for the introductory credit all are gone"


def _listed(sizes: dict[str, int]) -> str:
    return ", ".join(f"{kind} {size}" for kind, size in sizes.items())
