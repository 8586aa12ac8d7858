"""Cards of customers on the commerce surface, against a simulated Stripe on a socket."""

from typing import Any

import pytest

from tests.api.cards import COMMERCE, advance, at_stripe, attach, on_file
from tests.api.workspaces.places import member_of, open_account
from tests.api.world import BOB, OTHER_ADMIN, ZOE, Like, Refusal, account_of
from tests.http.events import ADMIN, ALICE

UNKNOWN = Refusal(404, "payment_method_not_found", None, {})
FORBIDDEN = Refusal(403, "forbidden", None, {})
NO_ACCOUNT = Refusal(404, "account_not_found", None, {})
TOKENIZE = "/api/v1/billing/card/tokenize"
ADDRESS = {"name": "Alice", "line1": "Hauptstraße 1", "city": "Köln", "country": "DE"}


def save(world, card_id="pm_card_visa", *, by=ALICE, user="acme/alice", **more):
    body = {"customerId": user, "providerRef": card_id, **more}
    return world.post(COMMERCE, by=by, body=body)


def listed(world, *, by=ALICE, **query):
    return world.get(COMMERCE, by=by, query=query)["paymentMethods"]


def test_a_card_is_shown_by_what_it_is_known_by_and_not_by_what_it_is_charged_by(world, desk):
    body = {
        "customerId": "acme/alice",
        "type": "card",
        "providerRef": "pm_card_visa",
        "providerType": "stripe",
        "billingAddress": ADDRESS,
        "metadata": {"team": "lab"},
    }

    answer = world.ask("POST", COMMERCE, body=body)

    assert answer.status == 201
    assert answer.body == {
        "id": Like(r"pm_\w{24}"),
        "customerId": "acme/alice",
        "type": "card",
        "name": "Visa ending in 4242",
        "isDefault": True,
        "card": {"brand": "visa", "last4": "4242", "expMonth": 12, "expYear": 2030},
        "billingAddress": ADDRESS,
        "metadata": {"team": "lab"},
        "created": "2026-11-21T12:00:00.000Z",
    }
    listed = {"paymentMethods": [answer.body], "count": 1, "nextCursor": None}
    assert world.get(COMMERCE) == listed
    assert world.get(f"{COMMERCE}/{answer.body['id']}") == answer.body


def test_a_second_card_is_not_the_default_one_until_it_is_chosen(world, desk):
    first = save(world)
    advance(desk)
    second = save(world, "pm_card_amex")
    assert (second["isDefault"], second["name"]) == (False, "American Express ending in 0005")
    path = "/api/v1/billing/customers/alice/default-payment-method"

    chosen = world.ask("POST", path, body={"paymentMethodId": second["id"]})

    assert (chosen.status, chosen.body) == (200, {**second, "isDefault": True})
    assert [each["id"] for each in listed(world)] == [second["id"], first["id"]]


def test_a_default_one_that_there_is_not_leaves_the_default_one_as_it_was(world, desk):
    save(world)
    theirs = attach(world, "pm_card_amex", by=BOB)
    path = f"/api/v1/billing/customers/{account_of(ALICE)}/default-payment-method"

    for card_id in (theirs["id"], "pm_nobodys"):
        assert world.refused("POST", path, body={"paymentMethodId": card_id}) == UNKNOWN
        assert world.refused("POST", path, by=ADMIN, body={"paymentMethodId": card_id}) == UNKNOWN

    assert on_file(world) == [("4242", True)]


@pytest.mark.parametrize("kind", ["bank_account", "balance"])
def test_what_is_no_card_is_refused_with_the_reason(world, desk, kind):
    body = {"customerId": "alice", "type": kind, "providerRef": "pm_card_visa"}

    refusal = world.refused("POST", COMMERCE, body=body)

    details = {"reason": "only cards can be saved here"}
    assert refusal == (422, "invalid_field", "type", details)
    assert listed(world, type=kind) == []
    assert desk.listed("customers") == []


def test_without_a_card_of_the_providers_nothing_is_saved(world, desk):
    refusal = world.refused("POST", COMMERCE, body={"customerId": "alice", "type": "card"})

    assert refusal[:3] == (422, "invalid_field", "providerRef")
    assert desk.listed("customers") == []


def test_a_card_that_its_bank_does_not_let_be_saved_is_not_on_file(world, desk):
    save(world)
    body = {"customerId": "alice", "providerRef": "pm_card_chargeDeclinedInsufficientFunds"}

    refusal = world.refused("POST", COMMERCE, body=body)

    details = {"declineCode": "insufficient_funds", "paymentIntentId": None}
    assert refusal == (402, "payment_declined", None, details)
    assert at_stripe(desk) == ["4242"]


