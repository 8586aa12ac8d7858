"""Settings and clients, made once per environment and shared by all its requests."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, cast

from aws_lambda_powertools.event_handler import Depends
from botocore.config import Config
from botocore.session import Session, get_session

from holdfast.domain.clock import Instant, instant
from holdfast.gateways.endpoint_secrets import EndpointSecrets
from holdfast.gateways.event_bus import EventBus
from holdfast.gateways.event_queue import EventQueue
from holdfast.gateways.secrets import Secrets
from holdfast.gateways.work_queue import WorkQueue
from holdfast.store.ledger_store import LedgerStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

# The SDK waits 60 seconds by default, which is longer than any function here may run. Three
# attempts of at most three seconds stay below the shortest function's time-out.
DYNAMODB = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    max_pool_connections=4,
    # Both are work per call. What is sent is composed in one place and tested against an engine
    # that checks every value.
    parameter_validation=False,
    user_agent="holdfast",
)

# Somebody waits: the authorizer has eight seconds for this and a read of the table.
SECRETS = Config(
    connect_timeout=1,
    read_timeout=1,
    retries={"mode": "standard", "total_max_attempts": 2},
)

# Nobody waits for these.
PATIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard"})

LOW_BALANCE_MICROS = 5_000_000
"""What can be spent below which a balance counts as low, where the template says nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template tells a function, read from its environment."""

    table_name: str
    event_bus_name: str
    sweep_queue_url: str
    version: str
    low_balance_micros: int
    api_key_secret_parameter: str = ""
    accounts_are_ours: bool = True
    stripe_key_parameters: Mapping[str, str] = field(default_factory=dict)
    stripe_publishable_keys: Mapping[str, str] = field(default_factory=dict)
    stripe_api_bases: Mapping[str, str] = field(default_factory=dict)
    stripe_endpoint_parameters: Mapping[str, str] = field(default_factory=dict)
    stripe_queue_url: str = ""
    return_urls: tuple[str, ...] = ()
    public_url: str = ""
    x402_facilitators: Mapping[str, str] = field(default_factory=dict)
    x402_pay_to: Mapping[str, str] = field(default_factory=dict)


@cache
def settings() -> Settings:
    """The settings of this environment. What a function does not use may be absent."""
    return Settings(
        table_name=os.environ.get("TABLE_NAME", ""),
        event_bus_name=os.environ.get("EVENT_BUS_NAME", ""),
        sweep_queue_url=os.environ.get("SWEEP_QUEUE_URL", ""),
        version=os.environ.get("HOLDFAST_VERSION", "unknown"),
        api_key_secret_parameter=os.environ.get("API_KEY_SECRET_PARAMETER", ""),
        accounts_are_ours=os.environ.get("ACCOUNT_DIRECTORY", "internal") != "external",
        stripe_key_parameters=_by_mode("STRIPE_{}_KEY_PARAMETER"),
        stripe_publishable_keys=_by_mode("STRIPE_{}_PUBLISHABLE"),
        stripe_api_bases=_by_mode("STRIPE_{}_API_BASE"),
        stripe_endpoint_parameters=_by_mode("STRIPE_{}_ENDPOINT_PARAMETER"),
        stripe_queue_url=os.environ.get("STRIPE_QUEUE_URL", ""),
        return_urls=tuple(filter(None, os.environ.get("RETURN_URLS", "").split(","))),
        public_url=os.environ.get("PUBLIC_URL", "").rstrip("/"),
        x402_facilitators=_by_mode("X402_{}_FACILITATOR"),
        x402_pay_to=_by_mode("X402_{}_PAY_TO"),
        low_balance_micros=int(os.environ.get("LOW_BALANCE_MICROS", LOW_BALANCE_MICROS)),
    )


def _by_mode(name: str) -> dict[str, str]:
    return {mode: os.environ.get(name.format(mode.upper()), "") for mode in ("live", "test")}


@cache
def session() -> Session:
    """The one session: a second one would load and parse every model again.

    botocore's own: boto3 adds resources and transfers that nothing here uses, and a tenth of the
    time that an environment takes to start.
    """
    return get_session()


def now() -> Instant:
    """The instant at which something that nobody asked for happens."""
    return instant(datetime.now(UTC))


@cache
def event_bus() -> EventBus:
    """The bus that this environment publishes to."""
    client = session().create_client("events", config=PATIENT)
    return EventBus(cast("EventBridgeClient", client), settings().event_bus_name)


@cache
def work_queue() -> WorkQueue:
    """The queue of due wallets."""
    client = session().create_client("sqs", config=PATIENT)
    return WorkQueue(cast("SQSClient", client), settings().sweep_queue_url)


@cache
def endpoint_secrets() -> EndpointSecrets:
    """The secrets by which deliveries of Stripe's events are known, in both modes."""
    names = settings().stripe_endpoint_parameters
    return EndpointSecrets(lambda: session().create_client("ssm", config=SECRETS), names)


@cache
def stripe_queue() -> EventQueue:
    """The queue of Stripe's events that wait to be looked into."""
    # Whoever delivers one waits for it.
    client = session().create_client("sqs", config=SECRETS)
    return EventQueue(cast("SQSClient", client), settings().stripe_queue_url)


@cache
def ledger_store() -> LedgerStore:
    """The ledger on this environment's table."""
    table = settings().table_name
    if not table:
        raise RuntimeError("TABLE_NAME is not set")
    client = session().create_client("dynamodb", config=DYNAMODB)
    return LedgerStore(cast("DynamoDBClient", client), table)


@cache
def api_key_secret() -> Secrets:
    """The secret that API keys are derived from and kept under."""
    name = settings().api_key_secret_parameter
    if not name:
        raise RuntimeError("API_KEY_SECRET_PARAMETER is not set")
    return Secrets(lambda: session().create_client("ssm", config=SECRETS), name)


HouseSecret = Annotated[Secrets, Depends(api_key_secret)]
Installation = Annotated[Settings, Depends(settings)]
Store = Annotated[LedgerStore, Depends(ledger_store)]
