"""The table's stream to the event bus: what was committed is published, and nothing else."""
