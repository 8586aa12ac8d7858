"""What an operation can refuse is read from its source, whichever way the refusal is raised."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast.domain import holds as rules
from holdfast.errors import (
    AccountNotFound,
    Conflict,
    Contention,
    Forbidden,
    Gone,
    HoldClosed,
    HoldNotFound,
    InsufficientFunds,
    InvalidCursor,
    KeyInUse,
    NotFound,
    Refusal,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unreadable,
)
from holdfast.http.principal import owner_named
from holdfast.services import accounts
from tests.openapi.descriptions import OPERATIONS
from tools.api_description.answers import refusals, successes
from tools.api_description.refusals import refusals_of


class NotReady(Refusal):
    """A refusal of the services' own: it has no status."""


def raised() -> None:
    raise Gone


def raised_with_facts() -> None:
    raise Gone(param="quote")


def handed_on() -> Refusal:
    return Gone()


def handed_over(refuse: Callable[[type[Refusal]], None]) -> None:
    refuse(Gone)


def called() -> None:
    raised()


def called_inside() -> Callable[[], None]:
    def decide() -> None:
        raised()

    return decide


def translated() -> None:
    try:
        raised()
    except Gone:
        raise Conflict from None


def caught_by_family() -> None:
    try:
        rules.currency_of("hold")
    except NotFound:
        return


def looked_at_and_let_go() -> None:
    try:
        raised()
    except Refusal:
        raise


def only_asked_about(error: Exception) -> bool:
    return isinstance(error, Gone)


def only_an_argument(raised: Callable[[], None]) -> None:
    raised()


def stays_inside() -> None:
    raise NotReady


def about_the_caller(caller: Any, store: Any) -> None:
    accounts.ensure(store, owner_named(caller, None), caller.now)


def about_somebody(caller: Any, store: Any) -> None:
    accounts.ensure(store, owner_named(caller, caller.user), caller.now)


def around_in_circles(deep: int) -> None:
    if deep:
        around_in_circles(deep - 1)
    raise Gone


def ours(function: Any) -> Any:
    """The function as if it stood in a file of the project."""
    function.__module__ = "holdfast.planted"
    return function


for each in (raised, called, around_in_circles):
    ours(each)


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (raised, {Gone}),
        (raised_with_facts, {Gone}),
        (handed_on, {Gone}),
        (handed_over, {Gone}),
        (called, {Gone}),
        (called_inside, {Gone}),
        (translated, {Conflict}),
        (caught_by_family, set()),
        (looked_at_and_let_go, {Gone}),
        (only_asked_about, set()),
        (only_an_argument, set()),
        (stays_inside, set()),
        (around_in_circles, {Gone}),
    ],
)
def test_a_refusal_is_found_however_it_is_raised(function: Any, wanted: set[type[Refusal]]):
    assert refusals_of(ours(function)) == wanted


def test_what_a_module_does_inside_is_found_from_outside():
    assert refusals_of(rules.currency_of) == {HoldNotFound}


def test_a_caller_who_asks_about_itself_is_never_told_that_it_is_not_there():
    busy = {Contention, Unavailable}

    assert refusals_of(ours(about_the_caller)) == busy
    assert {AccountNotFound, Forbidden, *busy} <= refusals_of(ours(about_somebody))


@pytest.mark.parametrize(
    ("operation", "there", "not_there"),
    [
        ("POST /v1/billing/holds", {InsufficientFunds, KeyInUse}, {HoldNotFound, InvalidCursor}),
        ("GET /v1/billing/holds", {InvalidCursor}, {InsufficientFunds, KeyInUse, TooLarge}),
        ("POST /v1/billing/holds/{hold_id}/capture", {HoldClosed, TooLarge}, {InvalidCursor}),
        ("POST /api/v1/billing/deposit", {AccountNotFound, Forbidden}, {InsufficientFunds}),
        ("GET /v1/health", {Unreadable}, {Unauthenticated, Unavailable}),
    ],
)
def test_an_operation_has_the_refusals_of_what_it_does(
    operation: str, there: set[type[Refusal]], not_there: set[type[Refusal]]
):
    found = refusals(OPERATIONS[operation])

    assert there <= found
    assert not not_there & found


def test_a_second_status_that_a_route_gives_is_seen():
    assert successes(OPERATIONS["POST /api/v1/billing/usage"].operation) == [200, 201]
    assert successes(OPERATIONS["POST /v1/billing/holds"].operation) == [201]
