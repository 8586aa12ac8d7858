"""The queue of due wallets: several in a message, ten messages in a call."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from holdfast.domain.accounts import Tenant
from holdfast.domain.ledger import DueWallet

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

WALLETS_A_MESSAGE = 20
MESSAGES_AT_ONCE = 10


class NotQueued(Exception):
    """The queue did not take a message. What is due stays due, and the next tick finds it."""


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """One queue."""

    client: "SQSClient"
    url: str

    def send(self, due: Sequence[DueWallet]) -> int:
        """Queue the wallets; the number of messages.

        Raises:
            NotQueued: At least one message was not taken.
        """
        messages = [_body(wallets) for wallets in batched(due, WALLETS_A_MESSAGE, strict=False)]
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


def wallets_in(body: str) -> list[DueWallet]:
    """The wallets of a message that `WorkQueue.send` queued."""
    return [
        DueWallet(Tenant(org, mode), account_id, currency)
        for org, mode, account_id, currency in json.loads(body)["wallets"]
    ]


def _body(wallets: Sequence[DueWallet]) -> str:
    places = [[due.tenant.org, due.tenant.mode, due.account_id, due.currency] for due in wallets]
    return json.dumps({"wallets": places})
