"""The services behind this one, each behind the few words that are needed of it."""
