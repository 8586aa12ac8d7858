"""What the table's stream brings to auto-recharge: wallets that run low, and payments that end.

The stream lets through only the images that may matter; what they say may be old by the time it is
read, so it is a reason to look and nothing more. A record that fails comes again.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from holdfast import providers, runtime
from holdfast.domain.accounts import Owner
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Wallet
from holdfast.domain.payments import Payment
from holdfast.observability import logged
from holdfast.services import recharge
from holdfast.store import items

NOUNS = ("WALLET", "PAYMENT")

processor = BatchProcessor(
    event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False
)


def recharge_wallets(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a batch of stream records with the ones that have to come again."""
    return dict(
        process_partial_response(
            event=event, record_handler=look_at_record, processor=processor, context=context
        )
    )


def look_at_record(record: DynamoDBRecord) -> None:
    """Recharge the wallet of one record if it has to be, or take in what its payment came to."""
    with logged(record.raw_event.get("eventID", "")):
        _look(record)


def _look(record: DynamoDBRecord) -> None:
    image = record.raw_event["dynamodb"].get("NewImage")
    if image is None or image["sk"]["S"].partition("#")[0] not in NOUNS:
        return
    store, stripes, now = runtime.ledger_store(), providers.stripe, runtime.now()
    found = items.to_record(image)
    if isinstance(found, Payment):
        recharge.follow(store, stripes, found, now=now)
    elif isinstance(found, Wallet) and _is_low(found, now):
        recharge.recharge(store, stripes, Owner(found.tenant, found.account_id), now=now)


def _is_low(wallet: Wallet, now: Instant) -> bool:
    below_micros = wallet.recharge_below_micros
    return below_micros is not None and wallet.available_micros(now) < below_micros
