"""Events of an HTTP API, payload format 2.0, as the gateway writes them after the authorizer."""

import json
from typing import Any

ALICE = {
    "org": "acme",
    "mode": "live",
    "subject": "user-alice",
    "user": "acme/alice",
    "roles": "[]",
    "tier": "",
}
ADMIN = {**ALICE, "subject": "user-root", "user": "acme/root", "roles": '["admin", "reseller"]'}
PLATFORM = {**ALICE, "subject": "user-ops", "user": "acme/ops", "roles": '["platform"]'}


def event(
    method: str,
    path: str,
    *,
    body: object = None,
    query: str = "",
    headers: dict[str, str] | None = None,
    claims: dict[str, str] | None = ALICE,
) -> dict[str, Any]:
    """One request. A body that is no string is written as JSON; no claims, no authorizer."""
    authorizer = {} if claims is None else {"authorizer": {"lambda": claims}}
    sent = {} if body is None else {"content-type": "application/json"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.example.com", **sent, **(headers or {})},
        "requestContext": {
            "apiId": "a1b2c3",
            "domainName": "a1b2c3.execute-api.us-east-1.amazonaws.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
            **authorizer,
        },
        "isBase64Encoded": False,
        **({} if body is None else {"body": body if isinstance(body, str) else json.dumps(body)}),
    }
