"""Accounts, workspaces, members and keys at once: every order is as good as a serial one.

A workspace has exactly one default account in all of them, always linked, and no closed account
has money or a workspace.
"""

from functools import cache

import pytest

from tests.faults import people
from tests.faults import world as ask
from tests.faults.meetings import COLD, STARTS, Meeting, Past
from tests.faults.world import MAJOR, Step

RANDOM_ORDERS = 60

# Alice has the account `lab` beside her own, `work` spends from her own, and Bob may look.
_GIVEN = (
    ask.look("first look"),
    people.open_account("lab"),
    people.open_account("spare"),
    people.open_workspace("work"),
    people.add_member("add", of="lab"),
    people.issue_key("key"),
    people.pay_in("fund", 5 * MAJOR, of="spare"),
)
# What another environment has done since.
_SINCE = (
    people.link("link", of="lab", to="work"),
    people.change_role("trust", "member", of="lab"),
    people.tell("tell", name="Alice"),
    people.take_out("empty", 5 * MAJOR, of="spare"),
)

_CLOSE = people.close_account("close", of="spare", at=1)
CLOSING: dict[str, Step] = {
    "it is paid into": people.pay_in("pay in", MAJOR, of="spare", at=1),
    "it is paid into in another currency": people.pay_in(
        "pay in", MAJOR, of="spare", currency="chf", at=1
    ),
    "it is linked": people.link("link it", of="spare", to="work", at=1),
    "a workspace is bound to it": people.open_workspace("more work", on="spare", at=1),
    "it is closed": people.close_account("close too", of="spare", at=1),
    "somebody is given a seat": people.add_member("seat", of="spare", at=1),
}
_SWAP = people.make_default("swap", of="lab", to="work", at=1)
BINDING: dict[str, tuple[Step, Step]] = {
    "the default moves to what is unlinked": (
        _SWAP,
        people.unlink("unlink", of="lab", to="work", at=1),
    ),
    "the default moves away from what is unlinked": (
        _SWAP,
        people.unlink("unlink", of="own", to="work", at=1),
    ),
    "the default moves twice": (_SWAP, people.make_default("back", of="own", to="work", at=1)),
    "one is unlinked twice": (
        people.unlink("unlink", of="lab", to="work", at=1),
        people.unlink("unlink too", of="lab", to="work", at=1),
    ),
    "one is unlinked, and linked as the default": (
        people.unlink("unlink", of="lab", to="work", at=1),
        people.link("link again", of="lab", to="work", default=True, at=1),
    ),
    "one is linked twice": (
        people.link("link it", of="spare", to="work", at=1),
        people.link("link it too", of="spare", to="work", default=True, at=1),
    ),
    "two are linked as the default": (
        people.link("link it", of="spare", to="work", default=True, at=1),
        people.open_in_workspace("new", to="work", default=True, at=1),
    ),
}
SEATS: dict[str, tuple[Step, Step]] = {
    "a role changes, and its member is removed": (
        people.change_role("rise", "admin", of="lab", at=1),
        people.remove_member("remove", of="lab", at=1),
    ),
    "two roles": (
        people.change_role("rise", "admin", of="lab", at=1),
        people.change_role("fall", "viewer", of="lab", at=1),
    ),
    "the role that was before": (
        people.change_role("rise", "admin", of="lab", at=1),
        people.change_role("stay", "member", of="lab", at=1),
    ),
    "one is added twice": (
        people.add_member("add carol", "acme/carol", of="lab", at=1),
        people.add_member("add carol too", "acme/carol", "admin", of="lab", at=1),
    ),
    "one is removed twice": (
        people.remove_member("remove", of="lab", at=1),
        people.remove_member("remove too", of="lab", at=1),
    ),
    "one leaves and comes back": (
        people.remove_member("remove", of="lab", at=1),
        people.add_member("back", role="admin", of="lab", at=1),
    ),
    "a key is revoked twice": (
        people.revoke_key("revoke", of="key", at=1),
        people.revoke_key("revoke too", of="key", at=1),
    ),
    "one field of the billing info twice": (
        people.tell("tell one", name="Alice Ltd", at=1),
        people.tell("tell another", name="Alice GmbH", at=1),
    ),
    "two fields of the billing info": (
        people.tell("tell one", email="a@acme.example", at=1),
        people.tell("tell another", address_country="DE", at=1),
    ),
    "the billing info as it is": (
        people.tell("tell one", name="Alice Ltd", at=1),
        people.tell("tell the same", name="Alice", at=1),
    ),
}
FIRST_CALLS = (
    people.open_workspace("work"),
    people.tell("tell", name="Alice"),
    ask.deposit("deposit", MAJOR),
    ask.look(),
)


@cache
def past() -> Past:
    return Past.of(_GIVEN, _SINCE)


@pytest.mark.parametrize("other", CLOSING.values(), ids=CLOSING)
def test_an_account_is_closed_empty_or_not_at_all(other):
    for start in STARTS:
        assert Meeting(past(), start, _CLOSE, other).some_orders(4 * RANDOM_ORDERS) > 1


@pytest.mark.parametrize("pair", BINDING.values(), ids=BINDING)
def test_a_workspace_has_one_default_account_in_every_order(pair):
    for start in STARTS:
        assert Meeting(past(), start, *pair).every_order() > 1


@pytest.mark.parametrize("pair", SEATS.values(), ids=SEATS)
def test_seats_keys_and_billing_info_are_as_some_order_leaves_them(pair):
    for start in STARTS:
        assert Meeting(past(), start, *pair).every_order() > 1


@pytest.mark.parametrize("second", FIRST_CALLS, ids=lambda step: step.key)
@pytest.mark.parametrize("first", FIRST_CALLS, ids=lambda step: step.key)
def test_two_first_calls_of_a_user_make_one_account(first, second):
    again = Step(key=f"{second.key} again", ask=second.ask)

    assert Meeting(Past.of(()), COLD, first, again).some_orders(RANDOM_ORDERS) > 0


@pytest.mark.parametrize(
    "step",
    [
        people.open_account("new", at=1),
        people.close_account("close", of="spare", at=1),
        people.open_workspace("more work", at=1),
        people.link("link it", of="spare", to="work", at=1),
        people.add_member("add carol", "acme/carol", of="lab", at=1),
        people.remove_member("leave", of="lab", by="acme/bob", at=1),
        people.issue_key("another key", at=1),
        people.revoke_key("revoke", of="key", at=1),
        people.tell("tell more", email="a@acme.example", at=1),
    ],
    ids=lambda step: step.key,
)
def test_one_request_delivered_twice_at_once_has_one_effect_and_one_answer(step):
    for start in STARTS:
        meeting = Meeting(past(), start, step, step)
        ((first, second), _), other = meeting.endings

        assert first == second
        assert other == meeting.endings[0]
        assert meeting.every_order() > 1


@pytest.mark.parametrize("share", range(2))
def test_faults_make_no_order_worse(share):
    """Two calls of each meeting fail, and the clients ask again, elsewhere."""
    pairs = [*BINDING.values(), *SEATS.values(), *((_CLOSE, other) for other in CLOSING.values())]
    runs = 0
    for number, pair in enumerate(pairs):
        if number % 2 == share:
            meeting = Meeting(past(), STARTS[number % len(STARTS)], *pair)
            runs += meeting.disturbed_orders(range(number, number + 8))
    assert runs >= 80
