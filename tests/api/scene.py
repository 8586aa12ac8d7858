"""A ledger in which everybody has one of everything, and one good request for every operation."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import urlencode

from holdfast.domain import x402
from holdfast.domain.accounts import Tenant
from holdfast.domain.once import Once
from holdfast.services.reconciliation import reconcile
from holdfast.services.workspaces import Visitor, open_workspace
from tests.api.checkout import pays
from tests.api.provider import MODES, State
from tests.api.world import (
    BOB,
    NOON,
    NOON_TEXT,
    OPERATIONS,
    OTHER_ADMIN,
    PUBLIC_URL,
    TEST_ADMIN,
    TEST_ALICE,
    ZOE,
    Answer,
    World,
    account_of,
)
from tests.domain.x402_samples import PAY_TO, header, paid
from tests.http.events import ADMIN, ALICE, PLATFORM, event
from tests.simulator.values import Item

TEST_BOB = {**BOB, "mode": "test"}
CAROL = {**ALICE, "subject": "user-carol", "user": "acme/carol"}
PEOPLE: dict[str, dict[str, str]] = {
    "alice": ALICE,
    "bob": BOB,
    "carol": CAROL,
    "root": ADMIN,
    "ops": PLATFORM,
    "zoe": ZOE,
    "boss": OTHER_ADMIN,
    "twin": TEST_ALICE,
    "tester": TEST_BOB,
}
_ADMINS = {"acme/live": ADMIN, "globex/live": OTHER_ADMIN, "acme/test": TEST_ADMIN}


@dataclass(frozen=True, slots=True)
class Things:
    """What somebody has, by the names under which requests speak of it."""

    user: str
    account_id: str
    hold_id: str
    entry_id: str
    usage_id: str
    quote_id: str
    job_id: str
    workspace_id: str
    linked_id: str
    """Another account that the workspace is linked to."""
    spare_id: str
    """One with nothing in it, that no workspace is linked to."""
    member_id: str
    key_id: str
    grant_id: str
    method_id: str
    """The default card."""
    spare_method_id: str
    setup_id: str
    """A setup that waits to be confirmed, with a card of its own."""
    order_id: str
    intent_id: str
    """A payment that is in the wallet."""
    purchase_id: str
    """A purchase that is paid by card, and not given back in full."""
    begun_id: str
    """A purchase that waits to be confirmed."""
    aside_id: str
    """A purchase for which a bank has set the money aside."""
    refund_id: str
    coupon_code: str
    """One of its org's."""
    session_id: str
    """A page that was paid on, and whose money nobody has looked for yet."""


UNKNOWN = Things(
    user="acme/nobody",
    account_id="acct_" + "a" * 26,
    hold_id="hold_" + "0" * 26 + "_usd",
    entry_id="ent_" + "a" * 26,
    usage_id="ent_" + "b" * 26,
    quote_id="quote_" + "a" * 26,
    job_id="job-nobody",
    workspace_id="ws_" + "a" * 26,
    linked_id="acct_" + "b" * 26,
    spare_id="acct_" + "c" * 26,
    member_id="mem_" + "a" * 26,
    key_id="key_" + "a" * 26,
    grant_id="grant_" + "0" * 10 + "a" * 26 + "_usd",
    method_id="pm_" + "a" * 24,
    spare_method_id="pm_" + "b" * 24,
    setup_id="seti_" + "a" * 24,
    order_id="ord_" + "0" * 36 + "_usd",
    intent_id="pi_" + "a" * 24,
    purchase_id="pay_" + "0" * 36 + "_usd",
    begun_id="pay_" + "1" * 36 + "_usd",
    aside_id="pay_" + "2" * 36 + "_usd",
    refund_id="ref_" + "0" * 36 + "_usd",
    coupon_code="NOBODYS-1",
    session_id="cs_test_" + "a" * 24,
)
"""Nobody's: ids of the right form that were never given out."""

