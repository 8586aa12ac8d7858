"""What can be wrong with auto-recharge in a table, and the rule that finds it."""

from collections.abc import Callable
from typing import Any

type Item = dict[str, Any]


def _attempt(table: Any, status: str) -> Item:
    found: Item = table.one("ATTEMPT", status=status)
    return found


def a_wallet_without_its_mark(table: Any) -> None:
    del table.one("WALLET", "recharge_below")["recharge_below"]


def a_mark_without_settings(table: Any) -> None:
    table.drop(table.one("RECHARGE"))
    _attempt(table, "pending")["status"] = {"S": "skipped"}


def a_mark_of_another_threshold(table: Any) -> None:
    table.one("RECHARGE")["threshold_micros"] = {"N": "2000000"}


def an_attempt_that_nobody_follows(table: Any) -> None:
    del table.one("RECHARGE")["attempt_id"]


def an_attempt_in_flight_that_is_over(table: Any) -> None:
    _attempt(table, "pending")["status"] = {"S": "failed"}


def an_attempt_that_nobody_looks_after(table: Any) -> None:
    settings = table.one("RECHARGE")
    del settings["next_at"], settings["gsi2pk"], settings["gsi2sk"]


def a_card_that_was_charged_too_often(table: Any) -> None:
    table.one("BREAKER")["attempts"] = {"N": "5"}


def an_attempt_gone(table: Any) -> None:
    table.drop(_attempt(table, "succeeded"))


def an_attempt_of_another_amount(table: Any) -> None:
    _attempt(table, "failed")["amount_micros"] = {"N": "5000001"}


def an_attempt_with_the_payment_of_another(table: Any) -> None:
    _attempt(table, "failed")["payment_id"] = _attempt(table, "succeeded")["payment_id"]


DEFECTS_OF_RECHARGES: dict[Callable[[Any], None], str] = {
    a_wallet_without_its_mark: "marked_wallets_are_recharged",
    a_mark_without_settings: "marked_wallets_are_recharged",
    a_mark_of_another_threshold: "marked_wallets_are_recharged",
    an_attempt_that_nobody_follows: "attempts_are_followed",
    an_attempt_in_flight_that_is_over: "attempts_are_followed",
    an_attempt_that_nobody_looks_after: "attempts_are_followed",
    a_card_that_was_charged_too_often: "attempts_are_followed",
    an_attempt_gone: "attempts_have_one_payment",
    an_attempt_of_another_amount: "attempts_have_one_payment",
    an_attempt_with_the_payment_of_another: "attempts_have_one_payment",
}
