"""Stripe's events: taken in at the door, and looked into behind it."""