QUERIES: dict[str, dict[str, str]] = {
    "GET /v1/health": {},
    "GET /api/v1/billing/balance": {"user": "{user}"},
    "GET /api/v1/billing/balance/all": {"user": "{user}"},
    "GET /api/v1/billing/usage": {"user": "{user}"},
    "GET /api/v1/billing/transactions": {"user": "{user}"},
    "GET /v1/billing/wallet": {},
    "GET /v1/billing/entries": {},
    "GET /v1/billing/entries/{entry_id}": {},
    "GET /v1/billing/ledger/head": {},
    "GET /v1/billing/holds": {},
    "GET /v1/billing/holds/{hold_id}": {},
    "GET /v1/billing/jobs": {},
    "GET /api/agents/v1/wallet/balance": {},
    "GET /api/agents/v1/wallet/transactions": {},
    "GET /billing-accounts/{account_id}/balance": {},
    "GET /billing-accounts/{account_id}/transactions": {},
    "GET /workspaces/{workspace_id}/billing/balance": {},
    "GET /workspaces/{workspace_id}/billing/transactions": {},
    "GET /api/v1/billing/customer-balance": {"customerId": "{user}"},
    "GET /api/v1/billing/balance-transactions": {"customerId": "{user}"},
    "GET /billing-accounts": {},
    "GET /billing-accounts/{account_id}": {},
    "GET /workspaces/{workspace_id}/billing/accounts": {},
    "GET /api/v1/billing/accounts": {},
    "GET /api/v1/billing/accounts/{account_id}/members": {},
    "GET /api/agents/v1/billing/info": {},
    "GET /v1/billing/profile": {},
    "GET /v1/me/api-keys": {},
    "GET /api/v1/billing/credit-grants": {"userId": "{user}"},
    "GET /api/v1/billing/credit-balance": {"userId": "{user}"},
    "GET /api/v1/billing/credit-balance/breakdown": {"userId": "{user}"},
    "GET /v1/plans": {},
    "GET /api/v1/billing/plans": {},
    "GET /api/v1/billing/plans/{plan_id}": {},
    "GET /api/v1/dns/plans": {},
    "GET /v1/me/payment-methods": {},
    "GET /api/agents/v1/billing/stripe-config": {},
    "GET /api/agents/v1/billing/payment-methods": {},
    "GET /api/v1/billing/payment-methods": {"customerId": "{user}"},
    "GET /api/v1/billing/payment-methods/{method_id}": {},
    "GET /api/v1/billing/setup-intents/{setup_id}": {},
    "GET /v1/billing/reconciliation": {},
    "GET /v1/billing/coupons": {},
    "GET /api/agents/v1/wallet/coupons/validate": {"coupon_code": "WELCOME-26"},
    "GET /api/agents/v1/payments/{intent_id}/status": {},
    "GET /api/v1/billing/payment-intents": {"customerId": "{user}"},
    "GET /api/v1/billing/payment-intents/{intent_id}": {},
    "GET /api/v1/billing/refunds": {"customerId": "{user}"},
    "GET /api/v1/billing/refunds/{refund_id}": {},
    "GET /v1/me/wallet/orders": {},
    "GET /v1/billing/auto-recharge/attempts": {},
    "GET /v1/billing/recovery-status": {},
}
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/billing/deposit": {"user": "{user}", "amount": 10},
    "POST /api/v1/billing/withdraw": {"user": "{user}", "amount": 10},
    "POST /api/v1/billing/usage": {"user": "{user}", "amount": 10},
    "POST /api/v1/billing/refund": {
        "user": "{user}",
        "amount": 10,
        "originalTransactionId": "{usage_id}",
    },
    "POST /v1/billing/holds": {"amount": 10},
    "POST /v1/billing/holds/{hold_id}/capture": {"amount": 10},
    "POST /v1/billing/holds/{hold_id}/extend": {"amount": 10},
    "POST /v1/billing/holds/{hold_id}/release": {},
    "POST /v1/billing/hardware/quote": {"provider": "braket", "device": "Garnet", "shots": 10},
    "POST /v1/billing/hardware/hold": {"quote_id": "{quote_id}", "job_id": "job-next"},
    "POST /v1/billing/hardware/hold/{job_id}/release": {"capture_cents": 10},
    "POST /workspaces/{workspace_id}/billing/credits": {"amountCents": 10, "reason": "sorry"},
    "POST /api/v1/billing/customer-balance/adjustments": {"customerId": "{user}", "amount": 10},
    "POST /api/agents/v1/wallet/withdraw": {"amount": 10},
    "POST /api/v1/billing/zap": {
        "id": "1",
        "method": "billing.deposit",
        "params": {"user": "{user}", "amount": 10},
    },
    "POST /api/v1/zap": {
        "id": "1",
        "method": "billing.getBalance",
        "params": {"user": "{user}"},
    },
    "POST /workspaces": {"name": "lab"},
    "POST /workspaces/{workspace_id}/billing/accounts": {"name": "project"},
    "POST /workspaces/{workspace_id}/billing/accounts/link": {"billingAccountId": "{spare_id}"},
    "POST /workspaces/{workspace_id}/billing/accounts/{account_id}/default": {},
    "DELETE /workspaces/{workspace_id}/billing/accounts/{account_id}": {},
    "POST /api/v1/billing/accounts": {"name": "project"},
    "DELETE /api/v1/billing/accounts/{account_id}": {},
    "POST /api/v1/billing/accounts/{account_id}/members": {"userId": "newcomer"},
    "PATCH /api/v1/billing/accounts/{account_id}/members/{member_id}": {"role": "admin"},
    "DELETE /api/v1/billing/accounts/{account_id}/members/{member_id}": {},
    "PUT /api/agents/v1/billing/info": {"name": "Acme"},
    "POST /v1/me/api-keys": {"name": "ci", "scopes": ["wallet:read"]},
    "DELETE /v1/me/api-keys/{key_id}": {},
    "POST /api/v1/billing/credit-grants": {"userId": "{user}", "amountCents": 10},
    "POST /api/v1/billing/credit-grants/{grant_id}/void": {},
    "POST /api/v1/billing/credit": {"user": "{user}"},
    "POST /v1/me/payment-methods": {},
    "POST /v1/billing/stripe/setup-intent": {},
    "POST /api/agents/v1/billing/setup-intent": {},
    "POST /api/agents/v1/billing/payment-methods": {"payment_method_id": "pm_card_mastercard"},
    "PUT /api/agents/v1/billing/payment-methods/{method_id}/default": {},
    "DELETE /api/agents/v1/billing/payment-methods/{method_id}": {},
    "POST /api/v1/billing/payment-methods": {
        "customerId": "{user}",
        "providerRef": "pm_card_mastercard",
    },
    "PATCH /api/v1/billing/payment-methods/{method_id}": {"metadata": {"team": "lab"}},
    "DELETE /api/v1/billing/payment-methods/{method_id}": {},
    "POST /api/v1/billing/customers/{customer_id}/default-payment-method": {
        "paymentMethodId": "{spare_method_id}"
    },
    "POST /api/v1/billing/card/tokenize": {},
    "POST /api/v1/billing/setup-intents": {"customerId": "{user}"},
    "POST /api/v1/billing/setup-intents/{setup_id}/confirm": {},
    "POST /api/v1/billing/setup-intents/{setup_id}/cancel": {},
    "POST /v1/billing/coupons": {"kind": "credit", "amount": 10},
    "PATCH /v1/billing/coupons/{code}": {"active": False},
    "POST /api/agents/v1/wallet/coupons/redeem": {"coupon_code": "WELCOME-26"},
    "POST /api/agents/v1/wallet/fund": {"amount": 10, "payment_method_id": "pm_card_visa"},
    "POST /api/agents/v1/billing/payment-link": {"purpose": "fund", "amount": 10},
    "POST /api/agents/v1/wallet/confirm-checkout": {"session_id": "{session_id}"},
    "POST /api/v1/billing/topup": {
        "userId": "{user}",
        "paymentMethodId": "{method_id}",
        "amountCents": 1000,
    },
    "POST /api/v1/billing/topup/token": {
        "userId": "{user}",
        "sourceId": "pm_card_visa",
        "amountCents": 1000,
    },
    "POST /workspaces/{workspace_id}/billing/checkout": {
        "amountCents": 500,
        "successUrl": "https://app.example.com/paid",
        "cancelUrl": "https://app.example.com/",
    },
    "POST /workspaces/{workspace_id}/billing/checkout/x402": {"amountCents": 500},
    "POST /v1/billing/stripe/customer": {},
    "POST /v1/billing/stripe/payment-intent": {
        "amount_cents": 500,
        "payment_method_id": "pm_card_visa",
        "confirm": True,
    },
    "POST /v1/billing/stripe/checkout-session": {"mode": "payment", "amount_cents": 500},
    "POST /v1/billing/stripe/portal-session": {},
    "POST /v1/billing/stripe/reconcile-checkout": {"session_id": "{session_id}"},
    "POST /v1/me/wallet/orders": {
        "payment_method_id": "{method_id}",
        "plan_id": "credits-10",
        "idempotency_key": "order-1",
    },
    "POST /v1/me/wallet/orders/{order_id}/refund": {},
    "PUT /api/agents/v1/wallet/auto-funding": {"auto_charge_amount": 20, "charge_threshold": 10},
    "DELETE /api/agents/v1/wallet/auto-funding": {},
    "POST /v1/billing/auto-recharge/test": {},
    "POST /api/v1/billing/payment-intents": {"customerId": "{user}", "amount": 500},
    "POST /api/v1/billing/payment-intents/{intent_id}/confirm": {},
    "POST /api/v1/billing/payment-intents/{intent_id}/capture": {},
    "POST /api/v1/billing/payment-intents/{intent_id}/cancel": {},
    "POST /api/v1/billing/refunds": {"paymentIntentId": "{purchase_id}", "amount": 10},
    "POST /v1/billing/stripe/webhook": {},
    "POST /api/v1/billing/webhooks/{provider}": {},
}
OTHER_METHODS = ("PUT /api/agents/v1/billing/payment-methods/{method_id}/default",)
"""Operations that do nothing about a user's default card."""
PURCHASES = {
    "GET /api/v1/billing/payment-intents/{intent_id}": "{purchase_id}",
    "POST /api/v1/billing/payment-intents/{intent_id}/confirm": "{begun_id}",
    "POST /api/v1/billing/payment-intents/{intent_id}/capture": "{aside_id}",
    "POST /api/v1/billing/payment-intents/{intent_id}/cancel": "{begun_id}",
}
"""Operations about a purchase, each of one in a state that allows it."""
OTHER_ACCOUNTS = {
    "POST /workspaces/{workspace_id}/billing/accounts/{account_id}/default": "{linked_id}",
    "DELETE /workspaces/{workspace_id}/billing/accounts/{account_id}": "{linked_id}",
    "DELETE /api/v1/billing/accounts/{account_id}": "{spare_id}",
}
"""Operations that do nothing, or are refused, about a user's default account."""
CALLS = ("POST /api/v1/billing/zap", "POST /api/v1/zap")
"""Remote procedure calls: they tell what is wrong in words of their own."""
READS = tuple(QUERIES)
SIGNED = ("POST /v1/billing/stripe/webhook", "POST /api/v1/billing/webhooks/{provider}")
"""Open to everybody, and to nobody without a provider's signature."""
ELSEWHERE = ("POST /api/v1/billing/card/tokenize", *SIGNED)
"""Answered in one way alone, whatever is sent here: this is for others to do."""
PAGES = ("POST /v1/me/payment-methods", "POST /v1/billing/stripe/portal-session")
"""What is opened and not kept: the same key asks for another page."""
LOOKS = (
    "POST /v1/billing/stripe/customer",
    "POST /api/agents/v1/wallet/confirm-checkout",
    "POST /v1/billing/stripe/reconcile-checkout",
)
"""What is there once by itself, and is told as it is now whenever it is asked for."""
CHECKOUTS = (
    "POST /api/agents/v1/billing/payment-link",
    "POST /workspaces/{workspace_id}/billing/checkout",
    "POST /v1/billing/stripe/checkout-session",
)
"""Pages that are kept, and that have no address any more once their day is over."""
BRINGS_PAYMENT = ("POST /workspaces/{workspace_id}/billing/checkout/x402",)
"""Writes that bring a signed payment in a header: it is their key."""
BRINGS_KEY = ("POST /v1/me/wallet/orders",)
"""Writes whose body has to bring the key."""
WRITES = tuple(each for each in BODIES if each not in (*CALLS, *ELSEWHERE))
KEPT = tuple(each for each in WRITES if each not in (*PAGES, *LOOKS, *BRINGS_PAYMENT))
"""Writes that use their key up."""
OF_THE_PLATFORM = ("GET /v1/billing/reconciliation",)
"""What is about all orgs together."""
PLAN = "pro"
"""Nobody's own: it is on sale to everybody."""
PUBLIC = (
    "GET /v1/health",
    "GET /v1/plans",
    "GET /api/v1/billing/plans",
    "GET /api/v1/billing/plans/{plan_id}",
    "GET /api/v1/dns/plans",
)


