"""What makes the second delivery of a request a no-op: who asked, under which key, for what."""

from dataclasses import dataclass

from holdfast.domain.accounts import Tenant, short_digest
from holdfast.domain.clock import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One request that may be delivered any number of times and has one effect.

    `key` is scoped to the caller: the same key from two callers names two requests. `fingerprint`
    is a digest of what was asked (method, path, body); the same key with another fingerprint is
    refused. `now` is the one instant at which the whole request happens.
    """

    tenant: Tenant
    caller: str
    key: str
    fingerprint: str
    now: Instant

    @property
    def digest(self) -> str:
        """The id that this request gives to what it makes, the same at every delivery."""
        return short_digest("once", self.tenant.segment, self.caller, self.key)

    @property
    def entry_id(self) -> str:
        """The id of the entry that this request writes, or of the receipt in its place."""
        return f"ent_{self.digest}"
