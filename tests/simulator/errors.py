"""What the service says no with: the refusals of DynamoDB as real botocore exceptions.

Inside the simulator a refusal is a `ServiceError`; at the boundary it becomes the exception that
botocore would raise for the same answer, so that `except client.exceptions.X` and
`error.response["Error"]["Code"]` both work on it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botocore.errorfactory import BaseClientExceptions, ClientExceptionsFactory
from botocore.exceptions import ClientError, ParamValidationError
from botocore.loaders import create_loader
from botocore.model import ServiceModel

SERVICE = "dynamodb"


class ServiceError(Exception):
    """A request that the service refuses; nothing of it was applied."""

    def __init__(self, code: str, message: str, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = dict(members or {})


class ProcessKilled(BaseException):
    """The process ended in the middle of a call.

    Not an `Exception`: no `except Exception` of the code under test may survive its own death.
    """


def invalid(message: str) -> ServiceError:
    """A `ValidationException`, the answer to a request that is wrong in itself."""
    return ServiceError("ValidationException", message)


def malformed(report: str) -> ParamValidationError:
    """What botocore raises on its own, before anything is sent."""
    return ParamValidationError(report=report)


def table_missing() -> ServiceError:
    return ServiceError("ResourceNotFoundException", "Requested resource not found")


def condition_failed(old: Mapping[str, Any] | None) -> ServiceError:
    """The refusal of a single conditional write; `old` only if the caller asked for it."""
    return ServiceError(
        "ConditionalCheckFailedException",
        "The conditional request failed",
        {"Item": old} if old is not None else None,
    )


def cancelled(reasons: Sequence[Mapping[str, Any]]) -> ServiceError:
    """A cancelled transaction; one reason for each action, in the order of the request."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return ServiceError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        {"CancellationReasons": [dict(reason) for reason in reasons]},
    )


@cache
def service_model() -> ServiceModel:
    """The DynamoDB model that botocore ships; read once for a process."""
    return ServiceModel(create_loader().load_service_model(SERVICE, "service-2"), SERVICE)


def members_of(shape: str) -> frozenset[str]:
    """The members of a structure of the model; none if it has no such structure."""
    model = service_model()
    if shape not in model.shape_names:
        return frozenset()
    members: Mapping[str, Any] = getattr(model.shape_for(shape), "members", {})
    return frozenset(members)


@cache
def client_exceptions() -> BaseClientExceptions:
    """The classes behind `client.exceptions`."""
    return ClientExceptionsFactory().create_client_exceptions(service_model())


@cache
def _spelling_of_message(code: str) -> str | None:
    """How the model spells the message of an error: `message`, `Message`, or not modelled."""
    return next((name for name in members_of(code) if name.lower() == "message"), None)


def client_error(error: ServiceError, operation: str) -> ClientError:
    """The exception botocore raises when the service answers `error` to `operation`."""
    response: Any = {
        "Error": {"Message": error.message, "Code": error.code},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 0},
        **error.members,
    }
    spelling = _spelling_of_message(error.code)
    if spelling:
        response[spelling] = error.message
    # The stubs give an instance where botocore gives a class.
    exception_class: Any = client_exceptions().from_code(error.code)
    raised: ClientError = exception_class(response, operation)
    return raised