@dataclass(frozen=True, slots=True)
class Request:
    """One good request; parts of it are changed by the tests that make it a bad one."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    is_paid: bool = False

    def event(self, *, by: dict[str, str]) -> dict[str, Any]:
        """The event that the gateway would make of it."""
        query, headers = urlencode(self.query), self._payment(by)
        return event(
            self.method, self.path, query=query, body=self.body, headers=headers, claims=by
        )

    def sent(self, world: World, **asked: Any) -> Answer:
        """What is answered; `asked` replaces parts of the request."""
        headers = {**self._payment(asked.get("by", ALICE)), **(asked.pop("headers", None) or {})}
        parts = {"query": self.query, "body": self.body, "headers": headers}
        return world.ask(self.method, self.path, **{**parts, **asked})

    def _payment(self, by: Mapping[str, str] | None) -> dict[str, str]:
        """The signed payment that it brings, if it does, on the chain of its caller's mode."""
        mode = (by or {}).get("mode")
        if not self.is_paid or mode not in ("live", "test"):
            return {}
        tenant, url = Tenant("acme", mode), PUBLIC_URL + self.path
        offer = x402.offer_of(tenant, pay_to=PAY_TO, amount_micros=5_000_000, url=url)
        return {"payment-signature": header(paid(offer=offer))}


