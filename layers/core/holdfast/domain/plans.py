"""Plans: what is on sale, and for how much. Buying is no matter of theirs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from holdfast.errors import PlanNotFound

type PlanType = Literal["one_time", "recurring"]

ONE_TIME: PlanType = "one_time"
RECURRING: PlanType = "recurring"
MONTHLY = "monthly"
MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Something on sale: once, or again every month.

    `price_micros` is what it costs each time, for each user if `is_per_user`; None where the buyer
    names the amount, and where there is nothing to buy without talking to somebody first
    (`needs_contact`). `price_year_micros` is what a year costs when it is paid at once.
    `credits_micros` is what each payment adds to the wallet; None if that is what was paid. A limit
    of -1 is none.
    """

    id: str
    name: str
    description: str
    category: str
    type: PlanType
    currency: str
    price_micros: int | None
    price_year_micros: int | None = None
    credits_micros: int | None = 0
    amount_micros_min: int | None = None
    amount_micros_max: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    is_per_user: bool = False
    is_popular: bool = False
    needs_contact: bool = False
    is_active: bool = True

    def __post_init__(self) -> None:
        priceless = self.allows_custom_amount or self.needs_contact
        assert (self.price_micros is None) == priceless, f"{self.id}: what does it cost?"
        assert (self.amount_micros_max is None) == (self.amount_micros_min is None), self.id
        assert self.type == RECURRING or self.price_year_micros is None, self.id

    @property
    def allows_custom_amount(self) -> bool:
        """Whether the buyer names the amount, between two bounds."""
        return self.amount_micros_min is not None

    @property
    def interval(self) -> str | None:
        """How often it is paid; None if once."""
        return MONTHLY if self.type == RECURRING else None

    @property
    def interval_count(self) -> int | None:
        """After how many intervals it is paid again; None if never."""
        return 1 if self.type == RECURRING else None

    @property
    def month_of_year_micros(self) -> int | None:
        """A twelfth of a year's price, rounded up: twelve of them pay for the year.

        Never what is charged: a year is charged whole.
        """
        year_micros = self.price_year_micros
        return None if year_micros is None else -(-year_micros // MONTHS)


def on_sale(
    plans: Iterable[Plan], *, type_: PlanType | None = None, category: str | None = None
) -> Iterator[Plan]:
    """The plans that can be bought, in the order of the catalogue."""
    for plan in plans:
        if plan.is_active and type_ in (None, plan.type) and category in (None, plan.category):
            yield plan


def plan_on_sale(plans: Iterable[Plan], plan_id: str) -> Plan:
    """The plan of that id.

    Raises:
        PlanNotFound: There is none, or it is not on sale any more.
    """
    found = next((plan for plan in on_sale(plans) if plan.id == plan_id), None)
    if found is None:
        raise PlanNotFound()
    return found
