"""The operations of credits, served."""

from credits import agents, billing, commerce
from holdfast.http.api import Api

api = Api(commerce.router, billing.router, agents.router, noun="credits")
handler = api.handler
