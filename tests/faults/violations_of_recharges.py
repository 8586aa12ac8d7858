"""What is wrong with auto-recharge on a table, by its raw items alone: no code of the product."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

type Plain = dict[str, Any]

ATTEMPTS_MAX = 4


def violations_of_recharges(items: Iterable[Plain]) -> Iterator[str]:
    """Every broken invariant of auto-recharge, in words."""
    marks: dict[str, Any] = defaultdict(lambda: None)
    settings: dict[str, Plain] = {}
    attempts: dict[tuple[str, str], Plain] = {}
    payments: dict[str, Plain] = {}
    for item in items:
        noun, _, name = item["sk"].partition("#")
        if noun == "WALLET" and "recharge_below" in item:
            marks[item["pk"]] = (name, item["recharge_below"])
        elif noun == "RECHARGE":
            settings[item["pk"]] = item
        elif noun == "ATTEMPT":
            attempts[item["pk"], name] = item
        elif noun == "BREAKER" and item["attempts"] not in range(ATTEMPTS_MAX + 1):
            yield f"{item['pk']} was tried {item['attempts']} times"
        elif noun == "PAYMENT" and item["kind"] == "auto_recharge":
            payments[item["pk"].split("#")[3]] = item
    for place in {*marks, *settings}:
        known = settings.get(place, {"enabled": False})
        wanted = (known["currency"], known["threshold_micros"]) if known["enabled"] else None
        if marks[place] != wanted:
            yield f"{place} is marked {marks[place]}, and not {wanted}"
    yield from _flights(settings, attempts)
    yield from _paid(attempts, payments)


def _flights(settings: dict[str, Plain], attempts: dict[tuple[str, str], Plain]) -> Iterator[str]:
    pending = sorted(place for place, item in attempts.items() if item["status"] == "pending")
    flying = sorted(
        (at, item["attempt_id"]) for at, item in settings.items() if "attempt_id" in item
    )
    if pending != flying:
        yield f"{pending} are pending, and {flying} in flight"
    for place, _ in flying:
        if "gsi2sk" not in settings[place]:
            yield f"nobody looks after the attempt of {place}"


def _paid(attempts: dict[tuple[str, str], Plain], payments: dict[str, Plain]) -> Iterator[str]:
    counts: Counter[tuple[str, str]] = Counter()
    for name, payment in payments.items():
        tenant = payment["pk"].split("#")[1]
        owner = f"ORG#{tenant}#ACCT#{payment['account_id']}"
        place = (owner, payment.get("details", {}).get("attempt_id", ""))
        counts[place] += 1
        attempt = attempts.get(place, {"amount_micros": None})
        if attempt["amount_micros"] != payment["amount_micros"]:
            yield f"{name} is of {place[1]}, of {attempt['amount_micros']}"
        if attempt.get("payment_id", name) != name:
            yield f"{name} is of {place[1]}, which {attempt['payment_id']} paid"
    yield from (
        f"{place[1]} was paid {count} times" for place, count in counts.items() if count > 1
    )
    for place, attempt in attempts.items():
        if "payment_id" in attempt and attempt["payment_id"] not in payments:
            yield f"{place[1]} is paid by {attempt['payment_id']}, which is not there"
