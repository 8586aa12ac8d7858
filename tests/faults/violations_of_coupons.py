"""What is wrong with the coupons on a table, by its raw items: nothing of the product is asked."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

type Plain = dict[str, Any]

GUESSES_MAX = 5
_ENDED = ("failed", "canceled")


def violations_of_coupons(items: Iterable[Plain]) -> Iterator[str]:
    """Every broken invariant of coupons, in words."""
    coupons: dict[tuple[str, str], Plain] = {}
    used: dict[tuple[str, str, str], Plain] = {}
    payments: dict[str, Plain] = {}
    gave: Counter[tuple[str, str, str]] = Counter()
    for item in items:
        noun, _, name = item["sk"].partition("#")
        match item["pk"].split("#"):
            case ["ORG", tenant, "COUPON", code]:
                coupons[tenant, code] = item
            case ["ORG", tenant, "ACCT", account] if noun == "REDEMPTION":
                used[tenant, account, name] = item
            case ["ORG", tenant, "ACCT", account] if noun == "GUESSES":
                if len(item["misses"]) > GUESSES_MAX:
                    yield f"{account} has tried {len(item['misses'])} codes"
            case ["ORG", _, "PAY", payment]:
                payments[payment] = item
            case ["ENTRY", tenant, _] if "gsi1pk" in item and _code(item):
                gave[tenant, item["gsi1pk"].split("#")[2], _code(item)] += 1
    yield from _counts(coupons, used)
    for place, redemption in used.items():
        reserved = redemption.get("reserved_for", "")
        if redemption["uses"] != gave.pop(place, 0) + bool(reserved):
            yield f"{place} used it {redemption['uses']} times, and was given something else"
        payment = payments.get(reserved, {"status": "never begun"})
        is_theirs = (payment.get("account_id"), payment.get("coupon_code")) == place[1:]
        if reserved and (not is_theirs or "entry_id" in payment or payment["status"] in _ENDED):
            yield f"{place} is reserved for {reserved}, which is {payment['status']}"
    yield from (f"{place} was given something for nothing" for place in gave)


def _counts(
    coupons: dict[tuple[str, str], Plain], used: dict[tuple[str, str, str], Plain]
) -> Iterator[str]:
    sums: Counter[tuple[str, str]] = Counter()
    for (tenant, account, code), redemption in used.items():
        coupon = coupons.get((tenant, code), {"per_user": 0})
        sums[tenant, code] += redemption["uses"]
        if not 0 <= redemption["uses"] <= coupon["per_user"]:
            yield f"{account} has redeemed {code} {redemption['uses']} times"
    for place, coupon in coupons.items():
        if coupon["redeemed"] != sums[place]:
            yield f"{place} counts {coupon['redeemed']}, the accounts {sums[place]}"
        if coupon["redeemed"] > coupon.get("max_redemptions", coupon["redeemed"]):
            yield f"{place} was redeemed {coupon['redeemed']} times"


def _code(entry: Plain) -> str:
    """The coupon that gave credit with this entry; empty if none did."""
    credit = any(draw.get("kind") == "credit" for draw in entry.get("draws", []))
    is_gift = entry["type"] == "coupon_credit" or (entry["type"] == "deposit" and credit)
    return str(entry.get("details", {}).get("coupon_code", "")) if is_gift else ""
