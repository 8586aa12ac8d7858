"""The operations of holds, served."""

from holdfast.http.api import Api
from holds import billing, hardware

api = Api(billing.router, hardware.router, noun="holds")
handler = api.handler
