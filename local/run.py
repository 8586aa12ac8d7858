"""`make run`: everything on one address of 127.0.0.1, until Ctrl-C.

PORT is where (3000; 0 is any free port), AUTH=true enforces the functions' policies, HOLDFAST_LOCAL
moves the folder that state, logs and tokens are kept in (.local).
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from local import tokens
from local.bridge import Bridge
from local.emulator import Emulator, EmulatorFailed
from local.environment import InitFailed
from local.fleet import Fleet
from local.gateway import Gateway
from local.memory import BUDGET_MB, resident_mb
from local.places import LAYERS, ROOT, Places
from local.provider import NotATestKey, Provider, provider
from local.server import PortTaken, free_port, listen, port_of, serving
from local.session import AlreadyRunning, announced, only_one
from local.stack import Deployment, DeploymentFailed, function_names, read_template

DEFAULT_PORT = 3000
# Longer than any function of the API runs.
_PATIENCE_SECONDS = 25.0


def main() -> int:
    """Run a stack until it is told to stop; the exit status."""
    started_at = time.monotonic()
    places = Places.of_environment()
    try:
        port = int(os.environ.get("PORT") or DEFAULT_PORT)
        with only_one(places), listen(port) as listening:
            asyncio.run(_run(places, listening, started_at=started_at))
    except PortTaken as taken:
        print(f"{taken}. Another one: make run PORT=3001", file=sys.stderr)
    except AlreadyRunning as other:
        print(f"{other}. Stop it with Ctrl-C where it runs, or use it.", file=sys.stderr)
    except NotATestKey as refused:
        print(f"{refused}. docs/how-to/real-stripe.md says more.", file=sys.stderr)
    except (DeploymentFailed, EmulatorFailed, InitFailed) as failed:
        print(f"\n{failed}\nThe logs are in {_shown(places.logs)}", file=sys.stderr)
    else:
        return 0
    return 1


async def _run(places: Places, listening: socket.socket, *, started_at: float) -> None:
    """Start, wait to be told to stop (Ctrl-C, a closed terminal), stop in the opposite order."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    _say("Holdfast on a laptop")
    places.prepare()
    key = tokens.issuer_key(places.issuer_key)
    async with contextlib.AsyncExitStack() as stack:
        bridge = Bridge()
        inner = listen(0)
        log = places.logs / "http.log"
        await stack.enter_async_context(serving(bridge, inner, log=log))
        address = f"http://127.0.0.1:{port_of(inner)}"
        stripe = await stack.enter_async_context(provider(places))
        with _step("starting the embedded AWS"):
            emulator = await stack.enter_async_context(_emulator(places, address))
        if told_to_stop.is_set():
            return
        with _step("deploying template.yaml"):
            deployment = await _deploy(
                emulator.url,
                key_set=tokens.key_set(key),
                stripe=stripe,
                return_url=f"http://127.0.0.1:{port_of(listening)}/docs",
            )
        fleet = Fleet(deployment.functions, endpoint=emulator.url, logs=places.logs)
        stack.push_async_callback(fleet.stop, patience_seconds=_PATIENCE_SECONDS)
        with _step("starting the functions"):
            front = {route.function for route in deployment.routes}
            await asyncio.gather(
                fleet.warm(deployment.authorizer.function, *sorted(front)),
                _seed(emulator.url, deployment.outputs["TableName"], stripe),
            )
        emulator.must_save = True
        bridge.open(fleet)
        gateway = Gateway(deployment.routes, deployment.authorizer, fleet.invoke)
        await stack.enter_async_context(serving(gateway, listening, log=log))
        stack.push_async_callback(gateway.close)
        api = f"http://127.0.0.1:{port_of(listening)}"
        stack.enter_context(
            announced(places, _session(api, stripe, key), emulator_url=emulator.url)
        )
        stack.callback(_say, "\nStopping: requests in flight are finished, then state is saved.")
        _say_ready(
            places,
            api,
            seconds=time.monotonic() - started_at,
            pids=[os.getpid(), emulator.process.pid, *fleet.pids],
        )
        await told_to_stop.wait()
    _say(f"Stopped. State is in {_shown(places.state)}; the next start brings it back.")


