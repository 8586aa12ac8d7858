"""Granted credit: its day, its end, what a void takes back, and who is started off with some."""

from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain import credits as rules
from holdfast.domain import entries, holds
from holdfast.domain import wallet as wallet_rules
from holdfast.domain.clock import Instant
from holdfast.domain.credits import CreditGrant, Starter
from holdfast.domain.ledger import Journal, Wallet
from holdfast.domain.wallet import Refunded
from holdfast.errors import (
    AmountTooLarge,
    GrantNotFound,
    GrantVoided,
    InsufficientFunds,
    InvalidField,
    StarterCreditGranted,
)
from tests.domain.samples import (
    ACCOUNT_ID,
    HOUR,
    MILLISECOND,
    NOW,
    funds,
    hold,
    hold_after,
    once,
    taken,
    wallet,
    wallet_after,
    written,
)
from tests.domain.test_hold_lives import at

DAY = timedelta(days=1)


def asked(
    amount: int = 100,
    *,
    key: str = "grant",
    effective_at: Instant = NOW,
    expires_at: Instant | None = None,
    priority: int = 0,
    meters: tuple[str, ...] = (),
) -> CreditGrant:
    """A grant as an admin asks for it."""
    return CreditGrant(
        id=rules.new_id(once(key), "usd"),
        account_id=ACCOUNT_ID,
        user="acme/alice",
        name="goodwill",
        amount_micros=amount,
        currency="usd",
        effective_at=effective_at,
        created_at=NOW,
        expires_at=expires_at,
        priority=priority,
        meters=meters,
    )


def granted(before: Wallet, given: CreditGrant) -> tuple[Wallet, CreditGrant]:
    """The wallet with the grant in it, and the grant as it is stored."""
    journal = rules.grant(before, given, once("grant"))
    return wallet_after(journal), grant_after(journal)


def grant_after(journal: Journal) -> CreditGrant:
    (after,) = (c.after for c in journal.changes if isinstance(c.after, CreditGrant))
    return after


def used(before: Wallet, amount: int, *, now: Instant = NOW, meter: str | None = None) -> Journal:
    return wallet_rules.use(before, once("use", now=now), amount_micros=amount, meter=meter)


def test_a_grant_is_credit_at_once():
    given = asked(100, priority=3, expires_at=NOW + DAY)

    journal = rules.grant(wallet(cash=5), given, once())

    after = wallet_after(journal)
    assert journal.entry.type == entries.CREDIT_GRANT
    assert journal.entry.postings == {"credit": 100, "promotions": -100}
    assert taken(journal.entry.draws) == [(given.id, 100)]
    assert funds(after) == {given.id: (100, 0), "cash": (5, 0)}
    assert (after.balance_micros(NOW), after.cash_balance_micros(NOW)) == (105, 5)
    assert grant_after(journal) == replace(given, version=1)
    assert grant_after(journal).active(after, NOW)


def test_credit_for_some_meters_is_no_part_of_the_balance():
    given = asked(100, meters=("gpu",))

    journal = rules.grant(wallet(cash=5), given, once())

    after = wallet_after(journal)
    assert journal.entry.postings == {"restricted_credit": 100, "promotions": -100}
    assert (after.balance_micros(NOW), after.posted_micros) == (5, 5)
    assert (after.available_micros(NOW, "gpu"), after.available_micros(NOW, "cpu")) == (105, 5)
    assert journal.entry.balance_after_micros == 5


@pytest.mark.parametrize(
    ("effective_at", "available"),
    [(NOW - MILLISECOND, 100), (NOW, 100), (NOW + MILLISECOND, 0)],
    ids=["just before", "now", "just after"],
)
def test_a_grant_is_money_from_its_day_on(effective_at, available):
    journal = rules.grant(wallet(), asked(effective_at=effective_at), once())

    after = wallet_after(journal)
    assert after.available_micros(NOW) == available
    assert len(after.pending) == (available == 0)
    assert sum(journal.entry.postings.values()) == 0


