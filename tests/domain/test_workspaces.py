from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from holdfast.domain import workspaces as rules
from holdfast.domain.clock import Instant
from holdfast.domain.workspaces import LINKS_MAX, Link, LinkedWorkspace, Workspace
from holdfast.errors import AccountIsDefault, AccountNotLinked, TooManyLinks
from tests.domain.samples import NOW, TENANT, once

LATER = NOW + timedelta(minutes=5)
OPENED = rules.open_workspace(once("ws"), name="Lab", owner="acme/alice", account_id="acct_0")


def linked_to(count: int) -> Workspace:
    """A workspace with so many links; the first is its default."""
    links = tuple(Link(f"acct_{number}", NOW) for number in range(count))
    return replace(OPENED, links=links, version=count)


def linked_ids(workspace: Workspace) -> list[str]:
    return [link.account_id for link in workspace.links]


def test_a_workspace_begins_with_one_account_which_is_its_default():
    opened = rules.open_workspace(once("ws"), name="Lab", owner="acme/alice", account_id="acct_0")

    assert opened == Workspace(
        tenant=TENANT,
        id=f"ws_{once('ws').digest}",
        name="Lab",
        owner="acme/alice",
        default_account_id="acct_0",
        links=(Link("acct_0", NOW),),
        created_at=NOW,
        updated_at=NOW,
        version=1,
    )


def test_each_request_opens_a_workspace_of_its_own_and_the_same_at_every_delivery():
    again = rules.open_workspace(
        once("ws", now=LATER), name="Lab", owner="acme/alice", account_id="acct_0"
    )
    other = rules.open_workspace(once("ws 2"), name="Lab", owner="acme/alice", account_id="acct_0")

    assert again.id == OPENED.id
    assert other.id != OPENED.id


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (OPENED.id, True),
        (f"ws_{'a' * 26}", True),
        (f"ws_{'a' * 25}", False),
        (f"ws_{'a' * 27}", False),
        (f"ws_{'A' * 26}", False),
        (f"ws_{'1' * 26}", False),
        (f"ws_{'a' * 25}#", False),
        (f"ws_{'a' * 26}\n", False),
        (f"acct_{'a' * 26}", False),
        ("", False),
    ],
)
def test_a_workspace_id_is_told_by_its_form(text, claim):
    assert rules.is_workspace_id(text) is claim


def test_a_linked_account_stands_behind_the_others_and_is_not_the_default():
    workspace = rules.link(OPENED, "acct_1", make_default=False, now=LATER)

    assert workspace.links == (Link("acct_0", NOW), Link("acct_1", LATER))
    assert workspace.default_account_id == "acct_0"
    assert (workspace.version, workspace.updated_at) == (2, LATER)


def test_an_account_can_become_the_default_as_it_is_linked():
    workspace = rules.link(OPENED, "acct_1", make_default=True, now=LATER)

    assert linked_ids(workspace) == ["acct_0", "acct_1"]
    assert workspace.default_account_id == "acct_1"
    assert (workspace.version, workspace.updated_at) == (2, LATER)


def test_linking_again_as_the_default_moves_the_default_and_keeps_the_link():
    before = linked_to(2)

    workspace = rules.link(before, "acct_1", make_default=True, now=LATER)

    assert workspace.links == before.links
    assert workspace.default_account_id == "acct_1"
    assert (workspace.version, workspace.updated_at) == (before.version + 1, LATER)


@pytest.mark.parametrize(
    ("account_id", "make_default"),
    [
        pytest.param("acct_1", False, id="linked before"),
        pytest.param("acct_0", False, id="the default, which stays the default"),
        pytest.param("acct_0", True, id="the default, as the default"),
    ],
)
def test_linking_what_is_linked_gives_the_same_object_back(account_id, make_default):
    before = linked_to(2)

    assert rules.link(before, account_id, make_default=make_default, now=LATER) is before


