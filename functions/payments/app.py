"""The operations of payments, served."""

from holdfast.http.api import Api
from payments import agents, billing, intents, me, reconciliation, refunds

api = Api(
    billing.router,
    me.router,
    agents.router,
    intents.router,
    refunds.router,
    reconciliation.router,
    noun="payments",
)
handler = api.handler
