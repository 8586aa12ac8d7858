"""The simulated Stripe without a socket: each world has its own, in each mode, and it is copied.

Requests are made by the SDK and answered by the simulator; only what lies between is left out.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, override
from urllib.parse import urlsplit

from holdfast.gateways.stripe import StripeGateway
from holdfast.gateways.stripe.sdk import Sdk
from holdfast.gateways.stripe.transport import Transport
from local.stripe.api import Api
from local.stripe.errors import Object
from local.stripe.wire import Request
from local.stripe.world import World as Counter

SECRET = "sk_test_world"
ADDRESS = "http://127.0.0.1:9"
MODES = ("live", "test")

type State = Mapping[str, Object]


class Provider:
    """Stripe in both modes. `state` is what `dumped` was of another one.

    Two of one `seed` give their things the same ids: beside another one it has another seed.
    """

    def __init__(
        self, state: State | None = None, *, clock: Callable[[], float], seed: str = "world"
    ) -> None:
        self._state = state or {}
        self._seed = seed
        self._clock = clock
        self._counters: dict[str, Counter] = {}
        self._gateways: dict[str, StripeGateway] = {}
        self.is_touched = False

    def gateway(self, mode: str) -> StripeGateway:
        """Stripe in one mode."""
        if mode not in self._gateways:
            self._gateways[mode] = self._opened(self.counter(mode))
        return self._gateways[mode]

    def counter(self, mode: str) -> Counter:
        """All that Stripe knows in one mode."""
        if mode not in self._counters:
            counter = Counter(seed=f"{self._seed} {mode}", clock=self._clock)
            counter.address = "https://checkout.stripe.com"
            if mode in self._state:
                counter.load(deepcopy(self._state[mode]))
            self._counters[mode] = counter
        return self._counters[mode]

    def dumped(self) -> State:
        """All that it knows."""
        return {mode: deepcopy(self.counter(mode).dump()) for mode in MODES}

    def _opened(self, counter: Counter) -> StripeGateway:
        gateway = StripeGateway(lambda: SECRET, api_base=ADDRESS, clock=self._clock)
        sdk = Sdk(api_base=ADDRESS, attempt_seconds=1, call_seconds=1, pause_seconds=0)
        sdk._transport = _AtHand(Api(counter, secret_key=SECRET), self)
        gateway.cards.connection._sdk = sdk
        return gateway


class _AtHand(Transport):
    def __init__(self, api: Api, provider: Provider) -> None:
        super().__init__(attempt_seconds=1, call_seconds=1, pause_seconds=0)
        self._api = api
        self._provider = provider

    @override
    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        parts = urlsplit(url)
        body = post_data.encode() if isinstance(post_data, str) else post_data or b""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        asked = Request(method.upper(), parts.path, parts.query, named, body)
        self._provider.is_touched = self._provider.is_touched or asked.method == "POST"
        answer = self._api.answer(asked)
        return answer.body, int(answer.status), answer.headers