SCHEDULED, SCHEDULED_GRANT = granted(wallet(cash=5), asked(effective_at=NOW + HOUR))


def test_a_scheduled_grant_moves_no_money_and_makes_the_wallet_due_on_its_day():
    journal = rules.grant(wallet(cash=5), asked(effective_at=NOW + HOUR), once())

    assert journal.entry.type == entries.CREDIT_SCHEDULED
    assert (journal.entry.postings, journal.entry.amount_micros) == ({}, 100)
    assert funds(SCHEDULED) == {"cash": (5, 0)}
    assert SCHEDULED.due_at == NOW + HOUR
    assert SCHEDULED_GRANT.left_micros(SCHEDULED) == 100
    assert not SCHEDULED_GRANT.active(SCHEDULED, NOW)


@pytest.mark.parametrize(
    ("now", "available"),
    [(NOW + HOUR - MILLISECOND, 5), (NOW + HOUR, 105), (NOW + HOUR + MILLISECOND, 105)],
    ids=["just before", "on its day", "just after"],
)
def test_a_scheduled_grant_opens_on_its_day_and_once(now, available):
    after = at(now, SCHEDULED)

    assert after.available_micros(now) == available
    assert at(now, after) == after
    assert (after.due_at is None) is (available == 105)


def deposit(before: Wallet, now: Instant) -> Journal:
    return wallet_rules.deposit(before, once("d", now=now), amount_micros=1)


def place(before: Wallet, now: Instant) -> Journal:
    return holds.place_hold(before, replace(hold(1), expires_at=now + HOUR), once("h", now=now))


def charge(before: Wallet, now: Instant) -> Journal:
    return used(before, 1, now=now)


def withdraw(before: Wallet, now: Instant) -> Journal:
    return wallet_rules.withdraw(before, once("w", now=now), amount_micros=1)


@pytest.mark.parametrize("operation", [deposit, place, charge, withdraw])
def test_whatever_happens_first_on_its_day_opens_a_grant_and_what_comes_next_does_not(operation):
    journal = operation(SCHEDULED, NOW + HOUR)
    again = operation(wallet_after(journal), NOW + HOUR)

    (opened,) = journal.others
    assert (opened.type, opened.source) == (entries.CREDIT_GRANT, "system")
    assert opened.postings == {"credit": 100, "promotions": -100}
    assert (opened.seq, journal.entry.seq) == (SCHEDULED.seq + 1, SCHEDULED.seq + 2)
    assert journal.entry.prev == opened.hash
    assert again.others == ()
    assert wallet_after(again).pending == ()


def test_a_grant_that_nobody_looked_at_in_its_time_opens_and_expires_at_once():
    given = asked(effective_at=NOW + HOUR, expires_at=NOW + 2 * HOUR)
    before, _ = granted(wallet(cash=5), given)

    journal = deposit(before, NOW + 3 * HOUR)

    assert [entry.type for entry in journal.others] == [entries.CREDIT_GRANT, entries.LOT_EXPIRY]
    assert funds(wallet_after(journal)) == {"cash": (6, 0)}


@pytest.mark.parametrize("effective_at", [NOW - HOUR, NOW, NOW + HOUR])
@pytest.mark.parametrize(("after_its_day", "claim"), [(-1, False), (0, False), (1, True)])
def test_a_grant_expires_after_its_day_and_not_before(effective_at, after_its_day, claim):
    day = max(effective_at, NOW)
    given = asked(effective_at=effective_at, expires_at=day + after_its_day * MILLISECOND)

    if claim:
        assert len(wallet_after(rules.grant(wallet(), given, once())).lots) == (day == NOW)
        return
    with pytest.raises(InvalidField) as refused:
        rules.grant(wallet(), given, once())
    assert refused.value.param == "expires_in"


@pytest.mark.parametrize(("over", "claim"), [(-1, True), (0, True), (1, False)])
def test_a_grant_is_no_more_than_one_operation_moves(over, claim):
    given = asked(10**15 + over)

    if claim:
        assert wallet_after(rules.grant(wallet(), given, once())).posted_micros == 10**15 + over
        return
    with pytest.raises(AmountTooLarge):
        rules.grant(wallet(), given, once())