def request(operation: str, things: Things) -> Request:
    """The good request of an operation about somebody's things."""
    method, path = operation.split(" ")
    body = BODIES.get(operation)
    path = path.replace("{account_id}", OTHER_ACCOUNTS.get(operation, "{account_id}"))
    path = path.replace("{intent_id}", PURCHASES.get(operation, "{intent_id}"))
    if operation in OTHER_METHODS:
        path = path.replace("{method_id}", "{spare_method_id}")
    return Request(
        method,
        path.format(
            **asdict(things),
            plan_id=PLAN,
            customer_id=things.account_id,
            provider="stripe",
            code=things.coupon_code,
        ),
        _filled(QUERIES.get(operation, {}), things),
        None if body is None else _filled(body, things),
        operation in BRINGS_PAYMENT,
    )


def things_of(name: str) -> Things:
    """What a person has."""
    return _built()[1][name]


def scene() -> World:
    """The ledger with everybody's things in it: the last one again, if nobody wrote to it."""
    if not _UNTOUCHED or _is_touched(_UNTOUCHED[0]):
        items, _, provider = _built()
        _UNTOUCHED[:] = [World(items, provider)]
    _UNTOUCHED[0].start_anew()
    return _UNTOUCHED[0]


def _is_touched(world: World) -> bool:
    return bool(world.mark()) or world.now != NOON or world.provider.is_touched


