"""The door for events of the payment provider, served on the API and as a function URL."""

from stripe_webhook import billing, commerce, door

api = door.Door(billing.router, commerce.router, noun="stripe_webhook")
handler = api.handler
