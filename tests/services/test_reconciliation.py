"""Whole days at Stripe and in the ledger, held against each other: what fits, and what does not."""

from datetime import timedelta

import pytest

from holdfast.audit import audit_items
from holdfast.domain.clock import DAY
from holdfast.domain.payments import Payment
from holdfast.domain.reconciliation import BOOKED_WITHIN, LISTED_WITHIN, days_back
from holdfast.errors import NotFound, Refusal, StripeUnavailable, Unavailable
from holdfast.services import payments, reconciliation, refunds
from holdfast.store.attributes import encode
from local.stripe import balance
from tests.services.caller import CENT
from tests.services.shop import Shop, only, shop, told
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import BEFORE, EVERY_FAULT, PARTIAL, THROTTLED

SECOND = timedelta(seconds=1)


@pytest.fixture
def till() -> Shop:
    return shop()


def busy(till: Shop) -> None:
    """A day on which everything happened that a payment can meet, and all of it was heard of."""
    paid = till.pay(500)
    till.give_back(paid, 120)
    till.send_back(till.give_back(paid, 50))
    lost, won = till.pay(700), till.pay(900)
    till.decide(till.dispute(lost), "lost")
    till.decide(till.dispute(won), "won")


def lose_word(till: Shop, cents: int) -> None:
    """Pay, and let the table be gone when Stripe has taken the money."""

    def lines() -> int:
        return len(list(till.counter.every("balance_transaction")))

    before = lines()
    till.caller.simulator.faults = lambda number, method: BEFORE if lines() > before else None
    with pytest.raises(Unavailable):
        till.pay(cents)
    till.caller.simulator.faults = {}


def state(till: Shop) -> tuple[list[str], tuple[int, int]]:
    """What a run that heals nothing has to leave alone."""
    return till.entries(), till.caller.balance()


# --- Days without a difference -------------------------------------------------------------------


