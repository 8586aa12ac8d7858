"""What is on sale, as buyers read it: `/v1/plans`."""

import pytest

from tests.api.world import CURSOR, ZOE
from tests.http.events import ADMIN, ALICE

PLANS = "/v1/plans"
SUBSCRIPTIONS = [
    "developer", "pro", "team", "max", "team-max", "enterprise", "world-free", "world-pro",
    "world-team", "dns-free", "dns-pro", "dns-enterprise",
]  # fmt: skip
ONCE = ["credits-10", "credits-50", "credits-100", "credits-custom"]


def ids(world, **query):
    """The plans that are shown, all on one page."""
    found = world.get(PLANS, by=None, query=query)
    assert (found["has_more"], found["next_cursor"]) == (False, None)
    return [plan["id"] for plan in found["data"]]


def plan(world, plan_id):
    (found,) = [one for one in world.get(PLANS, by=None)["data"] if one["id"] == plan_id]
    return found


def walk(world, **query):
    """All pages, each as the ids on it."""
    pages: list[list[str]] = []
    more: dict[str, str] = {}
    while True:
        found = world.get(PLANS, by=None, query={**query, **more})
        pages.append([each["id"] for each in found["data"]])
        assert found["has_more"] is (found["next_cursor"] is not None)
        if not found["has_more"]:
            return pages
        assert found["next_cursor"] == CURSOR
        more = {"cursor": found["next_cursor"]}


def test_every_plan_is_listed_in_the_order_of_the_catalogue(world):
    assert ids(world) == SUBSCRIPTIONS + ONCE


@pytest.mark.parametrize(("type_", "shown"), [("recurring", SUBSCRIPTIONS), ("one_time", ONCE)])
def test_plans_are_listed_by_their_type(world, type_, shown):
    assert ids(world, type=type_) == shown


@pytest.mark.parametrize("type_", ["", "monthly", "One_time", "one-time", "recurring "])
def test_a_type_that_there_is_not_is_refused(world, type_):
    refusal = world.refused("GET", PLANS, query={"type": type_})

    assert refusal[:3] == (422, "invalid_field", "type")


def test_a_subscription_is_shown_with_what_a_month_costs_and_brings(world):
    assert plan(world, "max") == {
        "id": "max",
        "name": "Max",
        "description": "For one person who needs a lot.",
        "type": "recurring",
        "currency": "usd",
        "amount": 20_000,
        "interval": "monthly",
        "interval_count": 1,
        "allow_custom_amount": False,
        "min_amount": None,
        "max_amount": None,
        "credits": 10_000,
        "is_active": True,
    }


@pytest.mark.parametrize("amount", [1000, 5000, 10_000])
def test_what_is_bought_once_brings_what_it_costs(world, amount):
    shown = plan(world, f"credits-{amount // 100}")

    assert (shown["amount"], shown["credits"]) == (amount, amount)
    assert (shown["interval"], shown["interval_count"]) == (None, None)
    assert shown["allow_custom_amount"] is False


def test_the_buyer_names_the_amount_of_one_within_bounds(world):
    shown = plan(world, "credits-custom")

    assert (shown["amount"], shown["credits"]) == (None, None)
    assert shown["allow_custom_amount"] is True
    assert (shown["min_amount"], shown["max_amount"]) == (500, 1_000_000)


def test_what_nobody_can_buy_without_asking_has_no_amount_rather_than_none_to_pay(world):
    assert plan(world, "enterprise")["amount"] is None
    assert plan(world, "developer")["amount"] == 0


def test_the_catalogue_is_the_same_for_everybody(world):
    callers = [None, {"denied": "expired_token"}, ALICE, ADMIN, ZOE]

    answers = [world.ask("GET", PLANS, by=by) for by in callers]

    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


def test_an_answer_may_be_kept_by_whoever_carries_it(world):
    for method in ("GET", "HEAD"):
        headers = world.ask(method, PLANS, by=None).headers

        assert headers["Cache-Control"] == (
            "public, max-age=1800, s-maxage=3600, stale-while-revalidate=60"
        )
        assert headers["CDN-Cache-Control"] == "max-age=3600"
        assert headers["Vary"] == "Accept-Encoding"
        assert headers["Cache-Tag"] == "plans"
        assert headers["Content-Type"] == "application/json"


def test_a_refusal_may_be_kept_by_nobody(world):
    answer = world.ask("GET", PLANS, by=None, query={"type": "none"})

    assert answer.status == 422
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {"CDN-Cache-Control", "Cache-Tag"} & set(answer.headers) == set()


@pytest.mark.parametrize("query", [{}, {"type": "recurring"}, {"type": "one_time"}])
@pytest.mark.parametrize("limit", [1, 3, 4, 11, 12, 15, 16, 100])
def test_pages_make_up_the_list(world, limit, query):
    whole = ids(world, **query)

    pages = walk(world, limit=limit, **query)

    assert [each for page in pages for each in page] == whole
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert 0 < len(pages[-1]) <= limit


def test_a_cursor_is_good_for_the_filter_that_it_was_given_for(world):
    cursor = world.get(PLANS, by=None, query={"limit": 1})["next_cursor"]

    refusal = world.refused("GET", PLANS, query={"type": "recurring", "cursor": cursor})

    assert refusal == (422, "invalid_cursor", "cursor", {})


def test_a_cursor_of_another_list_is_none_here(world):
    world.use(1)
    world.use(1)
    cursor = world.get("/v1/billing/entries", query={"limit": 1})["next_cursor"]

    refusal = world.refused("GET", PLANS, query={"cursor": cursor})

    assert refusal == (422, "invalid_cursor", "cursor", {})


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "1.0", ""])
def test_a_limit_is_a_whole_number_from_one_to_a_hundred(world, limit):
    refusal = world.refused("GET", PLANS, query={"limit": limit})

    assert refusal[:3] == (422, "invalid_field", "limit")
