"""What tests of accounts and workspaces need first."""

from itertools import count
from typing import Any

from tests.api.world import Like, World
from tests.http.events import ALICE

ACCOUNTS = "/billing-accounts"
MEMBERS = "/api/v1/billing/accounts/{}/members"
ACCOUNT_ID = Like(r"acct_[a-z2-7]{26}")
WORKSPACE_ID = Like(r"ws_[a-z2-7]{26}")

_NUMBERS = count()


def open_account(world: World, *, by: dict[str, str] = ALICE, **body: Any) -> str:
    """The id of one more account of the caller's."""
    body = {"name": f"account {next(_NUMBERS)}", **body}
    opened: str = world.post("/api/v1/billing/accounts", by=by, body=body)["id"]
    return opened


def open_workspace(world: World, *, by: dict[str, str] = ALICE, **body: Any) -> str:
    """The id of a new workspace of the caller's."""
    opened: str = world.post("/workspaces", by=by, body=body)["id"]
    return opened


def member_of(
    world: World,
    account_id: str,
    member: dict[str, str],
    role: str = "member",
    *,
    by: dict[str, str] = ALICE,
) -> str:
    """The member's id that somebody has from now on, added by the account's owner."""
    body = {"userId": member["user"], "role": role}
    added: str = world.post(MEMBERS.format(account_id), by=by, body=body)["id"]
    return added


def names_of(
    world: World, path: str, items: str, name: str, *, limit: int, by: dict[str, str] = ALICE
) -> list[str]:
    """What tells the items of a list apart, read page by page."""
    found: list[str] = []
    query: dict[str, object] = {"limit": limit}
    while True:
        page = world.get(path, by=by, query=query)
        assert 0 < len(page[items]) <= limit
        found += [item[name] for item in page[items]]
        if page["nextCursor"] is None:
            return found
        query["cursor"] = page["nextCursor"]
