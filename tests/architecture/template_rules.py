"""What a translated template must not have; each rule yields what it finds wrong."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.cloudformation import Document, function_of, references, refers_to, resources

RESOURCES_MAX = 450  # CloudFormation stops at 500
INVOKE_POLICY_MAX = 20_000  # bytes; Lambda stops at 20 KB
RUNTIME = "python3.13"

_QUEUE = "AWS::SQS::Queue"
_SECRET_NAME = re.compile(r"SECRET|PASSWORD|PASSPHRASE|PRIVATE|CREDENTIAL|TOKEN|API_?KEY|_KEY$")
# The address of a secret is no secret.
_ADDRESS_NAME = re.compile(r"_(ARN|NAME|ID|URL|PARAMETER)$")
_SECRET_VALUE = re.compile(
    r"\b(sk|rk|hf)_(live|test)_|\bwhsec_|-----BEGIN|AKIA[0-9A-Z]{16}|\{\{resolve:(ssm-)?secret"
)
_RATE = re.compile(r"rate\([1-9][0-9]* (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\(\S+( \S+){5}\)")


def too_many_resources(template: Document) -> Iterator[str]:
    count = len(template["Resources"])
    if count > RESOURCES_MAX:
        yield f"{count} resources"


def large_invoke_policies(template: Document) -> Iterator[str]:
    """SAM writes one permission for each route, and a function's permissions are one document."""
    statements = defaultdict(list)
    for name, permission in resources(template, "AWS::Lambda::Permission").items():
        statements[function_of(template, permission["FunctionName"])].append(
            {
                "Sid": f"holdfast-production-{name}-ABCDEFGHIJKL",
                "Effect": "Allow",
                "Principal": {"Service": permission["Principal"]},
                "Action": permission["Action"],
                "Resource": "arn:aws:lambda:ap-southeast-2:123456789012:function:" + "f" * 64,
                "Condition": {"ArnLike": {"AWS:SourceArn": _filled(permission.get("SourceArn"))}},
            }
        )
    for function, written in statements.items():
        size = len(json.dumps({"Version": "2012-10-17", "Statement": written}))
        if size >= INVOKE_POLICY_MAX:
            yield f"{function}: {size} bytes"


def _filled(value: Any) -> str:
    """A reference's text at a realistic length."""
    match value:
        case {"Fn::Sub": [str(text), _]} | {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{[^}]+\}", "ap-southeast-2", text)
        case str():
            return value
    return "arn:aws:events:ap-southeast-2:123456789012:rule/" + "r" * 64


def functions_without_log_retention(template: Document) -> Iterator[str]:
    """A log group that Lambda makes by itself is kept, and paid for, for ever."""
    groups = resources(template, "AWS::Logs::LogGroup")
    for function, properties in resources(template, "AWS::Lambda::Function").items():
        named = set(references(properties.get("LoggingConfig", {}).get("LogGroup")))
        kept = [
            group
            for name, group in groups.items()
            if name in named or refers_to(group.get("LogGroupName"), function)
        ]
        if not any("RetentionInDays" in group for group in kept):
            yield function


def functions_of_another_kind(template: Document) -> Iterator[str]:
    for function, properties in resources(template, "AWS::Lambda::Function").items():
        if properties.get("Runtime") != RUNTIME:
            yield f"{function} runs on {properties.get('Runtime')}"
        if properties.get("Architectures") != ["arm64"]:
            yield f"{function} is built for {properties.get('Architectures')}"


def _dead_letter_queues(template: Document) -> set[str]:
    """Queues that something else falls back on."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                if key in ("RedrivePolicy", "DeadLetterConfig", "OnFailure", "DeadLetterQueue"):
                    found.update(references(part))
                look(part)
        elif isinstance(value, list):
            for part in value:
                look(part)

    look(template["Resources"])
    return found & set(resources(template, _QUEUE))


def queues_that_lose_messages(template: Document) -> Iterator[str]:
    """A queue without a dead-letter queue, or any queue that nobody is told about."""
    dead = _dead_letter_queues(template)
    alarms = resources(template, "AWS::CloudWatch::Alarm").values()
    for queue, properties in resources(template, _QUEUE).items():
        if queue not in dead and "RedrivePolicy" not in properties:
            yield f"{queue} has no dead-letter queue"
        if not any(refers_to(alarm, queue) for alarm in alarms):
            yield f"{queue} has no alarm"


def batches_that_fail_whole(template: Document) -> Iterator[str]:
    for name, mapping in resources(template, "AWS::Lambda::EventSourceMapping").items():
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name} does not report partial failures"
        of_a_queue = any(
            template["Resources"][source]["Type"] == _QUEUE
            for source in references(mapping["EventSourceArn"])
        )
        if not of_a_queue and "OnFailure" not in mapping.get("DestinationConfig", {}):
            yield f"{name} has nowhere to put a poison record"


def _statements(template: Document) -> Iterator[tuple[str, Document]]:
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::IAM::Role":
                policies = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            case "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::SQS::QueuePolicy":
                policies = [properties["PolicyDocument"]]
            case _:
                continue
        for policy in policies:
            written = policy["Statement"]
            for statement in written if isinstance(written, list) else [written]:
                yield name, statement


def wide_policies(template: Document) -> Iterator[str]:
    """Statements about everything, and policies that somebody else writes.

    SAM attaches managed ones by itself to a function without a role, and those say `*`.
    """
    for name, statement in _statements(template):
        for key in ("Resource", "Action"):
            given = statement.get(key, [])
            for value in given if isinstance(given, list) else [given]:
                if value == "*" or (key == "Action" and str(value).endswith(":*")):
                    yield f"{name}: {key} {value}"
        if {"NotAction", "NotResource"} & set(statement):
            yield f"{name}: everything but a list"
    for name, role in resources(template, "AWS::IAM::Role").items():
        for policy in role.get("ManagedPolicyArns", []):
            yield f"{name}: managed policy {policy}"


def tables_that_can_be_lost(template: Document) -> Iterator[str]:
    for name, properties in resources(template, "AWS::DynamoDB::Table").items():
        resource = template["Resources"][name]
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.get(policy) != "Retain":
                yield f"{name}: {policy} is {resource.get(policy)}"
        if properties.get("DeletionProtectionEnabled") is not True:
            yield f"{name}: no deletion protection"
        recovery = properties.get("PointInTimeRecoverySpecification", {})
        if recovery.get("PointInTimeRecoveryEnabled") is not True:
            yield f"{name}: no point-in-time recovery"


def secrets_in_the_environment(template: Document) -> Iterator[str]:
    """Variables are shown to whoever may describe a function."""
    hidden = {
        name
        for name, parameter in template.get("Parameters", {}).items()
        if parameter.get("NoEcho") in (True, "true")
    }
    for function, properties in resources(template, "AWS::Lambda::Function").items():
        for name, value in properties.get("Environment", {}).get("Variables", {}).items():
            looks_secret = _SECRET_NAME.search(name) and not _ADDRESS_NAME.search(name)
            if looks_secret or _SECRET_VALUE.search(str(value)) or hidden & set(references(value)):
                yield f"{function}: {name}"


def schedules_that_never_fire(template: Document) -> Iterator[str]:
    """No linter reads these expressions: five fields are accepted, and refused at deployment."""
    for kind in ("AWS::Scheduler::Schedule", "AWS::Events::Rule"):
        for name, properties in resources(template, kind).items():
            expression = properties.get("ScheduleExpression")
            if expression is None and kind == "AWS::Events::Rule":
                continue
            if not any(form.fullmatch(str(expression)) for form in (_RATE, _CRON)):
                yield f"{name}: {expression}"
