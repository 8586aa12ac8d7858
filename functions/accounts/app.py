"""The operations of accounts, served."""

from accounts import agents, billing, commerce, me, workspaces
from holdfast.http.api import Api

api = Api(
    billing.router,
    me.router,
    workspaces.router,
    commerce.router,
    agents.router,
    noun="accounts",
)
handler = api.handler
