"""Auto-recharge at work: what a wallet's image, a payment's end and a schedule bring about.

Each may come twice, late and in any order. The settings name the one attempt in flight, and every
write of an attempt is guarded by them: of any number of deliveries at once one begins. An attempt
makes one payment, under an id made of its own, whoever goes on with it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.domain import payments as payment_rules
from holdfast.domain import recharge as rules
from holdfast.domain import recharge_attempts as kinds
from holdfast.domain import recharge_beginnings as beginnings
from holdfast.domain import recharge_conclusions as conclusions
from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.due import Due
from holdfast.domain.ledger import Change, Deed, Record, Resolution, Unchanged, Wallet
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import Customer, PaymentMethod
from holdfast.domain.payments import AUTO_RECHARGE, KEY_LIFE, REFUND, Payment
from holdfast.domain.recharge import AutoRecharge, Verdict
from holdfast.domain.recharge_attempts import Attempt, Breaker, Trigger, card_name
from holdfast.domain.recharge_conclusions import Conclusion
from holdfast.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    PaymentNotFound,
    PaymentRequired,
    StripeUnavailable,
)
from holdfast.services import payments
from holdfast.services import wallet as wallets
from holdfast.services.accounts import system_once
from holdfast.services.beginnings import Asked
from holdfast.services.cards import Stripes
from holdfast.services.refs import (
    Owner,
    attempt_of,
    breaker_of,
    customer_of,
    method_of,
    payment_of,
    recharge_of,
)
from holdfast.store import pages
from holdfast.store.ledger_store import Enacted, LedgerStore

ROUNDS_MAX = 3
"""How often one delivery looks again whether what it charged was enough."""
SURFACE = "auto_recharge"

type End = Callable[[AutoRecharge, Attempt, Breaker], Conclusion]


@dataclass(frozen=True, slots=True)
class Seen:
    """What it takes to say whether a wallet is to be recharged."""

    settings: AutoRecharge
    wallet: Wallet
    card: PaymentMethod | None
    breaker: Breaker | None
    disputed: bool

    def verdict(self, now: Instant, *, asked: bool = False) -> Verdict:
        """Whether it is."""
        return rules.verdict(
            self.settings,
            self.wallet,
            self.card,
            self.breaker,
            now=now,
            disputed=self.disputed,
            asked=asked,
        )


def recharge(store: LedgerStore, stripes: Stripes, owner: Owner, *, now: Instant) -> Attempt | None:
    """Recharge the account's wallet if it has to be; the last attempt that was made for that."""
    made: Attempt | None = None
    for _ in range(ROUNDS_MAX):
        settings: AutoRecharge = store.read(recharge_of(owner))
        is_idle = not settings.enabled and settings.next_at is None
        if is_idle or settings.attempt_id:
            break
        place = f"recharge {owner.account_id} {settings.version}"
        once = system_once(owner.tenant, place, now)
        begun = _begin(store, look(store, owner, settings, now=now), once)
        if begun is None:
            break
        made = pay(store, stripes, owner, begun, now=now)
        if made.status != kinds.SUCCEEDED:
            break
    return made


def look(store: LedgerStore, owner: Owner, settings: AutoRecharge, *, now: Instant) -> Seen:
    """The wallet as it is after the settings were read, its card and the breaker of that.

    In this order: as long as the settings are unchanged no attempt has ended since, so that the
    wallet has all that those before brought in.
    """
    wallet = wallets.wallet(store, owner, settings.currency, now=now, own=owner.user is not None)
    customer: Customer = store.read(customer_of(owner))
    known = pages.methods(store, owner.tenant, owner.account_id)
    card = rules.card_to_charge(settings, customer, known)
    if card is None:
        return Seen(settings, wallet, None, None, disputed=False)
    breaker: Breaker = store.read(breaker_of(owner.tenant, card_name(card)))
    disputes = pages.disputes(store, owner.tenant, owner.account_id)
    return Seen(settings, wallet, card, breaker, rules.is_disputed(settings, disputes))


