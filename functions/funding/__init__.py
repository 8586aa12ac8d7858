"""Funding: money that comes into wallets, by card, by a page, by itself, or by x402."""
