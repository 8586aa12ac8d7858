"""Who may do what, and about whom: every operation, every caller, every target.

`authorization.csv` is the expected answer, read and agreed on; nothing in it is worked out here.
Callers (its columns) stand for: nobody, a credential that was denied, the admin of another org, a
user whose roles only look like an admin's, a member without a role, a user, the org's admin, the
platform, and the user's namesake in test mode. Targets (its rows) are as the caller sees them: its
own, a neighbour in its org and mode, a stranger elsewhere, and nobody at all; by name or by id.
"""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from tests.api.scene import (
    BODIES,
    PEOPLE,
    PUBLIC,
    QUERIES,
    SIGNED,
    UNKNOWN,
    request,
    scene,
    things_of,
)
from tests.api.world import DONE, OPERATIONS

KINDS = {
    "GET /v1/health": "public",
    "GET /v1/billing/wallet": "own read",
    "GET /v1/billing/entries": "own read",
    "GET /v1/billing/ledger/head": "own read",
    "GET /v1/billing/holds": "own read",
    "GET /v1/billing/jobs": "own read",
    "GET /api/agents/v1/wallet/balance": "own read",
    "GET /api/agents/v1/wallet/transactions": "own read",
    "POST /v1/billing/holds": "own write",
    "POST /v1/billing/hardware/quote": "own write",
    "GET /v1/billing/entries/{entry_id}": "own thing",
    "GET /v1/billing/holds/{hold_id}": "own thing",
    "POST /v1/billing/holds/{hold_id}/capture": "own thing",
    "POST /v1/billing/holds/{hold_id}/extend": "own thing",
    "POST /v1/billing/holds/{hold_id}/release": "own thing",
    "POST /v1/billing/hardware/hold": "own thing",
    "POST /v1/billing/hardware/hold/{job_id}/release": "own thing",
    "GET /api/v1/billing/transactions": "user read",
    "POST /api/v1/billing/withdraw": "withdrawal",
    "GET /api/v1/billing/balance": "admin",
    "GET /api/v1/billing/balance/all": "admin",
    "GET /api/v1/billing/usage": "admin",
    "POST /api/v1/billing/usage": "admin",
    "POST /api/v1/billing/deposit": "admin",
    "POST /api/v1/billing/refund": "refund",
    "GET /billing-accounts/{account_id}/balance": "seat read",
    "GET /billing-accounts/{account_id}/transactions": "seat read",
    "GET /workspaces/{workspace_id}/billing/balance": "seat read",
    "GET /workspaces/{workspace_id}/billing/transactions": "seat read",
    "POST /workspaces/{workspace_id}/billing/credits": "workspace credits",
    "GET /api/v1/billing/customer-balance": "admin",
    "GET /api/v1/billing/balance-transactions": "admin",
    "POST /api/v1/billing/customer-balance/adjustments": "admin",
    "POST /api/agents/v1/wallet/withdraw": "reseller",
    "POST /api/v1/billing/zap": "call",
    "POST /api/v1/zap": "call",
    "GET /billing-accounts": "own read",
    "GET /api/v1/billing/accounts": "own read",
    "GET /api/agents/v1/billing/info": "own read",
    "GET /v1/billing/profile": "own read",
    "GET /v1/me/api-keys": "own read",
    "POST /workspaces": "own write",
    "POST /api/v1/billing/accounts": "own write",
    "PUT /api/agents/v1/billing/info": "own write",
    "POST /v1/me/api-keys": "own write",
    "GET /billing-accounts/{account_id}": "seat read",
    "GET /workspaces/{workspace_id}/billing/accounts": "seat read",
    "GET /api/v1/billing/accounts/{account_id}/members": "seat read",
    "POST /workspaces/{workspace_id}/billing/accounts": "managed",
    "POST /workspaces/{workspace_id}/billing/accounts/{account_id}/default": "managed",
    "DELETE /workspaces/{workspace_id}/billing/accounts/{account_id}": "managed",
    "POST /api/v1/billing/accounts/{account_id}/members": "managed",
    "PATCH /api/v1/billing/accounts/{account_id}/members/{member_id}": "managed",
    "DELETE /api/v1/billing/accounts/{account_id}/members/{member_id}": "managed",
    "POST /workspaces/{workspace_id}/billing/accounts/link": "link",
    "DELETE /api/v1/billing/accounts/{account_id}": "own thing",
    "DELETE /v1/me/api-keys/{key_id}": "own thing",
    "GET /api/v1/billing/credit-grants": "user read",
    "GET /api/v1/billing/credit-balance": "user read",
    "GET /api/v1/billing/credit-balance/breakdown": "user read",
    "POST /api/v1/billing/credit-grants": "admin",
    "POST /api/v1/billing/credit-grants/{grant_id}/void": "grant",
    "POST /api/v1/billing/credit": "starter",
    "GET /v1/plans": "public",
    "GET /api/v1/billing/plans": "public",
    "GET /api/v1/billing/plans/{plan_id}": "public",
    "GET /api/v1/dns/plans": "public",
    "GET /v1/me/payment-methods": "own read",
    "GET /api/agents/v1/billing/stripe-config": "own read",
    "GET /api/agents/v1/billing/payment-methods": "own read",
    "POST /v1/me/payment-methods": "own write",
    "POST /v1/billing/stripe/setup-intent": "own write",
    "POST /api/agents/v1/billing/setup-intent": "own write",
    "POST /api/agents/v1/billing/payment-methods": "own write",
    "PUT /api/agents/v1/billing/payment-methods/{method_id}/default": "own thing",
    "DELETE /api/agents/v1/billing/payment-methods/{method_id}": "own thing",
    "GET /api/v1/billing/payment-methods": "user read",
    "POST /api/v1/billing/payment-methods": "user write",
    "GET /api/v1/billing/payment-methods/{method_id}": "own thing",
    "PATCH /api/v1/billing/payment-methods/{method_id}": "own thing",
    "DELETE /api/v1/billing/payment-methods/{method_id}": "own thing",
    "POST /api/v1/billing/customers/{customer_id}/default-payment-method": "managed",
    "POST /api/v1/billing/setup-intents": "admin",
    "GET /api/v1/billing/setup-intents/{setup_id}": "grant",
    "POST /api/v1/billing/setup-intents/{setup_id}/confirm": "grant",
    "POST /api/v1/billing/setup-intents/{setup_id}/cancel": "grant",
    "POST /api/v1/billing/card/tokenize": "elsewhere",
    "POST /v1/billing/stripe/webhook": "signed",
    "POST /api/v1/billing/webhooks/{provider}": "signed",
    "POST /workspaces/{workspace_id}/billing/checkout/x402": "managed",
    "GET /api/agents/v1/wallet/coupons/validate": "own read",
    "POST /api/agents/v1/wallet/coupons/redeem": "own write",
    "GET /v1/billing/reconciliation": "platform",
    "GET /v1/billing/coupons": "org read",
    "POST /v1/billing/coupons": "org write",
    "PATCH /v1/billing/coupons/{code}": "grant",
    "POST /api/agents/v1/wallet/fund": "own write",
    "POST /api/agents/v1/billing/payment-link": "own write",
    "POST /api/agents/v1/wallet/confirm-checkout": "own thing",
    "GET /api/agents/v1/payments/{intent_id}/status": "own thing",
    "POST /api/v1/billing/topup": "refund",
    "POST /api/v1/billing/topup/token": "user write",
    "POST /workspaces/{workspace_id}/billing/checkout": "managed",
    "POST /v1/billing/stripe/customer": "own write",
    "POST /v1/billing/stripe/payment-intent": "own write",
    "POST /v1/billing/stripe/checkout-session": "own write",
    "POST /v1/billing/stripe/portal-session": "own write",
    "POST /v1/billing/stripe/reconcile-checkout": "own thing",
    "GET /v1/me/wallet/orders": "own read",
    "POST /v1/me/wallet/orders": "own write",
    "POST /v1/me/wallet/orders/{order_id}/refund": "own thing",
    "PUT /api/agents/v1/wallet/auto-funding": "own write",
    "DELETE /api/agents/v1/wallet/auto-funding": "own write",
    "GET /v1/billing/auto-recharge/attempts": "own read",
    "POST /v1/billing/auto-recharge/test": "own write",
    "GET /v1/billing/recovery-status": "own read",
    "GET /api/v1/billing/payment-intents": "admin",
    "POST /api/v1/billing/payment-intents": "admin",
    "GET /api/v1/billing/payment-intents/{intent_id}": "grant",
    "POST /api/v1/billing/payment-intents/{intent_id}/confirm": "grant",
    "POST /api/v1/billing/payment-intents/{intent_id}/capture": "grant",
    "POST /api/v1/billing/payment-intents/{intent_id}/cancel": "grant",
    "GET /api/v1/billing/refunds": "admin",
    "POST /api/v1/billing/refunds": "grant",
    "GET /api/v1/billing/refunds/{refund_id}": "grant",
}
ABOUT_CALLER = (
    "public",
    "platform",
    "own read",
    "own write",
    "org read",
    "org write",
    "reseller",
    "elsewhere",
    "signed",
)
CALLERS = {
    "nobody": None,
    "denied": {"denied": "expired_token"},
    "boss": PEOPLE["boss"],
    "bob": {**PEOPLE["bob"], "roles": '["administrator", "admin-assistant", "platforms", "ADMIN"]'},
    "carol": PEOPLE["carol"],
    "alice": {**PEOPLE["alice"], "roles": '["member"]'},
    "root": PEOPLE["root"],
    "ops": PEOPLE["ops"],
    "twin": PEOPLE["twin"],
}
NEIGHBOURS = {"alice": "bob", "boss": "zoe", "twin": "tester"}
STRANGERS = {"boss": "alice"}
CODES = {
    400: "invalid_signature",
    401: "unauthenticated",
    402: "insufficient_funds",
    403: "forbidden",
    422: "unknown_field",
    503: "card_tokenized_elsewhere",
}
OTHER_CODES = ("not_found", "payment_method_needed")
NAMELESS = ("own", "neighbour", "stranger", "unknown")
NAMED = (*NAMELESS, "own id", "neighbour id", "stranger id", "unknown id")