def opened(world: World, *, by: Mapping[str, str], account_id: str | None = None) -> str:
    """The id of a new workspace of the caller's, bound to an account of the caller's."""
    tenant = Tenant(by["org"], by["mode"])
    once = Once(
        tenant=tenant,
        caller=by["subject"],
        key=f"workspace {next(_NUMBERS)}",
        fingerprint="workspace",
        now=world.now,
    )
    visitor = Visitor(tenant, by["user"], is_admin=False)
    made = open_workspace(world.store, visitor, name="lab", account_id=account_id, once=once)
    workspace_id: str = made.record.id
    return workspace_id


_NUMBERS = count()
_UNTOUCHED: list[World] = []


@cache
def _built() -> tuple[tuple[Item, ...], dict[str, Things], State]:
    world = World()
    for admin in _ADMINS.values():
        _coupon(world, admin, "WELCOME-26")
    things = {name: _things(world, name, claims) for name, claims in PEOPLE.items()}
    for mode in MODES:
        reconcile(world.store, world.stripes, mode, NOON_TEXT[:10], now=world.now)
    return tuple(world.items()), things, world.provider.dumped()


def _things(world: World, name: str, claims: dict[str, str]) -> Things:
    admin = _ADMINS[f"{claims['org']}/{claims['mode']}"]
    named = {"user": claims["user"]}
    deposit = world.post("/api/v1/billing/deposit", by=admin, body={**named, "amount": 5000})
    usage = world.post("/api/v1/billing/usage", by=admin, body={**named, "amount": 50})
    held = world.quote(by=claims)["quote_id"]
    workspace_id = opened(world, by=claims)
    world.post(
        "/v1/billing/hardware/hold", by=claims, body={"quote_id": held, "job_id": f"job-{name}"}
    )
    return Things(
        user=claims["user"],
        account_id=account_of(claims),
        hold_id=world.hold(100, by=claims)["id"],
        entry_id=deposit["transactionId"],
        usage_id=usage["transactionId"],
        quote_id=world.quote(by=claims)["quote_id"],
        job_id=f"job-{name}",
        workspace_id=workspace_id,
        coupon_code=_coupon(world, admin, f"GIFT-{name}"),
        **_more(world, claims, workspace_id),
        **_cards(world, claims),
        **_payments(world, claims),
    )


