"""What can be wrong with payments over x402 in a table, and the rule that finds it."""

from collections.abc import Callable
from typing import Any

type Item = dict[str, Any]


def _one(table: Any, status: str) -> Item:
    found: Item = table.one("X402", status=status)
    return found


def _entry(table: Any, source: str) -> Item:
    found: Item = table.one("ENTRY", source=source, type="deposit")
    return found


def a_payment_on_the_chain_gone(table: Any) -> None:
    table.drop(_one(table, "settled"))


def a_failure_that_was_credited(table: Any) -> None:
    _one(table, "settled")["status"] = {"S": "failed"}


def a_payment_settled_by_nobody(table: Any) -> None:
    unknown = _one(table, "unknown")
    unknown["status"], unknown["concluded_at"] = {"S": "settled"}, unknown["created_at"]


def a_payment_of_more(table: Any) -> None:
    _one(table, "settled")["amount"] = {"N": "5000001"}


def a_payment_to_somebody_else(table: Any) -> None:
    _one(table, "settled")["account_id"] = {"S": "acct_" + "a" * 26}


def a_payment_of_another_transaction(table: Any) -> None:
    _one(table, "settled")["transaction"] = {"S": "0x" + "9" * 64}


def a_payment_credited_to_two(table: Any) -> None:
    entry = _entry(table, "api")
    entry["source"], entry["reference"] = {"S": "x402"}, _entry(table, "x402")["reference"]
    table.mend(entry)


def a_payment_that_nobody_looks_for(table: Any) -> None:
    unknown = _one(table, "unknown")
    unknown["status"] = {"S": "pending"}
    del unknown["due_at"], unknown["gsi2pk"], unknown["gsi2sk"]


def a_payment_that_is_over_and_due(table: Any) -> None:
    due = _one(table, "unknown")
    over = _one(table, "settled")
    over |= {name: due[name] for name in ("due_at", "gsi2pk", "gsi2sk")}


def a_failure_without_an_end(table: Any) -> None:
    del _one(table, "failed")["concluded_at"]


def a_payment_without_a_transaction(table: Any) -> None:
    del _one(table, "settled")["transaction"]


def a_payment_in_play_money(table: Any) -> None:
    _one(table, "failed")["network"] = {"S": "eip155:84532"}


def a_deposit_that_clears_with_x402_by_itself(table: Any) -> None:
    entry = _entry(table, "api")
    postings = entry["postings"]["M"]
    postings["x402_clearing"] = postings.pop("deposits")
    table.mend(entry)


def a_payment_that_clears_with_nobody(table: Any) -> None:
    entry = _entry(table, "x402")
    postings = entry["postings"]["M"]
    postings["deposits"] = postings.pop("x402_clearing")
    table.mend(entry)


DEFECTS_OF_X402: dict[Callable[[Any], None], str] = {
    a_payment_on_the_chain_gone: "x402_payments_credited_once",
    a_failure_that_was_credited: "x402_payments_credited_once",
    a_payment_settled_by_nobody: "x402_payments_credited_once",
    a_payment_of_more: "x402_payments_credited_once",
    a_payment_to_somebody_else: "x402_payments_credited_once",
    a_payment_of_another_transaction: "x402_payments_credited_once",
    a_payment_credited_to_two: "x402_payments_credited_once",
    a_payment_that_nobody_looks_for: "x402_payments_end_as_they_must",
    a_payment_that_is_over_and_due: "x402_payments_end_as_they_must",
    a_failure_without_an_end: "x402_payments_end_as_they_must",
    a_payment_without_a_transaction: "x402_payments_end_as_they_must",
    a_payment_in_play_money: "x402_payments_end_as_they_must",
    a_deposit_that_clears_with_x402_by_itself: "x402_has_a_payment",
    a_payment_that_clears_with_nobody: "x402_has_a_payment",
}
