"""Other DynamoDBs to hold the simulator against, each as a boto3 client: ministack and moto."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config

READY_SECONDS = 30.0
STOP_SECONDS = 15.0
REGION = "us-east-1"
CREDENTIALS = {
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
    "region_name": REGION,
}
# The stubs have an overload for each service, and want to know which it is.
_make_client: Any = boto3.client


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def client(service: str, endpoint_url: str) -> Any:
    """A boto3 client of an engine; it tries once, so that a test sees every error."""
    return _make_client(
        service,
        endpoint_url=endpoint_url,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=64),
        **CREDENTIALS,
    )


@contextmanager
def ministack(
    home: Path | None = None, *, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The URL of a ministack of one's own, which ends with the block.

    It runs in one process on a free port of 127.0.0.1 and keeps all its files under `home`, or in
    a folder that ends with it. `environment` adds settings (`AUTH`, `SERVICES`, `PERSIST_STATE`).

    Raises:
        RuntimeError: It did not start; the message has the end of its log.
    """
    with ExitStack() as stack:
        if home is None:
            home = Path(stack.enter_context(TemporaryDirectory(prefix="ministack-")))
        process, url, log = _start(home, environment or {})
        stack.callback(_stop, process)
        _wait_until_ready(process, url, log)
        yield url


def _start(home: Path, environment: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], str, Path]:
    port = free_port()
    temporary, log = home / "tmp", home / "ministack.log"
    temporary.mkdir(parents=True, exist_ok=True)
    settings = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(home / "state"),
        "TMPDIR": str(temporary),
        **environment,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "ministack"],
            cwd=home,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return process, f"http://127.0.0.1:{port}", log


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"ministack is not ready (exit code {process.poll()}): {tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """A polite end first: it saves its state on SIGTERM only."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def moto() -> Iterator[Any]:
    """A client of moto within this process. Few items, one thread: it copies tables whole."""
    # Late, because importing it takes longer than most tests.
    from moto import mock_aws

    with mock_aws():
        yield _make_client("dynamodb", **CREDENTIALS)
