"""The SDK, as it is used here: pinned, quiet, and on our transport.

Importing this module loads the SDK. Requests go out as they stand in Stripe's reference: the SDK's
typed services would load another module for every noun, and give back objects to be taken apart.
"""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import stripe

from holdfast.gateways.stripe.connection import Meant
from holdfast.gateways.stripe.refusals import Doubt, refusal_of
from holdfast.gateways.stripe.transport import Transport

API_VERSION = "2026-10-28.endive"
RETRIES_MAX = 2


class Sdk:
    """The SDK's client for the key at hand."""

    def __init__(
        self,
        *,
        api_base: str | None,
        attempt_seconds: float,
        call_seconds: float,
        pause_seconds: float,
    ) -> None:
        """Send to `api_base`, or to Stripe."""
        # It measures every request, tells Stripe about this machine, and writes down what is sent.
        stripe.enable_telemetry = False
        logging.getLogger("stripe").setLevel(logging.CRITICAL)
        self._api_base = api_base or stripe.DEFAULT_API_BASE
        self._transport = Transport(
            attempt_seconds=attempt_seconds,
            call_seconds=call_seconds,
            pause_seconds=pause_seconds,
        )
        self._client: tuple[str, stripe.StripeClient] | None = None

    def request(
        self,
        api_key: str,
        method: str,
        path: str,
        params: Mapping[str, Any],
        *,
        key: str | None,
        meant: Meant,
    ) -> object:
        """The JSON that Stripe answers.

        Raises:
            KeyRefused: Stripe does not know `api_key`.
            Misshapen: What it answers is no answer of Stripe's.
            Refusal: What the error means; see `refusals`.
            InvariantBroken: We asked for something that Stripe does not know.
        """
        options = {"idempotency_key": key} if key else {}
        asked = dict(params)
        # The SDK takes a parameter of this name for itself, and would not send it.
        usage = asked.pop("usage", None)
        place = path if usage is None else f"{path}?{urlencode({'usage': usage})}"
        try:
            answer = self._client_of(api_key).raw_request(method, place, **asked, **options)
        except stripe.StripeError as error:
            call = self._transport.last_call
            refusal = refusal_of(error, meant, Doubt(method == "post", call.lost, call.rivalled))
        else:
            return answer.data
        # Raised out here, it does not carry the SDK's error and its words along.
        raise refusal

    def _client_of(self, api_key: str) -> stripe.StripeClient:
        if self._client is None or self._client[0] != api_key:
            client = stripe.StripeClient(
                api_key,
                stripe_version=API_VERSION,
                base_addresses={"api": self._api_base},
                max_network_retries=RETRIES_MAX,
                http_client=self._transport,
            )
            self._client = api_key, client
        return self._client[1]
