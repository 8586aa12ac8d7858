"""The x402 facilitator of a laptop's stack, loaded when somebody pays that way for the first time.

What checks its signatures takes longer to load than all functions together, and more memory.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

PAY_TO = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
"""Whom a laptop's stack is paid to: an address that nobody has the key of."""


class LazyFacilitator:
    """An ASGI application that becomes the facilitator with the first request."""

    def __init__(self) -> None:
        self._loading = asyncio.Lock()
        self._facilitator: Any = None

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        async with self._loading:
            if self._facilitator is None:
                module = await asyncio.to_thread(importlib.import_module, "local.facilitator.app")
                self._facilitator = module.Facilitator()
        await self._facilitator(scope, receive, send)
