"""Cards on the agents surface, against a simulated Stripe on a socket."""

import json

import pytest

from local.stripe.knobs import Knobs
from tests.api.cards import AGENTS, NUMBERS, advance, at_stripe, attach, on_file
from tests.api.world import BOB, ZOE, Like, Refusal
from tests.http.events import ADMIN, ALICE

CONFIG = "/api/agents/v1/billing/stripe-config"
SETUP = "/api/agents/v1/billing/setup-intent"
UNKNOWN = Refusal(404, "payment_method_not_found", None, {})
METHOD_ID = Like(r"pm_\w{24}")


def declined(code):
    details = {"decline_code": code, "payment_intent_id": None}
    return Refusal(402, "payment_declined", None, details)


def path_of(card, verb=""):
    return f"{AGENTS}/{card['id']}{verb}"


def stored(world):
    return json.dumps(world.items())


# --- Saving --------------------------------------------------------------------------------------


def test_a_card_is_on_file_once_it_is_attached(world, desk):
    answer = world.ask("POST", AGENTS, body={"payment_method_id": "pm_card_visa"})

    shown = {
        "id": METHOD_ID,
        "brand": "visa",
        "last4": "4242",
        "exp_month": 12,
        "exp_year": 2030,
        "is_default": True,
    }
    assert (answer.status, answer.data) == (201, shown)
    assert world.get(AGENTS) == {"items": [answer.data], "count": 1}
    assert at_stripe(desk) == ["4242"]


def test_without_a_card_the_list_is_empty_and_nobody_becomes_a_customer(world, desk):
    assert world.get(AGENTS) == {"items": [], "count": 0}
    assert desk.listed("customers") == []


@pytest.mark.parametrize(
    ("said", "is_default"),
    [
        ({}, True),
        ({"make_default": None}, True),
        ({"make_default": True}, True),
        ({"make_default": False}, False),
        ({"set_default": True}, True),
        ({"set_default": False}, False),
        ({"make_default": False, "set_default": False}, False),
    ],
)
def test_a_second_card_is_the_default_one_unless_it_is_said_otherwise(
    world, desk, said, is_default
):
    attach(world)
    advance(desk)

    assert attach(world, "pm_card_amex", **said)["is_default"] is is_default
    assert on_file(world) == (
        [("0005", True), ("4242", False)] if is_default else [("4242", True), ("0005", False)]
    )


def test_the_first_card_is_the_default_one_whatever_is_said(world, desk):
    assert attach(world, make_default=False)["is_default"] is True


def test_two_names_for_one_thing_say_the_same(world, desk):
    body = {"payment_method_id": "pm_card_visa", "make_default": True, "set_default": False}

    refusal = world.refused("POST", AGENTS, body=body)

    assert refusal[:3] == (422, "invalid_field", "set_default")
    assert desk.listed("customers") == []


def test_a_card_that_is_on_file_stays_so(world, desk):
    card = attach(world)
    mark = world.mark()

    answer = world.ask("POST", AGENTS, body={"payment_method_id": card["id"]})

    assert (answer.status, answer.data) == (200, card)
    assert world.written_since(mark) == []
    assert at_stripe(desk) == ["4242"]


def test_a_card_that_is_on_file_can_become_the_default_one_by_attaching_it(world, desk):
    first = attach(world)
    advance(desk)
    attach(world, "pm_card_amex")

    answer = world.ask("POST", AGENTS, body={"payment_method_id": first["id"]})

    assert (answer.status, answer.data) == (200, first)
    assert on_file(world) == [("4242", True), ("0005", False)]


@pytest.mark.parametrize(
    ("card_id", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedStolenCard", "generic_decline"),
    ],
)
def test_a_card_that_its_bank_does_not_let_be_saved_is_not_on_file(world, desk, card_id, code):
    attach(world)

    refusal = world.refused("POST", AGENTS, body={"payment_method_id": card_id})

    assert refusal == declined(code)
    assert on_file(world) == [("4242", True)]
    assert at_stripe(desk) == ["4242"]


@pytest.mark.parametrize("card_id", ["pm_nobodys", "pm_card_nothing", "cus_1", "a..b", "tok_visa"])
def test_a_card_that_there_is_not_is_not_found(world, desk, card_id):
    attach(world)

    assert world.refused("POST", AGENTS, body={"payment_method_id": card_id}) == UNKNOWN
    assert at_stripe(desk) == ["4242"]


def test_somebody_elses_card_is_as_unknown_as_nobodys(world, desk):
    card = attach(world)
    attach(world, "pm_card_amex", by=BOB)
    attach(world, "pm_card_jcb", by=ZOE)
    body = {"payment_method_id": card["id"]}

    for by in (BOB, ZOE, ADMIN):
        world.get("/v1/billing/profile", by=by)
        attach(world, "pm_card_discover", by=by)
        assert world.refused("POST", AGENTS, by=by, body=body) == UNKNOWN
        assert world.refused("PUT", path_of(card, "/default"), by=by) == UNKNOWN
        assert world.refused("DELETE", path_of(card), by=by) == UNKNOWN

    assert on_file(world) == [("4242", True)]
    assert on_file(world, by=BOB) == [("1117", True), ("0005", False)]