def _more(world: World, claims: dict[str, str], workspace_id: str) -> dict[str, str]:
    """Accounts, a member, a key and a grant."""
    admin = _ADMINS[f"{claims['org']}/{claims['mode']}"]
    accounts, linked = "/api/v1/billing/accounts", f"/workspaces/{workspace_id}/billing/accounts"
    guest = {"userId": f"guest-of-{claims['subject']}"}
    # For a meter: so it is no part of the balance, and no hold draws on it.
    grant = {"userId": claims["user"], "amountCents": 70, "eligibility": ["meter-1"]}
    key = {"name": "ci", "scopes": ["wallet:read"]}
    made = {
        "linked_id": (linked, claims, {"name": "linked"}),
        "spare_id": (accounts, claims, {"name": "spare"}),
        "member_id": (f"{accounts}/{account_of(claims)}/members", claims, guest),
        "key_id": ("/v1/me/api-keys", claims, key),
        "grant_id": ("/api/v1/billing/credit-grants", admin, grant),
    }
    return {
        name: world.post(path, by=by, body=body)["id"] for name, (path, by, body) in made.items()
    }


def _coupon(world: World, admin: dict[str, str], code: str) -> str:
    """A coupon of the org's that nobody has redeemed."""
    body = {"code": code, "kind": "credit", "amount": 10}
    return str(world.post("/v1/billing/coupons", by=admin, body=body)["code"])


def _cards(world: World, claims: dict[str, str]) -> dict[str, str]:
    """Two cards, by which the wallet is recharged, and a third that waits to be confirmed."""
    methods, setups = "/api/agents/v1/billing/payment-methods", "/api/v1/billing/setup-intents"
    admin = _ADMINS[f"{claims['org']}/{claims['mode']}"]
    attached = [
        world.post(methods, by=claims, body={"payment_method_id": name})["data"]["id"]
        for name in ("pm_card_amex", "pm_card_visa")
    ]
    begun = {"customerId": claims["user"], "paymentMethodId": "pm_card_discover"}
    funding = {"amount": 25, "threshold": 5}
    world.ask("PUT", "/api/agents/v1/wallet/auto-funding", by=claims, body=funding)
    return {
        "method_id": attached[1],
        "spare_method_id": attached[0],
        "setup_id": world.post(setups, by=admin, body=begun)["id"],
    }


def _payments(world: World, claims: dict[str, str]) -> dict[str, str]:
    """An order, a payment by card, and a page that was paid on."""
    order = {
        "payment_method_id": world.get("/v1/me/payment-methods", by=claims)["data"][0]["id"],
        "plan_id": "credits-10",
        "idempotency_key": "scene",
    }
    fund = {"amount": 10, "payment_method_id": "pm_card_visa"}
    link = {"purpose": "fund", "amount": 10}
    agents = "/api/agents/v1"
    paid = world.post(f"{agents}/wallet/fund", by=claims, body=fund)["data"]["payment"]
    page = world.post(f"{agents}/billing/payment-link", by=claims, body=link)["data"]
    pays(world, page["session_id"], mode=claims["mode"])
    return {
        "order_id": world.post("/v1/me/wallet/orders", by=claims, body=order)["id"],
        "intent_id": paid["payment_intent_id"],
        "session_id": page["session_id"],
        **_purchases(world, claims),
    }


def _purchases(world: World, claims: dict[str, str]) -> dict[str, str]:
    """Purchases by card in three states, and a refund of a part of one."""
    admin = _ADMINS[f"{claims['org']}/{claims['mode']}"]
    card = world.get("/v1/me/payment-methods", by=claims)["data"][0]["id"]
    intents, made = "/api/v1/billing/payment-intents", {}
    for name, method in (("purchase", "automatic"), ("begun", "automatic"), ("aside", "manual")):
        body = {"customerId": claims["user"], "amount": 500, "paymentMethodId": card}
        asked = {**body, "captureMethod": method}
        made[f"{name}_id"] = world.post(intents, by=admin, body=asked)["id"]
        if name != "begun":
            world.post(f"{intents}/{made[f'{name}_id']}/confirm", by=admin, body={})
    part = {"paymentIntentId": made["purchase_id"], "amount": 20}
    return {
        **made,
        "refund_id": world.post("/api/v1/billing/refunds", by=admin, body=part)["id"],
    }


def _filled(template: Mapping[str, Any], things: Things) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, value in template.items():
        if isinstance(value, Mapping):
            filled[name] = _filled(value, things)
        else:
            filled[name] = value.format(**asdict(things)) if isinstance(value, str) else value
    return filled


assert {*READS, *WRITES, *CALLS, *ELSEWHERE} == {operation.name for operation in OPERATIONS}, (
    "an operation is missing"
)
