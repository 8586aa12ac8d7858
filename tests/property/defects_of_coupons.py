"""What can be wrong with coupons in a table, and the rule that finds it."""

from collections.abc import Callable
from typing import Any

from tests.faults.by_coupon import BACK, BONUS, CREDIT, WAITING

type Item = dict[str, Any]


def _coupon(table: Any, code: str) -> Item:
    return _named(table, "COUPON", lambda item: item["pk"]["S"].endswith(f"#{code}"))


def _redemption(table: Any, code: str) -> Item:
    return _named(table, "REDEMPTION", lambda item: item["sk"]["S"].endswith(f"#{code}"))


def _named(table: Any, noun: str, is_it: Callable[[Item], bool]) -> Item:
    found: list[Item] = [item for item in table.all(noun) if is_it(item)]
    (only,) = found
    return only


def _add(item: Item, name: str, amount: int) -> None:
    item[name] = {"N": str(int(item[name]["N"]) + amount)}


def a_coupon_that_counts_one_more(table: Any) -> None:
    _add(_coupon(table, CREDIT), "redeemed", 1)


def a_coupon_that_forgot_a_use(table: Any) -> None:
    _add(_coupon(table, BONUS), "redeemed", -1)


def a_coupon_gone(table: Any) -> None:
    table.drop(_coupon(table, CREDIT))


def a_coupon_beyond_its_limit(table: Any) -> None:
    _coupon(table, CREDIT)["max_redemptions"] = {"N": "0"}


def a_coupon_used_more_often_than_by_one(table: Any) -> None:
    _add(_coupon(table, CREDIT), "redeemed", 1)
    _add(_redemption(table, CREDIT), "uses", 1)


def a_use_gone(table: Any) -> None:
    table.drop(_redemption(table, CREDIT))


def a_use_that_gave_nothing(table: Any) -> None:
    # It was given back when its payment failed.
    _add(_coupon(table, BACK), "redeemed", 1)
    _add(_redemption(table, BACK), "uses", 1)


def a_gift_that_nobody_redeemed(table: Any) -> None:
    _add(_coupon(table, CREDIT), "redeemed", -1)
    table.drop(_redemption(table, CREDIT))


def a_reservation_forgotten(table: Any) -> None:
    del _redemption(table, WAITING)["reserved_for"]


def a_reservation_for_nothing(table: Any) -> None:
    _redemption(table, WAITING)["reserved_for"] = {"S": "pay_none"}


def a_reservation_for_a_payment_that_failed(table: Any) -> None:
    payment = table.one("PAYMENT", coupon_code=WAITING)
    payment["status"] = {"S": "failed"}


def a_reservation_for_a_payment_with_another_coupon(table: Any) -> None:
    table.one("PAYMENT", coupon_code=WAITING)["coupon_code"] = {"S": BACK}


def a_sixth_guess(table: Any) -> None:
    (guesses,) = table.all("GUESSES")
    guesses["misses"]["L"] *= 6


DEFECTS_OF_COUPONS: dict[Callable[[Any], None], str] = {
    a_coupon_that_counts_one_more: "coupons_add_up",
    a_coupon_that_forgot_a_use: "coupons_add_up",
    a_coupon_gone: "coupons_add_up",
    a_coupon_beyond_its_limit: "coupons_add_up",
    a_coupon_used_more_often_than_by_one: "coupons_add_up",
    a_use_gone: "coupons_add_up",
    a_use_that_gave_nothing: "uses_gave_something",
    a_gift_that_nobody_redeemed: "uses_gave_something",
    a_reservation_forgotten: "uses_gave_something",
    a_reservation_for_nothing: "uses_gave_something",
    a_reservation_for_a_payment_that_failed: "uses_gave_something",
    a_reservation_for_a_payment_with_another_coupon: "uses_gave_something",
    a_sixth_guess: "guesses_are_few",
}
