"""What a job would cost: `POST hardware/quote`."""

import pytest

from tests.api.world import NOON_TEXT, QUOTE_ID

QUOTE = "/v1/billing/hardware/quote"


def quote(world, **body):
    asked = {"provider": "braket", "device": "iqm-garnet", "shots": 10, **body}
    return world.ask("POST", QUOTE, body=asked)


def test_a_quote_says_what_a_job_costs_and_promises_nothing(world):
    answer = quote(world, tasks=2, job_id="job-1")

    assert answer.status == 201
    assert answer.body == {
        "quote_id": QUOTE_ID,
        "job_id": "job-1",
        "provider": "braket",
        "device": "iqm-garnet",
        "shots": 10,
        "tasks": 2,
        "currency": "usd",
        "line_items": [
            {"type": "task", "unit_price": "30", "quantity": 2, "amount": "60"},
            {"type": "shot", "unit_price": "0.145", "quantity": 20, "amount": "2.9"},
        ],
        "subtotal_cents": 62,
        "subtotal_cents_decimal": "62.9",
        "total_cents": 63,
        "hold_required": True,
        "hold_amount_cents": 63,
        "wallet": {"available_cents": 1000, "sufficient": True, "shortfall_cents": 0},
        "execution_guaranteed": False,
        "expires_at": "2026-11-21T12:15:00.000Z",
        "created_at": NOON_TEXT,
    }


@pytest.mark.parametrize(
    ("device", "shots", "subtotal", "total"),
    [
        ("ionq-forte", 1, (38, None), 38),
        ("ionq-aria", 100, (330, None), 330),
        ("iqm-garnet", 1, (30, "30.145"), 31),
        ("iqm-garnet", 200, (59, None), 59),
        ("quera-aquila", 7, (37, None), 37),
        ("rigetti-ankaa", 1, (30, "30.09"), 31),
        ("rigetti-ankaa", 100, (39, None), 39),
        ("rigetti-ankaa", 10_000_000, (900_030, None), 900_030),
    ],
)
def test_the_total_is_the_exact_sum_rounded_up_to_a_cent(world, device, shots, subtotal, total):
    told = quote(world, device=device, shots=shots).body

    assert (told["subtotal_cents"], told.get("subtotal_cents_decimal")) == subtotal
    assert told["total_cents"] == told["hold_amount_cents"] == total


@pytest.mark.parametrize(
    "name",
    ["ionq-forte", "IonQ-Forte", "Forte 1", "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-1"],
)
def test_a_device_is_known_by_its_id_its_name_and_its_arn(world, name):
    assert quote(world, device=name, provider="Braket").body["device"] == "ionq-forte"


@pytest.mark.parametrize(
    "asked", [{"device": "ionq-quartet"}, {"provider": "qiskit"}, {"device": "iqm-garnet "}]
)
def test_a_device_without_a_price_is_unknown(world, asked):
    body = {"provider": "braket", "device": "iqm-garnet", "shots": 10, **asked}

    refusal = world.refused("POST", QUOTE, body=body)

    assert refusal == (404, "device_not_found", None, {})


@pytest.mark.parametrize(
    ("shots", "shortfall"), [(87, 0), (88, 0), (121, 0), (122, 6), (10_000_000, 79_999_030)]
)
def test_a_quote_does_not_fail_for_lack_of_money_but_says_so(world, shots, shortfall):
    funds = quote(world, device="ionq-forte", shots=shots).body["wallet"]

    assert funds == {
        "available_cents": 1000,
        "sufficient": shortfall == 0,
        "shortfall_cents": shortfall,
    }
    assert world.cents() == (1000, 0)


def test_a_shortage_of_a_part_of_a_cent_is_a_cent(world):
    world.use("0.5")

    funds = quote(world, device="ionq-aria", shots=970 // 3 + 1).body["wallet"]

    assert funds["available_cents_decimal"] == "999.5"
    assert (funds["available_cents"], funds["sufficient"]) == (999, False)
    assert (funds["shortfall_cents"], funds["shortfall_cents_decimal"]) == (3, "2.5")


def test_what_is_held_is_not_there_for_a_quote(world):
    world.hold(990)

    funds = quote(world).body["wallet"]

    assert funds == {"available_cents": 10, "sufficient": False, "shortfall_cents": 22}


def test_a_quote_moves_no_money_and_writes_no_entry(world):
    world.wallet()
    head = world.get("/v1/billing/ledger/head")

    quote(world)

    assert world.get("/v1/billing/ledger/head") == head
    assert world.cents() == (1000, 0)


@pytest.mark.parametrize("circuit", [{}, {"qubits": 5}, {"qubits": 1, "depth": 100}, None])
def test_a_circuit_may_be_described(world, circuit):
    assert quote(world, circuit=circuit).status == 201


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"shots": 0}, "shots"),
        ({"shots": 10_000_001}, "shots"),
        ({"tasks": 0}, "tasks"),
        ({"tasks": 100_001}, "tasks"),
        ({"circuit": {"qubits": 0}}, "circuit.qubits"),
        ({"circuit": {"depth": -1}}, "circuit.depth"),
        ({"job_id": "a b"}, "job_id"),
        ({"job_id": ""}, "job_id"),
    ],
)
def test_a_job_that_cannot_be_is_refused_by_name(world, body, param):
    refusal = world.refused(
        "POST", QUOTE, body={"provider": "braket", "device": "iqm-garnet", "shots": 10, **body}
    )

    assert (refusal.status, refusal.code, refusal.param) == (422, "invalid_field", param)


def test_a_job_beyond_what_one_operation_moves_is_refused(world):
    world.wallet()

    refusal = world.refused(
        "POST",
        QUOTE,
        body={
            "provider": "braket",
            "device": "ionq-forte",
            "shots": 10_000_000,
            "tasks": 100_000,
        },
    )

    assert (refusal.status, refusal.code) == (422, "amount_too_large")
