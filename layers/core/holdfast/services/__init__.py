"""Use cases: load, decide, commit. No rule of its own, and no HTTP."""
