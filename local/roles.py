"""What a function signs its calls with.

The embedded AWS takes any signature, unless AUTH=true: then a function gets a session of its role,
as on Lambda, and what the role's policies do not allow is refused.
"""

import json
import os
from typing import Any

# The emulator's own name, and secret, for the owner of the account.
OWNER = "test"
SESSION_SECONDS = 12 * 3600


def are_enforced() -> bool:
    return os.environ.get("AUTH", "").lower() == "true"


def credentials_of(role_arn: str, *, iam: Any, sts: Any) -> dict[str, str]:
    """The variables that hold a function's credentials."""
    if not are_enforced():
        return {"AWS_ACCESS_KEY_ID": OWNER, "AWS_SECRET_ACCESS_KEY": OWNER}
    role = role_arn.rpartition("/")[2]
    _let_the_owner_assume(iam, role, account=role_arn.split(":")[4])
    _say_it_otherwise(iam, role)
    session = sts.assume_role(
        RoleArn=role_arn, RoleSessionName="function", DurationSeconds=SESSION_SECONDS
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def _let_the_owner_assume(iam: Any, role: str, *, account: str) -> None:
    """Lambda assumes a role by itself; here the account's owner does it for the function."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))


def _say_it_otherwise(iam: Any, role: str) -> None:
    """Where the emulator asks for other words than AWS: for batches, and for several parameters.

    On AWS `sqs:SendMessage` covers batches; the emulator wants an action that AWS has not. And it
    does not look which parameters a call names when it names several.
    """
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            if statement["Action"] == "sqs:SendMessage":
                statement["Action"] = ["sqs:SendMessage", "sqs:SendMessageBatch"]
            if statement["Action"] == "ssm:GetParameters":
                statement["Resource"] = "*"
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
