"""The default account: made once, with its credit, at the user's first call or the first write."""

import pytest

from tests.api.scene import BODIES, READS, WRITES, request, scene, things_of
from tests.api.world import BOB, TEST_ALICE, account_of
from tests.http.events import ADMIN, ALICE

ALICES = things_of("alice")
NAMED = [
    each
    for each in WRITES
    if each.startswith("POST /api/v1/billing") and "{user}" in BODIES[each].values()
]


def introductory(world, claims=ALICE):
    """The introductory credits of a caller, as cents."""
    entries = [
        item
        for item in world.items()
        if item.get("type") == {"S": "introductory_credit"}
        and account_of(claims) in item["gsi1pk"]["S"]
    ]
    return [int(entry["amount"]["N"]) // 10_000 for entry in entries]


@pytest.mark.parametrize("operation", READS)
def test_a_users_own_first_look_shows_what_every_later_one_does(world, operation):
    # An admin looks at itself: some operations are for nobody else.
    asked = request(operation, things_of("root"))

    first = asked.sent(world, by=ADMIN)
    world.wallet(by=ADMIN)

    assert asked.sent(world, by=ADMIN) == first


@pytest.mark.parametrize(
    "path",
    [
        "/v1/billing/wallet",
        "/v1/billing/entries",
        "/v1/billing/ledger/head",
        "/api/v1/billing/balance?user=root",
        "/api/agents/v1/wallet/balance",
        "/api/agents/v1/wallet/transactions",
    ],
)
def test_a_users_own_first_look_makes_the_account(world, path):
    path, _, query = path.partition("?")

    world.get(path, by=ADMIN, query=query)

    assert introductory(world, ADMIN) == [1000]
    assert world.cents(by=ADMIN) == (1000, 0)


@pytest.mark.parametrize("currency", ["usd", "eur", "jpy"])
def test_the_first_look_may_be_in_any_currency(world, currency):
    world.wallet(currency=currency)

    assert world.cents() == (1000, 0)
    assert world.cents(currency="eur") == (0, 0)


@pytest.mark.parametrize("operation", ["deposit", "usage"])
def test_the_first_write_that_names_a_user_makes_the_account(world, operation):
    body = {"user": " ACME/Alice", "amount": 10}

    world.post(f"/api/v1/billing/{operation}", by=ADMIN, body=body)

    assert introductory(world) == [1000]
    assert introductory(world, ADMIN) == []


LOOKS_AT_SOMEBODY = [each for each in READS if ALICES.user in request(each, ALICES).query.values()]


@pytest.mark.parametrize("operation", LOOKS_AT_SOMEBODY)
def test_an_admins_look_at_somebody_makes_nothing(world, operation):
    request(operation, ALICES).sent(world, by=ADMIN)

    assert world.items() == []


@pytest.mark.parametrize("operation", NAMED)
def test_a_refused_write_makes_nobody(operation):
    world = scene()
    asked = request(operation, things_of("alice"))
    (name,) = {"user", "userId", "customerId"} & set(asked.body)
    body = {**asked.body, name: "acme/nobody"}
    if operation.endswith(("deposit", "usage", "adjustments", "payment-intents")):
        body["amount"] = 10**30
    if "payment-methods" in operation:
        body["type"] = "balance"
    if "setup-intents" in operation:
        body["usage"] = "never"
    if "amountCents" in body:
        body["amountCents"] = 10**30

    assert world.refused("POST", asked.path, by=ADMIN, body=body).status in (402, 403, 404, 422)


def test_an_account_is_made_once_however_often_and_by_whom_it_is_named(world):
    for _ in range(2):
        for name in ("alice", "acme/alice", " ALICE "):
            world.start_anew()
            world.deposit(1, user=name)
            world.wallet()
            world.get("/api/agents/v1/wallet/balance")

    assert introductory(world) == [1000]
    assert world.cents() == (1006, 0)


def test_everybody_has_a_credit_of_their_own(world):
    for claims in (ALICE, BOB, ADMIN, TEST_ALICE):
        assert world.cents(by=claims) == (1000, 0)
        assert introductory(world, claims) == [1000]


def test_a_first_hold_has_the_introductory_credit_to_draw_on(world):
    assert world.hold(1000)["wallet"] == {"balance": 1000, "held": 1000, "available": 0}


def test_a_first_quote_knows_of_the_introductory_credit(world):
    assert world.quote()["wallet"]["available_cents"] == 1000
