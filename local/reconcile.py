"""`make reconcile`: hold what the simulated Stripe says against the ledger of the running stack.

    python -m local.reconcile [--mode MODE] [--day DAY]

The environment is the one of the function that does it every night.
"""

import os
import subprocess
import sys

import boto3

from local.places import LAYERS, Places
from local.roles import OWNER
from local.stack import REGION

FUNCTION = "holdfast-reconciliation"


def main() -> int:
    """Reconcile; the exit status."""
    try:
        endpoint = Places.of_environment().emulator_address.read_text().strip()
    except FileNotFoundError:
        print("No stack runs: start one with make run, in another terminal.", file=sys.stderr)
        return 1
    session = boto3.session.Session(
        aws_access_key_id=OWNER, aws_secret_access_key=OWNER, region_name=REGION
    )
    functions = session.client("lambda", endpoint_url=endpoint)
    configured = functions.get_function_configuration(FunctionName=FUNCTION)
    return subprocess.run(
        [sys.executable, "-m", "holdfast.reconcile", *sys.argv[1:]],
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(map(str, LAYERS)),
            "AWS_ACCESS_KEY_ID": OWNER,
            "AWS_SECRET_ACCESS_KEY": OWNER,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint,
            **configured["Environment"]["Variables"],
        },
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
