"""Raw events, changed at random, over the real functions: always an answer, never a 5xx."""

import json
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from holdfast.audit import audit_items
from tests.api.scene import PEOPLE, READS, UNKNOWN, WRITES, request, scene, things_of
from tests.api.world import Answer
from tests.http.events import event

SEED = 20261121
EXAMPLES = 1_000
SOAK_EXAMPLES = 100_000

NAMES = [
    "amount", "amountDecimal", "amount_decimal", "currency", "user", "userId", "notes", "tags",
    "expiresIn", "requestId", "originalTransactionId", "metadata", "reference", "final",
    "expires_in_seconds", "expiry_policy", "over_capture", "overdraft_limit", "quote_id", "job_id",
    "idempotency_key", "capture_cents", "actual_cents", "reason", "provider", "device", "shots",
    "tasks", "circuit", "status", "limit", "cursor", "offset", "from", "to", "type", "cvc",
    "number", "__proto__", "",
]  # fmt: skip
TEXTS = [
    "\0", "\ud800", "USD\n", "usd", "jpy", "kwd", "xau", "4242 4242 4242 4242", "２", "x" * 300,
    "../..", "'; --", "2026-11-21T03:30:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "acme/alice", " ACME/Alice ", "globex/zoe", "1.00001", "0.0001", "-1", "99999999999999999999",
    "open", "active", "credit", "ionq-forte", "Garnet", "cash", "#", "a#b", "%00", "%FF",
    *(getattr(things, name) for things in (things_of("alice"), things_of("zoe"), UNKNOWN)
      for name in ("account_id", "hold_id", "entry_id", "usage_id", "quote_id", "job_id")),
]  # fmt: skip
NUMBERS = ["NaN", "-Infinity", "1e400", "1e2", "5.0", "-0", "0", "9" * 40, "9" * 41, "10", "-10"]
CLAIMS = [*PEOPLE.values(), None, {}, {"denied": "expired_token"}]
CLAIM_NAMES = ["org", "mode", "subject", "user", "roles", "tier", "denied"]

texts = st.text(max_size=12) | st.sampled_from(TEXTS)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def changed_bodies(draw: st.DrawFn, good: dict[str, Any]) -> object:
    """A good body with some fields changed, added, taken out; or broken as a text."""
    body = dict(good)
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*good, *NAMES]) if good else st.sampled_from(NAMES))
        if draw(st.integers(0, 4)):
            body[name] = draw(values)
        else:
            body.pop(name, None)
    written = json.dumps(body)
    if draw(st.integers(0, 3)):
        return written
    where = draw(st.integers(0, len(written)))
    until = draw(st.integers(where, min(len(written), where + 6)))
    filling = draw(st.sampled_from(["", "[" * 1000, ",", '"', "\0", "\ufeff", *NUMBERS]) | texts)
    return written[:where] + filling + written[until:]


@st.composite
def changed_queries(draw: st.DrawFn, good: dict[str, str]) -> str:
    fields = [f"{name}={value}" for name, value in good.items()]
    for _ in range(draw(st.integers(0, 3))):
        name, value = draw(st.sampled_from(NAMES)), draw(texts | st.sampled_from(NUMBERS))
        fields += [f"{name}={value}"]
    return "&".join(fields) if draw(st.integers(0, 9)) else draw(st.text(max_size=20))


@st.composite
def changed_claims(draw: st.DrawFn) -> object:
    by = draw(st.sampled_from(CLAIMS))
    if by and not draw(st.integers(0, 7)):
        return {**by, draw(st.sampled_from(CLAIM_NAMES)): draw(values)}
    return by


PLACES = [
    "requestContext", "rawPath", "rawQueryString", "headers", "body", "isBase64Encoded", "version",
    "http", "authorizer", "requestId", "stage", "domainName", "method", "path", "lambda",
]  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> object:
    """A request that is good, or nearly; now and then one that is an event by name alone."""
    asked = request(
        draw(st.sampled_from([*READS, *WRITES])),
        draw(st.sampled_from([*map(things_of, PEOPLE), UNKNOWN])),
    )
    method = asked.method
    if not draw(st.integers(0, 15)):
        method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "", "x"]))
    path = asked.path
    if not draw(st.integers(0, 7)):
        parts = path.split("/")
        parts[draw(st.integers(0, len(parts) - 1))] = draw(texts)
        path = "/".join(parts)
    sent = event(
        method,
        path,
        query=draw(changed_queries(asked.query)),
        body=draw(changed_bodies(asked.body or {})),
        headers=draw(
            st.dictionaries(
                st.sampled_from(["content-type", "content-encoding", "idempotency-key"]) | texts,
                texts | st.sampled_from(["application/json", "text/plain", "gzip", "k1"]),
                max_size=2,
            )
        ),
    )
    sent["requestContext"]["authorizer"] = {"lambda": draw(changed_claims())}
    sent["isBase64Encoded"] = not draw(st.integers(0, 15))
    if not draw(st.integers(0, 7)):
        _replace(sent, draw(st.sampled_from(PLACES)), draw(values))
    return sent if draw(st.integers(0, 63)) else draw(values)


def _replace(sent: Any, name: str, value: object) -> None:
    """Put a value in the first place of that name."""
    for inside in (
        sent,
        sent["requestContext"],
        sent["requestContext"]["http"],
        sent["requestContext"]["authorizer"],
    ):
        if name in inside:
            inside[name] = value
            return


def assert_well_formed(answer: Answer) -> None:
    assert 200 <= answer.status < 500, answer
    assert answer.headers["X-Request-Id"]
    for part in (text for header in answer.headers.items() for text in header):
        assert part.isprintable(), answer.headers
    answer.text.encode()
    if not answer.text:
        return
    if answer.status >= 400:
        assert answer.refusal.code
    elif answer.path.startswith("/api/agents/v1/"):
        assert answer.data
    else:
        assert "error" not in answer.body


def assert_any_event_is_answered(sent: Any) -> None:
    world = scene()
    mark = world.mark()

    answer = world.deliver(sent)

    assert_well_formed(answer)
    changed = world.written_since(mark)
    if answer.status >= 400:
        assert changed == [], answer
    if changed:
        assert audit_items(world.items()) == []


@seed(SEED)
@settings(max_examples=EXAMPLES)
@given(events())
def test_any_event_is_answered(sent):
    assert_any_event_is_answered(sent)


@pytest.mark.soak
@seed(SEED + 1)
@settings(max_examples=SOAK_EXAMPLES, database=None)
@given(events())
def test_any_of_a_hundred_thousand_events_is_answered(sent):
    assert_any_event_is_answered(sent)
