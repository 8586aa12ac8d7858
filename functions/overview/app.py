"""Overview: the service itself."""

from holdfast.http.api import Api
from overview import health

api = Api(health.router)
handler = api.handler
