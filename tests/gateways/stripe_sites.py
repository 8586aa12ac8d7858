"""Every place where the gateway calls Stripe, with what it needs and what it does there.

Against the simulated Stripe: what was done is what Stripe then knows, and not what was called.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from holdfast.errors import NotFound, PaymentMethodNotFound, PaymentNotFound
from holdfast.gateways.stripe import CheckoutSession, PaymentIntent, Refund, StripeGateway

SECRET = "sk_test_gateway"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
MARK = {"payment_id": "pay_1"}
URLS: Any = {
    "success_url": "https://app.example.com/ok",
    "cancel_url": "https://app.example.com/no",
}
USD_5 = 5_000_000


@dataclass(frozen=True, slots=True)
class Desk:
    """The simulated Stripe behind its socket, and a gateway to it."""

    address: str
    gateway: StripeGateway

    def control(self, method: str, path: str, **told: Any) -> Any:
        """Tell the simulator something."""
        return self._asked(method, f"/_control/{path}", json.dumps(told), "application/json")

    def fails(self, **fault: Any) -> None:
        """Let the next calls fail."""
        self.control("POST", "faults", **fault)

    def listed(self, path: str, **filters: str) -> list[Any]:
        """What Stripe has, past the gateway."""
        found = self._asked("GET", f"/v1/{path}?{urlencode({'limit': 100, **filters})}", None, None)
        things: list[Any] = found["data"]
        return things

    def found(self, path: str) -> Any:
        """A thing of Stripe's, past the gateway."""
        return self._asked("GET", f"/v1/{path}", None, None)

    def pays(self, url: str, card_id: str) -> None:
        """Be the person on a checkout page, who pays by a saved card."""
        connection = self._connected()
        form, kind = urlencode({"payment_method": card_id}), "application/x-www-form-urlencoded"
        try:
            connection.request("POST", urlsplit(url).path, form, {"Content-Type": kind})
            assert connection.getresponse().status in (302, 303)
        finally:
            connection.close()

    def _connected(self) -> HTTPConnection:
        place = urlsplit(self.address)
        assert place.hostname
        return HTTPConnection(place.hostname, place.port, timeout=10)

    def _asked(self, method: str, path: str, body: str | None, kind: str | None) -> Any:
        connection = self._connected()
        headers = {"Authorization": f"Bearer {SECRET}"} | ({"Content-Type": kind} if kind else {})
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            read = json.loads(answer.read())
        finally:
            connection.close()
        assert answer.status == 200, read
        return read