def _table():
    with Path(__file__).with_name("authorization.csv").open(encoding="utf-8", newline="") as file:
        return {(row["kind"], row["target"]): row for row in csv.DictReader(file)}


TABLE = _table()


def targets_of(operation):
    return NAMED if "{user}" in {**QUERIES, **BODIES}[operation].values() else NAMELESS


CELLS = [
    pytest.param(operation, target, id=f"{operation} {target}")
    for operation in KINDS
    for target in targets_of(operation)
]


def person_of(name, target):
    """Whose things a target is, as the caller sees it; None for nobody's."""
    me = "alice" if name in ("nobody", "denied") else name
    if target.startswith("own"):
        return me
    if target.startswith("neighbour"):
        return NEIGHBOURS.get(me, "alice")
    if target == "stranger id" and me == "twin":
        return "alice"
    return STRANGERS.get(me, "zoe") if target.startswith("stranger") else None


def things_for(name, target):
    person = person_of(name, target)
    things = UNKNOWN if person is None else things_of(person)
    if person is None and name == "boss":
        things = replace(things, user="globex/nobody")
    return replace(things, user=things.account_id) if target.endswith("id") else things


def asked_for(operation, name, target):
    """The request about the target; where it can name nobody, it tries all the same."""
    things = things_for(name, target)
    asked = request(operation, things)
    kind = KINDS[operation]
    if kind not in ABOUT_CALLER:
        return asked
    if target == "own":
        return asked
    names = {"user": things.user, "account_id": things.account_id, "userId": things.user}
    if kind in ("own write", "org write", "reseller"):
        return replace(asked, body={**asked.body, **names})
    return replace(asked, query={**asked.query, **names, "org": "globex", "mode": "test"})


