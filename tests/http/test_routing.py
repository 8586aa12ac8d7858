"""Routes that are declared wrongly are found when they are declared."""

from typing import Annotated

import pytest
from aws_lambda_powertools.event_handler.depends import Depends

from holdfast.http.api import Api
from holdfast.http.principal import Admin, Caller
from holdfast.http.routing import Router
from holdfast.http.views import Answer, View
from holdfast.http.writes import KeyedWrite, Write
from tests.http.events import event


class Nothing(View):
    pass


def open_to_all() -> Nothing:
    return Nothing()


def for_callers(caller: Caller) -> Nothing:
    return Nothing()


def for_admins(caller: Admin) -> Answer[Nothing]:
    return Answer(Nothing())


def for_writers(once: Write) -> None:
    return None


def for_keyed_writers(keyed: KeyedWrite) -> Nothing:
    return Nothing()


@pytest.mark.parametrize("function", [for_callers, for_admins, for_writers, for_keyed_writers])
def test_a_route_with_a_caller_is_not_public(function):
    Router().get("/x")(function)
    with pytest.raises(AssertionError):
        Router().get("/x", public=True)(function)


def test_a_route_without_a_caller_says_that_it_is_public():
    Router().get("/x", public=True)(open_to_all)
    with pytest.raises(AssertionError):
        Router().get("/x")(open_to_all)


def test_a_caller_is_found_behind_any_dependency():
    def behind(caller: Caller) -> str:
        return caller.user

    def far_behind(user: Annotated[str, Depends(behind)]) -> str:
        return user

    def route(user: Annotated[str, Depends(far_behind)]) -> Nothing:
        return Nothing()

    router = Router()
    router.get("/x")(route)

    assert not router.operations[0].public


def test_a_route_says_what_it_answers():
    def silent(caller: Caller):
        return Nothing()

    def loose(caller: Caller) -> dict[str, str]:
        return {}

    for function in (silent, loose):
        with pytest.raises(AssertionError):
            Router().get("/x")(function)


def test_no_operation_is_there_twice():
    one, other = Router(), Router()
    one.get("/x")(for_callers)
    other.get("/x")(for_admins)

    with pytest.raises(AssertionError):
        Api(one, other)


def test_an_operation_is_told_as_documented():
    router = Router()
    router.post("/v1/things/{thing_id}/parts/{id}", status_code=201)(for_writers)

    (operation,) = router.operations
    assert operation.name == "POST /v1/things/{thing_id}/parts/{id}"
    assert operation.rule == "/v1/things/<thing_id>/parts/<id>"
    assert (operation.status, operation.takes_body, operation.view) == (201, False, None)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_every_method_can_be_declared(method):
    router = Router()
    getattr(router, method)("/x")(for_callers)

    assert router.operations[0].method == method.upper()


class Found(View):
    by: str


def test_a_fixed_path_goes_before_a_pattern():
    router = Router()

    @router.get("/things/{thing_id}", public=True)
    def pattern(thing_id: str) -> Found:
        return Found(by=thing_id)

    @router.get("/things/all", public=True)
    def fixed() -> Found:
        return Found(by="its own path")

    api = Api(router)

    assert api.handler(event("GET", "/things/all"))["body"] == '{"by":"its own path"}'
    assert api.handler(event("GET", "/things/t1"))["body"] == '{"by":"t1"}'


def test_a_routers_operations_may_be_served_by_two_functions():
    router = Router()
    router.get("/x", public=True)(open_to_all)

    assert Api(router).handler(event("GET", "/x"))["statusCode"] == 200
    assert Api(router).handler(event("GET", "/x"))["statusCode"] == 200


def test_an_answer_may_bring_headers_of_its_own():
    def kept() -> Answer[Nothing]:
        return Answer(Nothing(), headers={"Cache-Control": "max-age=60", "Vary": "Accept-Encoding"})

    router = Router()
    router.get("/x", public=True)(kept)
    router.get("/y", public=True)(open_to_all)
    api = Api(router)

    with_headers = api.handler(event("GET", "/x"))["headers"]
    without = api.handler(event("GET", "/y"))["headers"]

    assert with_headers == {**without, "Cache-Control": "max-age=60", "Vary": "Accept-Encoding"}
