"""The form of answers: keys, errors, idempotency, parameters, lists, expansion."""

import base64
import json
from typing import Any

import pytest
import stripe

from tests.local.stripe.asking import CARD_ONLY, KEY, ask, client


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "You did not provide an API key."),
        ("sk_live_abcdefgh", "Invalid API Key provided: sk_live*****efgh"),
        ("whsec_abcdefgh", "Invalid API Key provided"),
        ("sk_test_", "Invalid API Key provided"),
    ],
)
def test_without_a_test_key_nothing_is_answered(server, key: str | None, message: str):
    reply = ask(server.address, "POST", "/v1/customers", key=key)

    assert reply.status == 401
    assert reply.error["type"] == "invalid_request_error"
    assert reply.error["message"].startswith(message)
    assert json.loads(ask(server.address, "GET", "/v1/customers").text)["data"] == []


def test_the_library_knows_a_wrong_key(server):
    with pytest.raises(stripe.AuthenticationError):
        client(server.address, key="sk_nonsense").v1.customers.list()


def test_a_key_may_be_sent_as_a_user_name(server):
    basic = base64.b64encode(f"{KEY}:".encode()).decode()

    reply = ask(
        server.address,
        "GET",
        "/v1/customers",
        key=None,
        headers={"Authorization": f"Basic {basic}"},
    )

    assert reply.status == 200


def test_an_error_says_where_it_is_explained(server):
    reply = ask(server.address, "GET", "/v1/customers/cus_no")

    error = reply.error
    assert reply.status == 404
    assert error["message"] == "No such customer: 'cus_no'"
    assert (error["code"], error["param"]) == ("resource_missing", "id")
    assert error["doc_url"] == "https://stripe.com/docs/error-codes/resource-missing"
    assert error["request_log_url"].endswith(reply.headers["request-id"])


def test_what_a_parameter_names_has_to_exist(server):
    reply = ask(server.address, "GET", "/v1/payment_intents?customer=cus_no")

    assert (reply.status, reply.error["code"], reply.error["param"]) == (
        400,
        "resource_missing",
        "customer",
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nonsense"), ("PUT", "/v1/customers"), ("GET", "/v1/customers/"), ("GET", "/v1")],
)
def test_an_address_that_leads_nowhere_says_so(server, method: str, path: str):
    reply = ask(server.address, method, path)

    assert reply.status == 404
    assert reply.error["message"].startswith(f"Unrecognized request URL ({method}: {path})")


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ("amount=100", "parameter_missing", "currency"),
        ("amount=100&currency=usd&colour=red", "parameter_unknown", "colour"),
        (
            "amount=100&currency=usd&automatic_payment_methods[maybe]=1",
            "parameter_unknown",
            "automatic_payment_methods[maybe]",
        ),
        ("amount=1.5&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=-1&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=100&currency=xyz", None, "currency"),
        ("amount=100&currency=usd&confirm=yes", None, "confirm"),
        ("amount=100&currency=usd&capture_method=later", None, "capture_method"),
        ("amount=100&currency=usd&customer=", "parameter_invalid_empty", "customer"),
        ("amount=100&currency=usd&metadata=1", None, "metadata"),
        ("amount[a]=100&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=100&currency=usd&off_session=true", None, "off_session"),
        ("a]b=1", None, "a]b"),
        ("a[b=1", None, "a[b"),
    ],
)
def test_a_wrong_parameter_is_named(server, form: str, code: str | None, param: str):
    reply = ask(server.address, "POST", "/v1/payment_intents", form=form)

    assert reply.status == 400
    assert reply.error["type"] == "invalid_request_error"
    assert (reply.error.get("code"), reply.error["param"]) == (code, param)
    assert json.loads(ask(server.address, "GET", "/v1/payment_intents").text)["data"] == []


@pytest.mark.parametrize(
    ("key_length", "value_length", "keys", "is_taken"),
    [
        (40, 500, 1, True),
        (41, 500, 1, False),
        (40, 501, 1, False),
        (10, 1, 50, True),
        (10, 1, 51, False),
    ],
)
def test_metadata_has_limits(v1, key_length: int, value_length: int, keys: int, is_taken: bool):
    metadata = {str(n).zfill(key_length): "v" * value_length for n in range(keys)}

    if is_taken:
        assert v1.customers.create({"metadata": metadata}).metadata.to_dict() == metadata
        return
    with pytest.raises(stripe.InvalidRequestError):
        v1.customers.create({"metadata": metadata})

    assert v1.customers.list().data == []


def test_the_same_key_gets_the_same_answer(server):
    form = {"email": "ada@example.com"}
    headers = {"Idempotency-Key": "k1"}

    first, second = (
        ask(server.address, "POST", "/v1/customers", form=form, headers=headers) for _ in range(2)
    )

    assert first.text == second.text
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["original-request"] == first.headers["request-id"]
    assert second.headers["request-id"] != first.headers["request-id"]
    assert len(json.loads(ask(server.address, "GET", "/v1/customers").text)["data"]) == 1


