"""What a person clicks: the checkout page, 3-D Secure, the cards on file."""

import html
import re
from typing import Any

import pytest
import stripe

from local.stripe.knobs import Knobs
from tests.local.stripe.asking import Reply, ask

CARD = {
    "number": "4242 4242 4242 4242",
    "expiry": "12 / 34",
    "cvc": "123",
    "email": "ada@example.com",
    "name": "Ada <b>",
    "action": "card",
}
SUCCESS = "https://shop.example/done?session={CHECKOUT_SESSION_ID}&a=1"
LINES: Any = [
    {
        "price_data": {
            "currency": "usd",
            "unit_amount": 1250,
            "product_data": {"name": "Credit <10>"},
        },
        "quantity": 2,
    }
]


@pytest.fixture
def checkout(v1):
    """A checkout session; for 25.00 unless it says otherwise."""

    def opened(**more: Any) -> Any:
        payment = {"mode": "payment", "line_items": LINES}
        setup = {"mode": "setup", "currency": "usd"}
        kind = setup if more.get("mode") == "setup" else payment
        return v1.checkout.sessions.create(
            {**kind, "success_url": SUCCESS, "cancel_url": "https://shop.example/", **more}
        )

    return opened


@pytest.fixture
def click(server):
    """Ask for a page of the server by its address, or post a form to it."""

    def clicked(address: str | None, form: dict[str, str] | None = None) -> Reply:
        assert address is not None
        assert address.startswith(server.address)
        target = address.removeprefix(server.address)
        if form is None:
            return ask(server.address, "GET", target, key=None)
        return ask(server.address, "POST", target, form=form, key=None)

    return clicked


def said(reply: Reply) -> str:
    """The error on a page."""
    found = re.search(r'role="alert">([^<]*)<', reply.text)
    assert found is not None
    return html.unescape(found[1])


def test_a_session_opens_without_an_intent(v1, checkout, clock):
    session = checkout(
        client_reference_id="a1", metadata={"purpose": "top-up"}, expand=["line_items"]
    )

    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.currency) == (2500, "usd")
    assert (session.payment_intent, session.ui_mode) == (None, "hosted_page")
    assert session.expires_at == int(clock.now) + 86_400
    assert session.line_items.data[0].amount_total == 2500
    lines = v1.checkout.sessions.line_items.list(session.id).data
    assert [one.description for one in lines] == ["Credit <10>"]


def test_the_page_says_what_is_paid_and_takes_nothing_from_elsewhere(checkout, click):
    session = checkout()

    page = click(session.url)

    assert page.status == 200
    assert "Pay $25.00" in page.text
    assert "Credit &lt;10&gt; × 2" in page.text
    assert 'href="https://shop.example/"' in page.text
    assert 'name="viewport"' in page.text
    assert "simulated Stripe" in page.text
    assert re.findall(r'(?:src|href)="(?!https://shop\.example/)', page.text) == []
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_paying_leads_back_with_the_id_of_the_session(v1, checkout, click, event_types):
    session = checkout(payment_intent_data={"metadata": {"account": "a1"}})

    paid = click(session.url, CARD)

    assert paid.status == 303
    assert paid.headers["location"] == SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id)
    after = v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (after.status, after.payment_status, after.url) == ("complete", "paid", None)
    assert after.customer_details.email == "ada@example.com"
    assert after.payment_intent.metadata["account"] == "a1"
    assert after.payment_intent.latest_charge.billing_details.name == "Ada <b>"
    assert event_types() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_session_is_paid_once(v1, checkout, click):
    session = checkout()
    click(session.url, CARD)

    again = click(session.url, CARD)

    assert again.status == 200
    assert "completed this already" in again.text
    assert len(v1.charges.list().data) == 1


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("4000 0000 0000 9995", "Your card has insufficient funds."),
        ("4000 0000 0000 0002", "Your card was declined."),
        ("4000 0000 0000 0069", "Your card has expired."),
        ("4000 0000 0000 0341", "Your card was declined."),
    ],
)
def test_a_declined_card_says_why_and_another_can_be_tried(
    v1, checkout, click, number: str, message: str
):
    session = checkout()

    declined = click(session.url, {**CARD, "number": number})
    before = v1.checkout.sessions.retrieve(session.id)
    paid = click(session.url, {**CARD, "number": "5555 5555 5555 4444"})

    assert (declined.status, said(declined)) == (200, message)
    assert before.status == "open"
    assert paid.status == 303
    after = v1.checkout.sessions.retrieve(session.id)
    assert after.payment_intent == before.payment_intent
    assert len(v1.payment_intents.list().data) == 1


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"number": "4242 4242 4242 4241"}, "Your card number is incorrect."),
        ({"number": ""}, "Your card number is incorrect."),
        ({"number": "4111 1111 1111 1111"}, "used a non test (live) card"),
        ({"expiry": "13 / 34"}, "Your card's expiration month is invalid."),
        ({"expiry": "12 / 26"}, "Your card's expiration year is invalid."),
        ({"cvc": "12"}, "Your card's security code is invalid."),
        ({"number": "3782 822463 10005"}, "Your card's security code is invalid."),
    ],
)
def test_what_is_typed_wrong_reaches_no_bank(v1, checkout, click, typed, message: str):
    session = checkout()

    refused = click(session.url, {**CARD, **typed})

    assert message in said(refused)
    assert v1.charges.list().data == []
    assert v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_card_expires_at_the_end_of_its_month(checkout, click):
    # The clock of the tests stands in January 2027.
    assert click(checkout().url, {**CARD, "expiry": "01/27"}).status == 303
    assert "year is invalid" in said(click(checkout().url, {**CARD, "expiry": "12/26"}))