def test_a_day_on_which_everything_happened_has_no_difference(till):
    busy(till)
    before = state(till)

    report = till.next_night()

    assert (report.count, report.in_flight, report.healed, report.is_final) == (0, 0, 0, True)
    assert (report.lines, report.payments, report.day) == (9, 5, "2026-11-21")
    assert {total.type: (total.lines, total.there_micros // CENT) for total in report.totals} == {
        "charge": (3, 2_100),
        "dispute": (2, -1_600),
        "dispute_reversal": (1, 900),
        "refund": (2, -170),
        "refund_failure": (1, 50),
    }
    assert all(total.difference_micros == 0 for total in report.totals)
    fees = {total.type: total.fee_micros // CENT for total in report.totals}
    assert (fees["charge"], fees["dispute"], fees["refund"]) == (151, 3_000, 0)
    assert state(till) == before
    assert audit_items(till.caller.stored()) == []


def test_a_day_without_anything_has_an_empty_report(till):
    report = till.next_night()

    assert (report.count, report.lines, report.payments, report.totals) == (0, 0, 0, ())
    assert till.reconcile(report.day, mode="test").count == 0


def test_what_happened_around_midnight_is_found_on_the_day_before_and_the_day_after(till):
    till.wait(timedelta(hours=20, minutes=29, seconds=59))
    paid = till.pay(500)
    charge_line, refund = till.line(paid.charge_id), till.give_back(paid, 100)
    today = till.day
    # The line is of the last second of the day, the refund's and what it is known by of the next.
    till.line(refund.refund_id)["created"] += 1
    till.wait(2 * DAY)

    reports = {day: till.reconcile(day) for day in (today, "2026-11-22")}

    assert charge_line["created"] + 1 == till.line(refund.refund_id)["created"]
    assert [report.count for report in reports.values()] == [0, 0]
    assert [[total.type for total in report.totals] for report in reports.values()] == [
        ["charge"],
        ["refund"],
    ]


def test_a_charge_of_the_other_mode_is_not_this_ones_business(till):
    paid = till.pay(500)
    charge = till.charge_of(paid)
    charge["metadata"] = {**charge["metadata"], "mode": "test"}

    report = till.next_night()

    assert (report.lines, report.payments, report.count) == (0, 1, 0)


def test_what_is_between_stripe_and_the_house_is_added_up(till):
    till.pay(500)
    for kind, amount in {"payout": -300, "stripe_fee": -25}.items():
        noted = balance.note(till.counter, kind, amount=amount, code="usd", source="")
        noted["source"] = None

    report = till.next_night()

    assert report.count == 0
    rows = {total.type: (total.there_micros // CENT, total.here_micros) for total in report.totals}
    assert rows["payout"] == (-300, None)
    assert rows["stripe_fee"] == (-25, None)
    assert all(total.difference_micros == 0 for total in report.totals)


@pytest.mark.parametrize("hours", [0, 30], ids=["at once", "on the next day"])
def test_a_refund_that_somebody_made_at_stripe_is_no_difference_once_it_is_heard_of(till, hours):
    paid = till.pay(500)
    made = refund_there(till, paid)
    today = till.day
    till.wait(timedelta(hours=hours))
    refunds.take_in(till.caller.store, till.stripes, "live", made, now=till.now)
    till.wait(DAY)

    report = till.reconcile(today)

    assert [each.kind for each in report.differences] == ([] if hours == 0 else ["late"])
    assert all(total.difference_micros == 0 for total in report.totals)


def refund_there(till: Shop, paid: Payment) -> str:
    """The id of a refund that somebody made at Stripe, past us."""
    made = till.stripes("live").refunds.create(
        key="dashboard",
        payment_intent_id=paid.payment_intent_id,
        currency="usd",
        amount_micros=100 * CENT,
        metadata={},
    )
    return made.id


# --- A difference of one cent --------------------------------------------------------------------


def test_a_cent_more_at_stripe_is_found_and_attributed(till):
    till.pay(300)
    paid = till.pay(500)
    till.line(paid.charge_id)["amount"] += 1
    before = state(till)

    found = only(till.next_night())

    assert (found.kind, found.type, found.currency) == ("amount", "charge", "usd")
    assert (found.amount_micros, found.there_micros, found.here_micros) == (
        CENT,
        501 * CENT,
        500 * CENT,
    )
    assert (found.payment_id, found.entry_id) == (paid.id, paid.entry_id)
    assert (found.org, found.account_id) == ("acme", paid.account_id)
    assert found.stripe_id == paid.payment_intent_id
    assert found.line_id == till.line(paid.charge_id)["id"]
    assert state(till) == before


def test_a_cent_less_in_an_entry_is_found_and_attributed(till):
    till.pay(300)
    paid = till.pay(500)
    postings = encode({"postings": {"stripe_clearing": -499 * CENT, "wallet": 499 * CENT}})
    till.rewrite(lambda item: item == till.entry_item(paid.entry_id), **postings)

    found = only(till.next_night())

    assert (found.kind, found.because, found.amount_micros) == ("ledger", "amount", CENT)
    assert (found.payment_id, found.entry_id) == (paid.id, paid.entry_id)


def test_a_cent_less_in_a_payment_is_found_and_attributed(till):
    paid = till.pay(500)
    told_less = encode({"received_micros": 499 * CENT})
    till.rewrite(lambda item: item["pk"]["S"].endswith(paid.id), **told_less)

    found = only(till.next_night())

    assert (found.kind, found.because, found.payment_id) == ("ledger", "amount", paid.id)


@pytest.mark.parametrize(("cents", "amount_cents"), [(1, -1), (-1, 1)], ids=["more", "less"])
def test_a_cent_in_a_wallet_is_found_and_attributed(till, cents, amount_cents):
    paid = till.pay(500)
    cash = till.caller.wallet(own=False).cash_micros + cents * CENT
    till.rewrite(lambda item: item["sk"]["S"] == "WALLET#usd", **encode({"cash": cash}))

    found = only(till.next_night())

    assert (found.kind, found.type, found.because) == ("ledger", "wallet", "balance")
    assert found.amount_micros == amount_cents * CENT
    assert (found.account_id, found.entry_id) == (paid.account_id, paid.entry_id)


# --- What is missing -----------------------------------------------------------------------------


def test_what_stripe_has_and_the_ledger_has_not_is_booked_and_told(till):
    till.pay(300)
    lose_word(till, 500)
    assert till.caller.balance()[0] == 1_300

    report = till.next_night()
    found = only(report)

    assert (found.kind, found.type, found.is_healed) == ("missing_here", "charge", True)
    assert (found.amount_micros, found.account_id) == (
        500 * CENT,
        till.caller.owner.account_id,
    )
    assert (report.healed, report.open_count) == (1, 0)
    assert till.caller.balance()[0] == 1_800
    assert all(total.difference_micros == 0 for total in report.totals)


def test_a_second_run_finds_nothing_of_what_the_first_has_healed(till):
    lose_word(till, 500)
    day = till.day
    till.wait(DAY)
    assert till.reconcile(day).healed == 1
    before = state(till)

    again = till.caller.elsewhere(now=till.now + timedelta(hours=3))
    till.caller = again
    second = till.reconcile(day)

    assert (second.count, second.version) == (0, 2)
    assert state(till) == before
    assert reconciliation.report(till.caller.store, "live") == second


def test_after_three_days_without_an_event_the_ledger_is_as_if_all_had_come(till):
    due(till)
    for cents in (500, 600, 700):
        till.pay_on_page(cents)
        till.dispute(till.pay(50), tell=False)
        till.wait(DAY)
    assert till.caller.balance()[0] == 1_150

    reports = reconciliation.reconcile_due(till.caller.store, till.stripes, "live", now=till.now)

    assert [(report.healed, report.open_count) for report in reports] == [(2, 0)] * 3
    assert till.caller.balance() == (1_000 + 1_800, 150)
    assert [till.reconcile(report.day).count for report in reports] == [0, 0, 0]
    assert audit_items(till.caller.stored()) == []


@pytest.mark.parametrize("verdict", [None, "lost", "won"])
def test_a_dispute_that_nobody_heard_of_is_taken_in(till, verdict):
    paid = till.pay(500)
    dispute = till.dispute(paid, tell=False)
    if verdict:
        till.decide(dispute, verdict, tell=False)
    types = ["dispute", *(["dispute_reversal"] if verdict == "won" else [])]

    report = till.next_night()

    assert [(each.kind, each.is_healed) for each in report.differences] == [
        ("missing_here", True)
    ] * len(types)
    assert sorted(each.type for each in report.differences) == types
    assert till.caller.balance()[0] == 1_000 + (500 if verdict == "won" else 0)
    assert till.reconcile(report.day).count == 0


def test_a_refund_that_came_back_unheard_is_undone_in_the_wallet(till):
    paid = till.pay(500)
    refund = till.give_back(paid, 100)
    till.send_back(refund, tell=False)
    assert till.caller.balance()[0] == 1_400

    report = till.next_night()

    assert only(report).is_healed
    assert (only(report).kind, only(report).because) == ("status", "succeeded")
    assert till.kept(refund).undone_by
    assert till.caller.balance()[0] == 1_500
    assert till.reconcile(report.day).count == 0


def test_a_refund_that_somebody_made_at_stripe_is_taken_from_the_wallet(till):
    paid = till.pay(500)
    made = refund_there(till, paid)

    report = till.next_night()

    found = only(report)
    assert (found.kind, found.stripe_id, found.payment_id) == ("missing_here", made, paid.id)
    assert found.is_healed
    assert till.caller.balance()[0] == 1_400
    assert till.reconcile(report.day).count == 0


def test_what_the_ledger_has_and_stripe_has_not_waits_for_somebody(till):
    paid = till.pay(500)
    till.counter.forget("balance_transaction", till.line(paid.charge_id)["id"])
    before = state(till)

    found = only(till.next_night())

    assert (found.kind, found.type, found.is_healed) == ("missing_at_stripe", "charge", False)
    assert (found.amount_micros, found.payment_id, found.entry_id) == (
        -500 * CENT,
        paid.id,
        paid.entry_id,
    )
    assert state(till) == before


def test_an_entry_that_is_gone_is_told_with_its_payment_and_its_wallet(till):
    paid = till.pay(500)
    item = till.entry_item(paid.entry_id)
    till.caller.simulator.delete_item(
        TableName="holdfast", Key={"pk": item["pk"], "sk": item["sk"]}
    )

    report = till.next_night()

    assert told(report) == [("ledger", "charge", 500)]
    assert report.differences[0].because == "entry_missing"
    assert report.differences[0].payment_id == paid.id


def test_the_last_entry_of_a_wallet_that_is_gone_is_told(till):
    till.pay(500)
    till.caller.use(10)
    last = till.caller.wallet(own=False).seq
    stored = (till.entry_item(name) for name in till.entries())
    (item,) = [each for each in stored if int(each["gsi1sk"]["S"]) == last]
    till.caller.simulator.delete_item(
        TableName="holdfast", Key={"pk": item["pk"], "sk": item["sk"]}
    )

    found = only(till.next_night())

    assert (found.kind, found.type, found.because) == ("ledger", "wallet", "entry_missing")


# --- What is there twice, or another's -----------------------------------------------------------


def test_a_second_charge_for_one_payment_is_a_duplicate(till):
    paid = till.pay(500)
    first = till.charge_of(paid)
    till.stripes("live").payment_intents.create(
        key="again",
        amount_micros=500 * CENT,
        currency="usd",
        customer_id=paid.customer_id,
        payment_method_id="pm_card_visa",
        confirm=True,
        off_session=True,
        metadata=first["metadata"],
    )

    found = only(till.next_night())

    assert (found.kind, found.amount_micros, found.payment_id) == ("duplicate", 500 * CENT, paid.id)
    assert found.stripe_id != paid.payment_intent_id
    assert till.caller.balance()[0] == 1_500


def test_a_charge_of_nobody_is_unknown(till):
    paid = till.pay(500)
    till.stripes("live").payment_intents.create(
        key="other",
        amount_micros=700 * CENT,
        currency="usd",
        customer_id=paid.customer_id,
        payment_method_id="pm_card_visa",
        confirm=True,
        off_session=True,
        metadata={"shop": "another"},
    )

    found = only(till.next_night())

    assert (found.kind, found.type, found.amount_micros) == ("unknown_line", "charge", 700 * CENT)
    assert (found.payment_id, found.org) == ("", "")
    assert found.stripe_id.startswith("pi_")


@pytest.mark.parametrize(
    "name", ["", "pay#1", "pay_é", "pay_1"], ids=["none", "odd", "wide", "gone"]
)
def test_a_charge_that_bears_no_name_of_ours_is_told_as_it_is(till, name):
    paid = till.pay(500)
    charge = till.charge_of(paid)
    charge["metadata"] = {**charge["metadata"], "payment_id": name}
    till.counter.find("payment_intent", paid.payment_intent_id)["metadata"] = charge["metadata"]

    kinds = sorted(each.kind for each in till.next_night().differences)

    # It names no payment, or one that is not there; and the one that it is for has no line.
    assert kinds == ["duplicate", "missing_here" if name else "unknown_line"]


def test_a_charge_of_another_account_is_told_with_both(till):
    paid = till.pay(500)
    charge = till.charge_of(paid)
    charge["metadata"] = {**charge["metadata"], "account_id": "acct_other"}

    found = only(till.next_night())

    assert (found.kind, found.account_id, found.because) == (
        "wrong_account",
        paid.account_id,
        "acct_other",
    )
    assert found.amount_micros == 0


# --- What is young, and what is late -------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "told_of"),
    [
        (BOOKED_WITHIN - SECOND, []),
        (BOOKED_WITHIN, ["missing_here"]),
    ],
    ids=["a second less", "a quarter of an hour"],
)
def test_what_stripe_has_for_a_while_only_is_in_flight(till, age, told_of):
    lose_word(till, 500)
    till.wait(age)

    report = till.reconcile()

    assert [each.kind for each in report.differences] == told_of
    assert report.in_flight == (0 if told_of else 1)
    assert not report.is_final


@pytest.mark.parametrize(
    ("age", "told_of"),
    [(LISTED_WITHIN - SECOND, []), (LISTED_WITHIN, ["missing_at_stripe"])],
    ids=["a second less", "an hour"],
)
def test_what_stripe_has_not_listed_yet_is_in_flight(till, age, told_of):
    paid = till.pay(500)
    till.counter.forget("balance_transaction", till.line(paid.charge_id)["id"])
    till.wait(age)

    report = till.reconcile()

    assert [each.kind for each in report.differences] == told_of
    assert report.in_flight == (0 if told_of else 1)


@pytest.mark.parametrize(
    ("age", "told_of"),
    [(BOOKED_WITHIN, []), (BOOKED_WITHIN + SECOND, ["late"])],
    ids=["in time", "a second more"],
)
def test_what_was_booked_late_is_told_with_no_money_in_it(till, age, told_of):
    lose_word(till, 500)
    day = till.day
    (intent,) = till.counter.every("payment_intent")
    till.wait(age)
    payments.fulfil(till.caller.store, till.stripes, "live", intent["id"], now=till.now)
    till.wait(DAY)

    report = till.reconcile(day)

    assert [(each.kind, each.amount_micros) for each in report.differences] == [
        (kind, 0) for kind in told_of
    ]


# --- Reports, and when they are made -------------------------------------------------------------


def test_the_newest_report_is_the_one_that_is_read_without_a_day(till):
    first = till.next_night()
    second = till.next_night()

    assert reconciliation.report(till.caller.store, "live") == second
    assert reconciliation.report(till.caller.store, "live", first.day) == first
    with pytest.raises(NotFound):
        reconciliation.report(till.caller.store, "live", "2026-11-01")
    with pytest.raises(NotFound):
        reconciliation.report(till.caller.store, "test")


def due(till: Shop) -> list[str]:
    done = reconciliation.reconcile_due(till.caller.store, till.stripes, "live", now=till.now)
    return [report.day for report in done]


def test_a_night_makes_the_report_of_the_day_before_once(till):
    assert due(till) == ["2026-11-20"]
    assert due(till) == []


def test_nights_that_were_missed_are_made_up_for_oldest_first(till):
    due(till)
    till.wait(3 * DAY)

    assert due(till) == ["2026-11-21", "2026-11-22", "2026-11-23"]


def test_a_report_that_was_made_too_early_is_made_again(till):
    due(till)
    till.reconcile()
    till.wait(DAY)

    assert due(till) == ["2026-11-21"]


def test_a_report_of_today_does_not_stand_in_for_those_before(till):
    due(till)
    till.wait(2 * DAY)
    till.reconcile()

    assert due(till) == ["2026-11-21", "2026-11-22"]


@pytest.mark.parametrize(
    ("at", "last"),
    [
        (timedelta(hours=1) - timedelta(milliseconds=1), "2026-11-20"),
        (timedelta(hours=1), "2026-11-21"),
    ],
    ids=["a millisecond before one", "one o'clock"],
)
def test_a_day_is_over_when_stripe_has_had_its_hour(at, last):
    midnight = shop().now.replace(hour=0, minute=0) + DAY

    assert days_back(midnight + at)[-1] == last
    assert len(days_back(midnight)) == 14


# --- Faults --------------------------------------------------------------------------------------


def troubled() -> Shop:
    """A day with one charge that was not booked, and a refund and a dispute that were."""
    till = shop()
    paid = till.pay(700)
    till.give_back(paid, 100)
    till.dispute(till.pay(900))
    lose_word(till, 500)
    return till


def insistent(till: Shop, day: str) -> int:
    """Reconcile as the schedule does: whole again, from another environment, until it is done."""
    for attempt in range(4):
        try:
            till.reconcile(day)
        except (Refusal, ProcessKilled):
            till.caller = till.caller.elsewhere(now=till.now + SECOND)
            till.caller.simulator.faults = {}
            for door in till.doors.values():
                door.plan = {}
        else:
            return attempt
    raise AssertionError("a run never came to its end")


def counted() -> tuple[int, int]:
    """How many calls a run makes of the table, and of Stripe."""
    till = troubled()
    day = till.day
    till.wait(DAY)
    tables, door = till.caller.simulator, till.doors["live"]
    before = tables.call_count, door.calls
    till.reconcile(day)
    return tables.call_count - before[0], door.calls - before[1]


def check_healed(till: Shop, day: str) -> None:
    assert till.caller.balance()[0] == 1_000 + 700 - 100 + 500
    assert audit_items(till.caller.stored()) == []
    kept = reconciliation.report(till.caller.store, "live", day)
    assert all(total.difference_micros == 0 for total in kept.totals)
    # What was booked by a run that broke after that is late, for the run that follows.
    assert {each.kind for each in kept.differences if not each.is_healed} <= {"late"}
    assert till.reconcile(day).in_flight == 0


@pytest.mark.parametrize("fault", [*EVERY_FAULT, PARTIAL], ids=lambda fault: fault.kind)
def test_a_run_that_breaks_at_any_call_of_the_table_is_repeated_whole(fault):
    calls, _ = counted()
    for number in range(calls):
        till = troubled()
        day = till.day
        till.wait(DAY)
        tables = till.caller.simulator
        tables.faults = {tables.call_count + number: fault}

        insistent(till, day)

        check_healed(till, day)


@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_run_that_breaks_at_any_call_of_stripe_is_repeated_whole(fault):
    _, calls = counted()
    for number in range(calls):
        till = troubled()
        day = till.day
        till.wait(DAY)
        door = till.doors["live"]
        door.plan = {door.calls + number: fault}

        assert insistent(till, day) == 1

        check_healed(till, day)


def test_a_run_without_stripe_writes_nothing(till):
    till.pay(500)
    day = till.day
    till.wait(DAY)
    door, before = till.doors["live"], till.caller.stored()
    door.plan = {door.calls: "before"}

    with pytest.raises(StripeUnavailable):
        till.reconcile(day)

    assert till.caller.stored() == before


def test_a_run_whose_report_was_overtaken_says_so(till):
    till.pay(500)
    day = till.day
    till.wait(DAY)
    till.caller.simulator.faults = lambda number, method: (
        THROTTLED if method == "transact_write_items" else None
    )

    with pytest.raises(Unavailable):
        till.reconcile(day)

    till.caller.simulator.faults = {}
    with pytest.raises(NotFound):
        reconciliation.report(till.caller.store, "live", day)


def test_the_reports_of_two_modes_never_meet(till):
    till.pay(500)
    report = till.next_night()

    other = till.reconcile(report.day, mode="test")

    assert (report.lines, other.lines) == (1, 0)
    assert reconciliation.report(till.caller.store, "live") == report
    assert reconciliation.report(till.caller.store, "test") == other
