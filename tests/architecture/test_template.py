"""The template as CloudFormation will see it."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.architecture import template_rules as rules
from tests.architecture.source import ROOT, modules, names_bound_in
from tests.cloudformation import Document, resources
from tools.translate_template import translate


@pytest.fixture(scope="module")
def template() -> Document:
    return translate(ROOT / "template.yaml")


@pytest.mark.parametrize(
    "rule",
    [
        rules.batches_that_fail_whole,
        rules.functions_of_another_kind,
        rules.functions_without_log_retention,
        rules.large_invoke_policies,
        rules.queues_that_lose_messages,
        rules.schedules_that_never_fire,
        rules.secrets_in_the_environment,
        rules.tables_that_can_be_lost,
        rules.too_many_resources,
        rules.wide_policies,
    ],
    ids=lambda rule: rule.__name__.replace("_", " "),
)
def test_the_template_has_no(rule: Callable[[Document], Iterator[str]], template: Document):
    assert list(rule(template)) == []


def test_the_template_has_what_the_rules_are_about(template: Document):
    for kind in (
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::SQS::Queue",
        "AWS::Scheduler::Schedule",
    ):
        assert resources(template, kind), kind


def test_every_handler_is_a_name_in_an_app(template: Document):
    handlers = {
        properties["Handler"]
        for properties in resources(template, "AWS::Lambda::Function").values()
    }
    bound = {
        f"{module.name}.{name}"
        for module in modules("functions")
        for name in names_bound_in(module)
    }

    assert handlers - bound == set()


def test_the_python_of_the_template_is_the_python_of_the_project():
    wanted = (ROOT / ".python-version").read_text(encoding="utf-8").strip()

    assert f"python{wanted}" == rules.RUNTIME


def _resource(kind: str, properties: Document | None = None, **attributes: Any) -> Document:
    return {"Type": kind, "Properties": properties or {}, **attributes}


def _template(**named: Document) -> Document:
    return {"Resources": named}


def _function(**properties: Any) -> Document:
    return _resource(
        "AWS::Lambda::Function",
        {"Handler": "wallet.app.handler", "Runtime": rules.RUNTIME, "Architectures": ["arm64"]}
        | properties,
    )


def _permissions(count: int) -> Document:
    permission = _resource(
        "AWS::Lambda::Permission",
        {
            "FunctionName": {"Ref": "Wallet"},
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Sub": ["arn:${AWS::Partition}:${Api}/*/GET/v1/wallet", {}]},
        },
    )
    return _template(Wallet=_function(), **{f"Permission{n:04}": permission for n in range(count)})


def _role(**statement: Any) -> Document:
    return _template(
        Role=_resource(
            "AWS::IAM::Role",
            {"Policies": [{"PolicyDocument": {"Statement": [{"Effect": "Allow"} | statement]}}]},
        )
    )


def _variables(**variables: Any) -> Document:
    return _template(Wallet=_function(Environment={"Variables": variables})) | {
        "Parameters": {"Hidden": {"Type": "String", "NoEcho": True}}
    }


def _scheduled(expression: str) -> Document:
    return _template(Tick=_resource("AWS::Scheduler::Schedule", {"ScheduleExpression": expression}))


_DEAD = _resource("AWS::SQS::Queue")
_QUEUE = _resource(
    "AWS::SQS::Queue", {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}}
)
_ALARMS = {
    f"{name}Alarm": _resource(
        "AWS::CloudWatch::Alarm",
        {"Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [name, "QueueName"]}}]},
    )
    for name in ("Dead", "Queue")
}
_TABLE = _resource(
    "AWS::DynamoDB::Table",
    {
        "DeletionProtectionEnabled": True,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    },
    DeletionPolicy="Retain",
    UpdateReplacePolicy="Retain",
)


def _without(resource: Document, *path: str) -> Document:
    changed = deepcopy(resource)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return changed


def _mapping(**properties: Any) -> Document:
    return _template(
        Queue=_QUEUE,
        Table=_TABLE,
        Mapping=_resource("AWS::Lambda::EventSourceMapping", properties),
    )


_FROM_QUEUE = {"EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}}
_FROM_TABLE = {"EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]}}
_PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
_POISON = {"DestinationConfig": {"OnFailure": {"Destination": "arn"}}}


@pytest.mark.parametrize(
    ("rule", "planted", "count"),
    [
        (rules.too_many_resources, _template(**{f"R{n}": _DEAD for n in range(450)}), 0),
        (rules.too_many_resources, _template(**{f"R{n}": _DEAD for n in range(451)}), 1),
        (rules.large_invoke_policies, _permissions(30), 0),
        (rules.large_invoke_policies, _permissions(60), 1),
        (rules.functions_of_another_kind, _template(F=_function()), 0),
        (rules.functions_of_another_kind, _template(F=_function(Runtime="python3.12")), 1),
        (rules.functions_of_another_kind, _template(F=_function(Architectures=["x86_64"])), 1),
        (rules.functions_without_log_retention, _template(F=_function()), 1),
        (
            rules.functions_without_log_retention,
            _template(
                F=_function(LoggingConfig={"LogGroup": {"Ref": "Logs"}}),
                Logs=_resource("AWS::Logs::LogGroup"),
            ),
            1,
        ),
        (
            rules.functions_without_log_retention,
            _template(
                F=_function(LoggingConfig={"LogGroup": {"Ref": "Logs"}}),
                Logs=_resource("AWS::Logs::LogGroup", {"RetentionInDays": 30}),
            ),
            0,
        ),
        (rules.queues_that_lose_messages, _template(Dead=_DEAD, Queue=_QUEUE, **_ALARMS), 0),
        (rules.queues_that_lose_messages, _template(Dead=_DEAD, Queue=_QUEUE), 2),
        (rules.queues_that_lose_messages, _template(Queue=_DEAD, **_ALARMS), 1),
        (rules.batches_that_fail_whole, _mapping(**_FROM_QUEUE, **_PARTIAL), 0),
        (rules.batches_that_fail_whole, _mapping(**_FROM_QUEUE), 1),
        (rules.batches_that_fail_whole, _mapping(**_FROM_TABLE, **_PARTIAL), 1),
        (rules.batches_that_fail_whole, _mapping(**_FROM_TABLE, **_PARTIAL, **_POISON), 0),
        (rules.wide_policies, _role(Action="dynamodb:GetItem", Resource={"Ref": "Table"}), 0),
        (rules.wide_policies, _role(Action="dynamodb:GetItem", Resource="*"), 1),
        (rules.wide_policies, _role(Action=["dynamodb:*"], Resource=["arn"]), 1),
        (rules.wide_policies, _role(NotAction="iam:*", Resource="arn"), 1),
        (
            rules.wide_policies,
            _template(
                R=_resource(
                    "AWS::IAM::Role",
                    {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
                )
            ),
            1,
        ),
        (rules.tables_that_can_be_lost, _template(Table=_TABLE), 0),
        (rules.tables_that_can_be_lost, _template(Table=_without(_TABLE, "DeletionPolicy")), 1),
        (
            rules.tables_that_can_be_lost,
            _template(Table=_without(_TABLE, "Properties", "DeletionProtectionEnabled")),
            1,
        ),
        (
            rules.tables_that_can_be_lost,
            _template(Table=_without(_TABLE, "Properties", "PointInTimeRecoverySpecification")),
            1,
        ),
        (rules.secrets_in_the_environment, _variables(TABLE_NAME={"Ref": "Table"}), 0),
        (rules.secrets_in_the_environment, _variables(SIGNING_SECRET_ARN={"Ref": "Secret"}), 0),
        (rules.secrets_in_the_environment, _variables(STRIPE_API_KEY={"Ref": "Key"}), 1),
        (rules.secrets_in_the_environment, _variables(STRIPE="sk_" + "live_123"), 1),
        (rules.secrets_in_the_environment, _variables(STRIPE={"Ref": "Hidden"}), 1),
        (rules.schedules_that_never_fire, _scheduled("rate(1 minute)"), 0),
        (rules.schedules_that_never_fire, _scheduled("cron(0 3 * * ? *)"), 0),
        (rules.schedules_that_never_fire, _scheduled("cron(0 3 * * ?)"), 1),
        (rules.schedules_that_never_fire, _scheduled("rate(0 minutes)"), 1),
    ],
)
def test_a_rule_finds_what_it_is_for(
    rule: Callable[[Document], Iterator[str]], planted: Document, count: int
):
    assert len(list(rule(planted))) == count


def test_the_authorizer_reads_api_keys_and_nothing_else_of_the_table(template: Document):
    role = resources(template, "AWS::IAM::Role")["AuthorizerRole"]
    (policy,) = role["Policies"]
    on_table = [
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if str(statement["Action"]).startswith("dynamodb:")
    ]

    assert on_table == [
        {
            "Effect": "Allow",
            "Action": "dynamodb:GetItem",
            "Resource": {"Fn::GetAtt": ["Table", "Arn"]},
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["KEY#*"]}},
        }
    ]
