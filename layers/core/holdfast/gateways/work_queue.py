"""The queue of what is due: several things in a message, ten messages in a call."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from holdfast.domain.accounts import Tenant
from holdfast.domain.due import WALLET, Due

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

WALLETS_A_MESSAGE = 20
OTHERS_A_MESSAGE = 2
"""Of what has to ask somebody outside, who may let it wait: a worker has a minute for a message."""
MESSAGES_AT_ONCE = 10


class NotQueued(Exception):
    """The queue did not take a message. What is due stays due, and the next tick finds it."""


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """One queue."""

    client: "SQSClient"
    url: str

    def send(self, due: Sequence[Due]) -> int:
        """Queue what is due; the number of messages.

        Raises:
            NotQueued: At least one message was not taken.
        """
        wallets = [each for each in due if each.noun == WALLET]
        others = [each for each in due if each.noun != WALLET]
        messages = [
            *(_body(things) for things in batched(wallets, WALLETS_A_MESSAGE, strict=False)),
            *(_body(things) for things in batched(others, OTHERS_A_MESSAGE, strict=False)),
        ]
        for batch in batched(messages, MESSAGES_AT_ONCE, strict=False):
            answer = self.client.send_message_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(place), "MessageBody": body} for place, body in enumerate(batch)
                ],
            )
            if failed := answer.get("Failed"):
                raise NotQueued(f"{len(failed)} messages")
        return len(messages)


def due_in(body: str) -> list[Due]:
    """What is due by a message that `WorkQueue.send` queued."""
    return [
        Due(noun, Tenant(org, mode), account_id, name)
        for noun, org, mode, account_id, name in json.loads(body)["due"]
    ]


def _body(things: Sequence[Due]) -> str:
    places = [
        [due.noun, due.tenant.org, due.tenant.mode, due.account_id, due.name] for due in things
    ]
    return json.dumps({"due": places})
