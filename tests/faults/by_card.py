"""All that can become of payments by card, for tables that have to hold some of everything."""

from dataclasses import dataclass
from typing import Any

from holdfast.domain.accounts import Owner
from holdfast.domain.clock import Instant
from holdfast.domain.once import Once
from holdfast.domain.payments import INTENT, TOPUP, Kind, Payment
from holdfast.services import disputes, intents, payments, refunds
from holdfast.services.beginnings import Asked
from holdfast.services.cards import customer
from holdfast.store.ledger_store import LedgerStore
from local.stripe import disputes as banks
from local.stripe import refunds as at_banks
from tests.api.provider import Provider

MAJOR = 1_000_000


@dataclass(slots=True)
class Payer:
    """Somebody who pays by card."""

    store: LedgerStore
    owner: Owner
    now: Instant
    provider: Provider

    def once(self, key: str) -> Once:
        return Once(
            tenant=self.owner.tenant,
            caller=self.owner.user or "",
            key=f"by card {key}",
            fingerprint=key,
            now=self.now,
        )

    @property
    def counter(self) -> Any:
        return self.provider.counter(self.owner.tenant.mode)

    def pay(self, key: str, majors: int, *, kind: Kind = TOPUP, **facts: Any) -> Payment:
        asked = Asked(
            kind=kind,
            amount_micros=majors * MAJOR,
            currency="usd",
            surface="commerce",
            payment_method_id="pm_card_visa",
            is_saved=False,
            **facts,
        )
        gateway = self.provider.gateway
        done = payments.charge(self.store, gateway, self.owner, asked, once=self.once(key))
        return done.payment

    def from_wallet(self, key: str, majors: int) -> Payment:
        """A purchase that the wallet pays."""
        gateway = self.provider.gateway
        asked = Asked(kind=INTENT, amount_micros=majors * MAJOR, currency="usd", surface="commerce")
        made = intents.create(self.store, gateway, self.owner, asked, once=self.once(key)).payment
        return intents.confirm(
            self.store, gateway, made.id, method_id="balance", once=self.once(f"confirm {key}")
        ).payment

    def refund(self, key: str, paid: Payment, majors: int) -> Payment:
        return refunds.refund(
            self.store,
            self.provider.gateway,
            self.owner.tenant,
            paid.id,
            amount_micros=majors * MAJOR,
            once=self.once(key),
        ).refund

    def send_back(self, refund: Payment) -> None:
        """The bank could not pay the refund out."""
        at_banks.fail(self.counter, self.counter.find("refund", refund.refund_id), "unknown")
        mode = self.owner.tenant.mode
        gateway = self.provider.gateway
        refunds.take_in(self.store, gateway, mode, refund.refund_id, now=self.now)

    def dispute(self, paid: Payment, *ends: str, amount: int | None = None) -> None:
        """The bank takes it back, and decides so."""
        charge = self.counter.find("charge", paid.charge_id)
        dispute = banks.open_dispute(self.counter, charge, amount=amount)
        for status in (dispute["status"], *ends):
            dispute["status"] = status
            gateway, mode = self.provider.gateway, self.owner.tenant.mode
            disputes.take_in(self.store, gateway, mode, dispute["id"], now=self.now)


def pay_by_card(store: LedgerStore, owner: Owner, *, now: Instant) -> None:
    """Top-ups, purchases, refunds and disputes, each in every state that it can be left in."""
    payer = Payer(store, owner, now, Provider(clock=now.timestamp))
    customer(store, payer.provider.gateway, owner, now=now)
    given_back = payer.pay("top up", 40)
    payer.refund("refund", given_back, 7)
    payer.send_back(payer.refund("refund that fails", given_back, 5))
    bought = payer.pay("buy", 30, kind=INTENT)
    payer.refund("refund of a purchase", bought, 4)
    payer.send_back(payer.refund("another that fails", bought, 3))
    payer.refund("refund to the wallet", payer.from_wallet("from wallet", 6), 2)
    payer.dispute(payer.pay("lost", 20), "lost", amount=1_500)
    payer.dispute(payer.pay("won", 21), "won")
    payer.dispute(payer.pay("back on appeal", 22), "lost", "appeal_under_review", "won")
    payer.dispute(payer.pay("dropped", 23), "warning_closed")
    payer.dispute(payer.pay("disputed purchase", 24, kind=INTENT), "lost")
    payer.dispute(payer.pay("open", 25), "under_review", amount=2_000)
