"""Payment methods: cards, attached to a customer or not."""

from http import HTTPStatus

from local.stripe import cards
from local.stripe.calls import Call, Operation, page
from local.stripe.cards import Card
from local.stripe.errors import Object, Refused, card_error, no_such
from local.stripe.params import ADDRESS as NO_ADDRESS
from local.stripe.params import (
    PAGE,
    Fields,
    address,
    choice,
    fields,
    integer,
    merged,
    metadata,
    optional_text,
    text,
)
from local.stripe.world import World

_BILLING = fields(
    address=address, email=optional_text, name=optional_text, phone=optional_text, tax_id=text
)
_REDISPLAY = choice("always", "limited", "unspecified")
_UPDATE: Fields = {
    "allow_redisplay": _REDISPLAY,
    "billing_details": _BILLING,
    "card": fields(exp_month=integer(1, 12), exp_year=integer(1970, 2100)),
    "metadata": metadata,
}
_NUMBER_SENT = (
    "Sending credit card numbers directly to the Stripe API is generally unsafe. To continue "
    "processing use Stripe.js, the Stripe mobile bindings, or Stripe Elements. For more "
    "information, see https://dashboard.stripe.com/account/integration/settings."
)
_USED_UP = (
    "This PaymentMethod was previously used without being attached to a Customer or was detached "
    "from a Customer, and may not be used again."
)


def make(
    world: World,
    card: Card,
    *,
    exp_month: int = 12,
    exp_year: int | None = None,
    billing: Object | None = None,
) -> Object:
    """A payment method for a card; attached to nobody."""
    year = exp_year or 1970 + world.now() // 31_556_952 + 4
    return world.add(
        "payment_method",
        "pm",
        {
            "allow_redisplay": "unspecified",
            "billing_details": {
                "address": dict(NO_ADDRESS),
                "email": None,
                "name": None,
                "phone": None,
                "tax_id": None,
                **(billing or {}),
            },
            "card": cards.shown(card, exp_month=exp_month, exp_year=year),
            "customer": None,
            "metadata": {},
            "type": "card",
            "_card": card.name,
            "_is_set_up": False,
            "_is_spent": False,
        },
    )


def card_of(method: Object) -> Card:
    return cards.BY_NAME[method["_card"]]


def resolve(world: World, method_id: str, *, in_path: bool = False) -> Object:
    """The payment method with this id; a test id makes a fresh one, as it does at Stripe.

    Raises:
        Refused: There is none.
    """
    card = cards.of_test_id(method_id)
    if card is not None and method_id.startswith("pm_"):
        return make(world, card)
    found = world.get("payment_method", method_id)
    if found is None:
        name = "payment_method" if in_path else "PaymentMethod"
        raise no_such(name, method_id, param="payment_method", in_path=in_path)
    return found


def attach(world: World, method_id: str, customer_id: str, *, in_path: bool = False) -> Object:
    """Attach a payment method to a customer; the issuer may refuse it.

    Raises:
        Refused: It is another customer's, was used up, or its card is declined.
    """
    world.find("customer", customer_id, param="customer")
    method = resolve(world, method_id, in_path=in_path)
    if method["customer"] == customer_id:
        return method
    if method["customer"] is not None:
        raise Refused("The payment method you provided has already been attached to a customer.")
    if method["_is_spent"]:
        raise Refused(_USED_UP)
    card = card_of(method)
    if not card.attaches and card.decline is not None:
        raise card_error(card.decline.problem())
    tie(world, method, customer_id)
    return method


def tie(world: World, method: Object, customer_id: str) -> None:
    """Attach without asking the issuer, who has just agreed."""
    if method["customer"] is None:
        world.change(method, None, customer=customer_id)
        world.emit("payment_method.attached", method)


def of_customer(world: World, customer_id: str) -> list[Object]:
    """A customer's payment methods, newest first."""
    return [one for one in world.every("payment_method") if one["customer"] == customer_id]


