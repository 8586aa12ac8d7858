"""Every call that a payment makes, to the table and to Stripe, fails in every way.

Afterwards the client asks again, or never does and the sweeper comes, or Stripe's events do. Either
way, what Stripe has taken is what the wallets have, once, and nothing is left open.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest

from holdfast.audit import audit_items
from holdfast.domain import entries as words
from holdfast.domain.payments import CHECKOUT, INTENT, REFUND, Payment
from holdfast.errors import Refusal
from holdfast.services import cards, intents, payments, refunds
from holdfast.services.payments import Asked
from holdfast.store import items, keys, pages
from local.stripe.pages import Pages
from local.stripe.wire import Request
from tests.services.caller import CENT
from tests.services.shop import Shop
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import EVERY_FAULT

SWEEPS = [timedelta(minutes=3), timedelta(minutes=8), timedelta(hours=2)]
STRIPE_FAULTS = ("before", "after")


@dataclass(slots=True)
class Client:
    """Somebody at the shop, who asks for the same under the same keys as often as it takes."""

    shop: Shop = field(default_factory=Shop)

    def top_up(self) -> None:
        self.shop.pay(2_000, "top-up")

    def declined(self) -> None:
        self.shop.card_id = "pm_card_chargeDeclined"
        self.shop.pay(2_000, "declined")

    def challenged(self) -> None:
        self.shop.card_id = "pm_card_authenticationRequired"
        self.shop.pay(2_000, "challenged")

    def page(self) -> None:
        shop, caller = self.shop, self.shop.caller
        opened = payments.open_page(
            caller.store,
            shop.stripes,
            caller.owner,
            Asked(kind=CHECKOUT, amount_micros=1_500 * CENT, currency="usd", surface="agents"),
            title="Top-up",
            success_url="https://shop.test/done",
            cancel_url="https://shop.test/back",
            once=caller.once("page"),
        )
        form = {"number": "4242424242424242", "expiry": "12 / 30", "cvc": "123"}
        path = f"/c/pay/{opened.session.id}"
        # Whoever has paid already is only told so.
        Pages(shop.counter).answer(Request("POST", path, "", {}, urlencode(form).encode()))
        payments.session_of(
            caller.store, shop.stripes, caller.owner, opened.session.id, now=shop.now
        )

    def refund(self) -> None:
        paid = self.shop.pay(2_000, "to be refunded")
        self._refund(paid.id, 700)

    def purchase_by_card(self) -> None:
        made = self._intent("by card", captures_by_hand=True)
        self._confirm(made, "by card", "pm_card_visa")
        self._capture(made, "by card", 200)
        self._refund(made, 50)

    def purchase_by_balance(self) -> None:
        made = self._intent("by balance", captures_by_hand=True)
        self._confirm(made, "by balance", "balance")
        self._capture(made, "by balance", 200)
        self._refund(made, 50)

    def _intent(self, key: str, **asked: Any) -> str:
        caller = self.shop.caller
        told = Asked(
            kind=INTENT, amount_micros=300 * CENT, currency="usd", surface="commerce", **asked
        )
        once = caller.once(f"make {key}")
        return intents.create(
            caller.store, self.shop.stripes, caller.owner, told, once=once
        ).payment.id

    def _confirm(self, payment_id: str, key: str, method_id: str) -> None:
        caller = self.shop.caller
        if method_id != "balance":
            method_id = self._on_file(method_id)
        once = caller.once(f"confirm {key}")
        intents.confirm(caller.store, self.shop.stripes, payment_id, method_id=method_id, once=once)

    def _on_file(self, card_id: str) -> str:
        caller = self.shop.caller
        saved = cards.save_card(
            caller.store,
            self.shop.stripes,
            caller.owner,
            card_id=card_id,
            make_default=True,
            once=caller.once("save"),
        )
        return saved.method.id

    def _capture(self, payment_id: str, key: str, cents: int) -> None:
        caller = self.shop.caller
        once = caller.once(f"capture {key}")
        intents.capture(
            caller.store, self.shop.stripes, payment_id, amount_micros=cents * CENT, once=once
        )

    def _refund(self, payment_id: str, cents: int) -> None:
        caller = self.shop.caller
        once = caller.once(f"refund {payment_id}")
        refunds.refund(
            caller.store,
            self.shop.stripes,
            caller.owner.tenant,
            payment_id,
            amount_micros=cents * CENT,
            once=once,
        )


STORIES: dict[str, Callable[[Client], None]] = {
    "a top-up": Client.top_up,
    "a decline": Client.declined,
    "a challenge": Client.challenged,
    "a page": Client.page,
    "a refund": Client.refund,
    "a purchase by card": Client.purchase_by_card,
    "a purchase by balance": Client.purchase_by_balance,
}


def told(story: Callable[[Client], None], client: Client) -> str:
    """What the client is told in the end, in a word."""
    try:
        story(client)
    except Refusal as refusal:
        return refusal.code
    except ProcessKilled:
        return "killed"
    return "done"


def sweep(client: Client) -> None:
    """What the schedule does, as time goes on."""
    shop = client.shop
    for wait in SWEEPS:
        shop.wait(wait)
        store = shop.caller.store
        for shard in range(keys.DUE_SHARDS):
            for each in pages.due(store, shard, now=shop.now):
                if each.noun == "PAYMENT":
                    payments.sweep(store, shop.stripes, each.tenant, each.name, now=shop.now)


def events(client: Client) -> None:
    """All events that Stripe has, the newest first, as a webhook brings them."""
    shop = client.shop
    for kind in ("payment_intent", "checkout.session"):
        for thing in list(shop.counter.every(kind)):
            payments.fulfil(shop.caller.store, shop.stripes, "live", thing["id"], now=shop.now)
    for refund in list(shop.counter.every("refund")):
        refunds.take_in(shop.caller.store, shop.stripes, "live", refund["id"], now=shop.now)


def kept(client: Client) -> list[Payment]:
    found = [item for item in client.shop.caller.stored() if item["sk"] == {"S": "PAYMENT"}]
    return [record for item in found if isinstance(record := items.to_record(item), Payment)]


def in_the_ledger(client: Client) -> int:
    """Cents that the ledger has from Stripe."""
    stored = client.shop.caller.stored()
    found = [items.to_entry(item) for item in stored if items.is_entry(item)]
    return -sum(entry.postings.get(words.STRIPE_CLEARING, 0) for entry in found) // CENT


def at_stripe(client: Client) -> int:
    """Cents that Stripe has taken and not given back."""
    counter = client.shop.counter
    taken = sum(intent["amount_received"] for intent in counter.every("payment_intent"))
    given = sum(
        refund["amount"]
        for refund in counter.every("refund")
        if refund["status"] in ("succeeded", "pending") and refund["balance_transaction"]
    )
    return int(taken - given)


def flaws(client: Client) -> list[object]:
    """What is wrong with the books, and between them and Stripe's."""
    told = in_the_ledger(client), at_stripe(client)
    return [*audit_items(client.shop.caller.stored()), *([told] if told[0] != told[1] else [])]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """How many calls of the table and of Stripe a story takes, and what it comes to."""

    table_calls: int
    stripe_calls: int
    end: str
    cents: int


