"""Payments: the plumbing of payments by card, orders, and what became of them."""
