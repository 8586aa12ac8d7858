"""What is wrong with payments over x402, read from raw items: nothing of the product is asked."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

type Plain = dict[str, Any]

_MODES = {"eip155:8453": "live", "eip155:84532": "test"}


def violations_of_x402(items: Iterable[Plain]) -> Iterator[str]:
    """Every broken rule, in words; items without DynamoDB's types."""
    came_in: defaultdict[str, list[Plain]] = defaultdict(list)
    payments: dict[str, Plain] = {}
    for item in items:
        if item["sk"] == "X402":
            payments[item["pk"].removeprefix("X402#")] = item
        elif item["sk"] == "ENTRY" and "gsi1pk" in item:
            clears = item["postings"].get("x402_clearing", 0)
            if (item["source"] == "x402") != bool(clears):
                yield f"entry {item['pk']} is of {item['source']} and clears {clears} with x402"
            if clears:
                came_in[item.get("reference", "")].append({**item, "clears": clears})
    yield from (f"{name} was credited, and is not there" for name in came_in.keys() - payments)
    for name, payment in payments.items():
        broken = (*_credited(payment, came_in[name]), *_ended(name, payment))
        yield from (f"x402 payment {name}: {finding}" for finding in broken)


def _credited(payment: Plain, entries: list[Plain]) -> Iterator[str]:
    """Into the wallet that it was for, once and whole, if it was settled; never if it was not."""
    if len(entries) != (payment["status"] == "settled"):
        yield f"is {payment['status']} and was credited {len(entries)} times"
    place = f"STMT#{payment['tenant']}#{payment['account_id']}#usd"
    for entry in entries:
        if (entry["gsi1pk"], entry["type"]) != (place, "deposit"):
            yield f"was credited to {entry['gsi1pk']} as {entry['type']}"
        if entry["postings"] != {"wallet": payment["amount"], "x402_clearing": -payment["amount"]}:
            yield f"is of {payment['amount']}, its entry posts {entry['postings']}"
        told = {name: entry["details"].get(name) for name in ("transaction", "payer", "network")}
        if told != {name: payment.get(name) for name in told}:
            yield f"its entry tells of {told}"


def _ended(name: str, payment: Plain) -> Iterator[str]:
    """Over, with an end; or looked for; or given up, for somebody who looks at the chain."""
    over = payment["status"] in ("settled", "failed")
    if over != ("concluded_at" in payment) or (over and "due_at" in payment):
        yield f"is {payment['status']}, with {payment.get('concluded_at')} {payment.get('due_at')}"
    if (payment["status"] == "settled") > ("transaction" in payment):
        yield "was settled by no transaction"
    if payment["status"] == "pending" and "due_at" not in payment:
        yield "is pending, and nobody looks for it"
    listed = payment.get("gsi2sk")
    wanted = f"{payment.get('due_at')}#{payment['tenant']}#{payment['account_id']}#{name}"
    if listed != (wanted if "due_at" in payment else None):
        yield f"is due at {payment.get('due_at')} and listed at {listed}"
    if not payment["tenant"].endswith(f"/{_MODES.get(payment['network'], 'nowhere')}"):
        yield f"of {payment['tenant']} was paid on {payment['network']}"
