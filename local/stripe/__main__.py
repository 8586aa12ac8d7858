"""`python -m local.stripe`: a simulated Stripe on 127.0.0.1, until Ctrl-C."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from local.server import PortTaken, listen
from local.stripe.server import StripeServer

DEFAULT_PORT = 3001


def main() -> int:
    """Serve until told to stop; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 is any free port")
    parser.add_argument("--state", type=Path, help="the folder that state is kept in")
    parser.add_argument("--webhook", metavar="URL", help="where events are posted")
    parser.add_argument("--secret", metavar="WHSEC", help="what they are signed with: whsec_…")
    parser.add_argument("--key", help="the only secret key let in; any sk_test_… otherwise")
    parser.add_argument("--seed", help="the same calls make the same ids")
    options = parser.parse_args()
    if options.webhook is not None and options.secret is None:
        parser.error("--webhook needs --secret")
    try:
        asyncio.run(_run(options))
    except PortTaken as taken:
        print(taken, file=sys.stderr)
        return 1
    return 0


async def _run(options: argparse.Namespace) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    async with StripeServer(
        listen(options.port),
        state=options.state,
        webhook_url=options.webhook,
        webhook_secret=options.secret,
        secret_key=options.key,
        seed=options.seed,
    ) as server:
        print(f"Simulated Stripe on {server.address}", flush=True)
        await told_to_stop.wait()


if __name__ == "__main__":
    sys.exit(main())
