"""Payment methods: cards that are saved with the payment provider, and setups that save them."""
