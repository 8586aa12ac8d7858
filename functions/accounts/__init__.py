"""Accounts: what owns money, who may use it, where it is spent, and keys to it."""