@pytest.mark.parametrize("links", [LINKS_MAX - 1, LINKS_MAX])
def test_a_workspace_has_twenty_links_and_no_more(links):
    before = linked_to(links)

    if links < LINKS_MAX:
        assert len(rules.link(before, "acct_x", make_default=False, now=LATER).links) == LINKS_MAX
    else:
        with pytest.raises(TooManyLinks) as refused:
            rules.link(before, "acct_x", make_default=False, now=LATER)

        assert refused.value.details == {"linked_accounts_max": 20}
        assert before == linked_to(links)


def test_a_full_workspace_can_still_change_its_default():
    full = linked_to(LINKS_MAX)

    assert rules.link(full, "acct_7", make_default=False, now=LATER) is full
    assert rules.link(full, "acct_7", make_default=True, now=LATER).default_account_id == "acct_7"


def test_another_linked_account_becomes_the_default():
    before = linked_to(3)

    workspace = rules.make_default(before, "acct_2", LATER)

    assert workspace == replace(
        before, default_account_id="acct_2", updated_at=LATER, version=before.version + 1
    )


def test_making_the_default_the_default_gives_the_same_object_back():
    before = linked_to(3)

    assert rules.make_default(before, "acct_0", LATER) is before


def test_unlinking_takes_one_link_away_and_touches_no_other():
    before = linked_to(4)

    workspace = rules.unlink(before, "acct_2", LATER)

    assert workspace.links == (*before.links[:2], before.links[3])
    assert workspace.default_account_id == "acct_0"
    assert (workspace.version, workspace.updated_at) == (before.version + 1, LATER)


@pytest.mark.parametrize("links", [1, 2])
def test_the_default_account_stays_linked(links):
    before = linked_to(links)

    with pytest.raises(AccountIsDefault):
        rules.unlink(before, "acct_0", LATER)

    assert before == linked_to(links)


def test_an_account_that_was_the_default_can_be_unlinked_after_another_took_its_place():
    before = rules.make_default(linked_to(2), "acct_1", LATER)

    assert linked_ids(rules.unlink(before, "acct_0", LATER)) == ["acct_1"]


@pytest.mark.parametrize("change", [rules.make_default, rules.unlink])
def test_an_account_that_is_not_linked_is_refused(change):
    before = linked_to(2)

    with pytest.raises(AccountNotLinked):
        change(before, "acct_2", LATER)

    assert before == linked_to(2)


def test_what_was_not_written_yet_has_version_zero():
    known = LinkedWorkspace(account_id="acct_0", workspace_id=OPENED.id, linked_at=NOW)
    workspace = Workspace(
        tenant=TENANT,
        id=OPENED.id,
        name="Lab",
        owner="acme/alice",
        default_account_id="acct_0",
        links=(Link("acct_0", NOW),),
        created_at=NOW,
    )

    assert (known.version, workspace.version) == (0, 0)


def know(record: LinkedWorkspace | None, now: Instant) -> LinkedWorkspace:
    return rules.linked(record, account_id="acct_0", workspace_id=OPENED.id, now=now)


def test_an_account_knows_the_workspaces_that_it_is_linked_to():
    known = know(None, NOW)

    assert known == LinkedWorkspace(
        account_id="acct_0", workspace_id=OPENED.id, linked_at=NOW, version=1
    )
    assert known.active


def test_a_workspace_that_is_known_stays_known_since_it_was_linked():
    known = know(None, NOW)

    assert know(known, LATER) is known


def test_unlinking_stamps_what_the_account_knew():
    known = know(None, NOW)

    gone = rules.unlinked(known, LATER)

    assert gone == replace(known, unlinked_at=LATER, version=2)
    assert not gone.active


def test_a_workspace_that_is_linked_again_is_known_since_then():
    gone = rules.unlinked(know(None, NOW), NOW)

    back = know(gone, LATER)

    assert back == replace(gone, linked_at=LATER, unlinked_at=None, version=3)
    assert back.active


def test_unlinking_twice_is_our_mistake():
    gone = rules.unlinked(know(None, NOW), NOW)

    with pytest.raises(AssertionError):
        rules.unlinked(gone, LATER)


