"""Stripe's JSON into our records: what is not as it should be is found here, and not later."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from holdfast.domain.clock import Instant
from holdfast.domain.money import is_currency
from holdfast.gateways.stripe.amounts import from_stripe
from holdfast.gateways.stripe.records import (
    BalanceTransaction,
    CheckoutSession,
    CustomerRef,
    Dispute,
    Event,
    Failure,
    PaymentIntent,
    PortalSession,
    Refund,
    SavedCard,
    SetupIntent,
    Source,
    told_decline,
)


class Misshapen(Exception):
    """Stripe's answer is not what it should be; the message names the field."""


class Fields:
    """An object of Stripe's, read by field and kind."""

    __slots__ = ("_kind", "_raw")

    def __init__(self, raw: object, kind: str | None = None) -> None:
        """Read `raw`, which says that it is a `kind`.

        Raises:
            Misshapen: It is no object, or another one.
        """
        if not isinstance(raw, Mapping):
            raise Misshapen(f"{kind or 'a part'} is no object")
        self._raw: Mapping[str, Any] = raw
        self._kind = kind or "a part"
        if kind is not None and raw.get("object") != kind:
            raise Misshapen(f"not a {kind}")

    def text(self, name: str) -> str:
        """A text that must be there."""
        return self._as(name, self._raw.get(name), str)

    def maybe_text(self, name: str) -> str | None:
        """A text, or none."""
        return self.text(name) if self._raw.get(name) is not None else None

    def whole(self, name: str) -> int:
        """A whole number that must be there. True is none."""
        return self._as(name, self._raw.get(name), int)

    def flag(self, name: str) -> bool:
        """Yes or no."""
        return self._as(name, self._raw.get(name), bool)

    def instant(self, name: str) -> Instant:
        """A time in seconds since 1970."""
        return at_second(self.whole(name))

    def maybe_instant(self, name: str) -> Instant | None:
        """A time, or none."""
        return self.instant(name) if self._raw.get(name) is not None else None

    def currency(self, name: str = "currency") -> str:
        """The code of a currency that we know."""
        code = self.text(name)
        if not is_currency(code):
            raise Misshapen(f"{name} of {self._kind} is no currency")
        return code

    def micros(self, name: str, currency: str) -> int:
        """An amount of that currency, in micros."""
        return from_stripe(self.whole(name), currency)

    def maybe_micros(self, name: str, currency: str | None) -> int | None:
        """An amount, or none where there is none or no currency to count it in."""
        if currency is None or self._raw.get(name) is None:
            return None
        return self.micros(name, currency)

    def id_of(self, name: str) -> str | None:
        """The id of an object that is named, or told in full."""
        value = self._raw.get(name)
        return Fields(value).text("id") if isinstance(value, Mapping) else self.maybe_text(name)

    def part(self, name: str) -> "Fields | None":
        """The object in a field, or none."""
        value = self._raw.get(name)
        return None if value is None else Fields(value)

    def anything(self, name: str) -> object:
        """Whatever is in a field: text where it is only named, or None."""
        return self._raw.get(name)

    def things(self, name: str) -> list[object]:
        """The things of a list."""
        return self._as(name, self._raw.get(name), list)

    def metadata(self) -> dict[str, str]:
        """What we wrote beside it."""
        found = self._raw.get("metadata") or {}
        return {name: Fields(found).text(name) for name in found}

    def _as[T](self, name: str, value: object, kind: type[T]) -> T:
        if type(value) is not kind:
            raise Misshapen(f"{name} of {self._kind} is not {kind.__name__}")
        return value


