"""Consistent reads of items by key: one by one, in a batch, or all at one instant."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from holdfast.errors import Unavailable
from holdfast.store.attributes import Attributes
from holdfast.store.keys import Key
from holdfast.store.transaction import NOT_APPLIED

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ATTEMPTS_MAX = 6

type BackOff = Callable[[int], None]
"""Waits before attempt number n, counted from 1."""
type Found = dict[Key, Attributes]


def read(
    client: "DynamoDBClient", table: str, wanted: Sequence[Key], *, back_off: BackOff
) -> Found:
    """The items that are there. Of several, each is read by itself, at its own instant.

    Raises:
        Unavailable: The table does not answer.
    """
    with unavailable():
        match wanted:
            case []:
                return {}
            case [key]:
                answer = client.get_item(TableName=table, Key=_named(key), ConsistentRead=True)
                return {key: answer["Item"]} if "Item" in answer else {}
            case _:
                return _batch(client, table, wanted, back_off=back_off)


def snapshot(
    client: "DynamoDBClient", table: str, wanted: Sequence[Key], *, back_off: BackOff
) -> Found:
    """The items that are there, all as they were at one instant. Twice the price of `read`.

    Raises:
        Unavailable: The table does not answer, or writers kept coming in between.
    """
    if len(wanted) < 2:
        return read(client, table, wanted, back_off=back_off)
    gets: Any = [{"Get": {"TableName": table, "Key": _named(key)}} for key in wanted]
    for attempt in range(ATTEMPTS_MAX):
        if attempt:
            back_off(attempt)
        try:
            with unavailable():
                answers = client.transact_get_items(TransactItems=gets)["Responses"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            continue
        items = [answer["Item"] for answer in answers if answer.get("Item")]
        return {key_of(item): item for item in items}
    raise Unavailable()


@contextmanager
def unavailable() -> Iterator[None]:
    """Say "try again" where the table did not answer, after the SDK's own retries."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_APPLIED:
            raise Unavailable() from error
        raise
    except BotoCoreError as error:
        raise Unavailable() from error


def key_of(item: Attributes) -> Key:
    """The key that an item stands under."""
    return Key(item["pk"]["S"], item["sk"]["S"])


def _batch(
    client: "DynamoDBClient", table: str, wanted: Sequence[Key], *, back_off: BackOff
) -> Found:
    found: Found = {}
    request: Any = {table: {"Keys": [_named(key) for key in wanted], "ConsistentRead": True}}
    for attempt in range(ATTEMPTS_MAX):
        if attempt:
            back_off(attempt)
        answer = client.batch_get_item(RequestItems=request)
        for item in answer["Responses"].get(table, ()):
            found[key_of(item)] = item
        request = answer.get("UnprocessedKeys")
        if not request:
            return found
    raise Unavailable()


def _named(key: Key) -> dict[str, dict[str, str]]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
