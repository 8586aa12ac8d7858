"""The simulated Stripe shows what the real library's types say, and takes nothing they do not."""

import importlib
import types
import typing
from typing import Any

import pytest
import stripe

from local.stripe import (
    checkout,
    customers,
    disputes,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
)
from local.stripe.knobs import Knobs
from local.stripe.world import API_VERSION

# Taken only to be refused with a code of its own, as Stripe does.
_REFUSED = {"payment_method_types"}


def _fields(kind: type) -> tuple[set[str], set[str]]:
    """The names that a type has, and those among them that are never null."""
    named = {name: hint for name, hint in kind.__annotations__.items() if name.islower()}
    never_null = {
        name for name, hint in named.items() if types.NoneType not in typing.get_args(hint)
    }
    return set(named), never_null


@pytest.fixture
def shown(v1, knobs: Knobs, customer: str, pay) -> dict[type, Any]:
    """One object of each type."""
    method = v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    intent = pay(method.id, customer=customer)
    refund = v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    dispute = knobs.dispute(intent.latest_charge)
    session = v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example/",
            "line_items": [
                {
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 500,
                        "product_data": {"name": "Credit"},
                    },
                    "quantity": 1,
                }
            ],
        }
    )
    return {
        stripe.Customer: v1.customers.retrieve(customer),
        stripe.PaymentMethod: method,
        stripe.PaymentIntent: intent,
        stripe.Charge: v1.charges.retrieve(str(intent.latest_charge)),
        stripe.Refund: refund,
        stripe.BalanceTransaction: v1.balance_transactions.retrieve(
            str(refund.balance_transaction)
        ),
        stripe.SetupIntent: v1.setup_intents.create({"customer": customer}),
        stripe.Dispute: v1.disputes.retrieve(dispute["id"]),
        stripe.checkout.Session: session,
        stripe.billing_portal.Session: v1.billing_portal.sessions.create({"customer": customer}),
        stripe.Event: v1.events.list({"limit": 1}).data[0],
    }


def test_every_object_has_the_fields_of_its_type(shown: dict[type, Any]):
    missing = {
        kind.__name__: sorted(_fields(kind)[1] - set(one.to_dict())) for kind, one in shown.items()
    }

    assert {name: fields for name, fields in missing.items() if fields} == {}


def test_no_object_has_a_field_that_its_type_has_not(shown: dict[type, Any]):
    strange = {
        kind.__name__: sorted(set(one.to_dict()) - _fields(kind)[0]) for kind, one in shown.items()
    }

    assert {name: fields for name, fields in strange.items() if fields} == {}


@pytest.mark.parametrize(
    ("operations", "path", "module", "name"),
    [
        (customers, "/v1/customers", "_customer_create_params", "CustomerCreateParams"),
        (
            customers,
            "/v1/customers/{id}",
            "_customer_update_params",
            "CustomerUpdateParams",
        ),
        (
            payment_methods,
            "/v1/payment_methods",
            "_payment_method_create_params",
            "PaymentMethodCreateParams",
        ),
        (
            payment_intents,
            "/v1/payment_intents",
            "_payment_intent_create_params",
            "PaymentIntentCreateParams",
        ),
        (
            payment_intents,
            "/v1/payment_intents/{id}",
            "_payment_intent_update_params",
            "PaymentIntentUpdateParams",
        ),
        (
            payment_intents,
            "/v1/payment_intents/{id}/capture",
            "_payment_intent_capture_params",
            "PaymentIntentCaptureParams",
        ),
        (
            setup_intents,
            "/v1/setup_intents",
            "_setup_intent_create_params",
            "SetupIntentCreateParams",
        ),
        (refunds, "/v1/refunds", "_refund_create_params", "RefundCreateParams"),
        (disputes, "/v1/disputes/{id}", "_dispute_update_params", "DisputeUpdateParams"),
        (
            checkout,
            "/v1/checkout/sessions",
            "checkout._session_create_params",
            "SessionCreateParams",
        ),
    ],
)
def test_no_parameter_is_taken_that_the_library_does_not_know(
    operations: types.ModuleType, path: str, module: str, name: str
):
    (operation,) = (
        one for one in operations.OPERATIONS if (one.method, one.path) == ("POST", path)
    )
    known = getattr(importlib.import_module(f"stripe.params.{module}"), name).__annotations__

    assert operation.fields
    assert set(operation.fields) - set(known) - _REFUSED == set()


def test_the_version_is_the_one_that_the_library_asks_for(v1, customer: str):
    assert stripe.api_version == API_VERSION
    assert v1.events.list().data[0].api_version == API_VERSION
