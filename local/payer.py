"""A person with a card, on a payment page of the simulated Stripe."""

import http.client
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

CARD = "4242 4242 4242 4242"


class NotPaid(Exception):
    """The page did not let the person go on; the message is its status."""


def pay(page_url: str, *, card: str = CARD) -> str:
    """Fill in the page and send it off; where the person is sent to afterwards.

    Raises:
        NotPaid: The card was declined, or the page wants something else.
    """
    typed = {
        "action": "card",
        "number": card,
        "expiry": "12 / 34",
        "cvc": "123",
        "email": "ada@example.com",
        "name": "Ada Lovelace",
    }
    parts = urlsplit(page_url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", parts.path, urlencode(typed), form)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status != HTTPStatus.SEE_OTHER:
        raise NotPaid(str(answer.status))
    return answer.headers["Location"]
