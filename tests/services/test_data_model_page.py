"""`docs/reference/data-model.md` is what the code does: keys, examples, sizes and units."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.domain.accounts import Owner, Tenant
from holdfast.domain.budgets import KEY, RUN, WORKSPACE, Scope
from holdfast.domain.entries import chain_hash
from holdfast.domain.ledger import Change, Deed
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.services import accounts, api_keys, members, profile, wallet, workspaces
from holdfast.services import credits as credits_of
from holdfast.services.credits import GrantTerms
from holdfast.services.workspaces import Visitor
from holdfast.store import items, keys
from holdfast.store.attributes import Attributes, encode
from tests.services.caller import CENT, HOUR, LIVE, Caller, bob
from tests.services.coupon_desk import Desk
from tests.simulator.capacity import item_size

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "data-model.md"
TEXT = PAGE.read_text()
T = Tenant("org", "live")

KEYS = {
    "account": keys.account(T, "acct_1"),
    "wallet": keys.wallet(T, "acct_1", "usd"),
    "hold": keys.hold(T, "acct_1", "hold id"),
    "quote": keys.quote(T, "acct_1", "quote id"),
    "held job": keys.held_job(T, "acct_1", "job id"),
    "refunded": keys.refunded(T, "acct_1", "entry id"),
    "budget": keys.budget(T, ("acct_1", "kind", "id", "usd", "window")),
    "credit grant": keys.grant(T, "acct_1", "grant id"),
    "starter": keys.starter(T, "acct_1"),
    "member": keys.member(T, "acct_1", "member id"),
    "linked": keys.linked(T, "acct_1", "workspace id"),
    "billing info": keys.info(T, "acct_1"),
    "customer": keys.customer(T, "acct_1"),
    "payment method": keys.method(T, "acct_1", "method id"),
    "setup": keys.setup(T, "acct_1", "setup id"),
    "dispute": keys.dispute(T, "acct_1", "dispute id"),
    "redemption": keys.redemption(T, "acct_1", "code"),
    "guesses": keys.guesses(T, "acct_1"),
    "coupon": keys.coupon(T, "code"),
    "recharge": keys.recharge(T, "acct_1"),
    "attempt": keys.attempt(T, "acct_1", "attempt id"),
    "breaker": keys.breaker(T, "card"),
    "payment": keys.payment(T, "payment id"),
    "workspace": keys.workspace(T, "workspace id"),
    "API key": keys.api_key("key id"),
    "x402 settlement": keys.x402_settlement("settlement id"),
    "stripe event": keys.stripe_event("event id"),
    "report": keys.report("mode", "day"),
    "entry": keys.entry(T, "entry id"),
    "receipt": keys.entry(T, "entry id"),
}


def test_the_page_lists_every_key_as_it_is_spelled():
    listed = re.findall(
        r"^\| ([A-Za-z0-9 ]+) \| `((?:ORG|KEY|STRIPE|X402|REPORT|ENTRY)#[^`]+)` \| `([^`]+)` \|",
        TEXT,
        re.MULTILINE,
    )

    assert [(name, pk, sk) for name, pk, sk in listed] == [
        (name, _short(key.pk), _short(key.sk)) for name, key in KEYS.items()
    ]


def _short(spelled: str) -> str:
    return spelled.replace("org/live", "t").replace("acct_1", "a").replace("usd", "c")


def examples() -> list[tuple[str, Attributes]]:
    """Each example with the heading that it stands under."""
    found: list[tuple[str, Attributes]] = []
    heading = ""
    for part in re.split(r"^(### .+)$", TEXT, flags=re.MULTILINE):
        if part.startswith("### "):
            heading = part
        bodies = re.findall(r"```json\n(.+?)```", part, re.DOTALL)
        found += [(heading, encode(json.loads(body))) for body in bodies]
    return found


def test_there_is_an_example_of_every_entity():
    nouns = {item["sk"]["S"].split("#")[0] for _, item in examples()}

    assert nouns == {key.sk.split("#")[0] for key in KEYS.values()}
    assert any(items.is_receipt(item) for _, item in examples())


@pytest.mark.parametrize(("heading", "item"), examples())
def test_an_example_is_an_item_that_the_code_reads_and_writes(heading, item):
    if items.is_entry(item):
        entry = items.to_entry(item)
        assert items.entry_to_item(entry)[1] == item
        assert chain_hash(entry) == entry.hash
    elif items.is_receipt(item):
        receipt = items.to_receipt(item)
        asked = replace(Caller().once(), fingerprint=receipt.fingerprint)
        written = items.receipt_to_item(asked, receipt)
        assert {**written, "pk": item["pk"]} == item
    else:
        assert items.to_item(LIVE, items.to_record(item))[1] == item


@pytest.mark.parametrize(("heading", "item"), examples())
def test_the_sizes_are_counted(heading, item):
    assert item_size(item) in [int(number) for number in re.findall(r"\d+", heading)]


def funded() -> Caller:
    """Alice with money and a hold that is due before all that comes after."""
    alice = Caller()
    alice.deposit(50_000)
    alice.hold(1, expires_in=HOUR / 60)
    return alice


def on_a_hold(ask: Callable[[Caller, str], Any]) -> Callable[[Caller], Callable[[], Any]]:
    def prepared(alice: Caller) -> Callable[[], Any]:
        hold_id = alice.hold(100)
        return lambda: ask(alice, hold_id)

    return prepared


def refund(alice: Caller) -> Callable[[], Any]:
    charge = alice.use(60).entry
    return lambda: alice.refund(charge.id, 30)


def quoted_hold(alice: Caller) -> Callable[[], Any]:
    quoted = alice.quote()
    return lambda: alice.hold_quoted(quoted.id, job_id="job-1")


def release_job(alice: Caller) -> Callable[[], Any]:
    quoted_hold(alice)()
    return lambda: alice.release_job("job-1", 10)


def scopes(alice: Caller) -> tuple[Scope, ...]:
    """A run, a workspace and a key, with room for all that these operations do."""
    return tuple(
        Scope(
            account_id=alice.owner.account_id,
            kind=kind,
            id="it",
            limit_micros=10**12,
            currency="usd",
        )
        for kind in (RUN, WORKSPACE, KEY)
    )


def use_capped(alice: Caller) -> Callable[[], Any]:
    capped = replace(alice.once(), caps=scopes(alice)[2:])
    return lambda: wallet.use(
        alice.store, alice.owner, amount_micros=CENT, currency="usd", once=capped
    )


def limited(ask: Callable[[Caller, str], Any]) -> Callable[[Caller], Callable[[], Any]]:
    def prepared(alice: Caller) -> Callable[[], Any]:
        hold_id = alice.hold(100, scopes=scopes(alice))
        return lambda: ask(alice, hold_id)

    return prepared


def grant(alice: Caller, key: str = "gift", **terms: Any) -> str:
    granted, _ = credits_of.grant(
        alice.store,
        alice.owner,
        amount_micros=500 * CENT,
        currency="usd",
        terms=GrantTerms(**terms),
        once=alice.once(key),
    )
    return granted.id


def void(alice: Caller) -> Callable[[], Any]:
    grant_id = grant(alice)
    return lambda: credits_of.void(alice.store, LIVE, grant_id=grant_id, once=alice.once())


def start(alice: Caller) -> Callable[[], Any]:
    card = PaymentMethod(
        account_id=alice.owner.account_id,
        id="pm_1",
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        created_at=alice.now,
        version=1,
    )
    alice.store.enact(lambda: Deed(card, (Change(None, card),)), [], once=alice.once())
    return lambda: credits_of.grant_starter(alice.store, alice.owner, once=alice.once())


def adjust(alice: Caller) -> Any:
    return wallet.adjust(
        alice.store, alice.owner, delta_micros=CENT, currency="usd", once=alice.once()
    )


def make_coupon(alice: Caller) -> Desk:
    desk = Desk(alice)
    desk.make()
    return desk


def redeem_coupon(alice: Caller) -> Callable[[], Any]:
    return make_coupon(alice).redeem


VISITOR = Visitor(LIVE, "acme/alice", is_admin=False)


def open_account(alice: Caller) -> str:
    opened = accounts.open_account(
        alice.store, owner="acme/alice", name="Laboratory", currency="usd", once=alice.once()
    )
    return str(opened.record.id)


def close_account(alice: Caller) -> Callable[[], Any]:
    owner = Owner(LIVE, open_account(alice))
    for move in (wallet.deposit, wallet.withdraw):
        move(alice.store, owner, amount_micros=CENT, currency="usd", once=alice.once())
    return lambda: accounts.close_account(alice.store, owner, user="acme/alice", once=alice.once())


def open_workspace(alice: Caller) -> str:
    opened = workspaces.open_workspace(
        alice.store, VISITOR, name="Simulations", account_id=None, once=alice.once()
    )
    return str(opened.record.id)


def link(alice: Caller) -> Callable[[], Any]:
    place = {"workspace_id": open_workspace(alice), "account_id": open_account(alice)}
    return lambda: workspaces.link(
        alice.store, VISITOR, make_default=False, once=alice.once(), **place
    )


def on_a_link(use_case: Callable[..., Any]) -> Callable[[Caller], Callable[[], Any]]:
    def prepared(alice: Caller) -> Callable[[], Any]:
        place = {"workspace_id": open_workspace(alice), "account_id": open_account(alice)}
        workspaces.link(alice.store, VISITOR, make_default=False, once=alice.once(), **place)
        return lambda: use_case(alice.store, VISITOR, once=alice.once(), **place)

    return prepared


def add_member(alice: Caller) -> tuple[Owner, str]:
    owner = Owner(LIVE, open_account(alice))
    added = members.add(
        alice.store, owner, user="acme/bob", role="member", email=None, once=alice.once()
    )
    return owner, added.record.id


def change_member(use_case: Callable[..., Any], **facts: Any) -> Callable[[Caller], Any]:
    def prepared(alice: Caller) -> Callable[[], Any]:
        owner, member_id = add_member(alice)
        return lambda: use_case(alice.store, owner, member_id=member_id, once=alice.once(), **facts)

    return prepared


def issue_key(alice: Caller) -> str:
    issued = api_keys.issue(
        alice.store,
        b"of the house, and long enough for it",
        user="acme/alice",
        name="nightly",
        scopes=["wallet:read"],
        cap=None,
        expires_at=None,
        once=alice.once(),
    )
    return issued.key.id


def revoke_key(alice: Caller) -> Callable[[], Any]:
    key_id = issue_key(alice)
    return lambda: api_keys.revoke(alice.store, user="acme/alice", key_id=key_id, once=alice.once())


def tell(alice: Caller) -> Any:
    texts: dict[str, str | None] = {"name": "Alice Ltd"}
    return profile.change_info(alice.store, alice.owner, texts=texts, once=alice.once())


def seated(alice: Caller) -> Callable[[], Any]:
    owner = Owner(LIVE, open_account(alice))
    return lambda: members.add(
        alice.store, owner, user="acme/bob", role="member", email=None, once=alice.once()
    )


OPERATIONS: dict[str, Callable[[Caller], Callable[[], Any]]] = {
    "deposit": lambda alice: lambda: alice.deposit(5),
    "withdrawal": lambda alice: lambda: alice.withdraw(5),
    "usage": lambda alice: lambda: alice.use(5),
    "refund": refund,
    "hold": lambda alice: lambda: alice.hold(5),
    "extension": on_a_hold(lambda alice, hold_id: alice.extend(hold_id, cents=5)),
    "capture": on_a_hold(lambda alice, hold_id: alice.capture(hold_id, 5)),
    "release": on_a_hold(lambda alice, hold_id: alice.release(hold_id)),
    "quote": lambda alice: alice.quote,
    "quoted hold": quoted_hold,
    "job's release": release_job,
    "first sight of a user": lambda alice: bob(alice).wallet,
    "usage under a cap": use_capped,
    "hold under three scopes": lambda alice: lambda: alice.hold(5, scopes=scopes(alice)),
    "capture of that": limited(lambda alice, hold_id: alice.capture(hold_id, 5)),
    "credit granted": lambda alice: lambda: grant(alice),
    "credit scheduled": lambda alice: (
        lambda: grant(alice, effective_at=alice.now + timedelta(days=1))
    ),
    "void": void,
    "starter credit": start,
    "adjustment": lambda alice: lambda: adjust(alice),
    "coupon made": lambda alice: lambda: make_coupon(alice),
    "coupon redeemed": redeem_coupon,
    "account opened": lambda alice: lambda: open_account(alice),
    "account closed": close_account,
    "workspace opened": lambda alice: lambda: open_workspace(alice),
    "account linked": link,
    "default account changed": on_a_link(workspaces.make_default),
    "account unlinked": on_a_link(workspaces.unlink),
    "member added": seated,
    "role changed": change_member(members.change_role, role="admin"),
    "member removed": change_member(members.remove),
    "API key issued": lambda alice: lambda: issue_key(alice),
    "API key revoked": revoke_key,
    "billing info told": lambda alice: lambda: tell(alice),
}


ROWS = re.findall(
    r"^\| ([A-Za-z' ]+) \| ([A-Za-z, ]*) ?\| ([A-Za-z, ]*) ?\| (\d+) \+ (\d+) \|$",
    TEXT,
    re.MULTILINE,
)


def test_the_page_lists_every_operation():
    assert [row[0] for row in ROWS] == list(OPERATIONS)


@pytest.mark.parametrize(("name", "new", "unchanged", "units", "index_units"), ROWS)
def test_an_operation_is_one_transaction_of_what_the_page_says(
    name, new, unchanged, units, index_units
):
    alice = funded()
    ask = OPERATIONS[name](alice)
    first = len(alice.simulator.calls)

    with alice.simulator.measure() as used:
        ask()

    writes = [c for c in alice.simulator.calls[first:] if c.method == "transact_write_items"]
    assert len(writes) == 1
    assert (used.write_units, used.index_write_units) == (int(units), int(index_units))
    assert _written(writes[0].params, "attribute_not_exists") == _words(new)
    assert _written(writes[0].params, "version =") == _words(unchanged)


def _words(cell: str) -> list[str]:
    return sorted(word.strip() for word in cell.split(",") if word.strip())


NOUNS = {
    "ACCOUNT": "account",
    "WALLET": "wallet",
    "HOLD": "hold",
    "QUOTE": "quote",
    "JOB": "held job",
    "REFUNDED": "refunded",
    "BUDGET": "budget",
    "GRANT": "credit grant",
    "STARTER": "starter",
    "MEMBER": "member",
    "LINKED": "linked",
    "INFO": "billing info",
    "COUPON": "coupon",
    "REDEMPTION": "redemption",
    "WORKSPACE": "workspace",
    "KEY": "API key",
}


def _written(params: dict[str, Any], condition: str) -> list[str]:
    """What the steps under a condition write."""
    found = []
    for step in params["TransactItems"]:
        item = step["Put"]["Item"]
        if condition in step["Put"]["ConditionExpression"]:
            noun = NOUNS.get(item["sk"]["S"].split("#")[0])
            found.append(noun or ("receipt" if items.is_receipt(item) else "entry"))
    return sorted(found)
