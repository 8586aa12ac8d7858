"""Who owns money: tenants, users, and the account that each of them has by default."""

import re
from base64 import b32encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from holdfast.domain.clock import Instant
from holdfast.errors import InvalidField

INTRODUCTORY_CREDIT_MICROS = 10_000_000
INTRODUCTORY_CURRENCY = "usd"
ACCOUNT_PREFIX = "acct_"
ID_LENGTH = 26

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+=~-]{0,127}")
_ORG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ACCOUNT_ID = re.compile(r"acct_[a-z2-7]{26}")


@dataclass(frozen=True, slots=True)
class Tenant:
    """An org in one mode. Live and test are two tenants: their data never meet."""

    org: str
    mode: str

    def __post_init__(self) -> None:
        if not _ORG.fullmatch(self.org) or self.mode not in ("live", "test"):
            raise InvalidField("org", "not the name of an org")

    @property
    def segment(self) -> str:
        """How keys spell the tenant. No org name has a slash, so no two tenants share it."""
        return f"{self.org}/{self.mode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What owns wallets. A user's default account is made once, with the introductory credit."""

    tenant: Tenant
    id: str
    owner: str
    name: str
    created_at: Instant
    currency: str = INTRODUCTORY_CURRENCY
    closed_at: Instant | None = None
    version: int = 0

    @property
    def is_default(self) -> bool:
        """Whether it is the account that its owner has by default."""
        return self.id == default_account_id(self.tenant, self.owner)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom an operation is about: an account by its id; and by its user, if it was named by one.

    Only an account that was named by its user can be made by naming it. `asker` is a user who named
    an account by its id without being an admin: whether they have a seat there is to be found out.
    """

    tenant: Tenant
    account_id: str
    user: str | None = None
    asker: str | None = None


def owner_of(tenant: Tenant, user: str) -> Owner:
    """The user's default account, whether or not it was made yet."""
    return Owner(tenant, default_account_id(tenant, user), user)


def user_name(text: str, *, org: str, param: str = "user") -> str:
    """`owner/name`, trimmed and lower-cased; a bare name is a user of `org`.

    >>> user_name(" Acme/Alice ", org="acme"), user_name("bob", org="acme")
    ('acme/alice', 'acme/bob')

    Raises:
        InvalidField: Empty, too long, or with characters that no user name has.
    """
    # Some letters of other scripts become ASCII ones when lower-cased, so ASCII is asked for first.
    if not text.isascii():
        raise InvalidField(param, "not a user name (owner/name)")
    owner, slash, name = text.strip().lower().rpartition("/")
    if not slash:
        owner = org
    if not (_ORG.fullmatch(owner) and _NAME.fullmatch(name)):
        raise InvalidField(param, "not a user name (owner/name)")
    return f"{owner}/{name}"


def default_account_id(tenant: Tenant, user: str) -> str:
    """The id of the user's default account: derived, so that naming a user costs no read."""
    return ACCOUNT_PREFIX + short_digest("account", tenant.segment, user)


def is_account_id(text: str) -> bool:
    """Whether `text` has the form of an account id."""
    return _ACCOUNT_ID.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def short_digest(*parts: str) -> str:
    """26 base32 characters (130 bits) of SHA-256 over the parts: an id nobody can guess or clash.

    Parts are joined by NUL, which no part may hold, so that ("ab", "c") is not ("a", "bc").
    """
    assert not any("\0" in part for part in parts)
    digest = sha256("\0".join(parts).encode()).digest()
    return b32encode(digest).decode().lower()[:ID_LENGTH]
