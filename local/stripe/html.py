"""The pages of the simulated Stripe: plain HTML, nothing from elsewhere, readable on a phone."""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from pathlib import Path

from local.stripe.cards import BY_NAME
from local.stripe.errors import Object
from local.stripe.money import spelled
from local.stripe.wire import Answer

_STYLE = Path(__file__).with_name("pages.css").read_text("utf-8")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_TRY = {
    "visa": "is paid",
    "mastercard": "is paid",
    "amex": "is paid (four digits of security code)",
    "chargeDeclined": "is declined",
    "chargeDeclinedInsufficientFunds": "has insufficient funds",
    "chargeDeclinedExpiredCard": "has expired",
    "chargeCustomerFail": "can be saved, but not charged",
    "authenticationRequiredOnSetup": "asks for 3-D Secure until it is saved",
    "authenticationRequired": "asks for 3-D Secure each time",
    "createDispute": "is paid, and disputed at once",
    "refundFail": "is paid; a refund fails later",
}


def page(title: str, body: str, *, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """A whole page."""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        '<p class="notice" role="note">This is a simulated Stripe. No money moves here: use test '
        "cards only.</p>"
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _POLICY,
        "referrer-policy": "no-referrer",
    }
    return Answer(status, text.encode(), headers)


def redirect(address: str) -> Answer:
    """Send the browser on; what it posted is not posted again."""
    safe = address.replace("\r", "").replace("\n", "")
    return Answer(HTTPStatus.SEE_OTHER, b"", {"location": safe})


def message(
    title: str,
    words: str,
    *,
    link: tuple[str, str] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Answer:
    """A page that only says something, with a way on."""
    way = "" if link is None else f'<p><a href="{escape(link[0])}">{escape(link[1])}</a></p>'
    return page(title, f"<p>{escape(words)}</p>{way}", status=status)


def checkout(
    session: Object, *, error: str | None, typed: Mapping[str, str], cards: list[Object]
) -> Answer:
    """The page on which a person pays, or saves a card; `cards` are the ones already saved."""
    is_payment = session["mode"] == "payment"
    code = session["currency"]
    total = spelled(session["amount_total"], code) if is_payment else ""
    lines = "".join(
        f"<li><span>{escape(line['description'])} × {line['quantity']}</span>"
        f"<span>{escape(spelled(line['amount_total'], code))}</span></li>"
        for line in session["_lines"]
    )
    cancel = ""
    if session["cancel_url"] is not None:
        cancel = f'<p><a id="cancel" href="{escape(session["cancel_url"])}">Cancel</a></p>'
    verb = f"Pay {total}" if is_payment else "Save card"
    body = (
        (f'<ul class="lines">{lines}</ul>' if is_payment else "")
        + _said(error)
        + "".join(_saved(card, verb) for card in cards)
        + card_form(verb, typed, email=session["customer_email"] or "")
        + cancel
        + _test_cards()
    )
    return page(verb, body)


def _saved(method: Object, verb: str) -> str:
    return (
        '<form method="post">'
        f'<input type="hidden" name="payment_method" value="{escape(method["id"])}">'
        f"<button>{escape(verb)} with {escape(_name(method))}</button></form>"
    )


def _name(method: Object) -> str:
    card = method["card"]
    brand = {"amex": "American Express", "jcb": "JCB"}.get(card["brand"], card["brand"].title())
    return f"{brand} ending in {card['last4']}, {card['exp_month']:02d}/{card['exp_year']}"


def card_form(verb: str, typed: Mapping[str, str], *, email: str = "") -> str:
    """The fields of a card; a number and a security code that were typed are not shown again."""

    def field(name: str, label: str, value: str, attributes: str) -> str:
        return (
            f'<label for="{name}">{label}<input id="{name}" name="{name}" '
            f'value="{escape(value)}" {attributes}></label>'
        )

    return (
        '<form method="post" autocomplete="off">'
        + field("email", "E-mail", typed.get("email", email), 'type="email"')
        + field(
            "number", "Card number", "", 'inputmode="numeric" required placeholder="4242 4242 …"'
        )
        + '<div class="pair">'
        + field("expiry", "Expiry", typed.get("expiry", ""), 'required placeholder="12 / 34"')
        + field("cvc", "Security code", "", 'inputmode="numeric" required placeholder="123"')
        + "</div>"
        + field("name", "Name on card", typed.get("name", ""), "")
        + f'<button class="main" id="pay" name="action" value="card">{escape(verb)}</button></form>'
    )


def _said(error: str | None) -> str:
    return "" if error is None else f'<p class="error" role="alert">{escape(error)}</p>'


def _test_cards() -> str:
    rows = "".join(
        f"<tr><td>{_grouped(BY_NAME[name].number)}</td><td>{escape(fate)}</td></tr>"
        for name, fate in _TRY.items()
    )
    return f"<details><summary>Test cards</summary><table>{rows}</table></details>"


def _grouped(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def challenge(what: str) -> Answer:
    """The page on which a bank asks the holder of a card to authenticate."""
    body = (
        f"<p>Your bank asks whether this is you, for {escape(what)}.</p>"
        '<form method="post">'
        '<button class="main" id="complete" name="outcome" value="complete">Complete</button>'
        '<button id="fail" name="outcome" value="fail">Fail</button></form>'
    )
    return page("3-D Secure", body)


def portal(session: Object, cards: list[Object], default: str | None, error: str | None) -> Answer:
    """The page on which a person looks after the cards on file."""
    listed = "".join(_portal_card(card, is_default=card["id"] == default) for card in cards)
    back = ""
    if session["return_url"] is not None:
        back = f'<p><a id="return" href="{escape(session["return_url"])}">Return</a></p>'
    body = (
        _said(error)
        + (f'<ul class="cards">{listed}</ul>' if cards else "<p>No card is on file.</p>")
        + f"<details><summary>Add a card</summary>{card_form('Add card', {})}</details>"
        + back
    )
    return page("Cards on file", body)


def _portal_card(method: Object, *, is_default: bool) -> str:
    hidden = f'<input type="hidden" name="payment_method" value="{escape(method["id"])}">'
    default = (
        "<span>Charged by default</span>"
        if is_default
        else '<button name="action" value="default">Charge by default</button>'
    )
    return (
        f'<li>{escape(_name(method))}<form method="post" class="pair">{hidden}{default}'
        '<button name="action" value="remove">Remove</button></form></li>'
    )
