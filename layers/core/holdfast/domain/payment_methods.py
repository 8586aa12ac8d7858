"""Payment methods on file: what a card is known by, never its number."""

from dataclasses import dataclass

from holdfast.domain.clock import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A card that was saved with the payment provider, under the provider's id."""

    account_id: str
    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool
    created_at: Instant
    version: int = 0
