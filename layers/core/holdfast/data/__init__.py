"""Data that an operator may change without touching a rule."""
