"""Events and contexts as Lambda hands them to a function behind an HTTP API."""

import json
from dataclasses import dataclass
from typing import Any

USER = "acme/root"
ADMIN = {
    "org": "acme",
    "mode": "live",
    "subject": "user-root",
    "user": USER,
    "roles": '["admin"]',
    "tier": "",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What the runtime says of an invocation."""

    function_name: str = "measured"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:measured"
    aws_request_id: str = "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"


def event(
    method: str, path: str, *, body: dict[str, Any] | None = None, key: str | None = None
) -> dict[str, Any]:
    """One request of an admin, payload format 2.0, with the headers that a gateway passes on."""
    sent = {} if body is None else {"content-type": "application/json"}
    keyed = {} if key is None else {"idempotency-key": key}
    text = None if body is None else json.dumps(body)
    return {
        "version": "2.0",
        "routeKey": "ANY /{proxy+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "accept-encoding": "gzip, deflate",
            "authorization": "Bearer " + "e" * 600,
            "content-length": str(len(text or "")),
            "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "user-agent": "acme-billing/2.1",
            "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **sent,
            **keyed,
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "authorizer": {"lambda": ADMIN},
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "acme-billing/2.1",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "ANY /{proxy+}",
            "stage": "$default",
            "time": "21/Nov/2026:03:30:00 +0000",
            "timeEpoch": 1795231800000,
        },
        "isBase64Encoded": False,
        **({} if text is None else {"body": text}),
    }
