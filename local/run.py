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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local import tokens
from local.bridge import Bridge
from local.chain import PAY_TO, LazyFacilitator
from local.emulator import Emulator, EmulatorFailed
from local.environment import InitFailed
from local.fleet import Fleet
from local.gateway import Gateway
from local.memory import BUDGET_MB, resident_mb
from local.places import FUNCTIONS, LAYERS, ROOT, Places
from local.processes import processes
from local.provider import NotATestKey, Providers, providers
from local.server import PortTaken, free_port, listen, port_of, serving
from local.session import AlreadyRunning, announced, only_one
from local.template import Deployment, DeploymentFailed, function_names, read_template

DEFAULT_PORT = 3000
WEBHOOK_PATH = "/v1/billing/stripe/webhook"
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
    api = f"http://127.0.0.1:{port_of(listening)}"
    log = places.logs / "http.log"
    async with contextlib.AsyncExitStack() as stack:
        parents = await stack.enter_async_context(processes(FUNCTIONS))
        bridge = Bridge()
        functions_url = await _served(stack, bridge, log=log)
        facilitator = await _served(stack, LazyFacilitator(), log=log)
        stripes = await stack.enter_async_context(providers(places, webhook=api + WEBHOOK_PATH))
        with _step("starting the embedded AWS"):
            emulator = await stack.enter_async_context(_emulator(places, functions_url))
        if told_to_stop.is_set():
            return
        with _step("deploying template.yaml"):
            parameters = _parameters(api, tokens.key_set(key), stripes, facilitator)
            deployment = await _deploy(emulator.url, parameters)
        fleet = Fleet(deployment.functions, parents, endpoint=emulator.url, logs=places.logs)
        stack.push_async_callback(fleet.stop, patience_seconds=_PATIENCE_SECONDS)
        with _step("starting the functions"):
            # The others start when they are asked for the first time.
            await asyncio.gather(
                fleet.warm(deployment.authorizer.function),
                _seed(emulator.url, deployment.outputs["TableName"], stripes),
            )
        emulator.must_save = True
        bridge.open(fleet)
        gateway = Gateway(deployment.routes, deployment.authorizer, fleet.invoke)
        await stack.enter_async_context(serving(gateway, listening, log=log))
        stack.push_async_callback(gateway.close)
        stack.enter_context(
            announced(places, _session(api, stripes, facilitator, key), emulator_url=emulator.url)
        )
        stack.callback(_say, "\nStopping: requests in flight are finished, then state is saved.")
        _say_ready(
            places,
            api,
            stripes,
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


async def _served(stack: contextlib.AsyncExitStack, application: Any, *, log: Path) -> str:
    """Serve an application on a free port until the stack is unwound; its address."""
    inner = listen(0)
    address = f"http://127.0.0.1:{port_of(inner)}"
    await stack.enter_async_context(serving(application, inner, log=log))
    return address


def _parameters(api: str, key_set: str, stripes: Providers, facilitator: str) -> dict[str, str]:
    """What the template is told."""
    return {
        "OidcIssuer": tokens.ISSUER,
        "OidcAudience": tokens.AUDIENCE,
        "OidcJwks": key_set,
        "PlatformOrg": tokens.USERS["platform"].org,
        "PublicUrl": api,
        "ReturnUrls": f"{api}/docs,{api}/checkout/success",
        "StripeLiveApiBase": stripes["live"].address,
        "StripeTestApiBase": stripes["test"].address,
        "StripeLivePublishableKey": stripes["live"].publishable,
        "StripeTestPublishableKey": stripes["test"].publishable,
        "X402LiveFacilitator": facilitator,
        "X402TestFacilitator": facilitator,
        "X402LivePayTo": PAY_TO,
        "X402TestPayTo": PAY_TO,
    }


async def _deploy(endpoint: str, parameters: dict[str, str]) -> Deployment:
    """Deploy in a process of its own.

    Raises:
        DeploymentFailed: It could not be deployed.
    """
    return Deployment.from_json(
        await _output_of("local.stack", endpoint, told=json.dumps(parameters))
    )


async def _seed(endpoint: str, table: str, stripes: Providers) -> None:
    """Put what a laptop starts with into the table.

    Raises:
        DeploymentFailed: It could not be put there.
    """
    told = json.dumps({mode: asdict(stripe) for mode, stripe in stripes.items()})
    await _output_of("local.seeds", endpoint, table, told=told)


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


def _session(api: str, stripes: Providers, facilitator: str, key: Any) -> dict[str, Any]:
    """What demo, tests and people need: addresses, and a token for each user."""
    now_seconds = int(time.time())
    return {
        "api": api,
        # The real one's address is known, and its key is nobody's business.
        "stripe": {mode: asdict(one) for mode, one in stripes.items() if one.address},
        "facilitator": facilitator,
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


def _say_ready(
    places: Places, api: str, stripes: Providers, *, seconds: float, pids: list[int]
) -> None:
    megabytes = resident_mb(pids)
    shown = [f"{one.address} ({mode} mode)" for mode, one in stripes.items() if one.address]
    _say(
        f"Ready in {seconds:.1f} s; {megabytes:.0f} MB of memory in {len(pids)} processes"
        f" (at most {BUDGET_MB}).\n\n"
        f"  API     {api}\n"
        f"  docs    {api}/docs\n"
        f"  Stripe  {', '.join(shown) + ', simulated' if shown else 'the real one'}\n"
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