def at_second(seconds: int) -> Instant:
    """The instant so many seconds after the start of 1970.

    Raises:
        Misshapen: No calendar has it.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise Misshapen("a time is beyond the calendar") from None


def customer(raw: object) -> CustomerRef:
    """A customer that was not deleted."""
    fields = Fields(raw, "customer")
    invoices = fields.part("invoice_settings")
    return CustomerRef(
        id=fields.text("id"),
        email=fields.maybe_text("email"),
        name=fields.maybe_text("name"),
        default_card_id=invoices.id_of("default_payment_method") if invoices else None,
        metadata=fields.metadata(),
        created=fields.instant("created"),
        livemode=fields.flag("livemode"),
    )


def is_deleted(raw: object) -> bool:
    """Whether it is what is left of something that was deleted."""
    return isinstance(raw, Mapping) and raw.get("deleted") is True


def card(raw: object) -> SavedCard | None:
    """A saved card; None for a payment method that is no card."""
    fields = Fields(raw, "payment_method")
    shown = fields.part("card")
    if fields.text("type") != "card" or shown is None:
        return None
    return SavedCard(
        id=fields.text("id"),
        brand=shown.text("brand"),
        last4=shown.text("last4"),
        exp_month=shown.whole("exp_month"),
        exp_year=shown.whole("exp_year"),
        fingerprint=shown.maybe_text("fingerprint"),
        customer_id=fields.id_of("customer"),
        created=fields.instant("created"),
    )


def setup_intent(raw: object) -> SetupIntent:
    """A setup intent."""
    fields = Fields(raw, "setup_intent")
    return SetupIntent(
        id=fields.text("id"),
        status=fields.text("status"),
        usage=fields.text("usage"),
        client_secret=fields.maybe_text("client_secret"),
        customer_id=fields.id_of("customer"),
        payment_method_id=fields.id_of("payment_method"),
        last_error=_failure(fields.part("last_setup_error")),
        metadata=fields.metadata(),
        created=fields.instant("created"),
    )


def payment_intent(raw: object) -> PaymentIntent:
    """A payment intent."""
    fields = Fields(raw, "payment_intent")
    currency = fields.currency()
    return PaymentIntent(
        id=fields.text("id"),
        status=fields.text("status"),
        amount_micros=fields.micros("amount", currency),
        amount_received_micros=fields.micros("amount_received", currency),
        amount_capturable_micros=fields.micros("amount_capturable", currency),
        currency=currency,
        capture_method=fields.text("capture_method"),
        client_secret=fields.maybe_text("client_secret"),
        customer_id=fields.id_of("customer"),
        payment_method_id=fields.id_of("payment_method"),
        charge_id=fields.id_of("latest_charge"),
        last_error=_failure(fields.part("last_payment_error")),
        metadata=fields.metadata(),
        created=fields.instant("created"),
        livemode=fields.flag("livemode"),
    )


def refund(raw: object) -> Refund:
    """A refund."""
    fields = Fields(raw, "refund")
    currency = fields.currency()
    return Refund(
        id=fields.text("id"),
        # Nothing but old refunds of other methods than cards has none.
        status=fields.maybe_text("status") or "pending",
        amount_micros=fields.micros("amount", currency),
        currency=currency,
        payment_intent_id=fields.id_of("payment_intent"),
        charge_id=fields.id_of("charge"),
        reason=fields.maybe_text("reason"),
        failure_reason=fields.maybe_text("failure_reason"),
        balance_line_id=fields.id_of("balance_transaction"),
        metadata=fields.metadata(),
        created=fields.instant("created"),
    )


def checkout_session(raw: object) -> CheckoutSession:
    """A checkout session."""
    fields = Fields(raw, "checkout.session")
    currency = fields.currency() if fields.maybe_text("currency") else None
    return CheckoutSession(
        id=fields.text("id"),
        url=fields.maybe_text("url"),
        mode=fields.text("mode"),
        status=fields.maybe_text("status"),
        payment_status=fields.text("payment_status"),
        amount_total_micros=fields.maybe_micros("amount_total", currency),
        currency=currency,
        payment_intent_id=fields.id_of("payment_intent"),
        setup_intent_id=fields.id_of("setup_intent"),
        customer_id=fields.id_of("customer"),
        metadata=fields.metadata(),
        created=fields.instant("created"),
        expires_at=fields.instant("expires_at"),
        livemode=fields.flag("livemode"),
    )


def portal_session(raw: object) -> PortalSession:
    """A portal session."""
    return PortalSession(url=Fields(raw, "billing_portal.session").text("url"))


def dispute(raw: object) -> Dispute:
    """A dispute."""
    fields = Fields(raw, "dispute")
    currency = fields.currency()
    evidence = fields.part("evidence_details")
    return Dispute(
        id=fields.text("id"),
        status=fields.text("status"),
        reason=fields.text("reason"),
        amount_micros=fields.micros("amount", currency),
        currency=currency,
        payment_intent_id=fields.id_of("payment_intent"),
        charge_id=fields.id_of("charge"),
        evidence_due_at=evidence.maybe_instant("due_by") if evidence else None,
        created=fields.instant("created"),
    )


def balance_transaction(raw: object) -> BalanceTransaction:
    """A line of the balance."""
    fields = Fields(raw, "balance_transaction")
    currency = fields.currency()
    return BalanceTransaction(
        id=fields.text("id"),
        type=fields.text("type"),
        category=fields.text("reporting_category"),
        amount_micros=fields.micros("amount", currency),
        fee_micros=fields.micros("fee", currency),
        net_micros=fields.micros("net", currency),
        currency=currency,
        source=_source(fields.anything("source")),
        created=fields.instant("created"),
        available_on=fields.instant("available_on"),
    )


def _source(raw: object) -> Source | None:
    """What a line is about. Lines are about many things, and we read those of payments."""
    if raw is None:
        return None
    if isinstance(raw, str):
        return Source(id=raw, kind="")
    fields = Fields(raw)
    name, kind = fields.text("id"), fields.text("object")
    if kind not in ("charge", "refund", "dispute"):
        return Source(id=name, kind=kind)
    currency = fields.currency()
    is_charge = kind == "charge"
    return Source(
        id=name,
        kind=kind,
        amount_micros=fields.micros("amount_captured" if is_charge else "amount", currency),
        currency=currency,
        payment_intent_id=fields.id_of("payment_intent"),
        charge_id=name if is_charge else fields.id_of("charge"),
        customer_id=fields.id_of("customer") if is_charge else None,
        metadata=fields.metadata(),
        created=fields.instant("created"),
    )


def event(raw: object) -> Event:
    """An event. Not every object that something happens to has an id."""
    fields = Fields(raw, "event")
    data = fields.part("data")
    happened_to = data.part("object") if data else None
    before = data.part("previous_attributes") if data else None
    if happened_to is None:
        raise Misshapen("an event without an object")
    return Event(
        id=fields.text("id"),
        type=fields.text("type"),
        object_id=happened_to.maybe_text("id"),
        object_type=happened_to.text("object"),
        account_id=fields.maybe_text("account"),
        created=fields.instant("created"),
        livemode=fields.flag("livemode"),
        customer_id=happened_to.id_of("customer") or (before.id_of("customer") if before else None),
    )


def _failure(error: Fields | None) -> Failure | None:
    if error is None:
        return None
    return Failure(
        code=error.maybe_text("code"), decline_code=told_decline(error.maybe_text("decline_code"))
    )
