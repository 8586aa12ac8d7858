"""Settings and clients, made once per environment and shared by all its requests."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Annotated

import boto3
from aws_lambda_powertools.event_handler import Depends
from botocore.config import Config

from holdfast.store.ledger_store import LedgerStore

# The SDK waits 60 seconds by default, which is longer than any function here may run. Three
# attempts of at most three seconds stay below the shortest function's time-out.
DYNAMODB = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    max_pool_connections=4,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template tells a function, read from its environment."""

    table_name: str
    event_bus_name: str
    sweep_queue_url: str
    version: str


@cache
def settings() -> Settings:
    """The settings of this environment. What a function does not use may be absent."""
    return Settings(
        table_name=os.environ.get("TABLE_NAME", ""),
        event_bus_name=os.environ.get("EVENT_BUS_NAME", ""),
        sweep_queue_url=os.environ.get("SWEEP_QUEUE_URL", ""),
        version=os.environ.get("HOLDFAST_VERSION", "unknown"),
    )


@cache
def session() -> boto3.Session:
    """The one session: a second one would load and parse every model again."""
    return boto3.Session()


@cache
def ledger_store() -> LedgerStore:
    """The ledger on this environment's table."""
    table = settings().table_name
    if not table:
        raise RuntimeError("TABLE_NAME is not set")
    return LedgerStore(session().client("dynamodb", config=DYNAMODB), table)


Store = Annotated[LedgerStore, Depends(ledger_store)]
