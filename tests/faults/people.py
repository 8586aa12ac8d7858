"""What the users of these tests ask that moves no money: accounts, workspaces, members, keys."""

from typing import Any

from holdfast.domain.accounts import Owner
from holdfast.domain.api_keys import SpendCap
from holdfast.domain.members import member_id
from holdfast.domain.once import Once
from holdfast.services import accounts, api_keys, members, profile, wallet, workspaces
from holdfast.services.workspaces import Visitor
from holdfast.store.ledger_store import LedgerStore
from tests.faults.world import ACME, ALICE, HOUSE_SECRET, Step, World

PERSON = "acme/alice"
VISITOR = Visitor(ACME, PERSON, is_admin=False)


def account_id(world: World, of: str) -> str:
    """The id of the account that the request under the key `of` opened; Alice's own is `own`."""
    return ALICE.account_id if of == "own" else f"acct_{world.digest(of)}"


def workspace_id(world: World, of: str) -> str:
    """The id of the workspace that the request under the key `of` opened."""
    return f"ws_{world.digest(of)}"


def _owner(world: World, of: str, *, asker: str | None = PERSON) -> Owner:
    return Owner(ACME, account_id(world, of), asker=asker)


def open_account(key: str, *, currency: str = "eur", at: float = 0) -> Step:
    """One more account of Alice's."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return accounts.open_account(store, owner=PERSON, name=key, currency=currency, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def close_account(key: str, *, of: str, at: float = 0) -> Step:
    """The account closed for good."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        owner = _owner(world, of, asker=None)
        return accounts.close_account(store, owner, user=PERSON, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def pay_in(
    key: str, micros: int, *, of: str, by: str = PERSON, currency: str = "eur", at: float = 0
) -> Step:
    """Cash paid into an account that is named by its id."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        owner = _owner(world, of, asker=by)
        return wallet.deposit(store, owner, amount_micros=micros, currency=currency, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def take_out(key: str, micros: int, *, of: str, at: float = 0) -> Step:
    """Cash taken out of an account that is named by its id."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        owner = _owner(world, of)
        return wallet.withdraw(store, owner, amount_micros=micros, currency="eur", once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def open_workspace(key: str, *, on: str | None = None, at: float = 0) -> Step:
    """A workspace bound to an account."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        bound = None if on is None else account_id(world, on)
        return workspaces.open_workspace(store, VISITOR, name=key, account_id=bound, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def open_in_workspace(key: str, *, to: str, default: bool = False, at: float = 0) -> Step:
    """A new account that is linked at once."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return workspaces.open_account(
            store,
            VISITOR,
            workspace_id=workspace_id(world, to),
            name=key,
            currency="eur",
            make_default=default,
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def link(key: str, *, of: str, to: str, default: bool = False, at: float = 0) -> Step:
    """An account linked to a workspace."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return workspaces.link(
            store,
            VISITOR,
            workspace_id=workspace_id(world, to),
            account_id=account_id(world, of),
            make_default=default,
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def make_default(key: str, *, of: str, to: str, at: float = 0) -> Step:
    """A linked account made the default one."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return workspaces.make_default(
            store,
            VISITOR,
            workspace_id=workspace_id(world, to),
            account_id=account_id(world, of),
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def unlink(key: str, *, of: str, to: str, at: float = 0) -> Step:
    """An account unlinked from a workspace."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return workspaces.unlink(
            store,
            VISITOR,
            workspace_id=workspace_id(world, to),
            account_id=account_id(world, of),
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def add_member(
    key: str, user: str = "acme/bob", role: str = "viewer", *, of: str, at: float = 0
) -> Step:
    """A user given a seat in an account."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        owner = _owner(world, of)
        return members.add(store, owner, user=user, role=role, email=None, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def change_role(key: str, role: str, user: str = "acme/bob", *, of: str, at: float = 0) -> Step:
    """A member given another role."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        owner = _owner(world, of)
        place = member_id(owner.account_id, user)
        return members.change_role(store, owner, member_id=place, role=role, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def remove_member(
    key: str, user: str = "acme/bob", *, of: str, by: str = PERSON, at: float = 0
) -> Step:
    """A member's seat taken away."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        owner = _owner(world, of, asker=by)
        place = member_id(owner.account_id, user)
        return members.remove(store, owner, member_id=place, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def issue_key(key: str, *, at: float = 0) -> Step:
    """An API key for Alice."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return api_keys.issue(
            store,
            HOUSE_SECRET,
            user=PERSON,
            name=key,
            scopes=["wallet:read"],
            cap=SpendCap(5_000_000, "usd", "day"),
            expires_at=None,
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def revoke_key(key: str, *, of: str, by: str = PERSON, at: float = 0) -> Step:
    """The API key under the key `of` made good for nothing."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return api_keys.revoke(store, user=by, key_id=world.answers[of].id, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def tell(key: str, *, at: float = 0, **texts: str | None) -> Step:
    """Alice's billing info changed."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return profile.change_info(store, world.owner, texts=texts, once=once)

    return Step(key=key, ask=ask, at_seconds=at)
