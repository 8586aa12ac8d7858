"""What follows a payment: refunds, disputes, and the lines of the Stripe balance."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from holdfast.domain.clock import Instant
from holdfast.errors import NotFound, PaymentNotFound, RefundRefused
from holdfast.gateways.stripe import reading
from holdfast.gateways.stripe.amounts import to_stripe
from holdfast.gateways.stripe.connection import Meant, Operations, Place
from holdfast.gateways.stripe.intents import carries
from holdfast.gateways.stripe.records import BalanceTransaction, Dispute, Refund

type RefundReason = Literal["duplicate", "fraudulent", "requested_by_customer"]

_CREATE = Meant(missing=PaymentNotFound, refused=RefundRefused)
_REFUND = Meant(missing=PaymentNotFound)
_DISPUTE = Meant(missing=NotFound)
_BALANCE = Meant(missing=NotFound)


class Refunds(Operations):
    """Money that goes back to the card it came from."""

    def create(
        self,
        *,
        key: str,
        payment_intent_id: str,
        currency: str,
        amount_micros: int | None = None,
        reason: RefundReason | None = None,
        metadata: Mapping[str, str],
    ) -> Refund:
        """A refund of so much, or of all that is left.

        Raises:
            PaymentNotFound: There is no such payment.
            RefundRefused: Less than that is left, the payment is not paid, or it is disputed.
            InvalidField: An amount finer than cards are charged.
            AmountTooLarge: More than one payment can move.
            StripeUnavailable: Nobody answers; it says whether there may be a refund.
            KeyInUse: The same request is running.
        """
        params = {
            "payment_intent": payment_intent_id,
            "amount": None if amount_micros is None else to_stripe(amount_micros, currency),
            "reason": reason,
            "metadata": dict(metadata),
        }
        return self.connection.post(
            Place("refunds"), reading.refund, params, key=key, meant=_CREATE
        )

    def retrieve(self, refund_id: str) -> Refund:
        """The refund as it is.

        Raises:
            PaymentNotFound: There is none.
            StripeUnavailable: Nobody answers.
        """
        return self.connection.get(Place("refunds", refund_id), reading.refund, meant=_REFUND)

    def find(self, *, payment_intent_id: str, metadata: Mapping[str, str]) -> Refund | None:
        """The payment's newest refund that carries this metadata, if there is one.

        Raises:
            PaymentNotFound: There is no such payment.
            StripeUnavailable: Nobody answers.
        """
        params = {"payment_intent": payment_intent_id}
        found = self.connection.each(Place("refunds"), reading.refund, params, meant=_REFUND)
        return next((refund for refund in found if carries(refund.metadata, metadata)), None)

    def of_charge(self, charge_id: str) -> list[Refund]:
        """All refunds of a charge, newest first.

        Raises:
            PaymentNotFound: There is no such charge.
            StripeUnavailable: Nobody answers.
        """
        params = {"charge": charge_id}
        return list(self.connection.each(Place("refunds"), reading.refund, params, meant=_REFUND))


class Disputes(Operations):
    """Payments that the owner of the card takes back through their bank."""

    def retrieve(self, dispute_id: str) -> Dispute:
        """The dispute as it is.

        Raises:
            NotFound: There is none.
            StripeUnavailable: Nobody answers.
        """
        return self.connection.get(Place("disputes", dispute_id), reading.dispute, meant=_DISPUTE)


class Balance(Operations):
    """What happened to the Stripe balance."""

    def since(
        self, moment: Instant, *, until: Instant | None = None
    ) -> Iterator[BalanceTransaction]:
        """The lines made at `moment` (its second) and later, newest first, fetched page by page.

        None of `until` (its second) and later, if it is told.

        Raises:
            StripeUnavailable: Nobody answers.
        """
        created = {"gte": int(moment.timestamp())}
        if until is not None:
            created["lt"] = int(until.timestamp())
        return self._lines({"created": created})

    def about(self, source_id: str) -> Iterator[BalanceTransaction]:
        """The lines about a charge, a refund or a dispute, newest first.

        Raises:
            NotFound: Stripe knows no such thing.
            StripeUnavailable: Nobody answers.
        """
        return self._lines({"source": source_id})

    def _lines(self, params: Mapping[str, Any]) -> Iterator[BalanceTransaction]:
        # A line by itself does not say whose money it is; what it is about does.
        asked = {**params, "expand": ["data.source"]}
        place = Place("balance_transactions")
        return self.connection.each(place, reading.balance_transaction, asked, meant=_BALANCE)