def require_usable(world: World, method: Object, customer_id: str | None) -> None:
    """Check that an intent for this customer, or for nobody, may use a payment method.

    Raises:
        Refused: It is somebody else's, or was used up.
    """
    owner = method["customer"]
    if owner is not None and owner != customer_id:
        if customer_id is None:
            raise Refused(
                f"The payment method {method['id']} belongs to a Customer. Please include the "
                "Customer in the `customer` parameter on the PaymentIntent.",
                param="payment_method",
            )
        raise Refused(
            f"The customer does not have a payment method with the ID {method['id']}. The payment "
            "method must be attached to the customer.",
            code="resource_missing",
            param="payment_method",
        )
    if method["_is_spent"]:
        raise Refused(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was "
            "detached from a Customer. It may not be used again. To use a PaymentMethod multiple "
            "times, you must attach it to a Customer first.",
        )


def _create(call: Call) -> Object:
    typed = call.params.get("card", {})
    if "number" in typed:
        raise Refused(_NUMBER_SENT, status=HTTPStatus.PAYMENT_REQUIRED)
    card = cards.of_test_id(typed.get("token", ""))
    if card is None:
        raise no_such("token", typed.get("token", ""), param="card[token]")
    method = make(call.world, card, billing=call.params.get("billing_details"))
    method["metadata"] = merged({}, call.params.get("metadata"))
    method["allow_redisplay"] = call.params.get("allow_redisplay", "unspecified")
    return method


def _attach(call: Call) -> Object:
    return attach(call.world, call.id, call.params["customer"], in_path=True)


def detach(world: World, method: Object) -> Object:
    """Take a payment method from its customer, for good.

    Raises:
        Refused: It is attached to nobody.
    """
    owner = world.get("customer", method["customer"])
    if owner is None:
        raise Refused(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    world.change(method, None, customer=None, _is_spent=True)
    world.emit("payment_method.detached", method, before={"customer": owner["id"]})
    if owner["invoice_settings"]["default_payment_method"] == method["id"]:
        settings = {**owner["invoice_settings"], "default_payment_method": None}
        world.change(owner, "customer.updated", invoice_settings=settings)
    return method


def _detach(call: Call) -> Object:
    return detach(call.world, resolve(call.world, call.id, in_path=True))


def _update(call: Call) -> Object:
    method = resolve(call.world, call.id, in_path=True)
    if method["customer"] is None:
        raise Refused("You must save this PaymentMethod to a customer before you can update it.")
    change = dict(call.params)
    if "metadata" in change:
        change["metadata"] = merged(method["metadata"], change["metadata"])
    for part in ("billing_details", "card"):
        if part in change:
            change[part] = {**method[part], **change[part]}
    call.world.change(method, "payment_method.updated", **change)
    return method


def _list(call: Call) -> Object:
    customer_id = call.ids[0] if call.ids else call.params.get("customer")
    if customer_id is None:
        return page(call, (), kind="payment_method", url="/v1/payment_methods")
    call.world.find("customer", customer_id, param="customer", in_path=bool(call.ids))
    is_card = call.params.get("type", "card") == "card"
    found = of_customer(call.world, customer_id) if is_card else []
    return page(call, found, kind="payment_method", url="/v1/payment_methods")


def _of_customer(call: Call) -> Object:
    customer_id, method_id = call.ids
    call.world.find("customer", customer_id, param="customer", in_path=True)
    found = resolve(call.world, method_id, in_path=True)
    if found["customer"] != customer_id:
        raise no_such("payment_method", method_id, param="payment_method", in_path=True)
    return found


_LIST: Fields = {**PAGE, "type": text, "customer": text, "allow_redisplay": _REDISPLAY}
_CREATE: Fields = {
    "type": choice("card"),
    "card": fields(token=text, number=text, exp_month=text, exp_year=text, cvc=text),
    "billing_details": _BILLING,
    "metadata": metadata,
    "allow_redisplay": _REDISPLAY,
}
OPERATIONS = [
    Operation("POST", "/v1/payment_methods", _create, _CREATE, ("type", "card")),
    Operation(
        "GET", "/v1/payment_methods/{id}", lambda call: resolve(call.world, call.id, in_path=True)
    ),
    Operation("POST", "/v1/payment_methods/{id}", _update, _UPDATE),
    Operation(
        "POST", "/v1/payment_methods/{id}/attach", _attach, {"customer": text}, ("customer",)
    ),
    Operation("POST", "/v1/payment_methods/{id}/detach", _detach),
    Operation("GET", "/v1/payment_methods", _list, _LIST),
    Operation("GET", "/v1/customers/{id}/payment_methods", _list, _LIST),
    Operation("GET", "/v1/customers/{id}/payment_methods/{method}", _of_customer),
]
