"""A person pays in a browser, on a stack as `make run` starts it; the webhook does the rest."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import chromium
from tests.e2e.laptop import Laptop, happens, running

PICTURES = Path("build") / "screenshots"
FUND = "/api/agents/v1/wallet/fund"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with running(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.opened() as there:
        yield there


def balance(laptop: Laptop, who: str) -> int:
    return int(laptop.call(who, "GET", "/v1/billing/wallet").body["balance_cents"])


def asked_for(laptop: Laptop, who: str, amount: float) -> tuple[str, str]:
    """A page to pay on: its address, and its session."""
    key = os.urandom(12).hex()
    page = laptop.call(who, "POST", FUND, {"amount": amount}, key=key).body["data"]
    return page["checkout_url"], page["session_id"]


def typed(page: chromium.Page, number: str) -> None:
    """A card, as it is typed in and sent off."""
    for name, text in {
        "email": "ada@example.com",
        "number": number,
        "expiry": "12 / 34",
        "cvc": "123",
        "name": "Ada Lovelace",
    }.items():
        page.type(f"#{name}", text)
    page.click("#pay", leaves=True)


def test_a_new_card_is_typed_on_a_phone_and_the_id_is_there_to_be_copied(browser, laptop):
    before = balance(laptop, "bob")
    url, session = asked_for(laptop, "bob", 25.0)
    page = browser.page(width=420, height=860, mobile=True)

    page.go(url)
    page.screenshot(PICTURES / "checkout-phone.png")
    typed(page, "4242 4242 4242 4242")
    page.screenshot(PICTURES / "paid-phone.png")

    assert page.address() == f"{laptop.address}/checkout/success?session_id={session}"
    assert page.text("h1") == "Thank you"
    assert page.value("#session") == session
    assert page.complaints() == []
    assert happens(lambda: balance(laptop, "bob") == before + 2500, seconds=30)


def test_a_saved_card_is_charged_by_a_click(browser, laptop):
    before = balance(laptop, "alice")
    url, session = asked_for(laptop, "alice", 40.0)
    page = browser.page()

    page.go(url)
    page.screenshot(PICTURES / "checkout-desktop.png")
    saved = page.text("form button")
    page.click("form button", leaves=True)

    assert "Visa ending in 4242" in saved
    assert page.value("#session") == session
    assert happens(lambda: balance(laptop, "alice") == before + 4000, seconds=30)


@pytest.mark.parametrize("answer", ["complete", "fail"])
def test_a_bank_that_asks_is_answered_before_money_moves(browser, laptop, answer):
    before = balance(laptop, "bob")
    url, session = asked_for(laptop, "bob", 30.0)
    page = browser.page()

    page.go(url)
    typed(page, "4000 0027 6000 3184")
    asked = page.text("h1")
    unpaid = balance(laptop, "bob")
    page.click(f"#{answer}", leaves=True)

    assert (asked, unpaid) == ("3-D Secure", before)
    if answer == "complete":
        assert page.value("#session") == session
        assert happens(lambda: balance(laptop, "bob") == before + 3000, seconds=30)
    else:
        assert not page.address().startswith(laptop.address)
        assert balance(laptop, "bob") == before


def test_a_declined_card_is_told_of_on_the_page_and_another_one_may_follow(browser, laptop):
    before = balance(laptop, "bob")
    url, session = asked_for(laptop, "bob", 20.0)
    page = browser.page()

    page.go(url)
    typed(page, "4000 0000 0000 9995")
    refused = page.text("[role=alert]")
    typed(page, "4242 4242 4242 4242")

    assert "insufficient funds" in refused
    assert page.value("#session") == session
    assert happens(lambda: balance(laptop, "bob") == before + 2000, seconds=30)


def test_who_turns_back_is_told_that_nothing_was_paid(browser, laptop):
    before = balance(laptop, "bob")
    url, _ = asked_for(laptop, "bob", 20.0)
    page = browser.page()

    page.go(url)
    page.click("#cancel", leaves=True)

    assert page.text("h1") == "Nothing was paid"
    assert balance(laptop, "bob") == before