def pay(
    store: LedgerStore, stripes: Stripes, owner: Owner, attempt: Attempt, *, now: Instant
) -> Attempt:
    """Charge what an attempt that was begun is for; the attempt as it is then.

    Whoever does it again, or at the same time, makes the same payment. One without an answer stays
    in flight until somebody looks after it.
    """
    asked = Asked(
        kind=AUTO_RECHARGE,
        amount_micros=attempt.amount_micros,
        currency=attempt.currency,
        surface=SURFACE,
        payment_method_id=attempt.method_id,
        off_session=True,
        details={"attempt_id": attempt.id},
    )
    refused = ""
    try:
        payments.charge(store, stripes, owner, asked, once=_paying(owner.tenant, attempt))
    except StripeUnavailable:
        if _payment(store, owner.tenant, attempt) is None:
            return attempt
    except (PaymentRequired, NotFound, Conflict, InvalidRequest) as refusal:
        if _payment(store, owner.tenant, attempt) is None:
            return _give_up(store, owner, attempt, now=now)
        refused = refusal.code if isinstance(refusal, NotFound | InvalidRequest) else ""
    payment = _payment(store, owner.tenant, attempt)
    assert payment is not None
    after = conclude(store, owner, attempt.id, payment, now=now, refused=refused)
    return after or attempt


def conclude(
    store: LedgerStore,
    owner: Owner,
    attempt_id: str,
    payment: Payment,
    *,
    now: Instant,
    refused: str = "",
) -> Attempt | None:
    """The attempt with what became of its payment; None where there is no such attempt."""
    known: Attempt | None = store.read(attempt_of(owner, attempt_id))
    if known is None:
        return None
    entry_id = payment.entry_id
    balance = store.entry(owner.tenant, entry_id).balance_micros if entry_id else None

    def end(settings: AutoRecharge, attempt: Attempt, breaker: Breaker) -> Conclusion:
        return conclusions.concluded(
            settings,
            attempt,
            breaker,
            payment,
            balance_after_micros=balance,
            now=now,
            refused=refused,
        )

    once = system_once(owner.tenant, f"conclude {attempt_id} {payment.version}", now)
    return _write(store, owner, known, end, once)


def follow(store: LedgerStore, stripes: Stripes, payment: Payment, *, now: Instant) -> None:
    """Take in that a payment changed: an attempt's is its end, another one's a sign of health."""
    owner = Owner(payment.tenant, payment.account_id)
    # What the stream brings may be old.
    payment = store.read(payment_of(payment.tenant, payment.id))
    if payment.kind == AUTO_RECHARGE:
        conclude(store, owner, str(payment.details.get("attempt_id", "")), payment, now=now)
    elif payment.kind == REFUND or payment.status != payment_rules.SUCCEEDED:
        return
    elif not payment.is_by_balance:
        _recover(store, owner, payment, now=now)
    recharge(store, stripes, owner, now=now)


def sweep(store: LedgerStore, stripes: Stripes, due: Due, *, now: Instant) -> None:
    """Look after an account that is due: what became of its attempt, or whether to try again.

    Raises:
        StripeUnavailable: Nobody answers. It stays due.
    """
    owner = Owner(due.tenant, due.account_id)
    settings: AutoRecharge = store.read(recharge_of(owner))
    if settings.next_at is None or settings.next_at > now:
        return
    if settings.attempt_id:
        _look_after(store, stripes, owner, settings, now=now)
    recharge(store, stripes, owner, now=now)


def begin(store: LedgerStore, seen: Seen, once: Once, *, trigger: Trigger, asked: bool) -> Enacted:
    """Write the attempt that is made, or why none is."""
    owner = Owner(once.tenant, seen.settings.account_id)

    def decide(settings: AutoRecharge, *breakers: Breaker) -> Resolution:
        # What somebody asks for is made whatever the wallet has; otherwise the wallet that was
        # seen is only as good as the settings that were read before it.
        if settings.version != seen.settings.version and not asked:
            return Unchanged(settings)
        breaker = next(iter(breakers), None)
        return beginnings.begin(
            settings,
            seen.wallet,
            seen.card,
            breaker,
            once,
            trigger=trigger,
            disputed=seen.disputed,
            asked=asked,
        )

    refs = [recharge_of(owner)]
    if seen.card is not None:
        refs.append(breaker_of(once.tenant, card_name(seen.card)))
    return store.enact(decide, refs, once=once)


