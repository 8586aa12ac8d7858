"""What people do on the payment provider's pages, in a world whose provider is at hand."""

from urllib.parse import urlencode

from local.stripe.checkout import settle
from local.stripe.pages import Pages
from local.stripe.wire import Answer, Request
from tests.api.world import World

CARD = "4242424242424242"
CHALLENGED = "4000002760003184"
DECLINED = "4000000000000002"
BACK = (302, 303)
"""Where the page sends whoever is done with it."""


def pays(world: World, session_id: str, *, number: str = CARD, mode: str = "live") -> str:
    """Be the person on a checkout page who types a card; where they are sent then."""
    form = {"number": number, "expiry": "12 / 30", "cvc": "123", "email": "a@example.com"}
    answer = _sent(world, f"/c/pay/{session_id}", form, mode)
    assert answer.status in BACK, answer.body
    return answer.headers["location"]


def is_refused(world: World, session_id: str, *, number: str, mode: str = "live") -> bool:
    """Whether the page refuses a card, and stays."""
    form = {"number": number, "expiry": "12 / 30", "cvc": "123"}
    return _sent(world, f"/c/pay/{session_id}", form, mode).status not in BACK


def confirms(world: World, intent_id: str, *, done: bool = True, mode: str = "live") -> None:
    """Be the owner of a card whom their bank asks to confirm a payment."""
    form = {"outcome": "complete" if done else "fail"}
    _sent(world, f"/3ds/{intent_id}", form, mode)


def time_passes(world: World, *, mode: str = "live", **passed: float) -> None:
    """Let time pass here and at Stripe, where what is over then ends."""
    world.wait(**passed)
    settle(world.provider.counter(mode))


def _sent(world: World, path: str, form: dict[str, str], mode: str) -> Answer:
    pages = Pages(world.provider.counter(mode))
    return pages.answer(Request("POST", path, "", {}, urlencode(form).encode()))