def test_what_is_said_of_a_card_is_replaced_and_what_is_not_said_stays(world, desk):
    card = save(world, billingAddress=ADDRESS, metadata={"team": "lab", "cost": "1"})
    path = f"{COMMERCE}/{card['id']}"

    moved = world.ask("PATCH", path, body={"billingAddress": {"city": "Lyon", "country": "FR"}})
    told = world.ask("PATCH", path, body={"metadata": {"team": "ops"}})
    emptied = world.ask("PATCH", path, body={"metadata": {}, "billingAddress": None})

    city = {"city": "Lyon", "country": "FR"}
    assert (moved.status, moved.body) == (200, {**card, "billingAddress": city})
    assert told.body == {**moved.body, "metadata": {"team": "ops"}}
    bare = {name: value for name, value in moved.body.items() if name != "metadata"}
    assert emptied.body == world.get(path) == bare


@pytest.mark.parametrize("country", ["de", "DEU", "", "D1"])
def test_a_country_has_two_letters(world, desk, country):
    card = save(world)

    body = {"billingAddress": {"country": country}}
    refusal = world.refused("PATCH", f"{COMMERCE}/{card['id']}", body=body)

    assert refusal[:3] == (422, "invalid_field", "billingAddress.country")


def test_a_card_that_is_removed_is_gone_here_and_at_stripe(world, desk):
    first = save(world)
    advance(desk)
    save(world, "pm_card_amex")

    answer = world.ask("DELETE", f"{COMMERCE}/{first['id']}")

    assert (answer.status, answer.body) == (200, {"id": first["id"], "deleted": True})
    assert on_file(world) == [("0005", True)]
    assert at_stripe(desk) == ["0005"]
    for method in ("GET", "DELETE"):
        assert world.refused(method, f"{COMMERCE}/{first['id']}") == UNKNOWN
    assert world.refused("PATCH", f"{COMMERCE}/{first['id']}", body={}) == UNKNOWN


# --- Whose ----------------------------------------------------------------------------------------


def test_an_admin_says_whose_card_it_is(world, desk):
    card = save(world, by=ADMIN)
    path = f"{COMMERCE}/{card['id']}"

    assert world.refused("GET", path, by=ADMIN) == UNKNOWN
    for name in ("acme/alice", "alice", account_of(ALICE)):
        assert world.get(path, by=ADMIN, query={"customerId": name})["id"] == card["id"]
    told = world.ask(
        "PATCH", path, by=ADMIN, query={"customerId": "alice"}, body={"metadata": {"a": "b"}}
    )
    gone = world.ask("DELETE", path, by=ADMIN, query={"customerId": "alice"})

    assert (told.status, told.body["metadata"], gone.status) == (200, {"a": "b"}, 200)
    assert on_file(world) == []


def test_a_list_without_a_name_is_the_callers_own_and_nobody_elses(world, desk):
    save(world)
    attach(world, "pm_card_amex", by=BOB)

    assert [each["card"]["last4"] for each in listed(world)] == ["4242"]
    assert listed(world, by=ADMIN) == []
    for named in (
        {"customerId": "bob"},
        {"user": "acme/bob"},
        {"user": "bob", "customerId": "bob"},
    ):
        assert [each["customerId"] for each in listed(world, by=ADMIN, **named)] == ["acme/bob"]


def test_two_names_for_two_customers_are_refused(world, desk):
    query = {"user": "bob", "customerId": "alice"}

    refusal = world.refused("GET", COMMERCE, by=ADMIN, query=query)

    assert refusal[:3] == (422, "invalid_field", "user")


def test_other_users_and_other_orgs_see_and_change_nothing(world, desk):
    card = save(world)
    path = f"{COMMERCE}/{card['id']}"
    asked: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("PATCH", path, {"metadata": {}}),
        ("DELETE", path, None),
    ]

    for method, place, body in asked:
        by_name = {"customerId": "acme/alice"}
        by_id = {"customerId": account_of(ALICE)}
        for by in (BOB, ZOE, OTHER_ADMIN):
            assert world.refused(method, place, by=by, body=body) == UNKNOWN
            refusal = world.refused(method, place, by=by, query=by_id, body=body)
            assert refusal in (NO_ACCOUNT, UNKNOWN)
        assert world.refused(method, place, by=BOB, query=by_name, body=body) == FORBIDDEN
        assert world.refused(method, place, by=ZOE, query=by_name, body=body) == NO_ACCOUNT
    theirs = {"customerId": account_of(ALICE), "providerRef": "pm_card_amex"}
    assert world.refused("POST", COMMERCE, by=BOB, body=theirs) == NO_ACCOUNT
    query = {"customerId": account_of(ALICE)}
    assert world.refused("GET", COMMERCE, by=BOB, query=query) == NO_ACCOUNT

    assert on_file(world) == [("4242", True)]


