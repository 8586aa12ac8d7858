"""Where card numbers are not taken: whoever sends one is told where to send it, and it goes unread.

The documented operation would take a card number and give a token for it. A number that is never
read cannot be lost, so there is no body here at all: the edge lets go of it before anything looks.
"""

from http import HTTPStatus
from typing import Any, override

from holdfast.errors import TokenizedElsewhere
from holdfast.http.api import Api
from holdfast.http.principal import Caller
from holdfast.http.routing import Router

router = Router()

PATH = "/api/v1/billing/card/tokenize"


class Deaf(Api):
    """Operations, one of which is not told what it is sent."""

    @override
    def handler(self, event: object, context: Any = None) -> dict[str, Any]:
        if isinstance(event, dict) and event.get("rawPath") == PATH:
            event = {**event, "body": None}
        return super().handler(event, context)


@router.post(PATH, status_code=HTTPStatus.SERVICE_UNAVAILABLE)
def tokenize_card(caller: Caller) -> None:
    """Say where a card is turned into a token: at Stripe, in the browser. Nothing sent is read."""
    raise TokenizedElsewhere