@pytest.mark.parametrize(
    ("now", "available"),
    [(NOW + HOUR - MILLISECOND, 70), (NOW + HOUR, 0), (NOW + HOUR + MILLISECOND, 0)],
)
def test_expiry_takes_what_nobody_spent_and_no_more(now, available):
    before, given = granted(wallet(), asked(expires_at=NOW + HOUR))
    spent = wallet_after(used(before, 30))

    after = at(now, spent)

    assert after.available_micros(now) == available
    assert given.left_micros(after) == available
    assert after.charged_micros == 30
    assert given.active(after, now) is (available > 0)


# --- Voiding --------------------------------------------------------------------------------------


def voided(before: Wallet, given: CreditGrant, *, now: Instant = NOW) -> Journal:
    return rules.void(before, given, once("void", now=now))


def test_a_void_takes_back_what_nobody_spent():
    before, given = granted(wallet(cash=5), asked())
    spent = wallet_after(used(before, 30))

    journal = voided(spent, given)

    assert journal.entry.type == entries.CREDIT_VOID
    assert journal.entry.postings == {"credit": -70, "promotions": 70}
    assert (journal.entry.amount_micros, journal.entry.reference) == (70, given.id)
    assert funds(wallet_after(journal)) == {"cash": (5, 0)}
    assert grant_after(journal) == replace(given, voided_at=NOW, version=given.version + 1)


def test_a_void_takes_back_credit_for_some_meters_too():
    before, given = granted(wallet(), asked(meters=("gpu",)))

    journal = voided(before, given)

    assert journal.entry.postings == {"restricted_credit": -100, "promotions": 100}
    assert wallet_after(journal).lots == ()


def test_a_grant_that_was_voided_before_its_day_never_opens():
    journal = voided(SCHEDULED, SCHEDULED_GRANT)

    after = wallet_after(journal)
    assert (journal.entry.amount_micros, journal.entry.postings) == (0, {})
    assert (after.pending, after.due_at) == ((), None)
    assert at(NOW + 2 * HOUR, after).available_micros(NOW + 2 * HOUR) == 5


def test_a_grant_that_is_used_up_or_expired_is_voided_with_nothing_to_take():
    before, given = granted(wallet(), asked(expires_at=NOW + HOUR))
    used_up = wallet_after(used(before, 100))
    expired = at(NOW + HOUR, before)

    for standing in (used_up, expired, before):
        journal = voided(standing, given, now=NOW + HOUR)
        assert (journal.entry.amount_micros, journal.entry.postings) == (0, {})
        assert wallet_after(journal).lots == ()
        assert grant_after(journal).voided_at == NOW + HOUR


def test_a_grant_is_voided_once():
    before, given = granted(wallet(), asked())
    journal = voided(before, given)

    with pytest.raises(GrantVoided):
        voided(wallet_after(journal), grant_after(journal))


def held_then_voided(amount: int) -> tuple[Wallet, CreditGrant, holds.Hold]:
    """Credit of 100 and cash of 50; a hold on the first of it; then the credit is voided."""
    before, given = granted(wallet(cash=50), asked())
    placed = holds.place_hold(before, hold(amount), once("place"))
    journal = voided(wallet_after(placed), given)
    assert journal.entry.amount_micros == max(0, 100 - amount)
    return wallet_after(journal), grant_after(journal), hold_after(placed)


def test_what_a_hold_has_pinned_of_a_voided_grant_stays_with_that_hold():
    standing, given, placed = held_then_voided(60)

    journal = holds.capture_hold(standing, placed, once("c"), amount_micros=60, final=True)

    assert funds(standing) == {given.id: (0, 60), "cash": (50, 0)}
    assert standing.available_micros(NOW) == 50
    assert journal.entry.postings == {"held_credit": -60, "revenue": 60}
    assert (given.left_micros(standing), given.active(standing, NOW)) == (60, False)


