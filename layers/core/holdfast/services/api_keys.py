"""Use cases of API keys: make one, list them, revoke one, and find whose a token is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from holdfast.domain import api_keys as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.api_keys import ApiKey, SpendCap
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged
from holdfast.domain.once import Once
from holdfast.errors import KeyNotFound
from holdfast.services.refs import api_key_of
from holdfast.store import pages
from holdfast.store.ledger_store import Enacted, LedgerStore

LISTED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key. `token` is there for whoever makes the request, at every delivery of it."""

    key: ApiKey
    token: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A user's keys, newest first; `next_place` is that of the last one, None at the end."""

    keys: tuple[ApiKey, ...]
    next_place: str | None


def issue(
    store: LedgerStore,
    house_secret: bytes,
    *,
    user: str,
    name: str,
    scopes: Sequence[str],
    cap: SpendCap | None,
    expires_at: Instant | None,
    once: Once,
) -> Issued:
    """Make a key for a user.

    Raises:
        InvalidField: A scope or the expiry is none that a key can have.
        TooManyKeys: The user has 100 good ones.
        KeyNotFound: The request was made before, under a secret of the house that is gone.
    """
    if earlier := store.reenacted(once):
        return _issued(earlier, once, house_secret)
    known = islice(pages.api_keys(store, once.tenant, user), LISTED_MAX)
    rules.require_room(known, once.now)

    def decide() -> Deed:
        _, key = rules.issue(
            once,
            house_secret=house_secret,
            user=user,
            name=name,
            scopes=scopes,
            cap=cap,
            expires_at=expires_at,
        )
        return Deed(key, (Change(None, key),))

    return _issued(store.enact(decide, [], once=once), once, house_secret)


def api_keys(
    store: LedgerStore, tenant: Tenant, user: str, *, before: str | None, limit: int
) -> KeyPage:
    """One page of a user's keys, revoked and expired ones too."""
    shown, last = pages.cut(pages.api_keys(store, tenant, user, before=before), limit)
    return KeyPage(tuple(shown), pages.key_place(last) if last else None)


def find(store: LedgerStore, key_id: str) -> ApiKey | None:
    """The key of this id, read consistently; None where there is none."""
    found: ApiKey | None = store.read(api_key_of(key_id))
    return found


def revoke(store: LedgerStore, *, user: str, key_id: str, once: Once) -> Enacted:
    """Make a key good for nothing. Again: the same.

    Raises:
        KeyNotFound: There is none, or it is another user's.
    """

    def decide(key: ApiKey | None) -> Resolution:
        if key is None or key.tenant != once.tenant or key.user != user:
            raise KeyNotFound()
        revoked = rules.revoked(key, once.now)
        if revoked is key:
            return Unchanged(key)
        return Deed(revoked, (Change(key, revoked),))

    if not rules.is_key_id(key_id):
        raise KeyNotFound()
    return store.enact(decide, [api_key_of(key_id)], once=once)


def _issued(enacted: Enacted, once: Once, house_secret: bytes) -> Issued:
    token = rules.token_of(once, house_secret)
    if not rules.matches(enacted.record, token, house_secret):
        # The secret was replaced since: the key is good for nothing, and its token not known.
        raise KeyNotFound()
    return Issued(enacted.record, token, enacted.replayed)
