"""The operations of wallets, served."""

from holdfast.http.api import Api
from wallet import agents, billing, commerce

api = Api(billing.router, commerce.router, agents.router, noun="wallet")
handler = api.handler
