"""The least that anybody would write with Powertools: what all figures here are compared with."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(service="hello")
metrics = Metrics(namespace="Hello", service="hello")
app = APIGatewayHttpResolver()


@app.get("/hello")
def hello() -> dict[str, str]:
    logger.info("hello")
    metrics.add_metric(name="Requests", unit=MetricUnit.Count, value=1)
    return {"message": "hello world"}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