@contextlib.asynccontextmanager
async def _emulator(places: Places, functions_url: str) -> AsyncIterator[Emulator]:
    """The embedded AWS; at the end of the block it is stopped."""
    proxies = dict.fromkeys(function_names(read_template()), functions_url)
    emulator = Emulator.start(places, port=free_port(), proxies=proxies)
    try:
        await asyncio.to_thread(emulator.wait_until_ready)
        yield emulator
    finally:
        await asyncio.to_thread(emulator.stop)


async def _deploy(endpoint: str, *, key_set: str, stripe: Provider, return_url: str) -> Deployment:
    """Deploy in a process of its own.

    Raises:
        DeploymentFailed: It could not be deployed.
    """
    parameters = {
        "OidcIssuer": tokens.ISSUER,
        "OidcAudience": tokens.AUDIENCE,
        "OidcJwks": key_set,
        "PlatformOrg": tokens.USERS["platform"].org,
        "StripeApiBase": stripe.address,
        "StripeLivePublishableKey": stripe.publishable,
        "StripeTestPublishableKey": stripe.publishable,
        "ReturnUrls": return_url,
    }
    return Deployment.from_json(
        await _output_of("local.stack", endpoint, told=json.dumps(parameters))
    )


async def _seed(endpoint: str, table: str, stripe: Provider) -> None:
    """Put what a laptop starts with into the table.

    Raises:
        DeploymentFailed: It could not be put there.
    """
    await _output_of("local.seeds", endpoint, table, stripe.address, told=stripe.key)


async def _output_of(module: str, *arguments: str, told: str = "") -> str:
    """What a module prints that runs as a process of its own, with the AWS SDK in it.

    Raises:
        DeploymentFailed: It failed; the message is what it said.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=ROOT,
        # Not the caller's: there may be a profile, and a region, of a real account in it.
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "AUTH": os.environ.get("AUTH", ""),
            "PYTHONPATH": os.pathsep.join(map(str, LAYERS)),
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    output, errors = await process.communicate(told.encode())
    if process.returncode != 0:
        raise DeploymentFailed(errors.decode(errors="replace").strip())
    return output.decode()


def _session(api: str, stripe: Provider, key: Any) -> dict[str, Any]:
    """What demo, tests and people need: addresses, and a token for each user."""
    now_seconds = int(time.time())
    return {
        "api": api,
        "stripe": stripe.address or None,
        "stripe_key": stripe.key if stripe.address else None,
        "stripe_webhook": None,
        "stripe_webhook_secret": None,
        "docs": f"{api}/docs",
        "tokens": {
            name: tokens.token(key, user, now_seconds=now_seconds)
            for name, user in tokens.USERS.items()
        },
        "users": {name: user.id for name, user in tokens.USERS.items()},
    }


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    """Show that something is being done, and how long it took."""
    started_at = time.monotonic()
    _say(f"  {name} ".ljust(40, "."), end=" ")
    try:
        yield
    except BaseException:
        _say("failed")
        raise
    _say(f"{time.monotonic() - started_at:.1f} s")


def _say_ready(places: Places, api: str, *, seconds: float, pids: list[int]) -> None:
    megabytes = resident_mb(pids)
    _say(
        f"Ready in {seconds:.1f} s; {megabytes:.0f} MB resident in {len(pids)} processes"
        f" (at most {BUDGET_MB}).\n\n"
        f"  API     {api}\n"
        f"  docs    {api}/docs\n"
        f"  tokens  {_shown(places.session)}: {', '.join(tokens.USERS)}\n"
        f"  logs    {_shown(places.logs)}\n\n"
        "Alice's wallet came with 10.00 of introductory credit. In another terminal:\n\n"
        f"  TOKEN=$(python3 -c 'import json; print(json.load(open("
        f'"{_shown(places.session)}"))["tokens"]["alice"])\')\n'
        f'  curl -s {api}/v1/billing/wallet -H "Authorization: Bearer $TOKEN"\n'
        f'  curl -s {api}/v1/billing/holds -H "Authorization: Bearer $TOKEN" \\\n'
        '    -H "Content-Type: application/json" -d \'{"amount": 250}\'\n\n'
        "make demo tells the whole story. Ctrl-C stops; a clean stop saves everything."
    )


def _say(text: str, *, end: str = "\n") -> None:
    """Print at once. A terminal that was closed must not keep the stack from stopping in order."""
    with contextlib.suppress(OSError):
        print(text, end=end, flush=True)


def _shown(path: Any) -> str:
    """A path as short as it can be written from where the caller stands."""
    try:
        return str(path.relative_to(os.getcwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    sys.exit(main())
