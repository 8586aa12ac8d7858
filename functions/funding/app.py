"""The operations of funding, and the page of those who have paid, served."""

from funding import agents, auto_funding, commerce, recharge_billing, workspaces, x402
from funding.success import Hosted

api = Hosted(
    agents.router,
    auto_funding.router,
    commerce.router,
    recharge_billing.router,
    workspaces.router,
    x402.router,
    noun="funding",
)
handler = api.handler
