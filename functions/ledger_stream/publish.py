"""Entries that the table's stream brings, published as business events.

A record that fails is named in the answer and comes again with those behind it; the others of the
batch are done. Publishing twice is harmless: an event carries the id of its entry.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from holdfast import runtime
from holdfast.domain.events import events_of
from holdfast.observability import logged
from holdfast.store.items import is_entry, to_entry

processor = BatchProcessor(
    event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False
)


def publish_entries(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a batch of stream records with the ones that have to come again."""
    return dict(
        process_partial_response(
            event=event, record_handler=publish_entry, processor=processor, context=context
        )
    )


def publish_entry(record: DynamoDBRecord) -> None:
    """Publish the events of one record, if it is a new entry and has any."""
    with logged(record.raw_event.get("eventID", "")):
        _publish(record)


def _publish(record: DynamoDBRecord) -> None:
    image = record.raw_event["dynamodb"].get("NewImage")
    if record.raw_event["eventName"] != "INSERT" or image is None or not is_entry(image):
        return
    threshold = runtime.settings().low_balance_micros
    if events := list(events_of(to_entry(image), low_balance_micros=threshold)):
        runtime.event_bus().publish(events)
