"""Paying into a workspace on a page of Stripe's: for the account that was the default one then."""

import pytest

from tests.api.agents.test_funding import charges, deposits
from tests.api.agents.test_payment_links import confirm
from tests.api.checkout import pays
from tests.api.me.test_payment_methods import BAD, GOOD, NOT_ALLOWED
from tests.api.scene import opened
from tests.api.world import BOB, TEST_ALICE, ZOE, Like, Refusal, account_of
from tests.http.events import ADMIN, ALICE

URLS = {"successUrl": "https://app.example.com/paid", "cancelUrl": "https://app.example.com/"}
RECONCILE = "/v1/billing/stripe/reconcile-checkout"


def path_of(workspace_id, rest="checkout"):
    return f"/workspaces/{workspace_id}/billing/{rest}"


def checkout(world, workspace_id, cents=2500, *, by=ALICE, key=None, **more):
    body = {"amountCents": cents, **URLS, **more}
    return world.ask("POST", path_of(workspace_id), by=by, body=body, key=key)


def second_account(world, workspace_id, **more):
    body = {"name": "other", **more}
    return world.post(path_of(workspace_id, "accounts"), body=body)["id"]


def balance(world, account_id):
    return world.get(f"/billing-accounts/{account_id}/balance")["balanceCents"]


def member(world, role, by=BOB):
    body = {"userId": by["user"].split("/")[1], "role": role}
    world.post(f"/api/v1/billing/accounts/{account_of(ALICE)}/members", body=body)


def test_a_page_is_opened_for_the_default_account(world):
    answer = checkout(world, opened(world, by=ALICE))

    assert answer.status == 201
    assert answer.body == {
        "sessionId": Like(r"cs_test_\w{24}"),
        "url": Like(r"https://checkout\.stripe\.com/c/pay/cs_test_\w+"),
        "amountCents": 2500,
        "currency": "usd",
        "expiresAt": "2026-11-22T12:00:00.000Z",
        "billingAccountId": account_of(ALICE),
    }


def test_what_is_paid_is_credited_and_shown_in_the_workspace(world):
    workspace_id = opened(world, by=ALICE)
    session_id = checkout(world, workspace_id).body["sessionId"]
    pays(world, session_id)

    confirm(world, session_id)

    assert (world.cents(), deposits(world), charges(world)) == ((3500, 0), [2500], [2500])
    (shown,) = world.get(path_of(workspace_id, "transactions"))["data"]
    assert (shown["workspaceId"], shown["type"], shown["amountCents"]) == (
        workspace_id,
        "credit",
        2500,
    )


def test_the_account_stays_the_one_that_was_the_default_when_it_was_opened(world):
    workspace_id = opened(world, by=ALICE)
    session_id = checkout(world, workspace_id, key="k1").body["sessionId"]
    other = second_account(world, workspace_id, setDefault=True)
    pays(world, session_id)

    again = checkout(world, workspace_id, key="k1")
    confirm(world, session_id)

    assert again.body["billingAccountId"] == account_of(ALICE)
    assert (balance(world, account_of(ALICE)), balance(world, other)) == (3500, 0)
    assert checkout(world, workspace_id).body["billingAccountId"] == other


def test_the_page_of_another_account_is_paid_into_that_account(world):
    workspace_id = opened(world, by=ALICE)
    other = second_account(world, workspace_id, setDefault=True, currency="eur")
    answer = checkout(world, workspace_id)
    pays(world, answer.body["sessionId"])

    assert answer.body["currency"] == "eur"
    # The session is the other account's: it is not the caller's default one.
    refusal = confirm(world, answer.body["sessionId"]).refusal
    assert refusal == Refusal(404, "payment_not_found", None, {})
    assert balance(world, other) == 0


@pytest.mark.parametrize(
    ("cents", "status"),
    [(499, 422), (500, 201), (501, 201), (999_999, 201), (1_000_000, 201), (1_000_001, 422)],
)
def test_a_page_is_for_five_to_ten_thousand_dollars(world, cents, status):
    answer = checkout(world, opened(world, by=ALICE), cents)

    assert answer.status == status
    if status == 422:
        assert answer.refusal.param == "amountCents"
        assert list(world.provider.counter("live").every("customer")) == []


@pytest.mark.parametrize("name", ["successUrl", "cancelUrl"])
def test_both_addresses_have_to_be_given(world, name):
    body = {"amountCents": 2500, **URLS}
    del body[name]

    refusal = world.refused("POST", path_of(opened(world, by=ALICE)), body=body)

    assert refusal == Refusal(422, "invalid_field", name, {"reason": "required"})


@pytest.mark.parametrize("url", GOOD)
@pytest.mark.parametrize("name", ["successUrl", "cancelUrl"])
def test_a_person_comes_back_to_an_origin_that_is_allowed(world, name, url):
    assert checkout(world, opened(world, by=ALICE), **{name: url}).status == 201


@pytest.mark.parametrize("url", BAD)
@pytest.mark.parametrize("name", ["successUrl", "cancelUrl"])
def test_a_person_is_sent_nowhere_else(world, name, url):
    body = {"amountCents": 2500, **URLS, name: url}

    refusal = world.refused("POST", path_of(opened(world, by=ALICE)), body=body)

    assert refusal == Refusal(422, "invalid_field", name, NOT_ALLOWED)


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 201), ("member", 403), ("viewer", 403), (None, 404)]
)
def test_owners_and_admins_of_the_default_account_open_pages(world, role, status):
    workspace_id = opened(world, by=ALICE)
    if role:
        member(world, role)

    assert checkout(world, workspace_id, by=BOB).status == status


@pytest.mark.parametrize("by", [BOB, ZOE, TEST_ALICE], ids=lambda by: by["user"])
def test_a_workspace_of_somebody_else_is_as_unknown_as_nobodys(world, by):
    workspace_id = opened(world, by=ALICE)
    body = {"amountCents": 2500, **URLS}

    refusal = world.refused("POST", path_of(workspace_id), by=by, body=body)

    assert refusal == world.refused("POST", path_of("ws_" + "a" * 26), by=by, body=body)
    assert refusal[:2] == (404, "workspace_not_found")


def test_an_admin_of_the_org_opens_a_page_for_the_workspaces_account(world):
    answer = checkout(world, opened(world, by=ALICE), by=ADMIN)

    assert (answer.status, answer.body["billingAccountId"]) == (201, account_of(ALICE))


def test_the_same_key_is_the_same_page(world):
    workspace_id = opened(world, by=ALICE)

    answers = [checkout(world, workspace_id, key="k1") for _ in range(2)]

    assert answers[0].text == answers[1].text
    assert [each.replayed for each in answers] == [False, True]
    assert len(list(world.provider.counter("live").every("checkout.session"))) == 1
