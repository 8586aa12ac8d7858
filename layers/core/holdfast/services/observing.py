"""What became of a payment at Stripe: asked for by whoever wants to know, and taken in.

A poll, the page that a person returns to, an event of Stripe's and a sweeper all come here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from holdfast.domain import payment_states as states
from holdfast.domain import payments as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry
from holdfast.domain.payments import Kind, Observation, Payment
from holdfast.errors import (
    AuthenticationRequired,
    InvalidField,
    InvariantBroken,
    NotFound,
    PaymentDeclined,
    PaymentNotFound,
    PaymentState,
)
from holdfast.gateways.stripe import CheckoutSession, PaymentIntent, StripeGateway
from holdfast.gateways.stripe.observations import of_intent as seen_of
from holdfast.gateways.stripe.observations import of_session
from holdfast.gateways.stripe.records import told_decline
from holdfast.services import accounts, balance_payments, cards, refund_outcomes
from holdfast.services.beginnings import metadata_of
from holdfast.services.cards import Stripes, whose
from holdfast.services.refs import Owner, payment_of
from holdfast.services.taking_in import Taken, as_is, keep, take_in
from holdfast.store import pages
from holdfast.store.ledger_store import LedgerStore


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a payment.

    `entry` is what its money did in the ledger, once it has come. `client_secret` is what a browser
    goes on with while somebody has to confirm, or to name a card. `is_new` says that this very call
    put the money into the ledger; `replayed` that an earlier delivery began the payment.
    """

    payment: Payment
    entry: Entry | None
    client_secret: str | None = None
    replayed: bool = False
    is_new: bool = False


def payment(
    store: LedgerStore, tenant: Tenant, payment_id: str, kind: Kind | None = None
) -> Payment:
    """A payment of the org; of that kind, if one is named.

    Raises:
        PaymentNotFound: There is none.
    """
    found: Payment = store.read(payment_of(tenant, payment_id))
    if kind not in (None, found.kind):
        raise PaymentNotFound()
    return found


def payment_of_owner(store: LedgerStore, owner: Owner, payment_id: str) -> Payment:
    """A payment of the account.

    Raises:
        PaymentNotFound: There is none, or it is another account's.
    """
    owner = accounts.admitted(store, owner, spend=False)
    found = payment(store, owner.tenant, payment_id)
    if found.account_id != owner.account_id:
        raise PaymentNotFound()
    return found


def listed(
    store: LedgerStore, owner: Owner, kind: Kind, *, before: str | None, limit: int
) -> tuple[list[Payment], str | None]:
    """Payments of an account, newest first, and the id at which the next page starts, if any.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
    """
    owner = accounts.admitted(store, owner, spend=False)
    found = pages.payments(store, owner.tenant, owner.account_id, kind, before=before)
    shown, last = pages.cut(found, limit)
    return shown, last.id if last else None


def look(store: LedgerStore, stripes: Stripes, payment: Payment, *, now: Instant) -> Outcome:
    """The payment as Stripe has it now, credited if it is paid.

    Raises:
        StripeUnavailable: Nobody answers.
    """
    return outcome(*_looked_at(store, stripes, payment, now=now))


def session_of(
    store: LedgerStore, stripes: Stripes, owner: Owner, session_id: str, *, now: Instant
) -> tuple[CheckoutSession, Outcome | None]:
    """A checkout session of the account, with its payment, credited if it is paid.

    One that saves a card has no payment; the card is on file once it is complete.

    Raises:
        PaymentNotFound: There is none, or it is another account's.
        StripeUnavailable: Nobody answers.
    """
    owner = accounts.admitted(store, owner, spend=False)
    session = stripes(owner.tenant.mode).checkout.retrieve(session_id)
    if not whose(owner).items() <= session.metadata.items():
        raise PaymentNotFound()
    return session, _fulfilled_session(store, stripes, session, owner.tenant, now=now)


