"""The rules of money: pure functions over frozen values. No clock, no randomness, no I/O."""