def test_no_number_that_was_typed_is_kept_or_shown(server, v1, checkout, click, customer: str):
    sessions = [checkout(customer=customer) for _ in range(3)]
    numbers = ["4242424242424242", "4000000000009995", "4111111111111111"]

    pages = [
        click(session.url, {**CARD, "number": number, "cvc": "987"})
        for session, number in zip(sessions, numbers, strict=True)
    ]

    kept = str(server.dumped())
    assert "4242" in kept
    assert [number for number in numbers if number in kept] == []
    assert "987" not in kept.replace("fingerprint", "")
    for page in pages[1:]:
        typed_fields = re.findall(r'name="(?:number|cvc)" value="([^"]*)"', page.text)
        assert typed_fields == ["", ""]


@pytest.mark.parametrize(("outcome", "status"), [("complete", "complete"), ("fail", "open")])
def test_a_card_that_asks_goes_through_3d_secure(v1, checkout, click, outcome: str, status: str):
    session = checkout()

    asked = click(session.url, {**CARD, "number": "4000 0025 0000 3155"})
    challenge = click(asked.headers["location"])
    answered = click(asked.headers["location"], {"outcome": outcome})

    assert 'value="complete"' in challenge.text
    assert 'value="fail"' in challenge.text
    assert v1.checkout.sessions.retrieve(session.id).status == status
    if outcome == "complete":
        assert session.id in answered.headers["location"]
    else:
        assert "failed authentication" in said(answered)
        assert click(session.url, CARD).status == 303


def test_saving_a_card_charges_nothing(v1, checkout, click, customer: str):
    session = checkout(mode="setup", customer=customer, setup_intent_data={"metadata": {"k": "v"}})

    page = click(session.url)
    saved = click(session.url, CARD)

    assert "Save card" in page.text
    assert saved.status == 303
    after = v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (after.status, after.payment_status) == ("complete", "no_payment_required")
    assert after.setup_intent.status == "succeeded"
    assert after.setup_intent.metadata["k"] == "v"
    cards = v1.customers.payment_methods.list(customer).data
    assert [one.id for one in cards] == [after.setup_intent.payment_method]
    assert v1.charges.list().data == []


def test_a_saved_card_pays_with_one_click(v1, checkout, click, customer: str):
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    others = v1.payment_methods.attach("pm_card_visa", {"customer": v1.customers.create().id})
    session = checkout(customer=customer)

    stolen = click(session.url, {"payment_method": others.id})
    paid = click(session.url, {"payment_method": card.id})

    assert "must be attached to the customer" in said(stolen)
    assert paid.status == 303
    assert len(v1.charges.list({"customer": customer}).data) == 1


