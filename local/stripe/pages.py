"""What a person does on the pages: pay, authenticate, look after cards.

A card number is typed here and nowhere else. It is looked up among the test cards and forgotten:
no page shows it again, and nothing keeps it.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit

from local.stripe import cards, checkout, html, paying, setup_intents
from local.stripe.customers import set_default
from local.stripe.errors import Object, Refused
from local.stripe.money import spelled
from local.stripe.params import merged
from local.stripe.payment_methods import attach, detach, make, of_customer, require_usable
from local.stripe.wire import Answer, Request
from local.stripe.world import World

_SESSION_ID = "{CHECKOUT_SESSION_ID}"
type Form = dict[str, str]


class Pages:
    """Answers requests for pages."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: list[tuple[str, Callable[[str, Form | None], Answer]]] = [
            ("/c/pay/", self._checkout),
            ("/3ds/", self._challenge),
            ("/p/session/", self._portal),
        ]

    def answer(self, request: Request) -> Answer:
        """One request, to its page."""
        form: Form | None = None
        if request.method == "POST":
            form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        for prefix, run in self._pages:
            if request.path.startswith(prefix):
                try:
                    return run(request.path.removeprefix(prefix), form)
                except Refused as refused:
                    return html.message("This did not work", str(refused), status=refused.status)
        return html.message("Not found", "There is no such page.", status=HTTPStatus.NOT_FOUND)

    def _checkout(self, session_id: str, form: Form | None) -> Answer:
        session = self._world.find("checkout.session", session_id)
        if session["status"] == "expired":
            words = "This checkout session has timed out, or was closed."
            link = session["cancel_url"]
            return html.message(
                "Expired", words, link=None if link is None else (link, "Back to the shop")
            )
        if session["status"] == "complete":
            link = (_success_url(session), "Back to the shop")
            return html.message("All done", "You have completed this already.", link=link)
        if form is None:
            return self._checkout_page(session)
        try:
            method = self._method_for(session, form)
            intent = self._confirm(session, method)
        except Refused as refused:
            return self._checkout_page(session, str(refused), form)
        if intent["status"] == "requires_action":
            return html.redirect(f"{self._world.address}/3ds/{intent['id']}")
        return self._completed(session, method)

    def _checkout_page(
        self, session: Object, error: str | None = None, typed: Form | None = None
    ) -> Answer:
        saved = []
        if session["mode"] == "payment" and session["customer"] is not None:
            saved = of_customer(self._world, session["customer"])
        return html.checkout(session, error=error, typed=typed or {}, cards=saved)

    def _method_for(self, session: Object, form: Form) -> Object:
        """The saved card that was chosen, or a new one as it was typed.

        Raises:
            Refused: It is not there, or no test card.
        """
        chosen = form.get("payment_method")
        if chosen is None:
            return self._typed_card(form)
        method = self._world.find("payment_method", chosen)
        require_usable(self._world, method, session["customer"])
        return method

    def _typed_card(self, form: Form) -> Object:
        card = cards.of_number(form.get("number", ""))
        today = time.gmtime(self._world.now())
        month, year = cards.expiry(form.get("expiry", ""), month=today.tm_mon, year=today.tm_year)
        cards.security_code(form.get("cvc", ""), card)
        billing = {"email": form.get("email") or None, "name": form.get("name") or None}
        return make(self._world, card, exp_month=month, exp_year=year, billing=billing)

    def _confirm(self, session: Object, method: Object) -> Object:
        """Confirm the session's intent with a card.

        Raises:
            Refused: The card was declined.
        """
        world = self._world
        back = f"{world.address}/c/pay/{session['id']}"
        if session["mode"] == "setup":
            setup = world.find("setup_intent", session["setup_intent"])
            setup.update(payment_method=method["id"], status="requires_confirmation")
            setup_intents.confirm(world, setup, return_url=back)
            return setup
        intent = world.get("payment_intent", session["payment_intent"])
        if intent is None:
            intent = paying.new_intent(
                world,
                amount=session["amount_total"],
                currency=session["currency"],
                **{
                    **session["_intent"],
                    "metadata": merged({}, session["_intent"].get("metadata")),
                    "customer": session["customer"],
                    "_session": session["id"],
                },
            )
            session["payment_intent"] = intent["id"]
        paying.choose(world, intent, method)
        paying.confirm(world, intent, return_url=back)
        return intent

    def _completed(self, session: Object, method: Object) -> Answer:
        checkout.complete(self._world, session, method)
        return html.redirect(_success_url(session))

    def _challenge(self, intent_id: str, form: Form | None) -> Answer:
        world = self._world
        payment = world.get("payment_intent", intent_id)
        intent = payment or world.find("setup_intent", intent_id)
        if intent["status"] != "requires_action":
            return html.message("3-D Secure", "There is nothing to authenticate.")
        if form is None:
            what = "a card to be saved"
            if payment is not None:
                what = f"a payment of {spelled(payment['amount'], payment['currency'])}"
            return html.challenge(what)
        action, method_id = intent["next_action"], intent["payment_method"]
        is_done = form.get("outcome") == "complete"
        error = self._authenticated(intent, is_payment=payment is not None, is_done=is_done)
        session = world.get("checkout.session", intent["_session"])
        if session is not None and session["status"] == "open":
            if error is not None:
                return self._checkout_page(session, error)
            return self._completed(session, world.find("payment_method", method_id))
        return _returned(action, intent, has_succeeded=error is None)

    def _authenticated(self, intent: Object, *, is_payment: bool, is_done: bool) -> str | None:
        """Go on with an intent whose holder has, or has not, authenticated; what went wrong."""
        world = self._world
        if not is_done:
            fail = paying.fail_authentication if is_payment else setup_intents.fail_authentication
            fail(world, intent)
            return str((intent.get("last_payment_error") or intent["last_setup_error"])["message"])
        if not is_payment:
            setup_intents.succeed(world, intent)
            return None
        intent["_authenticated"] = True
        try:
            paying.charge(world, intent, world.find("payment_method", intent["payment_method"]))
        except Refused as refused:
            return str(refused)
        return None

    def _portal(self, session_id: str, form: Form | None) -> Answer:
        world = self._world
        session = world.find("billing_portal.session", session_id)
        customer = world.find("customer", session["customer"])
        error = None
        if form is not None:
            try:
                self._look_after(customer, form)
            except Refused as refused:
                error = str(refused)
            else:
                return html.redirect(session["url"])
        default = customer["invoice_settings"]["default_payment_method"]
        return html.portal(session, of_customer(world, customer["id"]), default, error)

    def _look_after(self, customer: Object, form: Form) -> None:
        """Add a card, remove one, or charge another by default.

        Raises:
            Refused: The card was declined, or is not this customer's.
        """
        world = self._world
        if form.get("action") == "card":
            attach(world, self._typed_card(form)["id"], customer["id"])
            return
        method = world.find("payment_method", form.get("payment_method", ""))
        require_usable(world, method, customer["id"])
        if form.get("action") == "remove":
            detach(world, method)
        else:
            set_default(world, customer, method["id"])


def _success_url(session: Object) -> str:
    address = session["success_url"]
    assert isinstance(address, str)
    return address.replace(_SESSION_ID, session["id"])


def _returned(action: Object, intent: Object, *, has_succeeded: bool) -> Answer:
    """Send the browser to where the intent was confirmed from, with how it went."""
    if action["type"] != "redirect_to_url":
        return html.message("3-D Secure", "Thank you. You can close this window.")
    kind = intent["object"]
    told = urlencode(
        {
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if has_succeeded else "failed",
        }
    )
    address = action["redirect_to_url"]["return_url"]
    return html.redirect(f"{address}{'&' if urlsplit(address).query else '?'}{told}")
