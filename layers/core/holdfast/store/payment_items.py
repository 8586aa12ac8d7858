"""How an account pays, as items: the customer, the cards on file, and setups that were begun."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.payment_methods import Customer, PaymentMethod, Setup
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat

_PLACE = ("account_id", "id", "version")


def _customer(_: Tenant, customer: Customer) -> dict[str, Plain]:
    return flat(customer, without=("account_id", "version"))


def _to_customer(plain: Mapping[str, Any], place: Place) -> Customer:
    found: Customer = from_flat(plain, Customer, account_id=place.owner)
    return found


def _method(_: Tenant, method: PaymentMethod) -> dict[str, Plain]:
    return flat(method, without=_PLACE)


def _to_method(plain: Mapping[str, Any], place: Place) -> PaymentMethod:
    found: PaymentMethod = from_flat(plain, PaymentMethod, account_id=place.owner, id=place.name)
    return found


def _setup(_: Tenant, setup: Setup) -> dict[str, Plain]:
    return flat(setup, without=_PLACE)


def _to_setup(plain: Mapping[str, Any], place: Place) -> Setup:
    found: Setup = from_flat(plain, Setup, account_id=place.owner, id=place.name)
    return found


KINDS = (
    Kind(
        type=Customer,
        noun="CUSTOMER",
        key=lambda tenant, customer: keys.customer(tenant, customer.account_id),
        plain=_customer,
        record=_to_customer,
    ),
    Kind(
        type=PaymentMethod,
        noun="METHOD",
        key=lambda tenant, method: keys.method(tenant, method.account_id, method.id),
        plain=_method,
        record=_to_method,
    ),
    Kind(
        type=Setup,
        noun="SETUP",
        key=lambda tenant, setup: keys.setup(tenant, setup.account_id, setup.id),
        plain=_setup,
        record=_to_setup,
    ),
)