def _begin(store: LedgerStore, seen: Seen, once: Once) -> Attempt | None:
    """The attempt that this very delivery began."""
    found = seen.verdict(once.now)
    if not found.charges:
        held = beginnings.held_back(seen.settings, found, seen.card, now=once.now)
        if held is seen.settings:
            return None
    begun = begin(store, seen, once, trigger=kinds.THRESHOLD, asked=False)
    attempt = begun.record
    is_attempt = isinstance(attempt, Attempt) and attempt.status == kinds.PENDING
    return attempt if is_attempt and not begun.replayed else None


def _recover(store: LedgerStore, owner: Owner, payment: Payment, *, now: Instant) -> None:
    """Take in that the account was paid by card: that card is good, and so is the account."""
    method: PaymentMethod | None = store.read(method_of(owner, payment.payment_method_id or "none"))
    refs = [recharge_of(owner)]
    if method is not None:
        refs.append(breaker_of(owner.tenant, card_name(method)))

    def decide(settings: AutoRecharge, *breakers: Breaker) -> Resolution:
        changes = changes_of(
            (settings, conclusions.recovered(settings, payment)),
            *((each, kinds.cleared(each, conclusions.paid(payment))) for each in breakers),
        )
        return Deed(changes[0].after, changes) if changes else Unchanged(settings)

    once = system_once(owner.tenant, f"recovered {payment.id}", now)
    store.enact(decide, refs, once=once)


def _look_after(
    store: LedgerStore, stripes: Stripes, owner: Owner, settings: AutoRecharge, *, now: Instant
) -> None:
    """Go on with an attempt that nobody heard of; if there is no news yet, look again later."""
    attempt: Attempt = store.read(attempt_of(owner, settings.attempt_id))
    payment = _payment(store, owner.tenant, attempt)
    if payment is None:
        is_over = not settings.enabled or now >= attempt.created_at + KEY_LIFE
        if is_over:
            _give_up(store, owner, attempt, now=now)
        else:
            pay(store, stripes, owner, attempt, now=now)
    else:
        if payment.due_at is not None:
            payment = payments.look(store, stripes, payment, now=now).payment
        conclude(store, owner, attempt.id, payment, now=now)
    known: AutoRecharge = store.read(recharge_of(owner))
    if known.attempt_id == attempt.id:
        store.settle(owner.tenant, (), Change(known, rules.looked_after(known, now=now)))


def _give_up(store: LedgerStore, owner: Owner, attempt: Attempt, *, now: Instant) -> Attempt:
    def end(settings: AutoRecharge, attempt: Attempt, breaker: Breaker) -> Conclusion:
        return conclusions.given_up(settings, attempt, breaker, now=now)

    once = system_once(owner.tenant, f"give up {attempt.id}", now)
    return _write(store, owner, attempt, end, once)


def _write(store: LedgerStore, owner: Owner, attempt: Attempt, end: End, once: Once) -> Attempt:
    def decide(settings: AutoRecharge, attempt: Attempt, breaker: Breaker) -> Resolution:
        done = end(settings, attempt, breaker)
        if not done.is_new:
            return Unchanged(attempt)
        changes = changes_of(
            (attempt, done.attempt), (settings, done.settings), (breaker, done.breaker)
        )
        return Deed(done.attempt, changes)

    refs = [
        recharge_of(owner),
        attempt_of(owner, attempt.id),
        breaker_of(owner.tenant, attempt.card),
    ]
    after: Attempt = store.enact(decide, refs, once=once).record
    return after


def _paying(tenant: Tenant, attempt: Attempt) -> Once:
    """The request that pays for an attempt: the same one, whoever makes it and when."""
    place = f"recharge {attempt.account_id} {attempt.id}"
    return system_once(tenant, place, attempt.created_at)


def _payment(store: LedgerStore, tenant: Tenant, attempt: Attempt) -> Payment | None:
    once = _paying(tenant, attempt)
    payment_id = payment_rules.new_id(once, AUTO_RECHARGE, attempt.currency)
    try:
        return payments.payment(store, tenant, payment_id)
    except PaymentNotFound:
        return None


def changes_of(*pairs: tuple[Record, Record]) -> tuple[Change, ...]:
    """The changes of records that changed: before and after, the same object where nothing did."""
    return tuple(
        Change(before if before.version else None, after)
        for before, after in pairs
        if after is not before
    )
