"""Every write, delivered again: the same answer and no second effect, whatever happened since."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from holdfast.domain.accounts import Owner, owner_of
from holdfast.domain.budgets import RUN, Scope
from holdfast.domain.ledger import Change, Deed
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.errors import IdempotencyKeyReused
from holdfast.services import (
    accounts,
    api_keys,
    holds,
    members,
    profile,
    quotes,
    wallet,
    workspaces,
)
from holdfast.services import credits as credits_of
from holdfast.services.api_keys import Issued
from holdfast.services.credits import GrantTerms
from holdfast.services.holds import HoldTerms
from holdfast.services.workspaces import LinkedAccount, Visitor
from holdfast.store.ledger_store import Enacted
from tests.services.caller import CENT, HOUR, LIVE, TEST, Caller, bob, later
from tests.simulator.values import Item

type Write = Callable[[Caller, "Things", Once], object]


@dataclass(frozen=True)
class Things:
    """What the writes are about: made beforehand, the same for all of them."""

    charge_id: str
    hold_id: str
    quote_id: str
    grant_id: str
    lab_id: str
    space_id: str
    key_id: str


def prepared() -> tuple[Caller, Things]:
    """Alice with money, a charge, an open hold, a quote that is unused, and a held job."""
    alice = Caller()
    alice.deposit(2_000)
    charge = alice.use(300).entry
    alice.hold_quoted(alice.quote().id, job_id="job-1")
    quote, hold_id = alice.quote(), alice.hold(200)
    granted, _ = credits_of.grant(
        alice.store,
        alice.owner,
        amount_micros=500 * CENT,
        currency="usd",
        terms=GrantTerms(),
        once=alice.once("gift"),
    )
    lab = accounts.open_account(
        alice.store, owner="acme/alice", name="Lab", currency="usd", once=alice.once("lab")
    ).record
    space = workspaces.open_workspace(
        alice.store, VISITOR, name="Space", account_id=None, once=alice.once("space")
    ).record
    key = api_keys.issue(
        alice.store,
        SECRET,
        user="acme/alice",
        name="nightly",
        scopes=["wallet:read"],
        cap=None,
        expires_at=None,
        once=alice.once("key of a program"),
    ).key
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
    alice.store.enact(lambda: Deed(card, (Change(None, card),)), [], once=alice.once("card"))
    things = Things(charge.id, hold_id, quote.id, granted.id, lab.id, space.id, key.id)
    return alice, things


VISITOR = Visitor(LIVE, "acme/alice", is_admin=False)
SECRET = b"of the house, and long enough for it"
SCOPE = Scope(
    account_id=owner_of(LIVE, "acme/alice").account_id,
    kind=RUN,
    id="r1",
    limit_micros=10_000 * CENT,
    currency="usd",
)


WRITES: dict[str, Write] = {
    "deposit": lambda alice, it, once: wallet.deposit(
        alice.store, alice.owner, amount_micros=50 * CENT, currency="usd", once=once
    ),
    "deposit with an expiry": lambda alice, it, once: wallet.deposit(
        alice.store,
        alice.owner,
        amount_micros=50 * CENT,
        currency="usd",
        expires_in=HOUR,
        once=once,
    ),
    "withdrawal": lambda alice, it, once: wallet.withdraw(
        alice.store, alice.owner, amount_micros=50 * CENT, currency="usd", once=once
    ),
    "usage": lambda alice, it, once: wallet.use(
        alice.store, alice.owner, amount_micros=50 * CENT, currency="usd", once=once
    ),
    "refund": lambda alice, it, once: wallet.refund(
        alice.store,
        alice.owner,
        original_id=it.charge_id,
        amount_micros=300 * CENT,
        currency="usd",
        once=once,
    ),
    "hold": lambda alice, it, once: holds.place_hold(
        alice.store,
        alice.owner,
        amount_micros=50 * CENT,
        currency="usd",
        terms=HoldTerms(expires_in=HOUR, reference="order 17", metadata={}),
        once=once,
    ),
    "capture of a part": lambda alice, it, once: holds.capture_hold(
        alice.store, alice.owner, hold_id=it.hold_id, amount_micros=CENT, final=False, once=once
    ),
    "final capture": lambda alice, it, once: holds.capture_hold(
        alice.store, alice.owner, hold_id=it.hold_id, amount_micros=CENT, final=True, once=once
    ),
    "extension": lambda alice, it, once: holds.extend_hold(
        alice.store, alice.owner, hold_id=it.hold_id, expires_in=HOUR, amount_micros=CENT, once=once
    ),
    "release": lambda alice, it, once: holds.release_hold(
        alice.store, alice.owner, hold_id=it.hold_id, once=once
    ),
    "quote": lambda alice, it, once: quotes.quote_job(
        alice.store,
        alice.owner,
        provider="braket",
        device="iqm-garnet",
        shots=10,
        tasks=1,
        job_id=None,
        once=once,
    ),
    "quoted hold": lambda alice, it, once: quotes.hold_quoted(
        alice.store, alice.owner, quote_id=it.quote_id, job_id="job-2", once=once
    ),
    "quoted hold of a new job": lambda alice, it, once: quotes.hold_quoted(
        alice.store, alice.owner, quote_id=it.quote_id, job_id=None, once=once
    ),
    "job's release": lambda alice, it, once: quotes.release_job(
        alice.store, alice.owner, job_id="job-1", capture_micros=CENT, reason=None, once=once
    ),
    "usage under a cap": lambda alice, it, once: wallet.use(
        alice.store,
        alice.owner,
        amount_micros=CENT,
        currency="usd",
        once=replace(once, caps=(SCOPE,)),
    ),
    "hold under a scope": lambda alice, it, once: holds.place_hold(
        alice.store,
        alice.owner,
        amount_micros=50 * CENT,
        currency="usd",
        terms=HoldTerms(expires_in=HOUR, scopes=(SCOPE,)),
        once=once,
    ),
    "grant": lambda alice, it, once: credits_of.grant(
        alice.store,
        alice.owner,
        amount_micros=50 * CENT,
        currency="usd",
        terms=GrantTerms(meters=("tokens",), expires_in=HOUR),
        once=once,
    )[1],
    "scheduled grant": lambda alice, it, once: credits_of.grant(
        alice.store,
        alice.owner,
        amount_micros=50 * CENT,
        currency="usd",
        terms=GrantTerms(effective_at=alice.now + HOUR),
        once=once,
    )[1],
    "void": lambda alice, it, once: credits_of.void(
        alice.store, LIVE, grant_id=it.grant_id, once=once
    ),
    "starter credit": lambda alice, it, once: credits_of.grant_starter(
        alice.store, alice.owner, once=once
    ),
    "adjustment": lambda alice, it, once: wallet.adjust(
        alice.store, alice.owner, delta_micros=-CENT, currency="usd", once=once
    ),
    "account": lambda alice, it, once: accounts.open_account(
        alice.store, owner="acme/alice", name="Other lab", currency="eur", once=once
    ),
    "closing": lambda alice, it, once: accounts.close_account(
        alice.store, Owner(LIVE, it.lab_id), user="acme/alice", once=once
    ),
    "workspace": lambda alice, it, once: workspaces.open_workspace(
        alice.store, VISITOR, name="Space", account_id=None, once=once
    ),
    "link": lambda alice, it, once: workspaces.link(
        alice.store,
        VISITOR,
        workspace_id=it.space_id,
        account_id=it.lab_id,
        make_default=True,
        once=once,
    ),
    "member": lambda alice, it, once: members.add(
        alice.store,
        Owner(LIVE, it.lab_id),
        user="acme/bob",
        role="viewer",
        email=None,
        once=once,
    ),
    "API key": lambda alice, it, once: api_keys.issue(
        alice.store,
        SECRET,
        user="acme/alice",
        name="other",
        scopes=["holds:write"],
        cap=None,
        expires_at=alice.now + HOUR,
        once=once,
    ),
    "revocation": lambda alice, it, once: api_keys.revoke(
        alice.store, user="acme/alice", key_id=it.key_id, once=once
    ),
    "billing info": lambda alice, it, once: profile.change_info(
        alice.store, alice.owner, texts={"name": "Alice Ltd"}, once=once
    ),
}


def what_of(answer: object) -> object:
    """The answer without the note that it was given before."""
    match answer:
        case Enacted(record=record):
            return record
        case Issued(key=key, token=token):
            return key, token
        case LinkedAccount():
            return replace(answer, replayed=False)
    return getattr(answer, "entry", answer)


def is_replay(answer: object) -> bool:
    return bool(getattr(answer, "replayed", False))


WHENS = {
    "at once": lambda alice: alice,
    "from another environment": lambda alice: alice.elsewhere(),
    "a week later": lambda alice: later(alice, 168 * HOUR),
}


@pytest.mark.parametrize("when", WHENS.values(), ids=WHENS)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_second_delivery_gets_the_first_answer_and_writes_nothing(write, when):
    alice, things = prepared()
    first = write(alice, things, alice.once("key", asked="this"))
    before = effects(alice)

    desk = when(alice)
    again = write(desk, things, desk.once("key", asked="this"))

    assert not is_replay(first)
    assert is_replay(again)
    assert what_of(again) == what_of(first)
    assert effects(alice) == before


def effects(alice: Caller) -> list[Item]:
    """Entries and receipts, but for what time alone has done."""
    return [
        item
        for item in alice.stored()
        if item["sk"]["S"] == "ENTRY" and item.get("source") != {"S": "system"}
    ]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_second_delivery_wins_over_whatever_would_be_refused_by_now(write):
    alice, things = prepared()
    first = write(alice, things, alice.once("key", asked="this"))
    # All money is gone, and the time of holds and quotes has passed.
    alice.elsewhere().use(10_000)
    desk = later(alice, 48 * HOUR)
    desk.wallet()
    before = alice.stored()

    again = write(desk, things, desk.once("key", asked="this"))

    assert is_replay(again)
    assert what_of(again) == what_of(first)
    assert alice.stored() == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_key_of_another_request_is_refused_and_nothing_is_written(write):
    alice, things = prepared()
    write(alice, things, alice.once("key", asked="this"))
    before = effects(alice)

    for desk in (alice, alice.elsewhere(), later(alice, 48 * HOUR)):
        with pytest.raises(IdempotencyKeyReused):
            write(desk, things, desk.once("key", asked="something else"))

    assert effects(alice) == before


@pytest.mark.parametrize("first", WRITES)
@pytest.mark.parametrize("second", WRITES)
def test_a_key_serves_one_operation_only(first, second):
    alice, things = prepared()
    WRITES[first](alice, things, alice.once("key", asked=first))
    before = alice.stored()

    # Also where the second would be refused by what the first has done.
    with pytest.raises(IdempotencyKeyReused):
        WRITES[second](alice.elsewhere(), things, alice.once("key", asked=f"{second} again"))

    assert alice.stored() == before


def test_the_same_key_of_another_caller_is_another_request():
    alice = Caller()
    others = [bob(alice), alice.elsewhere(owner=owner_of(TEST, "acme/alice"))]

    answers = [each.deposit(5, "key") for each in (alice, *others)]

    assert not any(answer.replayed for answer in answers)
    assert len({answer.entry.id for answer in answers}) == 3


def test_a_request_that_was_refused_may_come_again_under_its_key():
    alice = Caller()
    with pytest.raises(Exception, match="too low"):
        alice.place(2_000, "key")

    alice.deposit(1_000)
    committed = alice.place(2_000, "key")

    assert not committed.replayed
    assert alice.balance() == (0, 2_000)