def test_what_comes_back_to_a_voided_grant_is_gone():
    standing, given, placed = held_then_voided(120)

    journal = written(holds.release_hold(standing, placed, once("r")))

    (gone,) = journal.others
    assert (gone.type, gone.postings) == (entries.LOT_EXPIRY, {"credit": -100, "promotions": 100})
    assert funds(wallet_after(journal)) == {"cash": (50, 0)}
    assert journal.entry.balance_micros == 50
    assert given.left_micros(wallet_after(journal)) == 0


def test_nothing_more_is_drawn_from_a_voided_grant():
    standing, _, placed = held_then_voided(60)

    extended = holds.extend_hold(standing, placed, once("x"), expires_at=None, amount_micros=50)
    with pytest.raises(InsufficientFunds):
        holds.extend_hold(standing, placed, once("x"), expires_at=None, amount_micros=51)

    assert taken(extended.entry.draws) == [("cash", 50)]


@pytest.mark.parametrize(("ends", "available"), [("voided", 20), ("expired", 20), ("lives", 80)])
def test_a_refund_goes_back_to_where_it_came_from_even_where_that_is_gone(ends, available):
    before, given = granted(wallet(cash=50), asked(60, expires_at=NOW + HOUR))
    charged = used(before, 90)
    standing, now = wallet_after(charged), NOW
    if ends == "voided":
        standing = wallet_after(voided(standing, given))
    if ends == "expired":
        now = NOW + HOUR

    journal = wallet_rules.refund(
        standing,
        Refunded(entry_id=charged.entry.id, account_id=ACCOUNT_ID),
        once("refund", now=now),
        original=charged.entry,
        amount_micros=60,
        voided={given.id} if ends == "voided" else (),
    )

    # The first 60 of the 90 were credit; 20 of the cash of 50 was never spent.
    assert taken(journal.entry.draws) == [(given.id, 60)]
    assert wallet_after(journal).available_micros(now) == available
    assert len(journal.others) == (ends != "lives")


# --- Started off with some ------------------------------------------------------------------------


def test_the_starter_credit_is_cash_for_thirty_days_and_given_once():
    journal = rules.grant_starter(wallet(cash=5), Starter(account_id=ACCOUNT_ID), once())
    after = wallet_after(journal)
    (starter,) = (c.after for c in journal.changes if isinstance(c.after, Starter))

    assert journal.entry.postings == {"wallet": 5_000_000, "promotions": -5_000_000}
    assert after.cash_available_micros(NOW + 30 * DAY - MILLISECOND) == 5_000_005
    assert after.cash_available_micros(NOW + 30 * DAY) == 5
    # Nobody paid for it: its end is no income.
    gone = deposit(after, NOW + 30 * DAY).others[0]
    assert gone.postings == {"wallet": -5_000_000, "promotions": 5_000_000}
    with pytest.raises(StarterCreditGranted):
        rules.grant_starter(after, starter, once("again"))


def test_the_starter_credit_pays_a_debt_first():
    journal = rules.grant_starter(wallet(cash=-7), Starter(account_id=ACCOUNT_ID), once())

    (lot,) = wallet_after(journal).lots
    assert (wallet_after(journal).cash_micros, lot.remaining_micros) == (0, 4_999_993)


@pytest.mark.parametrize(
    "grant_id",
    [
        *("", "grant_", "grant_x_usd", rules.new_id(once(), "usd").upper()),
        *(rules.new_id(once(), "zzz"), rules.new_id(once(), "usd").replace("grant_", "hold_")),
    ],
)
def test_what_no_grant_is_called_is_an_unknown_grant(grant_id):
    with pytest.raises(GrantNotFound):
        rules.origin_of(grant_id)


def test_the_id_of_a_grant_names_the_entry_that_gave_it_and_the_currency():
    assert rules.origin_of(rules.new_id(once(), "eur")) == (once().entry_id, "eur")
