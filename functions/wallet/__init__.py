"""Wallets: balances, money in and out, charges, refunds, statements."""