def test_a_member_of_an_account_saves_its_cards_and_a_viewer_only_looks(world, desk):
    other = open_account(world)
    carol = {**ALICE, "subject": "user-carol", "user": "acme/carol"}
    member_of(world, other, BOB, role="member")
    member_of(world, other, carol, role="viewer")

    card = save(world, by=BOB, user=other)

    assert card["customerId"] == other
    assert [each["id"] for each in listed(world, by=carol, customerId=other)] == [card["id"]]
    query, path = {"customerId": other}, f"{COMMERCE}/{card['id']}"
    assert world.get(path, by=carol, query=query)["id"] == card["id"]
    body = {"customerId": other, "providerRef": "pm_card_amex"}
    assert world.refused("POST", COMMERCE, by=carol, body=body) == FORBIDDEN
    assert world.refused("DELETE", path, by=carol, query=query) == FORBIDDEN
    assert world.refused("PATCH", path, by=carol, query=query, body={}) == FORBIDDEN
    assert listed(world) == []


def test_an_account_that_there_is_not_has_no_cards_and_gets_none(world, desk):
    nobodys = "acct_" + "a" * 26
    body = {"customerId": nobodys, "providerRef": "pm_card_visa"}

    assert world.refused("POST", COMMERCE, by=ADMIN, body=body) == NO_ACCOUNT
    assert world.refused("GET", COMMERCE, by=ADMIN, query={"user": nobodys}) == NO_ACCOUNT
    assert desk.listed("customers") == []


# --- Deliveries -----------------------------------------------------------------------------------


def test_a_replay_of_each_write_is_the_first_answer_byte_for_byte(world, desk):
    first = save(world)
    advance(desk)
    second = save(world, "pm_card_amex")
    default = "/api/v1/billing/customers/alice/default-payment-method"
    tried = [
        ("POST", COMMERCE, {"customerId": "alice", "providerRef": "pm_card_jcb"}),
        ("PATCH", f"{COMMERCE}/{first['id']}", {"metadata": {"a": "b"}}),
        ("POST", default, {"paymentMethodId": second["id"]}),
        ("DELETE", f"{COMMERCE}/{second['id']}", None),
    ]
    for number, (method, path, body) in enumerate(tried):
        answer = world.ask(method, path, body=body, key=f"k{number}")
        world.start_anew()
        mark = world.mark()

        again = world.ask(method, path, body=body, key=f"k{number}")

        assert (again.status, again.text, again.replayed) == (answer.status, answer.text, True)
        assert world.written_since(mark) == []


def test_while_stripe_is_down_cards_are_read_and_described_but_not_saved(world, desk):
    card = save(world)
    desk.fails(kind="close", times=50)
    path = f"{COMMERCE}/{card['id']}"

    body = {"customerId": "alice", "providerRef": "pm_card_amex"}
    assert world.refused("POST", COMMERCE, body=body)[:2] == (502, "stripe_unavailable")
    assert world.refused("DELETE", path)[:2] == (502, "stripe_unavailable")

    assert listed(world) == [card]
    assert world.get(path) == card
    assert world.ask("PATCH", path, body={"metadata": {"a": "b"}}).status == 200


# --- Tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2030, "cvc": "123"},
        {"pan": "4242424242424242"},
        '{"number": "4242424242424242"',
        "number=4242424242424242",
        "[" * 100_000,
        "x" * 300_000,
        "\0",
    ],
    ids=["none", "empty", "card", "pan", "not closed", "form", "nested", "large", "nul"],
)
def test_a_card_number_is_sent_elsewhere_and_never_read(world, caplog, capfd, body):
    answer = world.ask("POST", TOKENIZE, body=body, headers={"content-type": "text/plain"})

    assert answer.refusal[:2] == (503, "card_tokenized_elsewhere")
    assert "Stripe" in answer.body["error"]["message"]
    assert world.items() == []
    assert "4242424242424242" not in answer.text + caplog.text + "".join(capfd.readouterr())


def test_tokens_are_not_for_strangers(world):
    refusal = world.ask("POST", TOKENIZE, by=None, body={"pan": "4242424242424242"}).refusal

    assert refusal[:2] == (401, "unauthenticated")
