"""What a request leaves behind, and what it does not."""

import json

import pytest

from tests.http.events import ALICE, event
from tests.http.toy import api

SECRETS = ["alice@example.com", "eyJhbGciOi", "hf_live_", "secret-of-alice", "key-of-alice"]


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_request_leaves_one_line_and_one_set_of_metrics(capsys):
    api.handler(event("GET", "/v1/billing/entries/e1"))

    told = capsys.readouterr()
    (line,) = lines(told.err)
    assert {name: line[name] for name in ("level", "message", "method", "route", "status")} == {
        "level": "INFO",
        "message": "request",
        "method": "GET",
        "route": "/v1/billing/entries/{entry_id}",
        "status": 200,
    }
    assert (line["request_id"], line["org"], line["code"]) == (
        "JKJaXmPLvHcESHA=",
        "acme/live",
        "",
    )
    assert line["duration_ms"] > 0
    (metrics,) = lines(told.out)
    assert metrics["route"] == "GET /v1/billing/entries/{entry_id}"
    assert metrics["Requests"] == [1.0]
    assert metrics["Latency"][0] > 0
    assert "Failures" not in metrics


def test_the_log_has_the_fields_of_the_list_and_no_others(capsys):
    api.handler(event("GET", "/v1/billing/entries"))

    (line,) = lines(capsys.readouterr().err)
    assert set(line) == {
        "level", "message", "timestamp", "service", "request_id", "method", "route", "status",
        "duration_ms", "org", "code",
    }  # fmt: skip


def test_paths_that_lead_nowhere_share_one_name(capsys):
    api.handler(event("GET", "/v1/billing/4242424242424242"))

    told = capsys.readouterr()
    assert "4242424242424242" not in told.out + told.err
    assert lines(told.out)[0]["route"] == "unknown"


@pytest.mark.parametrize("name", ["bug", "framework"])
def test_a_mistake_is_found_in_the_log_by_its_request_id(name, capsys):
    api.handler(event("GET", f"/v1/billing/failures/{name}"))

    mistake, request = lines(capsys.readouterr().err)
    assert mistake["request_id"] == request["request_id"] == "JKJaXmPLvHcESHA="
    assert (mistake["level"], request["level"]) == ("ERROR", "ERROR")
    assert (request["status"], request["code"]) == (500, "internal_error")
    assert mistake["frames"]


def test_a_mistake_tells_its_kind_and_place_and_no_value(capsys):
    api.handler(event("GET", "/v1/billing/failures/bug"))

    told = capsys.readouterr().err
    mistake = lines(told)[0]
    assert mistake["error"] == "ValueError"
    assert mistake["frames"][-1].split(" ")[1] == "fail"
    assert "secret-of-alice" not in told


def test_a_broken_invariant_tells_which(capsys):
    api.handler(event("GET", "/v1/billing/failures/broken"))

    told = capsys.readouterr()
    assert lines(told.err)[0]["invariant"] == "wallet acct_1 lost a micro"
    assert lines(told.out)[0]["Failures"] == [1.0]


def test_an_answer_that_does_not_fit_is_logged_without_its_values(capsys):
    api.handler(event("GET", "/v1/billing/half-lie"))

    told = capsys.readouterr().err
    assert lines(told)[0]["error"] == "ValidationError"
    assert "4242424242424242" not in told


def test_nothing_that_a_caller_sent_is_logged(capsys):
    body = {"amount": 5, "reference": SECRETS[0], "metadata": {SECRETS[3]: SECRETS[2]}}
    headers = {"authorization": f"Bearer {SECRETS[1]}", "idempotency-key": SECRETS[4]}

    for sent in (body, {**body, "amount": "5"}, {**body, SECRETS[3]: 1}):
        api.handler(
            event("POST", "/v1/billing/holds", body=sent, headers=headers, query=SECRETS[0])
        )
        api.handler(
            event("POST", "/v1/billing/holds", body=sent, headers=headers, claims={"denied": "x"})
        )

    told = capsys.readouterr()
    assert len(lines(told.err)) == 6
    assert not [secret for secret in SECRETS if secret in told.out + told.err]
    assert ALICE["subject"] not in told.out + told.err
