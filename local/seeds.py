"""What a laptop has from the start: keys of the simulated Stripe, and cards that are saved there.

A process of its own (`python -m local.seeds ENDPOINT TABLE STRIPE < key`, with the layer on its
path): neither the AWS SDK nor the product's code is in the process that runs the stack. With the
real Stripe (no address) nobody has a card before saving one.
"""

import sys
from datetime import UTC, datetime
from typing import Any

import boto3

from holdfast.domain.accounts import Tenant, owner_of
from holdfast.domain.clock import instant
from holdfast.gateways.stripe import StripeGateway
from holdfast.services.accounts import system_once
from holdfast.services.cards import cards, save_card
from holdfast.store.ledger_store import LedgerStore
from local.roles import OWNER
from local.stack import REGION, STACK
from local.tokens import USERS

CARD_HOLDERS = ("alice", "agent")
CARD = "pm_card_visa"
_MODES = ("live", "test")


def main(endpoint: str, table: str, stripe_url: str, *, key: str) -> None:
    """Put what is not there yet: what a person changed stays as it is."""
    session = boto3.session.Session(
        aws_access_key_id=OWNER, aws_secret_access_key=OWNER, region_name=REGION
    )
    _put_keys(session.client("ssm", endpoint_url=endpoint), key)
    if not stripe_url:
        return
    store = LedgerStore(session.client("dynamodb", endpoint_url=endpoint), table)
    stripe = StripeGateway(lambda: key, api_base=stripe_url)
    now = instant(datetime.now(UTC))
    for name in CARD_HOLDERS:
        user = USERS[name]
        for mode in _MODES:
            tenant = Tenant(user.org, mode)
            owner = owner_of(tenant, user.id)
            once = system_once(tenant, f"first card of {user.id}", now)
            save_card(store, lambda _: stripe, owner, card_id=CARD, make_default=True, once=once)
            cards(store, lambda _: stripe, owner, now=now)


def _put_keys(parameters: Any, key: str) -> None:
    for mode in _MODES:
        parameters.put_parameter(
            Name=f"/{STACK}/stripe-{mode}-key",
            Value=key,
            Type="SecureString",
            Overwrite=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:], key=sys.stdin.read())