def allowed_things(operation, name, target):
    """Whose ids may be in the answer."""
    about_caller = KINDS[operation] in ABOUT_CALLER
    return person_of(name, "own" if about_caller else target)


def leaked(text, allowed):
    """Ids in an answer that belong to somebody else."""
    return [
        one
        for person in PEOPLE
        if person != allowed
        for one in (
            things_of(person).account_id,
            things_of(person).hold_id,
            things_of(person).entry_id,
            things_of(person).usage_id,
            things_of(person).quote_id,
            things_of(person).workspace_id,
            things_of(person).linked_id,
            things_of(person).spare_id,
            things_of(person).member_id,
            things_of(person).key_id,
            things_of(person).grant_id,
            things_of(person).method_id,
            things_of(person).spare_method_id,
            things_of(person).setup_id,
            things_of(person).order_id,
            things_of(person).intent_id,
            things_of(person).purchase_id,
            things_of(person).begun_id,
            things_of(person).aside_id,
            things_of(person).refund_id,
            things_of(person).session_id,
        )
        if one in text
    ]


def test_every_operation_that_is_served_is_in_the_table(record_property):
    assert set(KINDS) == {operation.name for operation in OPERATIONS}
    wanted = {
        (kind, target) for operation, kind in KINDS.items() for target in targets_of(operation)
    }
    assert set(TABLE) == wanted
    assert {tuple(row)[2:] for row in TABLE.values()} == {tuple(CALLERS)}
    record_property("figure", f"authorization: {len(CELLS) * len(CALLERS):,} cells")