def test_a_customer_is_made_if_the_session_says_so(v1, checkout, click):
    session = checkout(
        customer_creation="always", payment_intent_data={"setup_future_usage": "off_session"}
    )

    click(session.url, CARD)

    made = v1.checkout.sessions.retrieve(session.id).customer
    assert v1.customers.retrieve(made).email == "ada@example.com"
    assert len(v1.customers.payment_methods.list(made).data) == 1


@pytest.mark.parametrize(
    ("seconds", "is_taken"),
    [(1799, False), (1800, True), (1801, True), (86_400, True), (86_401, False)],
)
def test_a_session_lasts_from_half_an_hour_to_a_day(
    v1, checkout, clock, seconds: int, is_taken: bool
):
    expires_at = int(clock.now) + seconds

    if is_taken:
        assert checkout(expires_at=expires_at).expires_at == expires_at
    else:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            checkout(expires_at=expires_at)
        assert refused.value.param == "expires_at"
        assert v1.checkout.sessions.list().data == []


def test_a_session_ends_at_its_time(*, v1, checkout, click, knobs: Knobs, clock, event_types):
    session = checkout(expires_at=int(clock.now) + 1800)

    knobs.advance(1799)
    before = click(session.url)
    knobs.advance(1)
    after = click(session.url, CARD)

    assert "Pay $25.00" in before.text
    assert "timed out" in after.text
    ended = v1.checkout.sessions.retrieve(session.id)
    assert (ended.status, ended.url, ended.payment_status) == ("expired", None, "unpaid")
    assert event_types() == ["checkout.session.expired"]
    assert v1.charges.list().data == []


def test_a_session_can_be_ended_once(v1, checkout):
    session = checkout(mode="setup")

    ended = v1.checkout.sessions.expire(session.id)

    assert ended.status == "expired"
    assert v1.setup_intents.retrieve(ended.setup_intent).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        v1.checkout.sessions.expire(session.id)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"line_items": []}, "line_items"),
        ({"mode": "setup", "currency": "usd", "line_items": LINES}, "line_items"),
        ({"mode": "subscription"}, "mode"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"customer": "cus_no"}, "customer"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"ui_mode": "hosted"}, "ui_mode"),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(v1, checkout, more, param: str):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        checkout(**more)

    assert refused.value.param == param
    assert v1.checkout.sessions.list().data == []


def test_the_portal_shows_adds_chooses_and_removes_cards(v1, click, customer: str):
    old = v1.payment_methods.attach("pm_card_mastercard", {"customer": customer})
    session = v1.billing_portal.sessions.create(
        {"customer": customer, "return_url": "https://shop.example/account"}
    )

    page = click(session.url)
    added = click(session.url, CARD)
    new = v1.customers.payment_methods.list(customer).data[0]
    click(session.url, {"action": "default", "payment_method": new.id})
    chosen = v1.customers.retrieve(customer).invoice_settings.default_payment_method
    removed = click(session.url, {"action": "remove", "payment_method": old.id})

    assert "Mastercard ending in 4444" in page.text
    assert 'href="https://shop.example/account"' in page.text
    assert (added.status, added.headers["location"]) == (303, session.url)
    assert chosen == new.id
    assert removed.status == 303
    assert [one.id for one in v1.customers.payment_methods.list(customer).data] == [new.id]


def test_the_portal_is_for_one_customers_cards(v1, click, customer: str):
    others = v1.payment_methods.attach("pm_card_visa", {"customer": v1.customers.create().id})
    session = v1.billing_portal.sessions.create({"customer": customer})

    refused = click(session.url, {"action": "remove", "payment_method": others.id})
    declined = click(session.url, {**CARD, "number": "4000 0000 0000 0002"})

    assert "must be attached to the customer" in said(refused)
    assert said(declined) == "Your card was declined."
    assert v1.payment_methods.retrieve(others.id).customer is not None
    assert v1.customers.payment_methods.list(customer).data == []


@pytest.mark.parametrize("path", ["/", "/c/pay/cs_test_no", "/3ds/pi_no", "/p/session/bps_no"])
def test_a_page_that_is_not_there_says_so(server, path: str):
    reply = ask(server.address, "GET", path, key=None)

    assert reply.status in (400, 404)
    assert reply.headers["content-type"].startswith("text/html")