def fulfil(
    store: LedgerStore, stripes: Stripes, mode: str, stripe_id: str, *, now: Instant
) -> Payment | None:
    """The payment of a payment intent or checkout session, as it is there, credited if it is paid.

    None for what is not ours.

    Raises:
        NotFound: Stripe has nothing of this id.
        StripeUnavailable: Nobody answers.
    """
    stripe = stripes(mode)
    if stripe_id.startswith("cs_"):
        session = stripe.checkout.retrieve(stripe_id)
        tenant = _tenant_of(session.metadata, mode)
        if tenant is None:
            return None
        done = _fulfilled_session(store, stripes, session, tenant, now=now)
        return None if done is None else done.payment
    intent = stripe.payment_intents.retrieve(stripe_id)
    found = of_intent(store, intent, mode)
    if found is None:
        return None
    seen = seen_of(intent, now)
    return take_in(store, found.tenant, found.id, seen, now=now).payment


def of_intent(store: LedgerStore, intent: PaymentIntent, mode: str) -> Payment | None:
    """The payment that an intent was made for; None if it is none of ours."""
    return of_metadata(store, intent.metadata, mode)


def of_metadata(store: LedgerStore, metadata: Mapping[str, str], mode: str) -> Payment | None:
    """The payment that a thing at Stripe bears the name of; None if it is none of ours."""
    tenant = _tenant_of(metadata, mode)
    if tenant is None or not metadata.get("payment_id"):
        return None
    try:
        found = payment(store, tenant, metadata["payment_id"])
    except (PaymentNotFound, InvariantBroken):
        return None
    return found if found.account_id == metadata.get("account_id") else None


def sweep(
    store: LedgerStore, stripes: Stripes, tenant: Tenant, payment_id: str, *, now: Instant
) -> None:
    """Find out what became of a payment that is due, and give up what nobody goes on with.

    Raises:
        StripeUnavailable: Nobody answers. It stays due.
    """
    found = payment(store, tenant, payment_id)
    if found.due_at is None or found.due_at > now:
        return
    if found.is_by_balance:
        balance_payments.follow(store, found, now=now)
        return
    if found.capture_micros and found.status == rules.REQUIRES_CAPTURE:
        capture(store, stripes, found, now=now)
        return
    taken, intent = _looked_at(store, stripes, found, now=now)
    seen = taken.payment
    if seen.due_at is None or seen.due_at > now:
        return
    after = _given_up(store, stripes, seen, intent, now=now)
    if after is not None:
        keep(store, seen, after, now=now)


def capture(store: LedgerStore, stripes: Stripes, payment: Payment, *, now: Instant) -> Outcome:
    """Take what somebody asked to take of what a bank has set aside; Stripe does it once.

    Raises:
        StripeUnavailable: Nobody answers. It stays due.
    """
    try:
        intent = stripes(payment.tenant.mode).payment_intents.capture(
            payment.payment_intent_id,
            key=f"{payment.id}.capture",
            currency=payment.currency,
            amount_micros=payment.capture_micros,
        )
    except PaymentState:
        # It is taken already, or no longer set aside.
        return look(store, stripes, payment, now=now)
    seen = seen_of(intent, now)
    return outcome(take_in(store, payment.tenant, payment.id, seen, now=now), intent)


def outcome(
    taken: Taken, intent: PaymentIntent | None = None, *, replayed: bool = False
) -> Outcome:
    """What was taken in, with the secret that a browser goes on with while it has to."""
    unpaid = taken.payment.status in (rules.PENDING, rules.REQUIRES_ACTION)
    return Outcome(
        taken.payment,
        taken.entry,
        client_secret=intent.client_secret if intent and unpaid else None,
        replayed=replayed,
        is_new=taken.is_new,
    )


def as_declined(stripes: Stripes, payment: Payment) -> PaymentDeclined | AuthenticationRequired:
    """The refusal that a payment was answered with."""
    intent_id = payment.payment_intent_id or None
    if payment.failure_code != AuthenticationRequired.code:
        return PaymentDeclined(decline_code=told_decline_code(payment), payment_intent_id=intent_id)
    secret = None
    if intent_id:
        intent = stripes(payment.tenant.mode).payment_intents.retrieve(intent_id)
        secret = intent.client_secret
    return AuthenticationRequired(payment_intent_id=intent_id, client_secret=secret)


def told_decline_code(payment: Payment) -> str | None:
    """Why the card was declined, as the caller may see it."""
    return told_decline(payment.decline_code or None)