def test_nothing_but_health_and_the_catalogue_is_public():
    public = {operation.name for operation in OPERATIONS if operation.public}

    assert public == {*PUBLIC, *SIGNED}


@pytest.mark.parametrize(("operation", "target"), CELLS)
def test_every_cell_of_the_table_is_true(operation, target):
    expected = TABLE[KINDS[operation], target]
    world = scene()
    statuses = {}
    for name, claims in CALLERS.items():
        mark = world.mark()

        answer = asked_for(operation, name, target).sent(world, by=claims)

        statuses[name] = "ok" if answer.status in DONE else str(answer.status)
        if statuses[name] != "ok":
            code = answer.refusal.code
            assert code == CODES.get(answer.status) or code.endswith(OTHER_CODES), (name, code)
            assert world.written_since(mark) == [], name
            continue
        assert leaked(answer.text, allowed_things(operation, name, target)) == [], name
        if operation in QUERIES:
            assert world.written_since(mark) == [], name
        else:
            world = scene()
    assert statuses == {name: expected[name] for name in CALLERS}


ABOUT_THINGS = [each for each, kind in KINDS.items() if kind in ("own thing", "refund")]


@pytest.mark.parametrize("operation", ABOUT_THINGS)
@pytest.mark.parametrize("name", [name for name, claims in CALLERS.items() if claims])
def test_what_is_somebody_elses_is_as_unknown_as_what_is_nobodys(operation, name):
    """The same bytes, the request id too: the events here all have the same one."""
    world = scene()
    own = things_for(name, "own")
    texts = set()
    for target in ("neighbour", "stranger", "unknown"):
        things = things_for(name, target)
        texts.add(
            request(operation, replace(things, user=own.user)).sent(world, by=CALLERS[name]).text
        )

    assert len(texts) == 1


ABOUT_USERS = [each for each in KINDS if targets_of(each) == NAMED and KINDS[each] != "refund"]


