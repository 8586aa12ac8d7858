"""Balance transactions: each movement of the balance at Stripe, and the balance they add up to."""

from collections import defaultdict

from local.stripe.calls import Call, Operation, list_of, retrieve
from local.stripe.errors import Object
from local.stripe.money import currency
from local.stripe.params import text
from local.stripe.world import World

_AVAILABLE_AFTER_SECONDS = 2 * 86_400


def note(
    world: World,
    kind: str,
    *,
    amount: int,
    code: str,
    source: str,
    category: str | None = None,
    description: str | None = None,
    fee: int = 0,
    fee_description: str = "Stripe processing fees",
) -> Object:
    """A movement of the balance: `amount` comes in (or goes, below zero) and `fee` is kept."""
    fees = [
        {
            "amount": fee,
            "application": None,
            "currency": code,
            "description": fee_description,
            "type": "stripe_fee",
        }
    ]
    entered = world.add(
        "balance_transaction",
        "txn",
        {
            "amount": amount,
            "available_on": world.now() + _AVAILABLE_AFTER_SECONDS,
            "balance_type": "payments",
            "currency": code,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": fees if fee else [],
            "net": amount - fee,
            "reporting_category": category or kind,
            "source": source,
            "status": "pending",
            "type": kind,
        },
    )
    del entered["livemode"]
    return entered


def settle(world: World) -> None:
    """What was pending is available two days later."""
    now = world.now()
    for transaction in world.every("balance_transaction"):
        if transaction["status"] == "pending" and transaction["available_on"] <= now:
            transaction["status"] = "available"


def _balance(call: Call) -> Object:
    sums: dict[str, dict[str, int]] = {"available": defaultdict(int), "pending": defaultdict(int)}
    for transaction in call.world.every("balance_transaction"):
        sums[transaction["status"]][transaction["currency"]] += transaction["net"]
    return {
        "object": "balance",
        "livemode": call.world.is_live,
        **{
            status: [
                {"amount": amount, "currency": code, "source_types": {"card": amount}}
                for code, amount in sorted(by_currency.items())
            ]
            for status, by_currency in sums.items()
        },
    }


OPERATIONS = [
    list_of(
        "/v1/balance_transactions",
        "balance_transaction",
        filters={"type": text, "source": text, "currency": currency},
    ),
    retrieve("/v1/balance_transactions/{id}", "balance_transaction"),
    Operation("GET", "/v1/balance", _balance),
]
