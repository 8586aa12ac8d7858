"""Whether the service is there, and which release of it."""

import os

from holdfast.http.routing import Router
from holdfast.http.views import View

router = Router()


class HealthView(View):
    status: str
    version: str


@router.get("/v1/health", public=True)
def health() -> HealthView:
    """Say that requests arrive. No store is asked: a slow table does not make this one sick."""
    return HealthView(status="ok", version=os.environ.get("HOLDFAST_VERSION", "development"))