@pytest.mark.parametrize("operation", ABOUT_USERS)
@pytest.mark.parametrize("name", ["alice", "root", "ops", "twin"])
def test_another_orgs_users_and_accounts_are_as_unknown_as_nobodys(operation, name):
    world = scene()
    pairs = [
        ("globex/zoe", "globex/nobody"),
        (things_of("zoe").account_id, UNKNOWN.account_id),
        (things_of("twin" if name != "twin" else "alice").account_id, UNKNOWN.account_id),
    ]
    for pair in pairs:
        answers = [
            request(operation, replace(UNKNOWN, user=user)).sent(world, by=CALLERS[name])
            for user in pair
        ]
        assert answers[0].status in (403, 404)
        assert answers[0] == answers[1]


@pytest.mark.parametrize("operation", KINDS)
@pytest.mark.parametrize("reason", ["expired_token", "wrong_audience", "unknown_credential"])
def test_a_denied_caller_is_told_why_whatever_it_sends(operation, reason):
    world = scene()
    asked = request(operation, things_of("alice"))
    if operation in PUBLIC:
        assert asked.sent(world, by={"denied": reason}).status == 200
        return
    if operation in SIGNED:
        assert asked.sent(world, by={"denied": reason}).refusal[:2] == (400, "invalid_signature")
        return
    for body in (asked.body, "[", "\0"):
        refusal = world.refused(asked.method, asked.path, by={"denied": reason}, body=body)
        assert refusal == (401, "unauthenticated", None, {"reason": reason})


@pytest.mark.parametrize("operation", [each for each in KINDS if each not in (*PUBLIC, *SIGNED)])
def test_a_function_url_vouches_for_nobody(operation):
    """The context of an authorizer that was written by whoever sent the event."""
    world = scene()
    asked = request(operation, things_of("root"))
    mark = world.mark()

    forged = asked.event(by=PEOPLE["root"])
    forged["requestContext"]["domainName"] = "abc123.lambda-url.us-east-1.on.aws"

    assert world.deliver(forged).refusal[:2] == (401, "unauthenticated")
    assert world.written_since(mark) == []


ROLES = {
    '["admin"]': True,
    '["owner"]': True,
    '["service"]': True,
    '["platform"]': True,
    '["member", "admin"]': True,
    "[]": False,
    '["Admin"]': False,
    '["admins"]': False,
    '["admin "]': False,
    '["not admin"]': False,
    '["[admin]"]': False,
}
"""A role is in the list or it is not."""


@pytest.mark.parametrize(("roles", "is_admin"), ROLES.items())
def test_a_role_counts_only_when_it_is_the_very_word(world, roles, is_admin):
    by = {**PEOPLE["carol"], "roles": roles}

    answer = world.ask("GET", "/api/v1/billing/balance", by=by, query={"user": "acme/alice"})

    assert answer.status == (200 if is_admin else 403)


@pytest.mark.parametrize(
    "roles", ["admin", "[admin]", "", "null", '"admin"', '{"admin":1}', '[["admin"]]']
)
def test_roles_that_cannot_be_read_make_nobody(world, roles):
    by = {**PEOPLE["carol"], "roles": roles}

    refusal = world.refused("GET", "/v1/billing/wallet", by=by)

    assert refusal == (401, "unauthenticated", None, {"reason": "invalid_credential"})


@pytest.mark.parametrize("name", ["tier", "org", "mode", "roles", "subject", "admin"])
@pytest.mark.parametrize("operation", [each for each in KINDS if KINDS[each] == "admin"])
def test_nobody_becomes_more_by_saying_so_in_a_query(operation, name):
    world = scene()
    asked = request(operation, things_of("alice"))
    query = {**asked.query, name: "admin", "user": "acme/alice"}

    refusal = world.refused(
        asked.method, asked.path, by=PEOPLE["alice"], query=query, body=asked.body
    )

    assert refusal[:2] == (403, "forbidden")
