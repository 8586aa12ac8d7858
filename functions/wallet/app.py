"""The operations of wallets, served."""

from holdfast.http.api import Api
from wallet import agents, billing, commerce, customer_balance, workspaces, zap

api = Api(
    billing.router,
    commerce.router,
    customer_balance.router,
    zap.router,
    agents.router,
    workspaces.router,
    noun="wallet",
)
handler = api.handler