@cache
def undisturbed(name: str) -> Undisturbed:
    client = ready()
    table, door = client.shop.caller.simulator, client.shop.doors["live"]
    table_first, door_first = table.call_count, door.calls
    end = told(STORIES[name], client)
    assert flaws(client) == []
    return Undisturbed(
        table.call_count - table_first, door.calls - door_first, end, in_the_ledger(client)
    )


def ready() -> Client:
    """A client who has an account, and is a customer."""
    client = Client()
    client.shop.pay(100, "before")
    return client


def broken(name: str, *, at_table: Any = None, at_stripe: Any = None) -> Client:
    """A story in which something fails: the client has gone away, and the environment is new."""
    client = ready()
    shop = client.shop
    if at_table:
        shop.caller.simulator.faults = shop.caller.simulator.from_now(at_table)
    if at_stripe:
        door = shop.doors["live"]
        door.plan = {door.calls + number: kind for number, kind in at_stripe.items()}
    told(STORIES[name], client)
    shop.caller.simulator.faults = {}
    shop.doors["live"].plan = {}
    shop.caller = shop.caller.elsewhere()
    return client


def asks_again(name: str, client: Client) -> None:
    for _ in range(2):
        end = told(STORIES[name], client)
    assert end == undisturbed(name).end
    assert in_the_ledger(client) == undisturbed(name).cents


def goes_away(name: str, client: Client) -> None:
    sweep(client)
    assert [each for each in kept(client) if is_stuck(each)] == []


def is_stuck(payment: Payment) -> bool:
    """Whether it is open, and not because somebody has still to do something."""
    waits = payment.status in ("requires_action", "requires_capture") or payment.session_id
    return payment.due_at is not None and not waits


def is_told(name: str, client: Client) -> None:
    events(client)
    events(client)
    # What Stripe never heard of it cannot tell of.
    sweep(client)


AFTERWARDS = {
    "the client asks again": asks_again,
    "the client goes away": goes_away,
    "Stripe tells": is_told,
}


@pytest.mark.parametrize("afterwards", AFTERWARDS.values(), ids=AFTERWARDS)
@pytest.mark.parametrize("name", STORIES)
def test_stripe_fails_at_every_call_before_and_after_it_did_it(name, afterwards):
    for number in range(undisturbed(name).stripe_calls):
        for kind in STRIPE_FAULTS:
            client = broken(name, at_stripe={number: kind})

            afterwards(name, client)

            assert flaws(client) == []


@pytest.mark.parametrize("afterwards", AFTERWARDS.values(), ids=AFTERWARDS)
@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: fault.kind)
@pytest.mark.parametrize("name", STORIES)
def test_the_table_fails_at_every_call(name, fault, afterwards):
    for number in range(undisturbed(name).table_calls):
        client = broken(name, at_table={number: fault})

        afterwards(name, client)

        assert flaws(client) == []


def test_what_was_never_captured_is_called_a_refund_at_stripe_and_is_none_here():
    client = ready()
    client.purchase_by_card()
    (rest, *_) = [each for each in client.shop.counter.every("refund") if each["amount"] == 100]

    events(client)

    assert rest["balance_transaction"] is None
    assert [each.amount_micros // CENT for each in kept(client) if each.kind == REFUND] == [50]
    assert flaws(client) == []


def waited(client: Client, payment: Payment) -> timedelta:
    """How long it is until somebody looks at the payment."""
    due_at = client.shop.kept(payment).due_at
    assert due_at is not None
    return due_at - client.shop.now


def test_a_refund_that_stays_pending_is_looked_at_less_and_less_often():
    client = ready()
    client.shop.card_id = "pm_card_pendingRefund"
    paid = client.shop.pay(2_000, "to a slow bank")
    refund = client.shop.give_back(paid, 700)

    waits = []
    for _ in range(4):
        client.shop.wait(waited(client, refund))
        shop = client.shop
        payments.sweep(shop.caller.store, shop.stripes, refund.tenant, refund.id, now=shop.now)
        waits.append(waited(client, refund))

    assert client.shop.kept(refund).status == "pending"
    assert waits == [timedelta(minutes=minutes) for minutes in (2, 5, 15, 60)]
