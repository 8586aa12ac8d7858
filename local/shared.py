"""What all functions have in memory, loaded once: see `processes.py`.

Only what reads no variable when it is loaded: a function's are not set yet. `tests/local` watches.
"""

import importlib

from holdfast import runtime

_MODULES = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler.openapi.dependant",
    "aws_lambda_powertools.event_handler.openapi.params",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.batch",
    "holdfast.services.wallet",
    "pydantic",
)
# Their models are the largest part of a client.
_SERVICES = ("dynamodb", "events", "sqs", "ssm")

for module in _MODULES:
    importlib.import_module(module)

session = runtime.session()
data = session.get_component("data_loader")
data.load_data("endpoints")
for service in _SERVICES:
    session.get_service_model(service)
    data.load_service_model(service, "endpoint-rule-set-1")
