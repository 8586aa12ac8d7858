"""The tick's handler and the worker's."""

from billing_cycle.due import find_due, sweep_due

tick = find_due
sweep = sweep_due
