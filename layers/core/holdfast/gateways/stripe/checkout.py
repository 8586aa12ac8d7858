"""Checkout: pages of Stripe's where a person pays, or saves a card."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.clock import Instant
from holdfast.errors import NotFound, PaymentNotFound, PaymentState
from holdfast.gateways.stripe import reading
from holdfast.gateways.stripe.amounts import to_stripe
from holdfast.gateways.stripe.connection import Meant, Operations, Place
from holdfast.gateways.stripe.intents import carries, created_since
from holdfast.gateways.stripe.records import CheckoutSession

_SESSIONS = "checkout/sessions"
_CREATE = Meant(missing=NotFound)
_SESSION = Meant(missing=PaymentNotFound)
_EXPIRE = Meant(missing=PaymentNotFound, refused=lambda: PaymentState(status="not open"))


class Checkout(Operations):
    """Checkout sessions."""

    def create_payment(
        self,
        *,
        key: str,
        amount_micros: int,
        currency: str,
        title: str,
        customer_id: str,
        success_url: str,
        cancel_url: str,
        expires_at: Instant | None = None,
        save_card: bool = False,
        metadata: Mapping[str, str],
    ) -> CheckoutSession:
        """A page on which the amount is paid, under `title`; by default it is open for a day.

        The metadata stand on the session and on the payment that comes of it. `success_url` may
        have `{CHECKOUT_SESSION_ID}` in it, which Stripe fills in.

        Raises:
            InvalidField: An amount that nobody is charged, or no address to return to.
            AmountTooLarge: More than one payment can move.
            NotFound: There is no such customer.
            StripeUnavailable: Nobody answers; it says whether there may be a session.
            KeyInUse: The same request is running.
        """
        price = {
            "currency": currency,
            "unit_amount": to_stripe(amount_micros, currency),
            "product_data": {"name": title},
        }
        payment: dict[str, Any] = {"metadata": dict(metadata)}
        if save_card:
            payment["setup_future_usage"] = "off_session"
        return self._create(
            {
                "mode": "payment",
                "customer": customer_id,
                "line_items": [{"price_data": price, "quantity": 1}],
                "payment_intent_data": payment,
                "success_url": success_url,
                "cancel_url": cancel_url,
                "expires_at": expires_at,
                "metadata": dict(metadata),
            },
            key=key,
        )

    def create_setup(
        self,
        *,
        key: str,
        customer_id: str,
        success_url: str,
        cancel_url: str,
        expires_at: Instant | None = None,
        metadata: Mapping[str, str],
    ) -> CheckoutSession:
        """A page on which a card is saved; by default it is open for a day.

        Raises:
            InvalidField: No address to return to.
            NotFound: There is no such customer.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        return self._create(
            {
                "mode": "setup",
                "customer": customer_id,
                "allowed_payment_method_types": ["card"],
                "setup_intent_data": {"metadata": dict(metadata)},
                "success_url": success_url,
                "cancel_url": cancel_url,
                "expires_at": expires_at,
                "metadata": dict(metadata),
            },
            key=key,
        )

    def retrieve(self, session_id: str) -> CheckoutSession:
        """The session as it is.

        Raises:
            PaymentNotFound: There is none.
            StripeUnavailable: Nobody answers.
        """
        place = Place(_SESSIONS, session_id)
        return self.connection.get(place, reading.checkout_session, meant=_SESSION)

    def find(
        self, *, customer_id: str, metadata: Mapping[str, str], since: Instant
    ) -> CheckoutSession | None:
        """The customer's newest session since then that carries this metadata, if there is one.

        Raises:
            NotFound: There is no such customer.
            StripeUnavailable: Nobody answers.
        """
        params = {"customer": customer_id, "created": created_since(since)}
        found = self.connection.each(
            Place(_SESSIONS), reading.checkout_session, params, meant=_CREATE
        )
        return next((session for session in found if carries(session.metadata, metadata)), None)

    def expire(self, session_id: str, *, key: str) -> CheckoutSession:
        """The session, closed; one that was closed or paid before, as it is: look at its status.

        Raises:
            PaymentNotFound: There is none.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        place = Place(_SESSIONS, session_id, "expire")
        try:
            return self.connection.post(place, reading.checkout_session, {}, key=key, meant=_EXPIRE)
        except PaymentState:
            return self.retrieve(session_id)

    def _create(self, params: dict[str, Any], *, key: str) -> CheckoutSession:
        expires_at: Instant | None = params["expires_at"]
        if expires_at is not None:
            params["expires_at"] = int(expires_at.timestamp())
        return self.connection.post(
            Place(_SESSIONS), reading.checkout_session, params, key=key, meant=_CREATE
        )
