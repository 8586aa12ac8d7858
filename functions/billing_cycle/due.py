"""What is due: found by a tick every minute, done by a worker from a queue.

A tick looks at what is due by now and not at what became due since the last one, so that one that
was late, missed or came twice changes nothing.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from billing_cycle.sweepers import SWEEPERS
from holdfast import runtime
from holdfast.gateways.work_queue import due_in
from holdfast.observability import logged
from holdfast.services import due

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def find_due(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Queue what is due; how much."""
    queued = due.dispatch(runtime.ledger_store(), runtime.work_queue(), now=runtime.now())
    return {"queued": queued}


def sweep_due(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sweep what each message names; answer with the messages that have to come again."""
    return dict(
        process_partial_response(
            event=event, record_handler=sweep_message, processor=processor, context=context
        )
    )


def sweep_message(record: SQSRecord) -> None:
    """Sweep what one message names. What was swept before is not due any more."""
    with logged(record.message_id):
        due.sweep_all(SWEEPERS, due_in(record.body), now=runtime.now())
