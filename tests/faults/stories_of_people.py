"""Stories of accounts, workspaces, members and keys: a receipt stands where no entry is."""

from tests.faults import people
from tests.faults import world as ask
from tests.faults.stories import Effect, Scenario
from tests.faults.world import MAJOR

_ALICE = (ask.look("first look"),)

_LAB = (*_ALICE, people.open_account("lab"))
_FUNDED = (*_LAB, people.pay_in("fund", 5 * MAJOR, of="lab"))
_WORK = (*_LAB, people.open_workspace("work"))
_LINKED = (*_WORK, people.link("both", of="lab", to="work"))


def _effect(told: str, entries: str = "introductory_credit") -> Effect:
    """Alice's own wallet as it was, and this beside it."""
    return Effect(lots=(10 * MAJOR,), lots_held=(0,), entries=entries, people=told)


STORIES_OF_PEOPLE = (
    Scenario(
        name="an account is opened and paid into",
        given=_ALICE,
        steps=(
            people.open_account("lab"),
            people.pay_in("fund", 5 * MAJOR, of="lab"),
            people.pay_in("a stranger", 5 * MAJOR, of="lab", by="acme/bob"),
        ),
        effect=Effect(cash=5 * MAJOR, entries="deposit", currency="eur", people="account, account"),
        refused={"a stranger": "account_not_found"},
    ),
    Scenario(
        name="an account is emptied and closed, for good",
        given=_FUNDED,
        steps=(
            people.close_account("too early", of="lab"),
            people.take_out("out", 5 * MAJOR, of="lab", at=1),
            people.close_account("close", of="lab", at=2),
            people.close_account("close again", of="lab", at=3),
            people.pay_in("too late", 1 * MAJOR, of="lab", at=4),
            people.pay_in("in another currency", 1 * MAJOR, of="lab", currency="chf", at=5),
            people.close_account("my own", of="own", at=6),
        ),
        effect=Effect(
            entries="deposit withdrawal", currency="eur", people="account, closed account"
        ),
        refused={
            "too early": "account_in_use",
            "too late": "account_closed",
            "in another currency": "account_closed",
            "my own": "account_in_use",
        },
    ),
    Scenario(
        name="the first call of a new user opens a workspace",
        steps=(people.open_workspace("work"),),
        effect=_effect("account, link, workspace of 1"),
    ),
    Scenario(
        name="a workspace is bound to an account, and that cannot be closed",
        given=_LAB,
        steps=(
            people.open_workspace("work", on="lab"),
            people.close_account("in use", of="lab", at=1),
        ),
        effect=_effect("account, account, link, workspace of 1"),
        refused={"in use": "account_in_use"},
    ),
    Scenario(
        name="an account is linked, made the default, and the other unlinked",
        given=_WORK,
        steps=(
            people.link("both", of="lab", to="work"),
            people.link("both again", of="lab", to="work", at=1),
            people.unlink("the default", of="own", to="work", at=2),
            people.make_default("swap", of="lab", to="work", at=3),
            people.make_default("swap again", of="lab", to="work", at=4),
            people.unlink("the other", of="own", to="work", at=5),
            people.unlink("it again", of="own", to="work", at=6),
        ),
        effect=_effect("account, account, link, past link, workspace of 1"),
        refused={"the default": "account_is_default", "it again": "account_not_linked"},
    ),
    Scenario(
        name="an account is unlinked, linked again as the default, and one is opened beside it",
        given=_LINKED,
        steps=(
            people.unlink("off", of="lab", to="work", at=1),
            people.link("on", of="lab", to="work", default=True, at=2),
            people.open_in_workspace("more", to="work", default=True, at=3),
        ),
        effect=_effect("account, account, account, link, link, link, workspace of 3"),
    ),
    Scenario(
        name="a member comes, rises, and is removed",
        given=_LAB,
        steps=(
            people.add_member("add", of="lab"),
            people.add_member("add again", of="lab", at=1),
            people.change_role("rise", "admin", of="lab", at=2),
            people.change_role("rise again", "admin", of="lab", at=3),
            people.remove_member("remove", of="lab", at=4),
            people.remove_member("remove again", of="lab", at=5),
        ),
        effect=_effect("account, account, nobody"),
        refused={"add again": "member_exists", "remove again": "member_not_found"},
    ),
    Scenario(
        name="a member who may look may not spend, and leaves",
        given=(*_FUNDED, people.add_member("add", of="lab")),
        steps=(
            people.pay_in("not with this seat", 1 * MAJOR, of="lab", by="acme/bob"),
            people.change_role("trust", "member", of="lab", at=1),
            people.pay_in("with that one", 1 * MAJOR, of="lab", by="acme/bob", at=2),
            people.remove_member("leave", of="lab", by="acme/bob", at=3),
            people.pay_in("without one", 1 * MAJOR, of="lab", by="acme/bob", at=4),
        ),
        effect=Effect(
            cash=6 * MAJOR,
            entries="deposit deposit",
            currency="eur",
            people="account, account, nobody",
        ),
        refused={"not with this seat": "forbidden", "without one": "account_not_found"},
    ),
    Scenario(
        name="a member who was removed comes back",
        given=(
            *_LAB,
            people.add_member("add", of="lab"),
            people.remove_member("remove", of="lab", at=1),
        ),
        steps=(people.add_member("back", role="member", of="lab", at=2),),
        effect=_effect("account, account, member"),
    ),
    Scenario(
        name="an API key is issued and revoked, twice",
        given=_ALICE,
        steps=(
            people.issue_key("key"),
            people.revoke_key("somebody else", of="key", by="acme/bob", at=1),
            people.revoke_key("revoke", of="key", at=2),
            people.revoke_key("revoke again", of="key", at=3),
        ),
        effect=_effect("account, revoked key"),
        refused={"somebody else": "api_key_not_found"},
    ),
    Scenario(
        name="a new user tells the billing info, and changes it",
        steps=(
            people.tell("tell", name="Alice Ltd", address_country="de"),
            people.tell("the same", name="Alice Ltd", at=1),
            people.tell("wrong", address_country="xx", at=2),
            people.tell("clear", name=None, email="alice@acme.example", at=3),
        ),
        effect=_effect("account, info"),
        refused={"wrong": "invalid_field"},
    ),
)
