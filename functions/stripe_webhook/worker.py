"""Events that wait in the queue, looked into one by one.

A message that fails is named in the answer and comes again; the others of the batch are done. What
comes again after it was done is known by the event's id, and changes nothing.
"""

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from holdfast import providers, runtime
from holdfast.domain.clock import Instant
from holdfast.domain.stripe_events import StripeEvent
from holdfast.gateways.event_queue import event_in
from holdfast.gateways.stripe import is_partners, partner_event
from holdfast.observability import logged
from holdfast.services import stripe_events
from holdfast.services.stripe_inbox import noted_as
from stripe_webhook.notices import notice_done, notice_ignored

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Look into the events of a batch; answer with the messages that have to come again."""
    return dict(
        process_partial_response(
            event=event, record_handler=work_on_message, processor=processor, context=context
        )
    )


def work_on_message(record: SQSRecord) -> None:
    """Look into one event, whichever way it came."""
    with logged(record.message_id):
        now = runtime.now()
        event = _event(json.loads(record.body), now)
        if event is None:
            return
        notice_done(stripe_events.take_in(runtime.ledger_store(), providers.stripe, event, now=now))


def _event(body: Any, now: Instant) -> StripeEvent | None:
    """The event of a message; None for one of another account, that only the bus can bring."""
    if not is_partners(body):
        return event_in(body, now)
    told = partner_event(body)
    event = noted_as(told, now)
    if told.account_id is None:
        return event
    notice_ignored(event)
    return None
