"""Whatever comes in, an answer in the surface's dialect goes out, and it is never a 5xx."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.http.dialects import AGENTS, dialect_of
from tests.http.events import ADMIN, ALICE, event
from tests.http.toy import healthy

EXAMPLES = max(300, settings.default.max_examples if settings.default else 0)

PATHS = sorted({operation.path for operation in healthy.operations})
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "", "get", "BREW"]
NAMES = [
    "amount", "amount_decimal", "currency", "reference", "job_id", "expires_at", "metadata",
    "userId", "requestId", "lineItems", "name", "user_id", "cvc", "number", "__proto__", "",
]  # fmt: skip
ODD_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "1e2", "5.0", "-0", "0", "9" * 40, "9" * 41]
ODD_TEXTS = [
    "\0", "\ud800", "USD\n", "usd", "4242 4242 4242 4242", "２", "x" * 300, "../..", "'; --",
    "2026-11-21T03:30:00Z", "0001-01-01T00:00:00+14:00", "acme/alice", "other/bob", "1.00001",
]  # fmt: skip

texts = st.text(max_size=20) | st.sampled_from(ODD_TEXTS)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=4)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(NAMES) | texts, values, max_size=6)


@st.composite
def broken_json(draw: st.DrawFn) -> str:
    """A good body with something cut out, put in, or put twice."""
    written = json.dumps(draw(objects) | {"amount": 5})
    where = draw(st.integers(0, len(written)))
    until = draw(st.integers(where, min(len(written), where + 5)))
    filling = draw(st.sampled_from(["", "[" * 1000, ",", '"', "\0", "\ufeff", *ODD_NUMBERS]))
    return written[:where] + filling + written[until:]


bodies = (
    objects.map(json.dumps)
    | values.map(json.dumps)
    | broken_json()
    | st.text(max_size=30)
    | st.sampled_from(ODD_NUMBERS).map(lambda number: f'{{"amount":{number}}}')
)
queries = st.text(max_size=30) | st.sampled_from(
    ["limit=5", "limit=%FF", "cursor=WyJ4IiwiMSJd", "user=other/bob", "from=x", "offset=99999999",
     "limit=5&limit=6", "&" * 100, "a=" + "b" * 2000, "user=%00", "currency=usd%0A"]
)  # fmt: skip
paths = (
    st.sampled_from(PATHS)
    | st.sampled_from(PATHS).map(lambda path: path + "/")
    | st.builds(lambda path, text: path.split("{")[0] + text, st.sampled_from(PATHS), texts)
    | texts
)
claims = (
    st.sampled_from([ALICE, ADMIN, None, {}, {"denied": "expired_token"}])
    | st.dictionaries(st.sampled_from([*ALICE, "denied"]), values, max_size=7)
    | st.builds(lambda name, value: {**ALICE, name: value}, st.sampled_from(list(ALICE)), values)
)
headers = st.dictionaries(
    st.sampled_from(["content-type", "content-encoding", "Idempotency-Key", "Authorization"])
    | texts,
    texts | st.sampled_from(["application/json", "text/plain", "gzip", "k1"]),
    max_size=3,
)


def assert_well_formed(answer: dict[str, Any], path: object) -> None:
    assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert 200 <= answer["statusCode"] < 500
    assert all(
        isinstance(part, str) and part.isprintable()
        for header in answer["headers"].items()
        for part in header
    )
    assert answer["headers"]["X-Request-Id"]
    answer["body"].encode()
    if not answer["body"]:
        return
    body = json.loads(answer["body"])
    agents = dialect_of(path if isinstance(path, str) else "") is AGENTS
    if agents:
        assert set(body) == {"data", "error", "meta"}
        assert (body["data"] is None) != (body["error"] is None)
    if answer["statusCode"] >= 400:
        assert set(body["error"]) == (
            {"code", "message", "details"}
            if agents
            else {"type", "code", "message", "param", "details", "request_id"}
        )


@settings(max_examples=EXAMPLES)
@given(
    method=st.sampled_from(METHODS),
    path=paths,
    body=st.none() | bodies,
    query=queries,
    sent=headers,
    who=claims,
    is_base64=st.booleans(),
)
def test_any_request_is_answered_in_the_dialect_of_its_path(
    *, method, path, body, query, sent, who, is_base64
):
    asked = event(method, path, body=body, query=query, headers=sent)
    asked["requestContext"]["authorizer"] = {"lambda": who}
    asked["isBase64Encoded"] = is_base64

    assert_well_formed(healthy.handler(asked), path)


@settings(max_examples=EXAMPLES)
@given(
    path=st.sampled_from([path for path in PATHS if "{" not in path]),
    body=bodies,
    key=texts,
)
def test_any_body_is_answered_by_every_operation_that_takes_one(path, body, key):
    asked = event("POST", path, body=body, headers={"idempotency-key": key}, claims=ADMIN)

    assert_well_formed(healthy.handler(asked), path)


@settings(max_examples=EXAMPLES)
@given(
    place=st.sampled_from(
        ["requestContext", "rawPath", "rawQueryString", "headers", "body", "isBase64Encoded",
         "version", "queryStringParameters", "cookies"]
    ),
    value=values,
    inside=st.sampled_from([None, "http", "authorizer", "requestId", "stage", "domainName"]),
)  # fmt: skip
def test_any_event_is_answered(place, value, inside):
    asked = event("POST", "/v1/billing/holds", body={"amount": 5})
    if inside is None:
        asked[place] = value
    else:
        asked["requestContext"][inside] = value

    assert_well_formed(healthy.handler(asked), asked["rawPath"])


@settings(max_examples=EXAMPLES)
@given(values)
def test_anything_at_all_is_answered(anything):
    assert_well_formed(healthy.handler(anything), "")
