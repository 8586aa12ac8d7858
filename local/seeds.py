"""What a laptop's table holds from the start: cards on file, because no card was ever saved there.

A process of its own (`python -m local.seeds ENDPOINT TABLE`, with the layer on its path): neither
the AWS SDK nor the product's code is in the process that runs the stack. The payment methods are
called as the payment provider calls its test cards.
"""

import sys
from typing import Any

import boto3

from holdfast.domain.accounts import Tenant, default_account_id
from holdfast.domain.clock import from_rfc3339
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.store.items import to_item
from local.roles import OWNER
from local.tokens import USERS

CARD_HOLDERS = ("alice", "agent")
_MODES = ("live", "test")
_SAVED_AT = from_rfc3339("2026-01-01T00:00:00.000Z")


def seed(database: Any, table: str) -> None:
    """Put what is not there yet: what a person changed stays as it is."""
    for name in CARD_HOLDERS:
        user = USERS[name]
        for mode in _MODES:
            tenant = Tenant(user.org, mode)
            _, item = to_item(tenant, _card(default_account_id(tenant, user.id)))
            try:
                database.put_item(
                    TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)"
                )
            except database.exceptions.ConditionalCheckFailedException:
                continue


def _card(account_id: str) -> PaymentMethod:
    return PaymentMethod(
        account_id=account_id,
        id="pm_card_visa",
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2034,
        is_default=True,
        created_at=_SAVED_AT,
        version=1,
    )


if __name__ == "__main__":
    session = boto3.session.Session(
        aws_access_key_id=OWNER, aws_secret_access_key=OWNER, region_name="us-east-1"
    )
    seed(session.client("dynamodb", endpoint_url=sys.argv[1]), sys.argv[2])