def test_saving_a_card_grants_nothing_by_itself(world, desk):
    world.wallet()

    attach(world)

    assert world.cents() == (1000, 0)
    body = {"user": "acme/alice"}
    assert world.ask("POST", "/api/v1/billing/credit", body=body).status == 201
    assert world.cents() == (1500, 0)


# --- The default one, and removing ----------------------------------------------------------------


def test_another_card_becomes_the_default_one_and_the_first_is_no_more(world, desk):
    first = attach(world)
    advance(desk)
    attach(world, "pm_card_amex")

    answer = world.ask("PUT", path_of(first, "/default"))

    assert (answer.status, answer.data) == (200, first)
    assert on_file(world) == [("4242", True), ("0005", False)]
    (customer,) = desk.listed("customers")
    assert customer["invoice_settings"]["default_payment_method"] == first["id"]


def test_making_the_default_one_default_again_changes_nothing(world, desk):
    card = attach(world)
    mark = world.mark()

    answers = [world.ask("PUT", path_of(card, "/default"), key="k1") for _ in range(2)]

    assert [(each.status, each.data) for each in answers] == [(200, card)] * 2
    assert world.written_since(mark) == []


def test_a_card_that_is_removed_is_gone_here_and_at_stripe(world, desk):
    card = attach(world)

    answer = world.ask("DELETE", path_of(card))

    assert (answer.status, answer.data) == (200, {"id": card["id"], "deleted": True})
    assert world.get(AGENTS) == {"items": [], "count": 0}
    assert at_stripe(desk) == []


def test_a_card_that_was_removed_is_never_on_file_again(world, desk):
    card = attach(world)
    world.ask("DELETE", path_of(card))

    assert world.refused("DELETE", path_of(card)) == UNKNOWN
    assert world.refused("PUT", path_of(card, "/default")) == UNKNOWN
    assert world.refused("POST", AGENTS, body={"payment_method_id": card["id"]}) == UNKNOWN


def test_where_the_default_one_is_removed_the_newest_other_one_is(world, desk):
    for name in ("pm_card_visa", "pm_card_amex"):
        attach(world, name)
        advance(desk)
    third = attach(world, "pm_card_jcb")
    assert on_file(world) == [("0505", True), ("0005", False), ("4242", False)]

    world.ask("DELETE", path_of(third))

    assert on_file(world) == [("0005", True), ("4242", False)]


def test_where_another_one_is_removed_the_default_one_stays(world, desk):
    first = attach(world)
    advance(desk)
    attach(world, "pm_card_amex")

    world.ask("DELETE", path_of(first))

    assert on_file(world) == [("0005", True)]


def test_a_card_that_was_removed_on_a_page_of_stripes_is_gone_at_the_next_look(world, desk):
    card = attach(world)
    advance(desk)
    attach(world, "pm_card_amex")
    desk.gateway.cards.detach(card["id"], key="portal")

    assert on_file(world) == [("0005", True)]
    assert world.refused("PUT", path_of(card, "/default")) == UNKNOWN


def test_a_card_that_was_saved_on_a_page_of_stripes_is_there_at_the_next_look(world, desk):
    attach(world)
    advance(desk)
    (customer,) = desk.listed("customers")
    desk.gateway.cards.attach("pm_card_amex", key="page", customer_id=customer["id"])

    assert on_file(world) == [("4242", True), ("0005", False)]


# --- Deliveries, and a Stripe that is not there ---------------------------------------------------


def test_a_replay_of_each_write_is_the_first_answer_byte_for_byte(world, desk):
    first = attach(world)
    advance(desk)
    tried = [
        ("POST", AGENTS, {"payment_method_id": "pm_card_amex"}),
        ("PUT", path_of(first, "/default"), None),
        ("DELETE", path_of(first), None),
        ("POST", SETUP, None),
    ]
    for number, (method, path, body) in enumerate(tried):
        key = f"k{number}"
        answer = world.ask(method, path, body=body, key=key)
        world.start_anew()
        mark = world.mark()

        again = world.ask(method, path, body=body, key=key)

        told = again.text.replace(',"idempotency_replay":true', "")
        assert (again.status, told, again.replayed) == (answer.status, answer.text, True)
        assert world.written_since(mark) == []


@pytest.mark.parametrize("kind", ["close", "reset"])
def test_a_card_whose_saving_was_not_answered_is_saved_once_by_the_next_delivery(world, desk, kind):
    attach(world, "pm_card_amex")
    body = {"payment_method_id": "pm_card_visa"}
    path = "/v1/payment_methods/*/attach"
    Knobs(desk.address).fault(kind, method="POST", path=path, times=3, is_done=True)

    lost = world.ask("POST", AGENTS, body=body, key="k1")
    again = world.ask("POST", AGENTS, body=body, key="k1")

    assert lost.refusal == (502, "stripe_unavailable", None, {"outcome_unknown": True})
    assert (again.status, again.data["is_default"]) == (201, True)
    assert sorted(on_file(world)) == [("0005", False), ("4242", True)]
    assert sorted(at_stripe(desk)) == ["0005", "4242"]


