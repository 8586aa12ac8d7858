"""Intents: saving a card, and paying with one, in as many steps as the card's bank asks for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from holdfast.domain.clock import Instant
from holdfast.errors import NotFound, PaymentMethodNotFound, PaymentNotFound
from holdfast.gateways.stripe import reading
from holdfast.gateways.stripe.amounts import to_stripe
from holdfast.gateways.stripe.connection import Meant, Operations, Place
from holdfast.gateways.stripe.records import PaymentIntent, SetupIntent

type CancelReason = Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"]

CLOCKS_APART = timedelta(minutes=5)
"""How far Stripe's clock and ours may be from each other where something is looked for."""

# Named, so that no dashboard adds a method that pays days later, or asks for a page to return to.
_CARDS_ONLY = ["card"]
_SETUP = Meant(missing=NotFound)
_PAYMENT = Meant(missing=PaymentNotFound)
_CREATE = Meant(missing=NotFound)
# What a card was used up by, Stripe says in words alone.
_PAY = Meant(missing=NotFound, refused=PaymentMethodNotFound)
_CONFIRM = Meant(missing=PaymentNotFound, refused=PaymentMethodNotFound, tells_state=True)


class SetupIntents(Operations):
    """Saving cards without a page of Stripe's."""

    def create(
        self,
        *,
        key: str,
        customer_id: str,
        payment_method_id: str | None = None,
        usage: Literal["off_session", "on_session"] = "off_session",
        metadata: Mapping[str, str],
    ) -> SetupIntent:
        """An intent to save a card, to be confirmed by whoever has its client secret.

        Raises:
            PaymentMethodNotFound: There is no such card.
            NotFound: There is no such customer.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        params = {
            "customer": customer_id,
            "payment_method": payment_method_id,
            "allowed_payment_method_types": _CARDS_ONLY,
            "usage": usage,
            "metadata": dict(metadata),
        }
        return self.connection.post(
            Place("setup_intents"), reading.setup_intent, params, key=key, meant=_CREATE
        )

    def retrieve(self, setup_intent_id: str) -> SetupIntent:
        """The intent as it is.

        Raises:
            NotFound: There is none.
            StripeUnavailable: Nobody answers.
        """
        place = Place("setup_intents", setup_intent_id)
        return self.connection.get(place, reading.setup_intent, meant=_SETUP)

    def confirm(
        self, setup_intent_id: str, *, key: str, payment_method_id: str | None = None
    ) -> SetupIntent:
        """The intent, tried: `succeeded`, or `requires_action` of the card's owner.

        Raises:
            NotFound: There is no such intent.
            PaymentMethodNotFound: There is no such card.
            PaymentState: It is done, or was canceled.
            PaymentDeclined: The bank does not let the card be saved.
            AuthenticationRequired: The owner of the card failed to confirm.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        place = Place("setup_intents", setup_intent_id, "confirm")
        params = {"payment_method": payment_method_id}
        return self.connection.post(place, reading.setup_intent, params, key=key, meant=_SETUP)

    def cancel(
        self, setup_intent_id: str, *, key: str, reason: CancelReason | None = None
    ) -> SetupIntent:
        """The intent, given up.

        Raises:
            NotFound: There is no such intent.
            PaymentState: It is done, or was canceled.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        place = Place("setup_intents", setup_intent_id, "cancel")
        params = {"cancellation_reason": reason}
        return self.connection.post(place, reading.setup_intent, params, key=key, meant=_SETUP)


class PaymentIntents(Operations):
    """Payments by card."""

    def create(
        self,
        *,
        key: str,
        amount_micros: int,
        currency: str,
        customer_id: str,
        payment_method_id: str | None = None,
        confirm: bool = False,
        off_session: bool = False,
        manual_capture: bool = False,
        save_card: bool = False,
        description: str | None = None,
        receipt_email: str | None = None,
        metadata: Mapping[str, str],
    ) -> PaymentIntent:
        """An intent to pay; with `confirm` it is tried at once.

        `off_session` says that nobody is there who could confirm: where the bank asks for that, the
        attempt is over. Otherwise the intent comes back as `requires_action`.

        Raises:
            InvalidField: An amount that no card is charged.
            AmountTooLarge: More than one payment can move.
            PaymentMethodNotFound: There is no such card, it is not the customer's, or was used up.
            NotFound: There is no such customer.
            PaymentDeclined: The bank says no.
            AuthenticationRequired: The bank asks for the card's owner, and nobody is there.
            StripeUnavailable: Nobody answers; it says whether there may be an intent.
            KeyInUse: The same request is running.
        """
        assert not off_session or confirm
        assert not confirm or payment_method_id
        params: dict[str, Any] = {
            "amount": to_stripe(amount_micros, currency),
            "currency": currency,
            "customer": customer_id,
            "payment_method": payment_method_id,
            "allowed_payment_method_types": _CARDS_ONLY,
            "capture_method": "manual" if manual_capture else "automatic",
            "setup_future_usage": "off_session" if save_card else None,
            "description": description,
            "receipt_email": receipt_email,
            "metadata": dict(metadata),
            **_confirmation(confirm=confirm, off_session=off_session),
        }
        meant = _PAY if payment_method_id else _CREATE
        return self.connection.post(
            Place("payment_intents"), reading.payment_intent, params, key=key, meant=meant
        )

    def retrieve(self, payment_intent_id: str) -> PaymentIntent:
        """The intent as it is.

        Raises:
            PaymentNotFound: There is none.
            StripeUnavailable: Nobody answers.
        """
        place = Place("payment_intents", payment_intent_id)
        return self.connection.get(place, reading.payment_intent, meant=_PAYMENT)

    def find(
        self, *, customer_id: str, metadata: Mapping[str, str], since: Instant
    ) -> PaymentIntent | None:
        """The customer's newest intent since then that carries this metadata, if there is one.

        For a payment whose answer was lost longer ago than Stripe remembers keys.

        Raises:
            NotFound: There is no such customer.
            StripeUnavailable: Nobody answers.
        """
        params = {"customer": customer_id, "created": created_since(since)}
        found = self.connection.each(
            Place("payment_intents"), reading.payment_intent, params, meant=_CREATE
        )
        return next((intent for intent in found if carries(intent.metadata, metadata)), None)

    def confirm(
        self,
        payment_intent_id: str,
        *,
        key: str,
        payment_method_id: str | None = None,
        off_session: bool = False,
    ) -> PaymentIntent:
        """The intent, tried: `succeeded`, `requires_capture`, `processing` or `requires_action`.

        Stripe remembers a decline under its `key`: the next attempt needs another.

        Raises:
            PaymentNotFound: There is no such intent.
            PaymentMethodNotFound: There is no such card, it is not the customer's, or was used up.
            PaymentState: It is paid, or was canceled.
            PaymentDeclined: The bank says no.
            AuthenticationRequired: The bank asks for the card's owner, and nobody is there.
            StripeUnavailable: Nobody answers; it says whether it may be paid.
            KeyInUse: The same request is running.
        """
        place = Place("payment_intents", payment_intent_id, "confirm")
        params = {
            "payment_method": payment_method_id,
            **_confirmation(confirm=False, off_session=off_session),
        }
        return self.connection.post(place, reading.payment_intent, params, key=key, meant=_CONFIRM)

    def capture(
        self, payment_intent_id: str, *, key: str, currency: str, amount_micros: int | None = None
    ) -> PaymentIntent:
        """The intent with all that was set aside taken, or so much of it; the rest goes back.

        Raises:
            PaymentNotFound: There is no such intent.
            InvalidField: More than was set aside, or finer than cards are charged.
            AmountTooLarge: More than one payment can move.
            PaymentState: There is nothing set aside, or no longer.
            PaymentDeclined: The bank says no.
            StripeUnavailable: Nobody answers; it says whether it may be taken.
            KeyInUse: The same request is running.
        """
        taken = None if amount_micros is None else to_stripe(amount_micros, currency)
        place = Place("payment_intents", payment_intent_id, "capture")
        params = {"amount_to_capture": taken}
        return self.connection.post(place, reading.payment_intent, params, key=key, meant=_PAYMENT)

    def cancel(
        self, payment_intent_id: str, *, key: str, reason: CancelReason | None = None
    ) -> PaymentIntent:
        """The intent, given up; what was set aside goes back.

        Raises:
            PaymentNotFound: There is no such intent.
            PaymentState: It is paid, or was canceled before.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        place = Place("payment_intents", payment_intent_id, "cancel")
        params = {"cancellation_reason": reason}
        return self.connection.post(place, reading.payment_intent, params, key=key, meant=_PAYMENT)


def created_since(since: Instant) -> dict[str, int]:
    """The filter of a list for what was made since then, by Stripe's clock."""
    return {"gte": int((since - CLOCKS_APART).timestamp())}


def carries(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether all that is wanted stands in what was found."""
    assert wanted
    return wanted.items() <= found.items()


def _confirmation(*, confirm: bool, off_session: bool) -> dict[str, str]:
    # Stripe's forms know these words; what is left out is false.
    told = {"confirm": confirm, "off_session": off_session}
    return {name: "true" for name, yes in told.items() if yes}
