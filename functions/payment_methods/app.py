"""The operations of payment methods, served."""

from payment_methods import agents, billing, commerce, me, setup_intents, tokenize

api = tokenize.Deaf(
    billing.router,
    me.router,
    commerce.router,
    setup_intents.router,
    tokenize.router,
    agents.router,
    noun="payment_methods",
)
handler = api.handler
