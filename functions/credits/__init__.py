"""Credits: what users are granted, what is left of it, and what they start with."""