@dataclass(slots=True)
class Scene:
    """What is at Stripe before a call."""

    desk: Desk
    customer_id: str = ""
    card_id: str = ""
    things: dict[str, str] = field(default_factory=dict)

    @property
    def gateway(self) -> StripeGateway:
        return self.desk.gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A call: how its scene is set, the call itself, and what shows that it was done.

    `done` is what Stripe knows after the call was done once, from what it knew before.
    """

    call: Callable[[Scene], object]
    setting: Callable[[Scene], object] = lambda scene: None
    shows: Callable[[Scene], object] = lambda scene: None
    done: object = None
    missing: type[NotFound] = NotFound

    @property
    def writes(self) -> bool:
        """Whether it changes anything at Stripe."""
        return self.done is not None


def scene(desk: Desk, site: Site) -> Scene:
    """A customer with a card, and what the site needs besides."""
    set_ = Scene(desk)
    customer = desk.gateway.customers.create(key="acct_1", name="Alice", metadata={"account": "a"})
    set_.customer_id = customer.id
    card = desk.gateway.cards.attach("pm_card_visa", key="first", customer_id=customer.id)
    set_.card_id = card.id
    site.setting(set_)
    return set_


def intent(scene: Scene, *, manual: bool = False, paid: bool = False) -> PaymentIntent:
    """An intent to pay five dollars by the card on file."""
    made = scene.gateway.payment_intents.create(
        key="pay_1",
        amount_micros=USD_5,
        currency="usd",
        customer_id=scene.customer_id,
        payment_method_id=scene.card_id,
        manual_capture=manual,
        confirm=paid or manual,
        off_session=paid or manual,
        metadata=MARK,
    )
    scene.things["intent"] = made.id
    return made


def _setup(scene: Scene) -> None:
    made = scene.gateway.setup_intents.create(
        key="set_1", customer_id=scene.customer_id, metadata=MARK
    )
    scene.things["setup"] = made.id


def _session(scene: Scene) -> None:
    scene.things["session"] = _checkout(scene, "pay_1").id


def _refund(scene: Scene) -> Refund:
    made = scene.gateway.refunds.create(
        key="pay_2",
        payment_intent_id=scene.things["intent"],
        currency="usd",
        amount_micros=2_000_000,
        metadata=MARK,
    )
    scene.things["refund"] = made.id
    return made


def _refunded(scene: Scene) -> None:
    intent(scene, paid=True)
    _refund(scene)


def _dispute(scene: Scene) -> None:
    intent(scene, paid=True)
    charge_id = scene.gateway.payment_intents.retrieve(scene.things["intent"]).charge_id
    dispute = scene.desk.control("POST", f"charges/{charge_id}/dispute")
    scene.things["dispute"] = dispute["id"]


def _checkout(scene: Scene, key: str) -> CheckoutSession:
    return scene.gateway.checkout.create_payment(
        key=key,
        amount_micros=USD_5,
        currency="usd",
        title="Wallet",
        customer_id=scene.customer_id,
        metadata=MARK,
        **URLS,
    )


def _number_of(path: str) -> Callable[[Scene], object]:
    return lambda scene: len(scene.desk.listed(path, customer=scene.customer_id))


def _status_of(noun: str, thing: str) -> Callable[[Scene], object]:
    return lambda scene: scene.desk.found(f"{noun}/{scene.things[thing]}")["status"]


def _portal_pages(scene: Scene) -> object:
    """Nothing lists them: told by what the same key answers."""
    return "made"


_SETUPS = "setup_intents"
_INTENTS = "payment_intents"
_SESSIONS = "checkout/sessions"

SITES: dict[str, Site] = {
    "customers.create": Site(
        call=lambda s: s.gateway.customers.create(
            key="acct_2", email="bob@example.com", metadata={"account": "b"}
        ),
        shows=lambda s: len(s.desk.listed("customers", email="bob@example.com")),
        done=1,
    ),
    "customers.retrieve": Site(call=lambda s: s.gateway.customers.retrieve(s.customer_id)),
    "customers.update": Site(
        call=lambda s: s.gateway.customers.update(
            s.customer_id, key="req_1", name="Alice B", address={"city": "Lyon", "country": "FR"}
        ),
        shows=lambda s: s.desk.found(f"customers/{s.customer_id}")["name"],
        done="Alice B",
    ),
    "cards.retrieve": Site(
        call=lambda s: s.gateway.cards.retrieve(s.card_id), missing=PaymentMethodNotFound
    ),
    "cards.on_file": Site(call=lambda s: s.gateway.cards.on_file(s.customer_id)),
    "cards.attach": Site(
        call=lambda s: s.gateway.cards.attach(
            "pm_card_mastercard", key="req_1", customer_id=s.customer_id
        ),
        shows=lambda s: len(s.desk.listed(f"customers/{s.customer_id}/payment_methods")),
        done=2,
        missing=PaymentMethodNotFound,
    ),
    "cards.detach": Site(
        call=lambda s: s.gateway.cards.detach(s.card_id, key="req_1"),
        shows=lambda s: len(s.desk.listed(f"customers/{s.customer_id}/payment_methods")),
        done=0,
        missing=PaymentMethodNotFound,
    ),
    "cards.set_default": Site(
        call=lambda s: s.gateway.cards.set_default(
            s.card_id, key="req_1", customer_id=s.customer_id
        ),
        shows=lambda s: bool(
            s.desk.found(f"customers/{s.customer_id}")["invoice_settings"]["default_payment_method"]
        ),
        done=True,
    ),
    "portal.create": Site(
        call=lambda s: s.gateway.portal.create(
            key="req_1", customer_id=s.customer_id, return_url="https://app.example.com/"
        ),
        shows=_portal_pages,
        done="made",
    ),
    "setup_intents.create": Site(
        call=lambda s: s.gateway.setup_intents.create(
            key="set_1", customer_id=s.customer_id, metadata=MARK
        ),
        shows=_number_of(_SETUPS),
        done=1,
    ),
    "setup_intents.retrieve": Site(
        setting=_setup, call=lambda s: s.gateway.setup_intents.retrieve(s.things["setup"])
    ),
    "setup_intents.confirm": Site(
        setting=_setup,
        call=lambda s: s.gateway.setup_intents.confirm(
            s.things["setup"], key="set_1", payment_method_id=s.card_id
        ),
        shows=_status_of(_SETUPS, "setup"),
        done="succeeded",
    ),
    "setup_intents.cancel": Site(
        setting=_setup,
        call=lambda s: s.gateway.setup_intents.cancel(
            s.things["setup"], key="set_1", reason="abandoned"
        ),
        shows=_status_of(_SETUPS, "setup"),
        done="canceled",
    ),
    "payment_intents.create": Site(call=intent, shows=_number_of(_INTENTS), done=1),
    "payment_intents.create and confirm": Site(
        call=lambda s: intent(s, paid=True), shows=_number_of("charges"), done=1
    ),
    "payment_intents.retrieve": Site(
        setting=intent,
        call=lambda s: s.gateway.payment_intents.retrieve(s.things["intent"]),
        missing=PaymentNotFound,
    ),
    "payment_intents.find": Site(
        setting=intent,
        call=lambda s: s.gateway.payment_intents.find(
            customer_id=s.customer_id, metadata=MARK, since=EPOCH
        ),
    ),
    "payment_intents.confirm": Site(
        setting=intent,
        call=lambda s: s.gateway.payment_intents.confirm(s.things["intent"], key="pay_1"),
        shows=_number_of("charges"),
        done=1,
        missing=PaymentNotFound,
    ),
    "payment_intents.capture": Site(
        setting=lambda s: intent(s, manual=True),
        call=lambda s: s.gateway.payment_intents.capture(
            s.things["intent"], key="pay_1", currency="usd", amount_micros=3_000_000
        ),
        shows=lambda s: s.desk.found(f"{_INTENTS}/{s.things['intent']}")["amount_received"],
        done=300,
        missing=PaymentNotFound,
    ),
    "payment_intents.cancel": Site(
        setting=lambda s: intent(s, manual=True),
        call=lambda s: s.gateway.payment_intents.cancel(
            s.things["intent"], key="pay_1", reason="requested_by_customer"
        ),
        shows=_status_of(_INTENTS, "intent"),
        done="canceled",
        missing=PaymentNotFound,
    ),
    "refunds.create": Site(
        setting=lambda s: intent(s, paid=True),
        call=_refund,
        shows=lambda s: len(s.desk.listed("refunds", payment_intent=s.things["intent"])),
        done=1,
        missing=PaymentNotFound,
    ),
    "refunds.retrieve": Site(
        setting=_refunded,
        call=lambda s: s.gateway.refunds.retrieve(s.things["refund"]),
        missing=PaymentNotFound,
    ),
    "refunds.find": Site(
        setting=_refunded,
        call=lambda s: s.gateway.refunds.find(payment_intent_id=s.things["intent"], metadata=MARK),
        missing=PaymentNotFound,
    ),
    "checkout.create_payment": Site(
        call=lambda s: _checkout(s, "pay_1"), shows=_number_of(_SESSIONS), done=1
    ),
    "checkout.create_setup": Site(
        call=lambda s: s.gateway.checkout.create_setup(
            key="set_1", customer_id=s.customer_id, metadata=MARK, **URLS
        ),
        shows=_number_of(_SESSIONS),
        done=1,
    ),
    "checkout.retrieve": Site(
        setting=_session,
        call=lambda s: s.gateway.checkout.retrieve(s.things["session"]),
        missing=PaymentNotFound,
    ),
    "checkout.find": Site(
        setting=_session,
        call=lambda s: s.gateway.checkout.find(
            customer_id=s.customer_id, metadata=MARK, since=EPOCH
        ),
    ),
    "checkout.expire": Site(
        setting=_session,
        call=lambda s: s.gateway.checkout.expire(s.things["session"], key="req_1"),
        shows=_status_of(_SESSIONS, "session"),
        done="expired",
        missing=PaymentNotFound,
    ),
    "disputes.retrieve": Site(
        setting=_dispute, call=lambda s: s.gateway.disputes.retrieve(s.things["dispute"])
    ),
    "balance.since": Site(
        setting=lambda s: intent(s, paid=True),
        call=lambda s: list(s.gateway.balance.since(datetime.now(UTC) - timedelta(days=1))),
    ),
    "balance.about": Site(
        setting=_refunded, call=lambda s: list(s.gateway.balance.about(s.things["refund"]))
    ),
}
