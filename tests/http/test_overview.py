"""The health of the service."""

import json

import pytest

from overview.app import api, handler
from tests.http.events import event


@pytest.mark.parametrize("claims", [None, {"denied": "expired_token"}])
def test_health_is_anybodys_to_ask(claims):
    answer = handler(event("GET", "/v1/health", claims=claims))

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"status": "ok", "version": "development"}


def test_the_release_is_the_one_of_the_environment(monkeypatch):
    monkeypatch.setenv("HOLDFAST_VERSION", "1.2.3")

    assert json.loads(handler(event("GET", "/v1/health"))["body"])["version"] == "1.2.3"


def test_health_is_all_there_is():
    assert [operation.name for operation in api.operations] == ["GET /v1/health"]
    assert handler(event("GET", "/v1/billing/dashboard"))["statusCode"] == 404
    assert handler(event("POST", "/v1/health"))["statusCode"] == 405
