"""A person's own cards: `/v1/me/payment-methods`, against a simulated Stripe on a socket."""

import pytest

from tests.api.cards import ME, advance, attach
from tests.api.world import BOB, Like, Refusal
from tests.http.events import ALICE

HOME = "https://app.example.com/billing"
NOT_ALLOWED = {"reason": "not an address of an origin that is allowed here"}


def pages_of(world, limit, *, by=ALICE):
    """The last digits of the cards of every page."""
    pages, query = [], {"limit": limit}
    while True:
        page = world.get(ME, by=by, query=query)
        pages.append([each["last4"] for each in page["data"]])
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            return pages
        query = {"limit": limit, "cursor": page["next_cursor"]}


def saved(world, desk, *names):
    cards = []
    for name in names:
        cards.append(attach(world, f"pm_card_{name}"))
        advance(desk)
    return cards


def test_a_card_is_shown_by_what_a_person_knows_it_by(world, desk):
    card = attach(world)

    assert world.get(ME) == {
        "data": [
            {
                "id": card["id"],
                "type": "card",
                "brand": "visa",
                "last4": "4242",
                "exp_month": 12,
                "exp_year": 2030,
                "is_default": True,
                "created_at": "2026-11-21T12:00:00.000Z",
            }
        ],
        "has_more": False,
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("limit", "pages"),
    [
        (1, [["1117"], ["0005"], ["4242"]]),
        (2, [["1117", "0005"], ["4242"]]),
        (3, [["1117", "0005", "4242"]]),
        (100, [["1117", "0005", "4242"]]),
    ],
)
def test_pages_make_up_the_list_newest_first(world, desk, limit, pages):
    saved(world, desk, "visa", "amex", "discover")

    assert pages_of(world, limit) == pages


def test_a_page_has_ten_cards_unless_it_is_said_otherwise(world, desk):
    saved(world, desk, *["visa"] * 11)

    page = world.get(ME)

    assert (len(page["data"]), page["has_more"]) == (10, True)


def test_a_list_goes_on_where_it_ended_though_that_card_is_gone(world, desk):
    cards = saved(world, desk, "visa", "amex", "discover")
    page = world.get(ME, query={"limit": 1})
    world.ask("DELETE", f"/api/agents/v1/billing/payment-methods/{cards[2]['id']}")

    rest = world.get(ME, query={"cursor": page["next_cursor"]})

    assert [each["last4"] for each in rest["data"]] == ["0005", "4242"]


def test_a_cursor_is_good_for_its_own_list(world, desk):
    saved(world, desk, "visa", "amex")
    attach(world, by=BOB)
    cursor = world.get(ME, query={"limit": 1})["next_cursor"]

    refusal = world.refused("GET", ME, by=BOB, query={"cursor": cursor})

    assert refusal == (422, "invalid_cursor", "cursor", {})


@pytest.mark.parametrize(("limit", "status"), [(0, 422), (1, 200), (100, 200), (101, 422)])
def test_a_page_has_one_to_a_hundred_cards(world, limit, status):
    assert world.ask("GET", ME, query={"limit": limit}).status == status


def test_while_stripe_is_down_the_list_is_as_it_was(world, desk):
    card = attach(world)
    desk.fails(kind="close", times=9)

    assert [each["id"] for each in world.get(ME)["data"]] == [card["id"]]


# --- The page on which a card is saved ------------------------------------------------------------


def test_a_page_of_stripes_is_opened_and_comes_back_to_where_the_installation_says(world, desk):
    answer = world.ask("POST", ME, body={})

    assert answer.status == 201
    assert answer.body == {
        "url": Like(r"http://127\.0\.0\.1:\d+/c/pay/cs_test_\w+"),
        "session_id": Like(r"cs_test_\w+"),
        "expires_at": "2026-11-22T12:00:00.000Z",
    }
    session = desk.found(f"checkout/sessions/{answer.body['session_id']}")
    assert (session["mode"], session["success_url"], session["cancel_url"]) == ("setup", HOME, HOME)


def test_the_same_key_opens_the_same_page_and_another_body_another(world, desk):
    other = {"success_url": f"{HOME}/done"}

    opened = [
        world.ask("POST", ME, body=body, key="k1").body["session_id"] for body in ({}, {}, other)
    ]

    assert opened[0] == opened[1] != opened[2]
    assert len(desk.listed("checkout/sessions")) == 2


GOOD = [
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/done?session={CHECKOUT_SESSION_ID}#top",
    "https://APP.EXAMPLE.COM/done",
    "http://127.0.0.1:3000/anywhere",
]
BAD = [
    "http://app.example.com/billing",
    "https://app.example.com:8443/",
    "https://app.example.com.evil.example/",
    "https://evil.example/?https://app.example.com",
    "https://app.example.com@evil.example/",
    "https://evil@app.example.com/",
    "https://evil.example\\@app.example.com/",
    "https://app.example.com\\.evil.example/",
    "//app.example.com/",
    "/billing",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://127.0.0.1:3001/",
    "http://localhost:3000/",
    "https://127.0.0.1:3000/",
    "https://app.example.com:port/",
    "https://[app.example.com/",
    " https://app.example.com/",
    "https://app.example.com/ x",
    "https://аpp.example.com/",
]


@pytest.mark.parametrize("url", GOOD)
@pytest.mark.parametrize("name", ["success_url", "cancel_url"])
def test_a_person_comes_back_to_an_origin_that_is_allowed(world, desk, name, url):
    answer = world.ask("POST", ME, body={name: url})

    assert answer.status == 201
    session = desk.found(f"checkout/sessions/{answer.body['session_id']}")
    assert session[name] == url


@pytest.mark.parametrize("url", BAD)
@pytest.mark.parametrize("name", ["success_url", "cancel_url"])
def test_a_person_is_sent_nowhere_else(world, desk, name, url):
    refusal = world.refused("POST", ME, body={name: url})

    assert refusal == Refusal(422, "invalid_field", name, NOT_ALLOWED)
    assert desk.listed("checkout/sessions") == []


@pytest.mark.parametrize(("length", "status"), [(1999, 201), (2000, 201), (2001, 422)])
def test_an_address_has_two_thousand_characters_at_most(world, desk, length, status):
    url = f"{HOME}/".ljust(length, "x")

    assert world.ask("POST", ME, body={"success_url": url}).status == status


def test_where_nobody_may_come_back_to_there_is_no_page(world, desk):
    world.return_urls = ()

    answer = world.ask("POST", ME, body={})

    assert (answer.status, answer.body["error"]["code"]) == (501, "not_served")
    assert desk.listed("customers") == []


def test_while_stripe_is_down_there_is_no_page(world, desk):
    attach(world)
    desk.fails(kind="close", times=9)

    assert world.refused("POST", ME, body={})[:2] == (502, "stripe_unavailable")
