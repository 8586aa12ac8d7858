"""Customers and their cards."""

from collections.abc import Mapping

from holdfast.errors import PaymentMethodNotFound
from holdfast.gateways.stripe import reading
from holdfast.gateways.stripe.connection import Meant, Operations, Place, customer_unknown
from holdfast.gateways.stripe.records import CustomerRef, PortalSession, SavedCard

_CUSTOMER = Meant(missing=customer_unknown)
_CARD = Meant(missing=PaymentMethodNotFound)
_ATTACH = Meant(missing=PaymentMethodNotFound, refused=PaymentMethodNotFound)


class Customers(Operations):
    """Whom cards are saved for: one customer an account."""

    def create(
        self,
        *,
        key: str,
        email: str | None = None,
        name: str | None = None,
        metadata: Mapping[str, str],
    ) -> CustomerRef:
        """A new customer; under the same `key`, for a day, the same one.

        Raises:
            InvalidField: No e-mail address.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        params = {"email": email, "name": name, "metadata": dict(metadata)}
        return self.connection.post(
            Place("customers"), reading.customer, params, key=key, meant=_CUSTOMER
        )

    def retrieve(self, customer_id: str) -> CustomerRef:
        """A customer as it is.

        Raises:
            NotFound: There is none, or it was deleted.
            StripeUnavailable: Nobody answers.
        """
        found = self.connection.get(
            Place("customers", customer_id), _if_not_deleted, meant=_CUSTOMER
        )
        if found is None:
            raise customer_unknown()
        return found

    def update(
        self,
        customer_id: str,
        *,
        key: str,
        email: str | None = None,
        name: str | None = None,
        address: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> CustomerRef:
        """The customer with what is given written over it. None leaves a field, "" empties it.

        `address` has Stripe's own parts: line1, line2, city, state, postal_code, country. Of the
        metadata those keys stay that are not given.

        Raises:
            NotFound: There is no such customer.
            InvalidField: No e-mail address.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        params = {"email": email, "name": name, "address": address, "metadata": metadata}
        return self.connection.post(
            Place("customers", customer_id), reading.customer, params, key=key, meant=_CUSTOMER
        )


class Cards(Operations):
    """Saved cards. A payment method that is no card does not exist here."""

    def retrieve(self, card_id: str) -> SavedCard:
        """A card, attached or not.

        Raises:
            PaymentMethodNotFound: There is none.
            StripeUnavailable: Nobody answers.
        """
        return _card(
            self.connection.get(Place("payment_methods", card_id), reading.card, meant=_CARD)
        )

    def on_file(self, customer_id: str) -> list[SavedCard]:
        """The customer's cards, the newest first.

        Raises:
            NotFound: There is no such customer.
            StripeUnavailable: Nobody answers.
        """
        place = Place("customers", customer_id, "payment_methods")
        found = self.connection.each(place, reading.card, {"type": "card"}, meant=_CUSTOMER)
        return [card for card in found if card is not None]

    def attach(self, card_id: str, *, key: str, customer_id: str) -> SavedCard:
        """The card, saved for the customer; one that is saved for them already stays so.

        Raises:
            PaymentMethodNotFound: There is none, it is another customer's, or it was used up.
            NotFound: There is no such customer.
            PaymentDeclined: The bank does not let it be saved.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        place = Place("payment_methods", card_id, "attach")
        params = {"customer": customer_id}
        try:
            found = self.connection.post(place, reading.card, params, key=key, meant=_ATTACH)
        except PaymentMethodNotFound:
            # Stripe refuses in the same words whether it is another customer's or this one's.
            card = self.retrieve(card_id)
            if card.customer_id != customer_id:
                raise
            return card
        return _card(found)

    def detach(self, card_id: str, *, key: str) -> SavedCard:
        """The card, saved for nobody any more and never to be used again.

        Raises:
            PaymentMethodNotFound: There is none.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        place = Place("payment_methods", card_id, "detach")
        try:
            return _card(self.connection.post(place, reading.card, {}, key=key, meant=_ATTACH))
        except PaymentMethodNotFound:
            card = self.retrieve(card_id)
            if card.customer_id is not None:
                raise
            return card

    def set_default(self, card_id: str, *, key: str, customer_id: str) -> CustomerRef:
        """The customer, whose invoices this card pays from now on.

        Raises:
            PaymentMethodNotFound: There is none, or it is not the customer's.
            NotFound: There is no such customer.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        params = {"invoice_settings": {"default_payment_method": card_id}}
        return self.connection.post(
            Place("customers", customer_id), reading.customer, params, key=key, meant=_CUSTOMER
        )


class Portal(Operations):
    """The page where a person looks after their cards."""

    def create(self, *, key: str, customer_id: str, return_url: str) -> PortalSession:
        """A page for the customer, open for a few minutes.

        Raises:
            NotFound: There is no such customer.
            InvalidField: No address that can be returned to.
            StripeUnavailable: Nobody answers.
            KeyInUse: The same request is running.
        """
        params = {"customer": customer_id, "return_url": return_url}
        return self.connection.post(
            Place("billing_portal/sessions"),
            reading.portal_session,
            params,
            key=key,
            meant=_CUSTOMER,
        )


def _if_not_deleted(raw: object) -> CustomerRef | None:
    return None if reading.is_deleted(raw) else reading.customer(raw)


def _card(found: SavedCard | None) -> SavedCard:
    if found is None:
        raise PaymentMethodNotFound
    return found
