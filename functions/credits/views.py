"""What the commerce surface answers about credit."""

from collections.abc import Sequence

from holdfast.domain.credits import CreditGrant
from holdfast.domain.lots import Lot
from holdfast.http.fields import Timestamp
from holdfast.http.views import Answer, CamelView, Maybe, amounts
from holdfast.services.credits import Granted
from holdfast.store.ledger_store import Committed

UNTAGGED = "other"


class GrantView(CamelView):
    id: str
    user_id: str
    name: str
    amount_cents: int
    amount_cents_decimal: Maybe[str] = None
    remaining_cents: int
    remaining_cents_decimal: Maybe[str] = None
    currency: str
    priority: int
    effective_at: Timestamp
    expires_at: Maybe[Timestamp] = None
    eligibility: list[str]
    tags: str
    created_at: Timestamp


class ListedGrantView(GrantView):
    voided: bool
    active: bool


class GrantListView(CamelView):
    grants: list[ListedGrantView]
    count: int
    next_cursor: str | None


class VoidedView(CamelView):
    id: str
    voided: bool


class CreditBalanceView(CamelView):
    currency: str
    available: int
    available_decimal: Maybe[str] = None


class CreditBalancesView(CamelView):
    user_id: str
    balances: list[CreditBalanceView]


class CentsView(CamelView):
    cents: int
    cents_decimal: Maybe[str] = None


class TaggedView(CentsView):
    expires_at: Maybe[Timestamp] = None


class CurrencyBreakdownView(CamelView):
    breakdown: dict[str, TaggedView]
    total: CentsView


class BreakdownView(CurrencyBreakdownView):
    user_id: str
    currency: str
    currencies: dict[str, CurrencyBreakdownView]


class StarterView(CamelView):
    transaction_id: str
    user: str
    amount: int
    currency: str
    type: str
    tags: str
    expires_at: Maybe[Timestamp] = None


def given(grant: CreditGrant) -> GrantView:
    """A grant as it was given: all of it is left."""
    return GrantView.model_validate(_fields(grant, grant.amount_micros))


def listed(granted: Granted) -> ListedGrantView:
    """A grant as it is now."""
    grant = granted.grant
    return ListedGrantView.model_validate(
        {
            **_fields(grant, granted.left_micros),
            "voided": grant.voided_at is not None,
            "active": granted.active,
        }
    )


def by_tag(lots: Sequence[Lot], currency: str) -> CurrencyBreakdownView:
    """Credit of one currency, and when the first of each tag expires."""
    tags: dict[str, list[Lot]] = {}
    for lot in lots:
        tags.setdefault(lot.terms.tag or UNTAGGED, []).append(lot)
    return CurrencyBreakdownView(
        breakdown={tag: _tagged(tags[tag], currency) for tag in sorted(tags)},
        total=CentsView(**amounts(currency, cents=total_micros(lots))),
    )


def total_micros(lots: Sequence[Lot]) -> int:
    """What can be spent of the lots together."""
    return sum(lot.remaining_micros for lot in lots)


def starter_answer(committed: Committed, user: str) -> Answer[StarterView]:
    """The starter credit as a transaction of the wallet."""
    entry = committed.entry
    cents = amounts(entry.currency, amount=entry.amount_micros)
    # What pays a debt at once is cash like any other, and does not expire.
    ends = [draw.terms.expires_at for draw in entry.draws if draw.terms is not None]
    view = StarterView(
        transaction_id=entry.id,
        user=user,
        amount=cents["amount"],
        currency=entry.currency,
        type="deposit",
        tags=str(entry.details["tags"]),
        expires_at=ends[0] if ends else None,
    )
    return Answer(view, replayed=committed.replayed)


def _tagged(lots: Sequence[Lot], currency: str) -> TaggedView:
    ends = [lot.terms.expires_at for lot in lots if lot.terms.expires_at is not None]
    return TaggedView(
        **amounts(currency, cents=total_micros(lots)), expires_at=min(ends, default=None)
    )


def _fields(grant: CreditGrant, left_micros: int) -> dict[str, object]:
    return {
        "id": grant.id,
        "user_id": grant.user,
        "name": grant.name,
        **amounts(grant.currency, amount_cents=grant.amount_micros, remaining_cents=left_micros),
        "currency": grant.currency,
        "priority": grant.priority,
        "effective_at": grant.effective_at,
        "expires_at": grant.expires_at,
        "eligibility": list(grant.meters),
        "tags": grant.tags,
        "created_at": grant.created_at,
    }