@pytest.mark.parametrize(
    ("account_id", "workspace_id"), [("acct_1", OPENED.id), ("acct_0", f"ws_{'b' * 26}")]
)
def test_a_link_that_is_taken_for_another_is_our_mistake(account_id, workspace_id):
    with pytest.raises(AssertionError):
        rules.linked(know(None, NOW), account_id=account_id, workspace_id=workspace_id, now=LATER)


# A few more accounts than a workspace has links, so that the limit is met again and again.
accounts = st.integers(0, LINKS_MAX + 2).map("acct_{}".format)


class LifeOfAWorkspace(RuleBasedStateMachine):
    """Links come and go in any order; beside them stands the least that has to be true of them."""

    def __init__(self) -> None:
        super().__init__()
        self.workspace = OPENED
        self.linked_at = {"acct_0": NOW}
        self.default = "acct_0"
        self.known = {"acct_0": know(None, NOW)}
        self.now = NOW

    def settle(self, after: Workspace, *, changed: bool) -> None:
        assert (after is not self.workspace) == changed
        assert after.version == self.workspace.version + changed
        assert after.updated_at == (self.now if changed else self.workspace.updated_at)
        self.workspace = after

    @rule(first=st.integers(0, LINKS_MAX), count=st.integers(1, LINKS_MAX))
    def link_several(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            self.link(f"acct_{number}", make_default=False)

    @rule(account_id=accounts, make_default=st.booleans())
    def link_one(self, account_id: str, make_default: bool) -> None:
        self.link(account_id, make_default=make_default)

    def link(self, account_id: str, *, make_default: bool) -> None:
        self.now += timedelta(seconds=1)
        if account_id not in self.linked_at and len(self.linked_at) == LINKS_MAX:
            with pytest.raises(TooManyLinks):
                rules.link(self.workspace, account_id, make_default=make_default, now=self.now)
            return
        after = rules.link(self.workspace, account_id, make_default=make_default, now=self.now)
        moved = make_default and account_id != self.default
        self.settle(after, changed=moved or account_id not in self.linked_at)
        self.linked_at.setdefault(account_id, self.now)
        self.default = account_id if make_default else self.default
        self.known[account_id] = rules.linked(
            self.known.get(account_id),
            account_id=account_id,
            workspace_id=self.workspace.id,
            now=self.now,
        )

    @rule(account_id=accounts)
    def make_default(self, account_id: str) -> None:
        self.now += timedelta(seconds=1)
        if account_id not in self.linked_at:
            with pytest.raises(AccountNotLinked):
                rules.make_default(self.workspace, account_id, self.now)
            return
        after = rules.make_default(self.workspace, account_id, self.now)
        self.settle(after, changed=account_id != self.default)
        self.default = account_id

    @rule(account_id=accounts)
    def unlink(self, account_id: str) -> None:
        self.now += timedelta(seconds=1)
        if account_id not in self.linked_at or account_id == self.default:
            refusal = AccountIsDefault if account_id == self.default else AccountNotLinked
            with pytest.raises(refusal):
                rules.unlink(self.workspace, account_id, self.now)
            return
        self.settle(rules.unlink(self.workspace, account_id, self.now), changed=True)
        del self.linked_at[account_id]
        self.known[account_id] = rules.unlinked(self.known[account_id], self.now)

    @invariant()
    def links_are_what_was_linked_each_once_and_since_then(self) -> None:
        assert [(link.account_id, link.linked_at) for link in self.workspace.links] == list(
            self.linked_at.items()
        )
        assert len(self.workspace.links) <= LINKS_MAX

    @invariant()
    def there_is_one_default_and_it_is_linked(self) -> None:
        assert self.workspace.default_account_id == self.default
        assert self.workspace.links_to(self.default)

    @invariant()
    def accounts_know_what_the_workspace_knows(self) -> None:
        active = {each.account_id: each.linked_at for each in self.known.values() if each.active}

        assert active == self.linked_at


def test_whatever_is_linked_and_unlinked_there_is_one_default_and_it_is_linked():
    run_state_machine_as_test(LifeOfAWorkspace, settings=settings(stateful_step_count=30))
