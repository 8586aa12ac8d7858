"""What makes the second delivery of a request a no-op: who asked, under which key, for what."""

from dataclasses import dataclass

from holdfast.domain.accounts import Tenant, short_digest
from holdfast.domain.budgets import Scope
from holdfast.domain.clock import Instant

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One request that may be delivered any number of times and has one effect.

    `key` is scoped to the caller: the same key from two callers names two requests. `fingerprint`
    is a digest of what was asked (method, path, body); the same key with another fingerprint is
    refused. `now` is the one instant at which the whole request happens. `caps` are the limits
    that the caller's credential carries: whatever the request spends counts against them too.
    """

    tenant: Tenant
    caller: str
    key: str
    fingerprint: str
    now: Instant
    caps: tuple[Scope, ...] = ()

    @property
    def digest(self) -> str:
        """The id that this request gives to what it makes, the same at every delivery."""
        return short_digest("once", self.tenant.segment, self.caller, self.key)

    @property
    def entry_id(self) -> str:
        """The id of the entry that this request writes, or of the receipt in its place."""
        return f"ent_{self.digest}"

    def sortable_id(self, prefix: str, currency: str, *, digest_length: int = 16) -> str:
        """An id that sorts by time and names the currency: the thing and its wallet are one read.

        Ten characters are the milliseconds since 1970 in base 32, the rest the request's digest.
        """
        rest = int(self.now.timestamp() * 1000)
        place = ""
        for _ in range(10):
            rest, digit = divmod(rest, 32)
            place = _BASE32[digit] + place
        return f"{prefix}{place}{self.digest[:digest_length]}_{currency}"