def test_a_saving_that_nobody_repeats_is_found_at_the_next_look(world, desk):
    attach(world, "pm_card_amex")
    path = "/v1/payment_methods/*/attach"
    Knobs(desk.address).fault("close", method="POST", path=path, times=3, is_done=True)
    world.ask("POST", AGENTS, body={"payment_method_id": "pm_card_visa"})

    assert sorted(on_file(world)) == [("0005", True), ("4242", False)]


def test_while_stripe_is_down_nothing_is_saved_and_the_list_is_as_it_was(world, desk):
    card = attach(world)
    desk.fails(kind="close", times=50)
    tried = [
        ("POST", AGENTS, {"payment_method_id": "pm_card_amex"}),
        ("DELETE", path_of(card), None),
        ("PUT", path_of(card, "/default"), None),
        ("POST", SETUP, None),
    ]

    for method, path, body in tried:
        assert world.refused(method, path, body=body)[:2] == (502, "stripe_unavailable")

    assert world.get(AGENTS) == {"items": [card], "count": 1}


def test_a_decline_is_remembered_under_its_key_and_another_card_may_use_it(world, desk):
    attach(world)
    body = {"payment_method_id": "pm_card_chargeDeclined"}
    for _ in range(2):
        assert world.refused("POST", AGENTS, body=body, key="k1") == declined("generic_decline")

    other = world.ask("POST", AGENTS, body={"payment_method_id": "pm_card_amex"}, key="k1")

    assert (other.status, other.replayed) == (201, False)


# --- Setups ---------------------------------------------------------------------------------------


def test_a_setup_is_begun_with_what_a_browser_goes_on_with(world, desk):
    answer = world.ask("POST", SETUP)

    assert answer.status == 201
    assert answer.data == {
        "setup_intent_id": Like(r"seti_\w{24}"),
        "client_secret": Like(r"seti_\w{24}_secret_\w+"),
        "status": "requires_payment_method",
        "instructions": answer.data["instructions"],
    }
    (customer,) = desk.listed("customers")
    found = desk.found(f"setup_intents/{answer.data['setup_intent_id']}")
    assert (found["customer"], found["usage"]) == (customer["id"], "off_session")


def test_a_card_that_is_saved_by_a_setup_is_on_file_at_the_next_look(world, desk):
    begun = world.ask("POST", SETUP).data
    desk.gateway.setup_intents.confirm(
        begun["setup_intent_id"], key="browser", payment_method_id="pm_card_visa"
    )

    assert on_file(world) == [("4242", True)]


def test_an_account_is_one_customer_however_often_it_begins(world, desk):
    for _ in range(3):
        world.start_anew()
        world.ask("POST", SETUP)
        attach(world)

    assert len(desk.listed("customers")) == 1


def test_live_and_test_cards_of_one_user_never_meet(world, desk):
    twin = {**ALICE, "mode": "test"}
    attach(world)

    assert on_file(world, by=twin) == []
    attach(world, "pm_card_amex", by=twin)
    assert (on_file(world), on_file(world, by=twin)) == ([("4242", True)], [("0005", True)])


# --- The publishable key --------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["live", "test"])
def test_the_publishable_key_is_the_one_of_the_callers_mode(world, mode):
    shown = world.ask("GET", CONFIG, by={**ALICE, "mode": mode}).body["data"]

    assert set(shown) == {"publishable_key", "instructions"}
    assert shown["publishable_key"] == f"pk_{mode}_world"


@pytest.mark.parametrize("key", ["", "sk_live_secret", "rk_live_secret", " pk_live_x"])
def test_a_key_that_is_not_publishable_is_never_shown(world, key):
    world.publishable_keys = {"live": key}

    answer = world.ask("GET", CONFIG)

    assert answer.refusal[:2] == (503, "unavailable")
    assert "secret" not in answer.text


# --- What is never kept ---------------------------------------------------------------------------


def test_no_number_of_a_card_and_no_client_secret_is_kept_logged_or_shown(
    world, desk, caplog, capfd
):
    texts = [world.ask("POST", SETUP, key="k1").text for _ in range(2)]
    secret = json.loads(texts[0])["data"]["client_secret"]
    cards = [
        world.ask("POST", AGENTS, body={"payment_method_id": name})
        for name in ("pm_card_visa", "pm_card_mastercard", "pm_card_chargeDeclined")
    ]
    shown = "".join(each.text for each in cards) + world.ask("GET", AGENTS).text

    logged = caplog.text + "".join(capfd.readouterr())
    for number in NUMBERS:
        assert number not in stored(world) + shown + logged
    assert secret not in stored(world) + shown + logged
    assert "_secret_" not in stored(world) + logged
