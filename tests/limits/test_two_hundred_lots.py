"""A wallet with as many lots as it can have still does everything in one transaction."""

from dataclasses import replace

import pytest

from holdfast.domain import credits as rules
from holdfast.domain import wallet as wallet_rules
from holdfast.domain.credits import LABELS_BYTES_MAX, Starter
from holdfast.domain.ledger import Wallet
from holdfast.domain.lots import LOTS_MAX, Lot
from holdfast.errors import InvalidField, TooManyLots
from holdfast.services.credits import void
from tests.domain.samples import ACCOUNT_ID, HOUR, NOW, credit, funds, once, wallet, wallet_after
from tests.domain.test_credits import DAY, asked
from tests.domain.test_hold_lives import at
from tests.limits.crowded import (
    ALL_CENTS,
    YEAR,
    cost_of,
    crowded,
    give,
    worst,
    worst_extension,
)
from tests.services.caller import INTRODUCTORY, Caller, later
from tests.simulator.table import ITEM_BYTES_MAX


def test_a_hold_on_all_of_two_hundred_lots_is_placed_captured_and_released_in_one_write_each():
    alice = crowded()
    before = funds(alice.wallet())

    placing, placed = cost_of(alice, lambda a: a.place(ALL_CENTS))
    hold_id = placed.entry.hold_id
    capturing, captured = cost_of(alice, lambda a: a.capture(hold_id, 100, final=False))
    releasing, released = cost_of(alice, lambda a: a.release(hold_id))

    for cost in (placing, capturing, releasing):
        # The environment remembers the wallet and the hold, so nothing is read.
        assert cost.calls == ("transact_write_items",)
        assert set(cost.sizes) == {"wallet", "hold", "entry"}
        assert cost.largest < ITEM_BYTES_MAX
    # A hundred grants are spent; the others, and the introductory credit, are as they were.
    drawn = [len(each.entry.draws) for each in (placed, captured, released)]
    after = funds(alice.wallet())
    assert drawn == [LOTS_MAX, 100, LOTS_MAX - 100]
    assert len(after) == LOTS_MAX - 100 + len(["cash"])
    assert after.items() <= before.items()


def test_a_charge_that_took_all_two_hundred_lots_is_given_back_to_those_that_still_stand():
    alice = crowded(199)
    last = give(alice)
    before = funds(alice.wallet())
    charge = alice.use(ALL_CENTS).entry
    elsewhere = alice.elsewhere()
    void(elsewhere.store, alice.owner.tenant, grant_id=last.id, once=elsewhere.once("void"))

    back = alice.refund(charge.id, ALL_CENTS).entry

    assert len(back.draws) == LOTS_MAX
    assert funds(alice.wallet()) == {
        lot_id: held for lot_id, held in before.items() if lot_id != last.id
    }


def test_two_hundred_lots_that_expire_together_are_one_entry():
    alice = crowded()
    after_all = later(alice, YEAR)

    (write,) = [
        call for call in cost_of(after_all, lambda a: a.wallet())[0].calls if "write" in call
    ]

    # The introductory credit never expires.
    assert write == "transact_write_items"
    assert after_all.balance() == (INTRODUCTORY, 0)
    assert alice.entries()[-1] == "lot_expiry"
    assert alice.entries().count("lot_expiry") == 1


def test_the_worst_that_can_be_said_of_two_hundred_lots_fits_into_an_item():
    for name, sizes in {**worst(), "extension": worst_extension()}.items():
        assert max(sizes.values()) < ITEM_BYTES_MAX, (name, sizes)


