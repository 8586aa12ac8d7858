"""A small stateful Stripe on 127.0.0.1, for laptops and tests; no money moves.

`server` is what starts. `api` finds the operation for a request and keeps idempotency keys;
`customers`, `payment_methods`, `setup_intents`, `payment_intents`, `refunds`, `checkout`, `portal`,
`disputes`, `balance` and `events` are the operations, `paying` and `charges` what they share.
`cards` are the test cards, `pages` what a person clicks, `webhooks` how events are delivered, and
`control` how a test makes things go wrong. `world` is all that is known.
"""
