"""What is due is queued by a tick, and done by workers, each noun by its own sweeper."""

from collections.abc import Callable, Mapping, Sequence

from holdfast.domain.clock import Instant
from holdfast.domain.due import Due
from holdfast.gateways.work_queue import WorkQueue
from holdfast.store import keys, pages
from holdfast.store.ledger_store import LedgerStore

type Sweeper = Callable[[Due, Instant], object]
"""Does whatever a thing is due for. Done twice it changes nothing more."""


def dispatch(store: LedgerStore, queue: WorkQueue, *, now: Instant) -> int:
    """Queue everything that is due; how much. A tick that was missed is made up by the next."""
    queued = 0
    for shard in range(keys.DUE_SHARDS):
        due = pages.due(store, shard, now=now)
        queue.send(due)
        queued += len(due)
    return queued


def sweep_all(sweepers: Mapping[str, Sweeper], due: Sequence[Due], *, now: Instant) -> None:
    """Sweep what is due, each thing by itself.

    Raises:
        ExceptionGroup: Some failed. The others were swept all the same.
    """
    failures: list[Exception] = []
    for each in due:
        try:
            sweepers[each.noun](each, now)
        except Exception as failure:  # noqa: BLE001 - one bad thing must not stop the others
            failures.append(failure)
    if failures:
        raise ExceptionGroup("some things were not swept", failures)
