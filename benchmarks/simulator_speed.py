"""Transactions a second: the simulator of the tests beside moto and ministack, in one run.

    python -m benchmarks.simulator_speed

Each engine gets the same transactions of three conditional puts (an entry, a wallet, a hold) on a
table that holds a hundred wallets; the calls go through the same boto3 interface. Figures of a
machine that does other things too: compare within one run.
"""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from tests.simulator import engines
from tests.simulator.client import Simulator
from tests.simulator.tables import ledger_table

TABLE = "simulator-speed"
WALLETS = 100
# moto copies the table for every action: more transactions would measure a larger table.
TRANSACTIONS = {"simulator": 20_000, "ministack": 1_000, "moto": 50}
ROUNDS = 10

type Request = dict[str, Any]


def wallet(number: int, seq: int) -> dict[str, Any]:
    """A wallet item of about 400 bytes, as the ledger keeps them."""
    return {
        "pk": {"S": f"ORG#acme/live#ACCT#acct_{number:026d}"},
        "sk": {"S": "WALLET#usd"},
        "seq": {"N": str(seq)},
        "available": {"N": "25000000"},
        "held": {"N": "0"},
        "head": {"S": "a" * 64},
        "lots": {"L": [{"M": {"id": {"S": "lot_1"}, "remaining": {"N": "10000000"}}}]},
        "gsi2pk": {"S": "DUE#07"},
        "gsi2sk": {"S": f"2030-01-01T00:00:00Z#acme/live#{number}"},
    }


def transactions(numbers: range) -> Iterator[Request]:
    """Requests that all succeed in their order, each with an entry and a hold of its own."""
    for number in numbers:
        account, seq, unique = number % WALLETS, number // WALLETS, f"{number:032d}"
        entry = {
            "pk": {"S": f"ENTRY#acme/live#{unique:>064}"},
            "sk": {"S": "ENTRY"},
            "gsi1pk": {"S": f"STMT#acme/live#{account}#usd"},
            "gsi1sk": {"S": f"{seq:012d}"},
            "amount": {"N": "-5000000"},
            "prev": {"S": "b" * 64},
            "at": {"S": "2026-01-01T00:00:00.000000Z"},
        }
        hold = {
            "pk": {"S": f"ORG#acme/live#ACCT#acct_{account:026d}"},
            "sk": {"S": f"HOLD#{unique}"},
            "version": {"N": "1"},
            "amount": {"N": "5000000"},
        }
        absent = {"ConditionExpression": "attribute_not_exists(pk)"}
        unchanged = {
            "ConditionExpression": "seq = :read",
            "ExpressionAttributeValues": {":read": {"N": str(seq)}},
        }
        steps: list[dict[str, Any]] = [
            {"Item": entry, **absent},
            {"Item": wallet(account, seq + 1), **unchanged},
            {"Item": hold, **absent},
        ]
        old = {"TableName": TABLE, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        yield {
            "ClientRequestToken": unique,
            "TransactItems": [{"Put": {**step, **old}} for step in steps],
        }


@contextmanager
def client_of(name: str) -> Iterator[Any]:
    """An engine, empty."""
    if name == "simulator":
        yield Simulator(())
    elif name == "moto":
        with engines.moto() as client:
            yield client
    else:
        with engines.ministack(environment={"SERVICES": "dynamodb"}) as url:
            yield engines.client("dynamodb", url)


def per_second(client: Any, requests: list[Request]) -> float:
    """Transactions a second of wall time, one after the other."""
    began = time.perf_counter()
    for request in requests:
        client.transact_write_items(**request)
    return len(requests) / (time.perf_counter() - began)


def best_of_rounds(name: str) -> float:
    """Transactions a second of an engine in its best round."""
    count = TRANSACTIONS[name] // ROUNDS
    with client_of(name) as client:
        client.create_table(**ledger_table(TABLE))
        for number in range(WALLETS):
            client.put_item(TableName=TABLE, Item=wallet(number, 0))
        rounds = [range(turn * count, (turn + 1) * count) for turn in range(ROUNDS)]
        return max(per_second(client, list(transactions(numbers))) for numbers in rounds)


def main() -> None:
    best = {name: best_of_rounds(name) for name in TRANSACTIONS}
    print(f"transactions of 3 conditional puts, {WALLETS} wallets, best of {ROUNDS} rounds")
    for name in TRANSACTIONS:
        ratio = best["simulator"] / best[name]
        release = "" if name == "simulator" else version(name)
        print(f"  {name + ' ' + release:<20} {best[name]:>10,.0f} /s   simulator x {ratio:,.0f}")
    print(f"Python {platform.python_version()}, boto3 {version('boto3')}, {platform.machine()}")
    print("command: python -m benchmarks.simulator_speed")


if __name__ == "__main__":
    main()