def test_a_declined_payment_is_declined_again_by_its_key(v1):
    def attempt() -> Any:
        with pytest.raises(stripe.CardError) as refused:
            v1.payment_intents.create(
                {
                    "amount": 500,
                    "currency": "usd",
                    "payment_method": "pm_card_chargeDeclined",
                    "confirm": True,
                    "automatic_payment_methods": CARD_ONLY,
                },
                {"idempotency_key": "k1"},
            )
        return refused.value

    first, second = attempt(), attempt()

    assert first.http_body == second.http_body
    assert second.headers["idempotent-replayed"] == "true"
    assert len(v1.charges.list().data) == 1


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/v1/customers", {"email": "grace@example.com"}, "with the same parameters"),
        ("/v1/setup_intents", {}, "('/v1/customers' not '/v1/setup_intents')"),
    ],
)
def test_a_key_is_for_one_request(server, v1, path: str, form: dict[str, str], said: str):
    headers = {"Idempotency-Key": "k1"}
    ask(server.address, "POST", "/v1/customers", form={"email": "a@example.com"}, headers=headers)

    reply = ask(server.address, "POST", path, form=form, headers=headers)

    assert (reply.status, reply.error["type"]) == (400, "idempotency_error")
    assert said in reply.error["message"]
    assert len(v1.customers.list().data) == 1
    assert v1.setup_intents.list().data == []


def test_a_request_that_was_malformed_does_not_use_its_key_up(server):
    headers = {"Idempotency-Key": "k1"}

    wrong = ask(server.address, "POST", "/v1/customers", form={"mail": "a"}, headers=headers)
    right = ask(server.address, "POST", "/v1/customers", form={"email": "a"}, headers=headers)

    assert (wrong.status, right.status) == (400, 200)


@pytest.mark.parametrize(("seconds", "customers"), [(86_399, 1), (86_400, 2), (86_401, 2)])
def test_a_key_is_remembered_for_a_day(v1, knobs, seconds: int, customers: int):
    v1.customers.create({}, {"idempotency_key": "k1"})
    knobs.advance(seconds)

    v1.customers.create({}, {"idempotency_key": "k1"})

    assert len(v1.customers.list().data) == customers


def test_lists_are_turned_page_by_page(v1):
    made = [v1.customers.create().id for _ in range(5)]

    first = v1.customers.list({"limit": 2})
    second = v1.customers.list({"limit": 2, "starting_after": first.data[-1].id})
    last = v1.customers.list({"limit": 2, "starting_after": second.data[-1].id})
    back = v1.customers.list({"limit": 2, "ending_before": second.data[0].id})

    pages = [[one.id for one in page.data] for page in (first, second, last, back)]
    assert pages == [made[:2:-1], made[2:0:-1], made[:1], made[:2:-1]]
    assert [page.has_more for page in (first, second, last, back)] == [True, True, False, False]
    every = v1.customers.list({"limit": 2}).auto_paging_iter()
    assert [one.id for one in every] == made[::-1]


@pytest.mark.parametrize(
    ("limit", "is_taken"), [("0", False), ("1", True), ("100", True), ("101", False), ("x", False)]
)
def test_a_page_has_one_to_a_hundred_objects(server, limit: str, is_taken: bool):
    reply = ask(server.address, "GET", f"/v1/customers?limit={limit}")

    assert reply.status == (200 if is_taken else 400)
    if not is_taken:
        assert reply.error["param"] == "limit"


def test_a_list_cannot_begin_after_what_is_not_there(v1):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.customers.list({"starting_after": "cus_no"})

    assert (refused.value.code, refused.value.param) == ("resource_missing", "starting_after")


def test_events_are_listed_by_type(v1, pay):
    pay()

    charges = v1.events.list({"type": "charge.*"}).data
    two = v1.events.list({"types": ["charge.succeeded", "payment_intent.created"]}).data

    assert [event.type for event in charges] == ["charge.succeeded"]
    assert [event.type for event in two] == ["charge.succeeded", "payment_intent.created"]


def test_paths_are_expanded_through_objects_and_lists(v1, pay, customer: str):
    pay(customer=customer)

    (listed,) = v1.payment_intents.list(
        {"expand": ["data.customer", "data.latest_charge.balance_transaction"]}
    ).data

    assert listed.customer.email == "ada@example.com"
    assert listed.latest_charge.balance_transaction.amount == 1000


@pytest.mark.parametrize("path", ["amount", "colour", "latest_charge.amount", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused(v1, pay, path: str):
    paid = pay()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payment_intents.retrieve(paid.id, {"expand": [path]})

    assert refused.value.param == "expand"


@pytest.mark.parametrize(("version", "status"), [("2026-10-28.endive", 200), ("newest", 400)])
def test_a_version_has_a_form(server, version: str, status: int):
    reply = ask(server.address, "GET", "/v1/customers", headers={"Stripe-Version": version})

    assert reply.status == status


def test_another_account_is_out_of_reach(v1):
    with pytest.raises(stripe.PermissionError):
        v1.customers.list({}, {"stripe_account": "acct_other"})
