"""Use cases of hardware: quote a job, hold the quoted amount, release it with what it cost."""

import json
from decimal import Decimal
from functools import cache
from importlib import resources

from holdfast.domain import money
from holdfast.domain import quotes as rules
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.holds import Hold, new_id
from holdfast.domain.ledger import Change, Decision, Deed, Wallet
from holdfast.domain.once import Once
from holdfast.domain.quotes import DevicePrice, HeldJob, Quote
from holdfast.errors import DeviceNotFound, JobNotFound, NotFound, Refusal
from holdfast.services.changes import change
from holdfast.services.holds import HoldPage, page_of
from holdfast.services.refs import Owner, held_job_of, hold_of, quote_of
from holdfast.services.wallet import wallet as look_at_wallet
from holdfast.store import pages
from holdfast.store.ledger_store import Committed, Enacted, LedgerStore


def quote_job(
    store: LedgerStore,
    owner: Owner,
    *,
    provider: str,
    device: str,
    shots: int,
    tasks: int,
    job_id: str | None,
    once: Once,
) -> Enacted:
    """Price a job and keep the price for a quarter of an hour.

    Raises:
        DeviceNotFound: There is no price for the device.
        DeviceOffline: The device takes no jobs.
        IdempotencyKeyReused: The key was used for another quote.
    """
    try:
        price = device_price(provider, device)
        wallet = look_at_wallet(store, owner, price.currency, now=once.now, own=True)
        asked = rules.quote_job(price, wallet, once, shots=shots, tasks=tasks, job_id=job_id)
    except Refusal:
        if earlier := store.reenacted(once):
            return earlier
        raise

    def decide() -> Deed:
        return Deed(asked, (Change(None, asked),))

    return store.enact(decide, [], once=once)


def hold_quoted(
    store: LedgerStore, owner: Owner, *, quote_id: str, job_id: str | None, once: Once
) -> Committed:
    """Set a quoted amount aside for a job. The same job and quote again: the first answer."""
    try:
        quote: Quote = store.read(quote_of(owner, quote_id))
    except NotFound:
        if earlier := store.replayed(once):
            return earlier
        raise
    job = job_id or quote.job_id or quote.used_by or f"job_{once.digest}"
    held: HeldJob | None = store.read(held_job_of(owner, job))
    prior: Hold | None = None if held is None else store.read(hold_of(owner, held.hold_id))

    def decide(wallet: Wallet, budgets: Budgets, quote: Quote, held: HeldJob | None) -> Decision:
        same = held is not None and prior is not None and held.hold_id == prior.id
        return rules.hold_quoted(
            wallet,
            quote,
            held,
            prior if same else None,
            once,
            job_id=job,
            hold_id=new_id(once, quote.currency),
            budgets=budgets,
        )

    refs = (quote_of(owner, quote_id), held_job_of(owner, job))
    return change(store, owner, quote.currency, decide, *refs, once=once)


def release_job(
    store: LedgerStore,
    owner: Owner,
    *,
    job_id: str,
    capture_micros: int,
    reason: str | None,
    once: Once,
) -> Committed:
    """Charge what a job really cost, and give the rest of its hold back.

    Raises:
        JobNotFound: The job has no hold.
    """
    held: HeldJob | None = store.read(held_job_of(owner, job_id))
    if held is None:
        if earlier := store.replayed(once):
            return earlier
        raise JobNotFound()
    ref = hold_of(owner, held.hold_id)

    def decide(wallet: Wallet, budgets: Budgets, hold: Hold) -> Decision:
        return rules.release_job(
            wallet, hold, once, budgets, capture_micros=capture_micros, reason=reason
        )

    currency = held.hold_id.rpartition("_")[2]
    return change(store, owner, currency, decide, ref, once=once)


def jobs(
    store: LedgerStore,
    owner: Owner,
    *,
    status: str | None,
    before: str | None,
    limit: int,
    now: Instant,
) -> HoldPage:
    """One page of the holds of the account's hardware jobs, newest first."""
    found = pages.jobs(store, owner.tenant, owner.account_id, before=before)

    def wanted(hold: Hold) -> bool:
        return status in (None, rules.job_status(hold))

    return page_of(store, owner, found, pages.job_place, wanted, limit=limit, now=now)


def device_price(provider: str, device: str) -> DevicePrice:
    """The price of a device, by its id, its ARN or its name.

    Raises:
        DeviceNotFound: There is no price for it.
    """
    price = _prices().get((provider.lower(), device.lower()))
    if price is None:
        raise DeviceNotFound()
    return price


@cache
def _prices() -> dict[tuple[str, str], DevicePrice]:
    text = resources.files("holdfast.data").joinpath("hardware_prices.json").read_text()
    listed = json.loads(text)
    prices: dict[tuple[str, str], DevicePrice] = {}
    for device in listed["devices"]:
        price = DevicePrice(
            provider=device["provider"],
            device=device["id"],
            currency=listed["currency"],
            per_task_micros=int(Decimal(device["per_task"]) * money.MICROS_PER_MAJOR),
            per_shot_micros=int(Decimal(device["per_shot"]) * money.MICROS_PER_MAJOR),
            online=device["online"],
        )
        for name in (device["id"], *device["names"]):
            prices[price.provider, name.lower()] = price
    return prices