def _looked_at(
    store: LedgerStore, stripes: Stripes, payment: Payment, *, now: Instant
) -> tuple[Taken, PaymentIntent | None]:
    """The payment with what Stripe has of it now, and its intent there, if it has one."""
    if payment.is_by_balance or not payment.attempts:
        return as_is(store, payment), None
    if payment.kind == rules.REFUND:
        return refund_outcomes.look(store, stripes, payment, now=now), None
    intent, seen = _found(stripes(payment.tenant.mode), payment, now=now)
    if seen is None:
        return as_is(store, payment), None
    return take_in(store, payment.tenant, payment.id, seen, now=now), intent


def _given_up(
    store: LedgerStore,
    stripes: Stripes,
    payment: Payment,
    intent: PaymentIntent | None,
    *,
    now: Instant,
) -> Payment | None:
    """The payment with its next look put off, or given up; None where somebody was faster."""
    if payment.kind == rules.REFUND:
        # Its money is set aside: it is never given up.
        return states.swept(payment, now=now)
    if not payment.reached_stripe and payment.status == rules.PENDING:
        return states.abandoned(payment, now=now)
    if payment.kind == rules.INTENT and _was_never_tried(payment, intent):
        seen = Observation(status=rules.FAILED, at=now, failure_code=rules.NOT_SENT)
        return states.observed(payment, seen, now=now)
    is_old = now >= payment.created_at + rules.GIVEN_UP_AFTER
    if not is_old or not payment.payment_intent_id:
        return states.swept(payment, now=now)
    try:
        gone = stripes(payment.tenant.mode).payment_intents.cancel(
            payment.payment_intent_id, key=f"{payment.id}.abandon", reason="abandoned"
        )
    except PaymentState:
        return states.swept(payment, now=now)
    take_in(store, payment.tenant, payment.id, seen_of(gone, now), now=now)
    return None


def _was_never_tried(payment: Payment, intent: PaymentIntent | None) -> bool:
    """Whether the request that should have confirmed it never got to Stripe."""
    waits = ("requires_payment_method", "requires_confirmation")
    return payment.status == rules.PENDING and intent is not None and intent.status in waits


def _found(
    stripe: StripeGateway, payment: Payment, *, now: Instant
) -> tuple[PaymentIntent | None, Observation | None]:
    """What Stripe has of the payment, by the name that we know, or by the name that it bears."""
    sessions, intents = stripe.checkout, stripe.payment_intents
    if payment.kind == rules.CHECKOUT:
        session = (
            sessions.retrieve(payment.session_id)
            if payment.session_id
            else _by_its_name(sessions.find, payment)
        )
        return (None, None) if session is None else _seen_of_session(stripe, session, now=now)
    intent = (
        intents.retrieve(payment.payment_intent_id)
        if payment.payment_intent_id
        else _by_its_name(intents.find, payment)
    )
    return intent, None if intent is None else seen_of(intent, now)


def _by_its_name[R](find: Callable[..., R | None], payment: Payment) -> R | None:
    try:
        return find(
            customer_id=payment.customer_id,
            metadata=metadata_of(payment),
            since=payment.created_at,
        )
    except NotFound:
        # Somebody deleted the customer there. An event finds the payment by what it bears.
        return None


def _seen_of_session(
    stripe: StripeGateway, session: CheckoutSession, *, now: Instant
) -> tuple[PaymentIntent | None, Observation]:
    """What a page says; of the money that came by it, what the payment intent says."""
    seen = of_session(session, now)
    if seen.status != rules.SUCCEEDED or not session.payment_intent_id:
        return None, seen
    intent = stripe.payment_intents.retrieve(session.payment_intent_id)
    return intent, replace(seen_of(intent, now), session_id=session.id)


def _fulfilled_session(
    store: LedgerStore, stripes: Stripes, session: CheckoutSession, tenant: Tenant, *, now: Instant
) -> Outcome | None:
    if session.mode == "setup":
        account_id = session.metadata.get("account_id")
        if session.status == "complete" and account_id:
            cards.cards(store, stripes, Owner(tenant, account_id), now=now)
        return None
    found = of_metadata(store, session.metadata, tenant.mode)
    if found is None:
        return None
    _, seen = _seen_of_session(stripes(tenant.mode), session, now=now)
    return outcome(take_in(store, tenant, found.id, seen, now=now))


def _tenant_of(metadata: Mapping[str, str], mode: str) -> Tenant | None:
    if metadata.get("mode") != mode:
        return None
    try:
        return Tenant(metadata.get("org", ""), mode)
    except InvalidField:
        # Another program uses the same account at Stripe.
        return None
