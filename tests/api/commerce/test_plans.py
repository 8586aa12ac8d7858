"""The catalogue of subscriptions: `/api/v1/billing/plans` and `/api/v1/dns/plans`."""

import pytest

from tests.api.world import ZOE
from tests.http.events import ADMIN, ALICE

PLANS = "/api/v1/billing/plans"
DNS_PLANS = "/api/v1/dns/plans"
PATHS = {PLANS: "plans", f"{PLANS}/pro": "plans", DNS_PLANS: "dns-plans"}
MILLION = 1_000_000

# slug, category, price, price of a month if a year is paid at once, price of the year, limits,
# flags
CATALOGUE = [
    ("developer", "personal", 0, 0, 0, {"rpm": 60, "tpm": 100_000, "freeCredit": 5}, set()),
    ("pro", "personal", 2000, 1600, 19_200, {"rpm": 500, "tpm": MILLION}, {"perUser"}),
    ("team", "team", 2500, 2000, 24_000, {"rpm": 1000, "tpm": 2 * MILLION},
     {"perUser", "popular"}),
    ("max", "personal", 20_000, 16_000, 192_000, {"rpm": 5000, "tpm": 10 * MILLION}, {"perUser"}),
    ("team-max", "team", 22_500, 18_000, 216_000, {"rpm": 5000, "tpm": 10 * MILLION},
     {"perUser"}),
    ("enterprise", "enterprise", 0, 0, 0, {"rpm": 50_000, "tpm": 100 * MILLION},
     {"contactSales"}),
    ("world-free", "world", 0, 0, 0,
     {"maxAlerts": 3, "apiRateLimit": 60, "mcpRateLimit": 30}, set()),
    # A twelfth of 290 dollars is 24.1666…, and rounded up: a price is not promised too low.
    ("world-pro", "world", 2900, 2417, 29_000,
     {"maxAlerts": -1, "apiRateLimit": 6000, "mcpRateLimit": 3000}, {"popular"}),
    ("world-team", "world", 9900, 8250, 99_000,
     {"maxAlerts": -1, "maxMembers": 5, "apiRateLimit": 30_000, "mcpRateLimit": 15_000}, set()),
    ("dns-free", "dns", 0, 0, 0,
     {"zones": 2, "recordsPerZone": 50, "queriesPerDay": 10_000}, set()),
    ("dns-pro", "dns", 500, 400, 4800,
     {"zones": 25, "recordsPerZone": 500, "queriesPerDay": MILLION}, {"popular"}),
    ("dns-enterprise", "dns", 2500, 2000, 24_000,
     {"zones": -1, "recordsPerZone": -1, "queriesPerDay": -1}, set()),
]  # fmt: skip
SLUGS = [row[0] for row in CATALOGUE]
FLAGS = {"contactSales", "popular", "perUser"}


def slugs(world, path=PLANS, **query):
    found = world.get(path, by=None, query=query)
    listed = [plan["slug"] for plan in found["plans"]]
    assert found == {"plans": found["plans"], "count": len(listed), "nextCursor": None}
    return listed


def test_every_subscription_is_listed_in_the_order_of_the_catalogue(world):
    assert slugs(world) == SLUGS


@pytest.mark.parametrize("row", CATALOGUE, ids=SLUGS)
def test_a_subscription_is_what_the_catalogue_says(world, row):
    slug, category, price, price_annual, price_year, limits, flags = row

    shown = world.get(f"{PLANS}/{slug}", by=None)

    assert (shown["slug"], shown["category"]) == (slug, category)
    assert (shown["price"], shown["priceAnnual"]) == (price, price_annual)
    assert shown["priceYear"] == price_year
    assert shown["limits"] == limits
    assert dict.fromkeys(flags, True) == {each: shown[each] for each in FLAGS & set(shown)}


def test_a_subscription_is_shown_whole(world):
    assert world.get(f"{PLANS}/team", by=None) == {
        "slug": "team",
        "name": "Team",
        "description": "For people who work together.",
        "category": "team",
        "price": 2500,
        "priceAnnual": 2000,
        "priceYear": 24_000,
        "currency": "usd",
        "interval": "monthly",
        "intervalCount": 1,
        "trialPeriodDays": 0,
        "popular": True,
        "perUser": True,
        "features": [
            "1,000 requests a minute",
            "2,000,000 tokens a minute",
            "One bill for all members",
        ],
        "limits": {"rpm": 1000, "tpm": 2 * MILLION},
    }


def test_a_list_shows_what_is_shown_of_one(world):
    listed = world.get(PLANS, by=None)["plans"]

    assert listed == [world.get(f"{PLANS}/{slug}", by=None) for slug in SLUGS]


@pytest.mark.parametrize("category", ["personal", "team", "enterprise", "world", "dns"])
def test_subscriptions_are_listed_by_their_category(world, category):
    assert slugs(world, category=category) == [row[0] for row in CATALOGUE if row[1] == category]


@pytest.mark.parametrize("category", ["", "credits", "World", "dns ", "none", "💥", "x" * 2000])
def test_of_a_category_that_there_is_not_there_is_nothing(world, category):
    assert slugs(world, category=category) == []


def test_the_plans_for_names_are_those_of_their_category(world):
    assert slugs(world, DNS_PLANS) == ["dns-free", "dns-pro", "dns-enterprise"]
    assert slugs(world, DNS_PLANS, category="world") == ["dns-free", "dns-pro", "dns-enterprise"]


@pytest.mark.parametrize("slug", ["nothing", "PRO", "pro.json", "credits-10", "x" * 128])
def test_a_slug_that_names_no_subscription_is_unknown(world, slug):
    refusal = world.refused("GET", f"{PLANS}/{slug}", by=None)

    assert refusal == (404, "plan_not_found", None, {})


@pytest.mark.parametrize("path", PATHS)
def test_the_catalogue_is_the_same_for_everybody(world, path):
    callers = [None, {"denied": "expired_token"}, ALICE, ADMIN, ZOE]

    answers = [world.ask("GET", path, by=by) for by in callers]

    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize(("path", "tag"), PATHS.items())
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_may_be_kept_by_whoever_carries_it(world, method, path, tag):
    headers = world.ask(method, path, by=None).headers

    assert headers["Cache-Control"] == (
        "public, max-age=1800, s-maxage=3600, stale-while-revalidate=60"
    )
    assert headers["CDN-Cache-Control"] == "max-age=3600"
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Cache-Tag"] == tag


def test_that_there_is_no_such_plan_may_be_kept_by_nobody(world):
    answer = world.ask("GET", f"{PLANS}/nothing", by=None)

    assert answer.status == 404
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {"CDN-Cache-Control", "Cache-Tag"} & set(answer.headers) == set()
