"""Holds: money set aside for work that is about to happen."""
