"""The API: who calls, which operation it is, what was answered before, and the answer."""

import base64
import binascii
import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from local.stripe import (
    balance,
    charges,
    checkout,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    portal,
    refunds,
    searches,
    setup_intents,
)
from local.stripe.calls import Call, Operation
from local.stripe.errors import Object, Refused, invalid, missing, unauthorized
from local.stripe.forms import decoded
from local.stripe.rendering import rendered
from local.stripe.wire import Answer, Request
from local.stripe.world import API_VERSION, KEY_SECONDS, World

OPERATIONS: list[Operation] = [
    *searches.OPERATIONS,
    *customers.OPERATIONS,
    *payment_methods.OPERATIONS,
    *setup_intents.OPERATIONS,
    *payment_intents.OPERATIONS,
    *charges.OPERATIONS,
    *refunds.OPERATIONS,
    *checkout.OPERATIONS,
    *portal.OPERATIONS,
    *disputes.OPERATIONS,
    *balance.OPERATIONS,
    *events.OPERATIONS,
]
_KEY_LENGTH_MAX = 255
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
_SECRET_KEY = r"(sk|rk)_{}_\w{{3,}}"
_PUBLISHABLE_KEY = r"pk_{}_\w{{3,}}"
_NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, "
    "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
    "https://stripe.com/docs/api#authentication for details, or we can help at "
    "https://support.stripe.com/."
)
_NO_SUCH_URL = (
    "Unrecognized request URL ({}: {}). If you are trying to list objects, remove the trailing "
    "slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) "
    "identifier in your code. Please see https://stripe.com/docs or we can help at "
    "https://support.stripe.com/."
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request whose caller is known."""

    request: Request
    raw: dict[str, Any]
    key: str | None
    is_publishable: bool

    @property
    def digest(self) -> str:
        """The same for the same operation with the same parameters."""
        asked = json.dumps([self.request.method, self.request.path, self.raw], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()


class Api:
    """Answers requests to `/v1`, each whole before the next."""

    def __init__(self, world: World, *, secret_key: str | None = None) -> None:
        self._world = world
        self._secret_key = secret_key
        self._secret_form = re.compile(_SECRET_KEY.format(world.mode), re.ASCII)
        self._publishable_form = re.compile(_PUBLISHABLE_KEY.format(world.mode), re.ASCII)
        self._in_progress: set[str] = set()

    @contextlib.contextmanager
    def in_progress(self, request: Request) -> Iterator[None]:
        """While the block runs, another request with the same idempotency key is refused."""
        key = request.headers.get("idempotency-key", "")
        self._in_progress.add(key)
        try:
            yield
        finally:
            self._in_progress.discard(key)

    def is_in_progress(self, request: Request) -> bool:
        return request.headers.get("idempotency-key", "") in self._in_progress - {""}

    def answer(self, request: Request) -> Answer:
        """One request, from its key to its answer."""
        request_id = self._world.new_id("req")
        try:
            asked = self._asked(request)
            if asked.key is not None:
                stored = self._stored(asked)
                if stored is not None:
                    return _answer(
                        stored["status"],
                        stored["body"].encode(),
                        request_id,
                        request,
                        replayed_from=stored["request_id"],
                    )
            status, body = self._carried_out(asked, request_id)
        except Refused as refused:
            return failure(refused, request_id, request)
        return _answer(status, body, request_id, request)

    def _asked(self, request: Request) -> _Asked:
        """Who calls, and with which parameters.

        Raises:
            Refused: There is no key or a wrong one, or the request cannot be read.
        """
        is_publishable = self._is_publishable(request)
        version = request.headers.get("stripe-version")
        if version is not None and not _VERSION.fullmatch(version):
            raise invalid(f"Invalid Stripe API version: {version}", None)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is not None and len(key) > _KEY_LENGTH_MAX:
            raise invalid(f"Idempotency keys may have up to {_KEY_LENGTH_MAX} characters.", None)
        try:
            encoded = [request.query, request.body.decode() if request.method == "POST" else ""]
            raw = decoded("&".join(part for part in encoded if part))
        except UnicodeDecodeError as error:
            raise invalid("Invalid request: the body has to be UTF-8.", None) from error
        if self.is_in_progress(request):
            raise Refused(
                "There is currently another in-progress request using this Stripe-Idempotent-Key "
                "(that probably means you submitted twice, and the other request is still going "
                f"through): {key}. Please try again later.",
                status=HTTPStatus.CONFLICT,
                kind="idempotency_error",
                code="idempotency_key_in_use",
                is_stored=False,
            )
        return _Asked(request, raw, key, is_publishable)

    def _is_publishable(self, request: Request) -> bool:
        given = _api_key(request.headers.get("authorization", ""))
        if not given:
            raise unauthorized(_NO_KEY)
        if self._publishable_form.fullmatch(given):
            return True
        wanted = self._secret_key
        if not self._secret_form.fullmatch(given) or (wanted is not None and given != wanted):
            hidden = given[:7] + "*" * max(0, min(len(given), 24) - 11) + given[-4:]
            raise unauthorized(f"Invalid API Key provided: {hidden}")
        if "stripe-account" in request.headers:
            account = request.headers["stripe-account"]
            raise Refused(
                f"The provided key does not have access to account '{account}' (or that account "
                "does not exist). Application access may have been revoked.",
                status=HTTPStatus.FORBIDDEN,
                code="account_invalid",
                is_stored=False,
            )
        return False

    def _stored(self, asked: _Asked) -> Object | None:
        """The answer that this key was given before, or None.

        Raises:
            Refused: It was for another request.
        """
        answers = self._world.answers
        stored = answers.get(asked.key or "")
        if stored is None or stored["at"] + KEY_SECONDS <= self._world.now():
            return None
        if stored["digest"] != asked.digest:
            first, now = stored["path"], asked.request.path
            only = (
                f"for the same endpoint they were first used for ('{first}' not '{now}')"
                if first != now
                else "with the same parameters they were first used with"
            )
            raise Refused(
                f"Keys for idempotent requests can only be used {only}. Try using a key other "
                f"than '{asked.key}' if you meant to execute a different request.",
                kind="idempotency_error",
                is_stored=False,
            )
        return stored

    def _carried_out(self, asked: _Asked, request_id: str) -> tuple[int, bytes]:
        """Do what is asked, and remember the answer for the key.

        Raises:
            Refused: It was refused before anything began, so that nothing is remembered.
        """
        status = HTTPStatus.OK
        self._world.request = (request_id, asked.key)
        try:
            body = _spelled(self._result(asked))
        except Refused as refused:
            if not refused.is_stored:
                raise
            status = refused.status
            body = _spelled(_error(refused, request_id))
        finally:
            self._world.request = (None, None)
        if asked.key is not None:
            self._world.answers[asked.key] = {
                "at": self._world.now(),
                "body": body.decode(),
                "digest": asked.digest,
                "path": asked.request.path,
                "request_id": request_id,
                "status": int(status),
            }
        return status, body

    def _result(self, asked: _Asked) -> Object:
        operation, ids = _found(asked)
        params = operation.read(asked.raw)
        expand = params.pop("expand", [])
        client_secret = None
        if asked.is_publishable:
            client_secret = params.get("client_secret")
            if client_secret is None:
                raise missing("client_secret")
        call = Call(self._world, ids, params, client_secret)
        return rendered(self._world, operation.run(call), expand)


def _found(asked: _Asked) -> tuple[Operation, tuple[str, ...]]:
    request = asked.request
    for operation in OPERATIONS:
        ids = operation.match(request.method, request.path)
        if ids is None:
            continue
        if asked.is_publishable and not operation.is_public:
            raise unauthorized(
                "This API call cannot be made with a publishable API key. Please use a secret API "
                "key. You can find a list of your API keys at "
                "https://dashboard.stripe.com/account/apikeys.",
                code="secret_key_required",
            )
        return operation, ids
    raise Refused(
        _NO_SUCH_URL.format(request.method, request.path),
        status=HTTPStatus.NOT_FOUND,
        is_stored=False,
    )


def _api_key(authorization: str) -> str:
    """The key in a header, sent as a bearer token or as a user name."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            return base64.b64decode(value).decode().partition(":")[0]
    return ""


def _error(refused: Refused, request_id: str) -> Object:
    log = f"https://dashboard.stripe.com/test/logs/{request_id}"
    return {"error": {**refused.error, "request_log_url": log}}


def _spelled(body: Object) -> bytes:
    return json.dumps(body, indent=2).encode()


def failure(refused: Refused, request_id: str, request: Request) -> Answer:
    """The answer that refuses a request."""
    body = _spelled(_error(refused, request_id))
    answer = _answer(refused.status, body, request_id, request)
    if refused.should_retry is not None:
        answer.headers["stripe-should-retry"] = str(refused.should_retry).lower()
    return answer


def _answer(
    status: int,
    body: bytes,
    request_id: str,
    request: Request,
    *,
    replayed_from: str | None = None,
) -> Answer:
    headers = {
        "content-type": "application/json",
        "request-id": request_id,
        "stripe-version": request.headers.get("stripe-version", API_VERSION),
    }
    if request.method == "POST" and "idempotency-key" in request.headers:
        headers["idempotency-key"] = request.headers["idempotency-key"]
        headers["original-request"] = replayed_from or request_id
    if replayed_from is not None:
        headers["idempotent-replayed"] = "true"
    return Answer(status, body, headers)
