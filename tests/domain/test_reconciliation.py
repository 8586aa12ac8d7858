"""Lines against bookings: everything that fits is quiet, everything that does not is told once."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain import reconciliation as words
from holdfast.domain.differences import compare, compare_wallet, unlisted
from holdfast.domain.disputes import Dispute
from holdfast.domain.entries import DISPUTES
from holdfast.domain.payments import BALANCE, CANCELED, FAILED, PENDING
from holdfast.domain.reconciliation import (
    BOOKED_WITHIN,
    DIFFERENCES_KEPT,
    KINDS,
    LISTED_WITHIN,
    Difference,
    Findings,
    KeptDispute,
    KeptPayment,
    Line,
    Report,
    days_to_do,
    healed,
    is_healable,
    report,
)
from tests.domain.reconciled import (
    BEGAN,
    CENT,
    DEFECTS,
    EIGHT,
    Day,
    clean_day,
    entry_of,
    line_of,
    paid,
    plant,
    refunded,
    settled_charges,
)
from tests.domain.samples import NOW, wallet

SECOND = timedelta(seconds=1)
NOON = BEGAN + timedelta(hours=12)


def found_in(day: Day, **told) -> Findings:
    return compare(day.lines.values(), day.books, now=NOW, **told)


def kinds_of(found: Findings) -> list[tuple[str, str]]:
    return sorted((each.kind, each.payment_id) for each in found.differences)


def one(kept: KeptPayment, *lines: Line) -> Day:
    """A day with one payment."""
    return Day({line.id: line for line in lines}, {kept.payment.id: kept})


def check_explained(found: Findings) -> None:
    """Differences and what is in flight are all that totals differ by, to the micro."""
    told: Counter[tuple[str, str]] = Counter()
    for each in found.differences:
        told[each.currency, each.type] += each.amount_micros
    for total in found.totals:
        explained = told[total.currency, total.type] + total.in_flight_micros
        assert total.difference_micros == explained, total


# --- The proof, at scale -------------------------------------------------------------------------


def check_proven(rows: int, defects: int, *, seed: int) -> None:
    """A clean day is quiet; then each planted defect is told, in its kind, and nothing else is."""
    day = clean_day(rows, seed=seed)
    clean = found_in(day)
    assert clean.differences == ()
    assert clean.in_flight > 0
    check_explained(clean)

    planted = plant(day, defects, kinds=EIGHT, seed=seed)
    lines = list(day.lines.values())
    random.Random(seed).shuffle(lines)
    found = compare(lines, day.books, now=NOW)

    assert kinds_of(found) == planted
    assert set(Counter(each.kind for each in found.differences).values()) == {defects // 8}
    assert found.in_flight == clean.in_flight


def test_eighty_defects_among_five_thousand_payments_are_told_and_nothing_else():
    check_proven(5_000, 80, seed=7)


@pytest.mark.soak
def test_a_thousand_defects_among_a_hundred_thousand_payments_are_told_and_nothing_else():
    check_proven(100_000, 1_000, seed=15)


@pytest.mark.parametrize("seed", range(5))
def test_what_totals_differ_by_is_what_was_told(seed):
    day = clean_day(300, seed=seed)
    explained = {kind: plants for kind, plants in DEFECTS.items() if kind != "currency"}

    planted = plant(day, 90, kinds=explained, seed=seed)
    found = found_in(day)

    assert kinds_of(found) == planted
    check_explained(found)


@pytest.mark.parametrize(
    ("kind", "number"),
    [(kind, number) for kind, plants in DEFECTS.items() for number in range(len(plants))],
)
def test_each_defect_by_itself_is_told_with_all_that_is_known_of_it(kind, number):
    day = clean_day(40)
    kept = next(settled_charges(day))
    about = DEFECTS[kind][number](day, kept)

    (found,) = found_in(day).differences

    assert (found.kind, found.payment_id) == (kind, about)
    assert found.type == "charge"
    assert found.stripe_id.startswith("pi_")
    assert found.line_id or found.entry_id
    if about:
        assert (found.org, found.account_id) == (kept.payment.tenant.org, kept.payment.account_id)


# --- Charges -------------------------------------------------------------------------------------

KEPT = paid(1, 500 * CENT, "usd", at=NOON)
LINE = line_of(KEPT, words.CHARGE, at=NOON)


@pytest.mark.parametrize(
    ("line", "amount_cents"),
    [
        (replace(LINE, amount_micros=501 * CENT), 1),
        (replace(LINE, amount_micros=499 * CENT), -1),
    ],
    ids=["a cent more", "a cent less"],
)
def test_a_cent_is_a_difference(line, amount_cents):
    (found,) = found_in(one(KEPT, line)).differences

    assert (found.kind, found.amount_micros) == ("amount", amount_cents * CENT)


def test_of_two_things_that_are_wrong_the_first_is_told():
    line = replace(LINE, amount_micros=CENT, currency="eur", account_id="acct_other")

    (found,) = found_in(one(KEPT, line)).differences

    assert (found.kind, found.because) == ("wrong_account", "acct_other")


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"entry_id": "ent_gone"}, "entry_missing"),
        ({"received_micros": 499 * CENT}, "amount"),
        ({"received_currency": "eur"}, "currency"),
        ({"id": "pay_other"}, "reference"),
    ],
)
def test_an_entry_that_is_not_what_its_payment_says_is_a_matter_of_the_ledger(change, because):
    payment = replace(KEPT.payment, **change)
    entry = None if because == "entry_missing" else KEPT.entry
    line = replace(LINE, payment_id=payment.id)

    (found,) = found_in(one(KeptPayment(payment=payment, entry=entry), line)).differences

    assert (found.kind, found.because) == ("ledger", because)


@pytest.mark.parametrize(
    ("settled_at", "at"), [(NOON, NOON), (None, NOON + SECOND)], ids=["settled", "only written"]
)
def test_an_entry_that_is_gone_is_told_at_the_instant_that_its_payment_knows(settled_at, at):
    payment = replace(KEPT.payment, settled_at=settled_at, updated_at=NOON + SECOND)

    (found,) = found_in(one(KeptPayment(payment=payment))).differences

    assert (found.kind, found.because, found.at) == ("ledger", "entry_missing", at)


@pytest.mark.parametrize("status", [FAILED, CANCELED])
def test_a_payment_that_has_an_entry_and_is_not_paid_is_told(status):
    kept = replace(KEPT, payment=replace(KEPT.payment, status=status))

    (found,) = found_in(one(kept, LINE)).differences

    assert (found.kind, found.because, found.amount_micros) == ("status", status, 0)


def test_a_payment_that_the_wallet_made_needs_no_line():
    by_balance = replace(KEPT.payment, payment_method_id=BALANCE, payment_intent_id="")

    assert found_in(one(replace(KEPT, payment=by_balance))).differences == ()


def test_a_payment_that_was_never_booked_and_has_no_line_is_nothing():
    waits = replace(KEPT.payment, status=PENDING, entry_id="")

    assert found_in(one(KeptPayment(payment=waits))) == Findings(
        differences=(), totals=(), in_flight=0
    )


def test_a_line_of_another_day_is_where_the_booking_belongs():
    day = one(KEPT)
    mark = (words.CHARGE, "pi_1")
    assert [each.mark for each in unlisted((), day.books)] == [mark]

    books = replace(day.books, elsewhere={mark: "pay_1"})

    assert compare((), books, now=NOW) == Findings(differences=(), totals=(), in_flight=0)


def test_a_line_belongs_to_a_charge_when_it_names_its_payment():
    other = replace(LINE, payment_id="pay_2")
    back = refunded(2, 300 * CENT, "usd", at=NOON)
    unnamed = replace(line_of(back, words.REFUND_LINE, at=NOON), payment_id="pay_1")

    assert unlisted([LINE], one(KEPT).books) == []
    assert [each.owner.id for each in unlisted([other], one(KEPT).books)] == ["pay_1"]
    assert unlisted([unnamed], one(back).books) == []


def test_a_line_of_another_day_that_names_another_payment_is_a_second_booking():
    books = replace(one(KEPT).books, elsewhere={(words.CHARGE, "pi_1"): "pay_2"})

    (found,) = compare((), books, now=NOW).differences

    assert (found.kind, found.amount_micros) == ("duplicate", -500 * CENT)


def test_a_payment_that_stripe_took_back_is_told():
    failure = replace(LINE, id="txn_2", type=words.CHARGE_FAILURE, amount_micros=-500 * CENT)

    (found,) = found_in(one(KEPT, LINE, failure)).differences

    assert (found.kind, found.type, found.amount_micros) == (
        "status",
        "charge_failure",
        -500 * CENT,
    )


@pytest.mark.parametrize("type_", ["adjustment", "other_adjustment", "something_new"])
def test_a_type_that_nobody_knows_is_told(type_):
    (found,) = found_in(one(KEPT, LINE, replace(LINE, id="txn_2", type=type_))).differences

    assert (found.kind, found.type) == ("unknown_line", type_)


@pytest.mark.parametrize(
    ("age", "kind"),
    [(BOOKED_WITHIN - SECOND, None), (BOOKED_WITHIN, "missing_here")],
    ids=["a second less", "as much"],
)
def test_a_line_may_wait_for_its_booking(age, kind):
    waits = KeptPayment(payment=replace(KEPT.payment, status=PENDING, entry_id=""))

    found = compare([LINE], one(waits).books, now=NOON + age)

    assert [each.kind for each in found.differences] == ([kind] if kind else [])
    assert found.in_flight == (0 if kind else 1)
    check_explained(found)


@pytest.mark.parametrize(
    ("age", "kind"),
    [(LISTED_WITHIN - SECOND, None), (LISTED_WITHIN, "missing_at_stripe")],
    ids=["a second less", "as much"],
)
def test_a_booking_may_wait_for_its_line(age, kind):
    found = compare((), one(KEPT).books, now=NOON + age)

    assert [each.kind for each in found.differences] == ([kind] if kind else [])
    assert found.in_flight == (0 if kind else 1)
    check_explained(found)


@pytest.mark.parametrize(
    ("after", "kind"),
    [(BOOKED_WITHIN, None), (BOOKED_WITHIN + timedelta(milliseconds=1), "late")],
    ids=["in time", "a millisecond late"],
)
def test_a_booking_is_late_after_a_quarter_of_an_hour(after, kind):
    kept = paid(1, 500 * CENT, "usd", at=NOON + after)

    found = found_in(one(kept, LINE))
    mended = found_in(one(kept, LINE), runs=[NOON + after])

    assert [(each.kind, each.amount_micros) for each in found.differences] == (
        [(kind, 0)] if kind else []
    )
    assert mended.differences == ()


# --- Refunds -------------------------------------------------------------------------------------

BACK = refunded(2, 300 * CENT, "usd", at=NOON)
BACK_LINE = line_of(BACK, words.REFUND_LINE, at=NOON + SECOND)
FAILURE_LINE = line_of(BACK, words.REFUND_FAILURE, at=NOON + SECOND)
UNDONE = KeptPayment(
    payment=replace(BACK.payment, status=FAILED, undone_by="ent_undo"),
    entry=BACK.entry,
    undoing=entry_of(BACK.payment, -300 * CENT, at=NOON, name="ent_undo"),
)


@pytest.mark.parametrize(
    ("kept", "lines", "told"),
    [
        (BACK, (BACK_LINE,), []),
        (BACK, (), [("missing_at_stripe", 300)]),
        (BACK, (BACK_LINE, FAILURE_LINE), [("status", 300)]),
        (UNDONE, (BACK_LINE, FAILURE_LINE), []),
        (UNDONE, (), []),
        (UNDONE, (BACK_LINE,), [("status", -300)]),
        (UNDONE, (FAILURE_LINE,), [("missing_at_stripe", 300)]),
        (replace(BACK, payment=replace(BACK.payment, status=PENDING)), (BACK_LINE,), []),
        (replace(BACK, payment=replace(BACK.payment, status=PENDING)), (), []),
        (
            KeptPayment(payment=replace(BACK.payment, status=FAILED, entry_id="")),
            (BACK_LINE,),
            [("status", -300)],
        ),
    ],
    ids=[
        "gone to the card",
        "not gone",
        "gone and come back unheard",
        "undone",
        "refused before it went",
        "undone here alone",
        "come back without having gone",
        "on its way",
        "not on its way yet",
        "gone and not booked",
    ],
)
def test_a_refund_is_what_stripe_says(kept, lines, told):
    found = found_in(one(kept, *lines))

    assert [(each.kind, each.amount_micros // CENT) for each in found.differences] == told
    check_explained(found)


def test_a_refund_that_no_record_is_there_of_is_missing():
    line = replace(BACK_LINE, payment_id="pay_1", account_id="acct_1")

    found = found_in(one(KEPT, LINE, line))

    assert [(each.kind, each.payment_id) for each in found.differences] == [
        ("missing_here", "pay_1")
    ]


# --- Disputes ------------------------------------------------------------------------------------


def disputed(stage: str, **told) -> KeptDispute:
    status = {"open": "needs_response", "dropped": "warning_closed"}.get(stage, stage)
    payment = KEPT.payment
    facts = {
        "id": "du_1",
        "account_id": payment.account_id,
        "payment_id": payment.id,
        "payment_intent_id": payment.payment_intent_id,
        "charge_id": payment.charge_id,
        "amount_micros": 500 * CENT,
        "currency": "usd",
        "owed_micros": 500 * CENT,
        "status": status,
        "reason": "fraudulent",
        "opened_at": NOON,
        "observed_at": NOON,
        "frozen_by": "ent_f",
        "closed_by": "" if stage == "open" else "ent_c",
        "taken_micros": 500 * CENT if stage == "lost" else 0,
        **told,
    }
    frozen = entry_of(payment, 0, at=NOON, name="ent_f")
    closed = entry_of(payment, 0, at=NOON, name="ent_c")
    if stage == "lost":
        closed = replace(closed, postings={DISPUTES: 500 * CENT, "held": -500 * CENT})
    return KeptDispute(
        tenant=payment.tenant,
        dispute=Dispute(**facts),
        frozen=frozen,
        closed=None if stage == "open" else closed,
    )


TAKEN = replace(LINE, id="txn_d", type=words.DISPUTE, about="du_1", amount_micros=-500 * CENT)
RETURNED = replace(TAKEN, id="txn_r", type=words.DISPUTE_REVERSAL, amount_micros=500 * CENT)


@pytest.mark.parametrize(
    ("kept", "lines", "told"),
    [
        (disputed("open"), (TAKEN,), []),
        (disputed("lost"), (TAKEN,), []),
        (disputed("won"), (TAKEN, RETURNED), []),
        (disputed("won"), (), []),
        (None, (TAKEN,), [("missing_here", "dispute")]),
        (disputed("open"), (TAKEN, RETURNED), [("missing_here", "dispute_reversal")]),
        (disputed("lost"), (TAKEN, RETURNED), [("status", "dispute_reversal")]),
        (disputed("dropped"), (TAKEN,), [("status", "dispute")]),
        (disputed("won"), (TAKEN,), [("status", "dispute_reversal")]),
        (disputed("open", amount_micros=499 * CENT), (TAKEN,), [("amount", "dispute")]),
        (disputed("lost", taken_micros=499 * CENT), (TAKEN,), [("ledger", "dispute")]),
        (replace(disputed("open"), frozen=None), (TAKEN,), [("ledger", "dispute")]),
        (
            replace(disputed("won"), closed=None),
            (TAKEN, RETURNED),
            [("ledger", "dispute_reversal")],
        ),
        (disputed("open", currency="eur"), (TAKEN,), []),
    ],
    ids=[
        "open",
        "lost",
        "won",
        "won before anything was taken",
        "unheard of",
        "won unheard",
        "lost here and won there",
        "dropped here and taken there",
        "won here and not there",
        "another amount",
        "taken otherwise",
        "an entry that is gone",
        "the last entry gone",
        "in the currency of the bank",
    ],
)
def test_a_dispute_is_what_stripe_says(kept, lines, told):
    day = one(KEPT, LINE, *lines)
    if kept is not None:
        day.disputes["du_1"] = kept

    found = found_in(day)

    assert [(each.kind, each.type) for each in found.differences] == told
    check_explained(found)


def test_a_dispute_that_was_heard_of_in_time_is_not_late_for_how_long_the_bank_took():
    heard = disputed("lost")
    assert heard.closed is not None
    weeks_later = NOON + timedelta(days=20)
    lost = replace(heard, closed=replace(heard.closed, created_at=weeks_later))
    unheard = replace(lost, frozen=None, dispute=replace(lost.dispute, frozen_by=""))

    found = []
    for kept in (lost, unheard):
        day = one(KEPT, LINE, TAKEN)
        day.disputes["du_1"] = kept
        found.append([each.kind for each in found_in(day).differences])

    assert found == [[], ["late"]]


# --- Wallets -------------------------------------------------------------------------------------


def test_a_wallet_is_what_its_last_entry_left():
    mine = wallet(cash=500, cash_held=100)
    last = replace(
        entry_of(KEPT.payment, 0, at=NOON),
        seq=mine.seq,
        hash=mine.head,
        balance_after_micros=600,
        held_after_micros=100,
    )

    def because(found: Difference | None) -> str | None:
        return found.because if found else None

    assert compare_wallet(mine, last, now=NOW) is None
    assert because(compare_wallet(mine, None, now=NOW)) == "entry_missing"
    assert because(compare_wallet(mine, replace(last, seq=6), now=NOW)) == "entry_missing"
    more = replace(last, balance_after_micros=601)
    assert because(compare_wallet(mine, more, now=NOW)) == "balance"
    assert because(compare_wallet(mine, replace(last, held_after_micros=99), now=NOW)) == "held"
    assert because(compare_wallet(mine, replace(last, hash="f" * 64), now=NOW)) == "head"
    told = compare_wallet(mine, more, now=NOW)
    assert told is not None
    assert (told.kind, told.amount_micros, told.account_id) == ("ledger", 1, mine.account_id)
    assert told.at == NOW
    moved = compare_wallet(replace(mine, updated_at=NOON), more, now=NOW)
    assert moved is not None
    assert moved.at == NOON


# --- Reports -------------------------------------------------------------------------------------


def difference(number: int, **told) -> Difference:
    facts = {
        "kind": "amount",
        "type": "charge",
        "currency": "usd",
        "there_micros": number,
        "here_micros": 0,
        "at": NOON,
        "line_id": f"txn_{number}",
        **told,
    }
    return Difference(**facts)


def reported(*differences: Difference, before: Report | None = None) -> Report:
    found = Findings(differences=differences, totals=(), in_flight=0)
    return report(before, found, mode="live", day="2026-11-20", lines=1, payments=1, now=NOW)


@pytest.mark.parametrize("number", [DIFFERENCES_KEPT - 1, DIFFERENCES_KEPT, DIFFERENCES_KEPT + 1])
def test_a_report_keeps_two_hundred_differences_and_counts_all(number):
    made = reported(*map(difference, range(number)))

    assert len(made.differences) == min(number, 200)
    assert (made.count, made.open_count, made.counts) == (number, number, {"amount": number})
    assert made.differences[0].amount_micros == number - 1


def test_what_is_open_stands_before_what_was_healed_and_the_kinds_in_their_order():
    every = [difference(number, kind=kind) for number, kind in enumerate(reversed(KINDS))]
    mended = difference(99, kind="missing_here", is_healed=True)

    made = reported(mended, *every)

    assert [each.kind for each in made.differences] == [*KINDS, "missing_here"]
    assert (made.healed, made.open_count, made.runs) == (1, len(KINDS), (NOW,))


def test_a_report_takes_the_place_of_the_one_before_and_knows_its_runs():
    first = reported(difference(1, is_healed=True))

    second = reported(before=first)

    assert (first.version, second.version) == (1, 2)
    assert (second.count, second.runs) == (0, (NOW,))


def test_what_is_gone_when_it_is_looked_at_again_was_healed():
    first = Findings(differences=(difference(1), difference(2)), totals=(), in_flight=3)
    second = Findings(differences=(difference(2),), totals=(), in_flight=0)

    found = healed(first, second)

    assert [(each.line_id, each.is_healed) for each in found.differences] == [
        ("txn_2", False),
        ("txn_1", True),
    ]
    assert found.in_flight == 0


def test_only_what_stripe_has_can_be_healed():
    at_stripe = {"stripe_id": "pi_1"}

    able = [kind for kind in KINDS if is_healable(difference(1, kind=kind, **at_stripe))]

    assert able == ["missing_here", "status"]
    assert not is_healable(difference(1, kind="status", line_id="", **at_stripe))
    assert not is_healable(difference(1, kind="missing_here"))


def made_on(day: str, *, at: timedelta = timedelta(days=1, hours=1)) -> Report:
    return Report(mode="live", day=day, made_at=words.starts_at(day) + at)


@pytest.mark.parametrize(
    ("known", "due"),
    [
        ([], ["2026-11-20"]),
        ([made_on("2026-11-20")], []),
        ([made_on("2026-11-18")], ["2026-11-19", "2026-11-20"]),
        ([made_on("2026-11-20", at=timedelta(hours=24, minutes=59))], ["2026-11-20"]),
        ([made_on("2026-11-18"), made_on("2026-11-20")], ["2026-11-19"]),
        ([made_on("2026-11-01")], ["2026-11-20"]),
    ],
    ids=["none yet", "made", "nights missed", "made too early", "one missed", "long ago"],
)
def test_which_days_are_due(known, due):
    assert days_to_do({each.day: each for each in known}, now=NOW) == due


def test_a_report_is_final_an_hour_after_its_day():
    late = made_on("2026-11-20", at=timedelta(hours=25))
    early = made_on("2026-11-20", at=timedelta(hours=25) - timedelta(milliseconds=1))

    assert (late.is_final, early.is_final) == (True, False)