@pytest.mark.parametrize(("over", "claim"), [(-1, True), (0, True), (1, False)])
def test_what_a_grant_is_labelled_with_is_short_enough_for_two_hundred_of_them(over, claim):
    # In bytes, and each label counts one for itself: 200 + 1, a hundred of two bytes each + 1, …
    tags, meters = "t" * 200, ("é" * 100, "m" * (LABELS_BYTES_MAX - 403 + over))
    given = replace(asked(), tags=tags, meters=meters)

    if claim:
        (lot,) = wallet_after(rules.grant(wallet(), given, once())).lots
        assert (lot.terms.tag, lot.terms.meters) == (tags, meters)
        return
    with pytest.raises(InvalidField) as refused:
        rules.grant(wallet(), given, once())
    assert refused.value.param == "eligibility"


def with_lots(number: int, *, pending: int = 0) -> Wallet:
    waiting = tuple(credit(f"p{n}", 1, granted_at=NOW + DAY) for n in range(pending))
    lots: tuple[Lot, ...] = tuple(credit(f"l{n}", 1) for n in range(number))
    return Wallet(
        tenant=wallet().tenant,
        account_id=ACCOUNT_ID,
        currency="usd",
        version=9,
        seq=7,
        head="e" * 64,
        lots=lots,
        pending=waiting,
    )


@pytest.mark.parametrize("pending", [0, 1, 199])
@pytest.mark.parametrize("effective_at", [NOW, NOW + HOUR], ids=["now", "scheduled"])
def test_lot_number_two_hundred_and_one_is_refused_pending_ones_counted(pending, effective_at):
    room = with_lots(LOTS_MAX - 1 - pending, pending=pending)
    full = with_lots(LOTS_MAX - pending, pending=pending)
    given = asked(effective_at=effective_at)

    after = wallet_after(rules.grant(room, given, once()))
    with pytest.raises(TooManyLots) as refused:
        rules.grant(full, given, once())

    assert len(after.lots) + len(after.pending) == LOTS_MAX
    assert refused.value.details == {"open_lots_max": LOTS_MAX}


@pytest.mark.parametrize(("lots", "claim"), [(198, True), (199, True), (200, False)])
def test_cash_with_an_expiry_and_the_starter_credit_need_a_place_as_well(lots, claim):
    before = with_lots(lots - 1, pending=1)
    starter = Starter(account_id=ACCOUNT_ID)
    operations = (
        lambda: wallet_rules.deposit(before, once(), amount_micros=1, expires_at=NOW + HOUR),
        lambda: rules.grant_starter(before, starter, once()),
    )

    for operation in operations:
        if claim:
            assert len(wallet_after(operation()).lots) == lots
            continue
        with pytest.raises(TooManyLots):
            operation()


def test_two_hundred_pending_lots_open_together():
    opened = at(NOW + DAY, with_lots(0, pending=LOTS_MAX))

    assert (len(opened.lots), opened.pending) == (LOTS_MAX, ())
    assert opened.available_micros(NOW + DAY) == LOTS_MAX
    assert opened.seq == wallet().seq + 1


@pytest.mark.parametrize(("lots", "pending"), [(200, 0), (150, 50)])
def test_what_has_no_place_leaves_no_trace(lots, pending):
    alice = crowded(lots, pending=pending)
    before = alice.stored()
    asks = (
        give,
        lambda a: give(a, effective_at=NOW + DAY),
        lambda a: a.deposit(1, expires_in=DAY),
    )

    for ask in asks:
        for caller in (alice, alice.elsewhere()):
            with pytest.raises(TooManyLots):
                ask(caller)

    assert alice.stored() == before
    # Plain cash needs no place, and a place that becomes free is given away.
    alice.deposit(1)
    alice.use(INTRODUCTORY)
    assert give(alice).left_micros(alice.wallet()) > 0


def test_a_grant_takes_the_place_that_an_expired_one_leaves():
    alice = crowded(199)
    give(alice, expires_in=HOUR)
    tomorrow: Caller = later(alice, HOUR)

    with pytest.raises(TooManyLots):
        give(alice)
    given = give(tomorrow)

    assert given.id in {lot.id for lot in tomorrow.wallet().lots}
