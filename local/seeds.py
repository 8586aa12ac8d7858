"""What a laptop has from the start: keys of the simulated Stripe, and cards that are saved there.

A process of its own (`python -m local.seeds ENDPOINT TABLE < providers`, with the layer on its
path): neither the AWS SDK nor the product's code is in the process that runs the stack. With the
real Stripe (no address) nobody has a card before saving one.
"""

import json
import sys
from collections.abc import Mapping
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
from local.stack import REGION
from local.template import STACK
from local.tokens import USERS

CARD_HOLDERS = ("alice", "agent")
CARD = "pm_card_visa"


def main(endpoint: str, table: str, *, providers: Mapping[str, Mapping[str, str]]) -> None:
    """Put what is not there yet: what a person changed stays as it is."""
    session = boto3.session.Session(
        aws_access_key_id=OWNER, aws_secret_access_key=OWNER, region_name=REGION
    )
    parameters = session.client("ssm", endpoint_url=endpoint)
    store = LedgerStore(session.client("dynamodb", endpoint_url=endpoint), table)
    for mode, provider in providers.items():
        _put(parameters, f"stripe-{mode}-key", provider["key"])
        if provider["endpoint_secret"]:
            _put(parameters, f"stripe-{mode}-webhook-secret", provider["endpoint_secret"])
        if provider["address"]:
            _save_cards(store, mode, provider)


def _put(parameters: Any, name: str, value: str) -> None:
    parameters.put_parameter(
        Name=f"/{STACK}/{name}", Value=value, Type="SecureString", Overwrite=True
    )


def _save_cards(store: LedgerStore, mode: str, provider: Mapping[str, str]) -> None:
    stripe = StripeGateway(lambda: provider["key"], api_base=provider["address"])
    now = instant(datetime.now(UTC))
    for name in CARD_HOLDERS:
        user = USERS[name]
        tenant = Tenant(user.org, mode)
        owner = owner_of(tenant, user.id)
        once = system_once(tenant, f"first card of {user.id}", now)
        save_card(store, lambda _: stripe, owner, card_id=CARD, make_default=True, once=once)
        cards(store, lambda _: stripe, owner, now=now)


if __name__ == "__main__":
    main(*sys.argv[1:], providers=json.load(sys.stdin))
