"""Deploys `template.yaml` to the embedded AWS, and says what came of it.

A process of its own (`python -m local.stack ENDPOINT < parameters`, a deployment as JSON on
standard output), because the AWS SDK would otherwise stay in memory for as long as the stack runs.
"""

import functools
import io
import json
import sys
import time
import zipfile
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.environment import Function
from local.roles import OWNER, credentials_of
from local.routes import Document, authorizer_of, routes_of
from local.template import STACK, Deployment, DeploymentFailed, read_template

REGION = "us-east-1"
_BUCKET = "holdfast-artifacts"
_KEY = "placeholder.zip"
_TEMPLATE = "template.json"
_POLL_SECONDS = 0.05


def deploy(endpoint: str, parameters: dict[str, str]) -> Deployment:
    """Make the stack, or update it: tables, queues and what is in them stay.

    Raises:
        DeploymentFailed: CloudFormation refused the template or gave up.
    """
    formation = _client("cloudformation", endpoint)
    template = read_template()
    _upload_placeholder(endpoint, template)
    _apply(formation, _uploaded(endpoint, template), parameters)
    processed = formation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    listed = formation.describe_stack_resources(StackName=STACK)["StackResources"]
    physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}
    _enable_expiry(endpoint, processed, physical)
    (described,) = formation.describe_stacks(StackName=STACK)["Stacks"]
    functions = {
        logical: physical[logical]
        for logical, resource in processed["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    return Deployment(
        functions=[_function(endpoint, name) for name in functions.values()],
        routes=routes_of(processed, functions),
        authorizer=authorizer_of(processed, functions),
        outputs={one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]},
    )


@functools.cache
def _client(service: str, endpoint: str) -> Any:
    session: Any = boto3.session.Session(
        aws_access_key_id=OWNER, aws_secret_access_key=OWNER, region_name=REGION
    )
    return session.client(
        service, endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"})
    )


def _upload_placeholder(endpoint: str, template: Document) -> None:
    """Name an object as every function's code: the functions run from the working tree."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        # The same bytes each time, or every start would be an update.
        packed.writestr(zipfile.ZipInfo("README"), "The code runs from the working tree.\n")
    objects = _client("s3", endpoint)
    objects.create_bucket(Bucket=_BUCKET)
    objects.put_object(Bucket=_BUCKET, Key=_KEY, Body=archive.getvalue())
    template["Globals"]["Function"]["CodeUri"] = f"s3://{_BUCKET}/{_KEY}"
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = f"s3://{_BUCKET}/{_KEY}"


def _uploaded(endpoint: str, template: Document) -> str:
    """Where the template stands: in a request it would be too long, here as on AWS."""
    _client("s3", endpoint).put_object(Bucket=_BUCKET, Key=_TEMPLATE, Body=json.dumps(template))
    return f"{endpoint}/{_BUCKET}/{_TEMPLATE}"


def _apply(formation: Any, template_url: str, parameters: dict[str, str]) -> None:
    """Create or update the stack, and wait for the end of it."""
    arguments = {
        "StackName": STACK,
        "TemplateURL": template_url,
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        if _is_there(formation):
            formation.update_stack(**arguments)
        else:
            formation.create_stack(**arguments)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" in message:
            return
        raise DeploymentFailed(message) from error
    status = _wait(formation)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        events = formation.describe_stack_events(StackName=STACK)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in events
            if "FAILED" in event["ResourceStatus"] and event.get("ResourceStatusReason")
        ]
        raise DeploymentFailed("\n".join([status, *reasons]))


def _is_there(formation: Any) -> bool:
    """Whether there is a stack to update; what is left of one that was never made is removed."""
    try:
        (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
    except ClientError:
        return False
    if stack["StackStatus"] not in ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        return True
    formation.delete_stack(StackName=STACK)
    _wait(formation)
    return False


def _wait(formation: Any) -> str:
    """Wait for the end of what the stack is going through; its status then."""
    while True:
        try:
            (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
        except ClientError:
            return "DELETE_COMPLETE"
        status = str(stack["StackStatus"])
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(_POLL_SECONDS)


def _enable_expiry(endpoint: str, processed: Document, physical: dict[str, str]) -> None:
    """Turn on what the emulator leaves out of a table: its time to live."""
    database = _client("dynamodb", endpoint)
    for logical, resource in processed["Resources"].items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            table = physical[logical]
            wanted = resource["Properties"]["TimeToLiveSpecification"]
            found = database.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
            if found["TimeToLiveStatus"] != "ENABLED":
                database.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _function(endpoint: str, name: str) -> Function:
    functions = _client("lambda", endpoint)
    try:
        configured = functions.get_function_configuration(FunctionName=name)
    except functions.exceptions.ResourceNotFoundException as error:
        # The emulator deletes by name, after it has created: two resources cannot swap a name.
        raise DeploymentFailed(
            f"{name} is gone: its name was given to another resource of the template. Rename it, or"
            " start without a state."
        ) from error
    return Function(
        name=name,
        arn=configured["FunctionArn"],
        handler=configured["Handler"],
        timeout_seconds=configured["Timeout"],
        memory_mb=configured["MemorySize"],
        variables=configured["Environment"]["Variables"],
        credentials=credentials_of(
            configured["Role"], iam=_client("iam", endpoint), sts=_client("sts", endpoint)
        ),
    )


if __name__ == "__main__":
    try:
        print(deploy(sys.argv[1], json.load(sys.stdin)).to_json())
    except DeploymentFailed as failed:
        sys.exit(f"The template could not be deployed:\n{failed}")
