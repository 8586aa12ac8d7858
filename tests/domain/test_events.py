from dataclasses import replace

import pytest

from holdfast.domain import entries
from holdfast.domain.events import NAMES, events_of
from tests.domain.samples import USAGE

LOW = 500


def names(entry, *, low: int = LOW) -> list[str]:
    return [event.name for event in events_of(entry, low_balance_micros=low)]


@pytest.mark.parametrize(
    ("entry_type", "name"),
    [
        ("introductory_credit", ["wallet.credited"]),
        ("deposit", ["wallet.credited"]),
        ("refund", ["wallet.refunded"]),
        ("withdrawal", ["wallet.withdrawn"]),
        ("hold_expiry", ["hold.expired"]),
        ("lot_expiry", ["lot.expired"]),
        ("dispute_opened", ["dispute.opened"]),
        ("dispute_won", ["dispute.won"]),
        ("dispute_lost", ["dispute.lost"]),
        ("usage", []),
        ("hold", []),
        ("extension", []),
        ("capture", []),
        ("release", []),
    ],
)
def test_an_entry_is_news_or_it_is_not(entry_type, name):
    rich = replace(USAGE, type=entry_type, postings={}, balance_after_micros=LOW)

    assert names(replace(rich, held_after_micros=0)) == name
    assert entry_type in NAMES or name == []


def spent(*, before: int, after: int, held: int = 0) -> entries.Entry:
    return replace(
        USAGE,
        postings={"wallet": after - before, "revenue": before - after},
        balance_after_micros=after + held,
        held_after_micros=held,
    )


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (501, 500, []),
        (500, 499, ["wallet.low_balance"]),
        (501, 499, ["wallet.low_balance"]),
        (499, 498, []),
        (499, 500, []),
        (1, 0, []),
        (0, -1, ["wallet.overdrawn"]),
        (-1, -2, []),
        (-1, 0, []),
        (600, -1, ["wallet.low_balance", "wallet.overdrawn"]),
    ],
)
def test_a_threshold_is_news_when_it_is_crossed_downwards(before, after, news):
    assert names(spent(before=before, after=after)) == news
    # What is held does not count as something that can be spent.
    assert names(spent(before=before, after=after, held=10_000)) == news


def test_setting_money_aside_can_make_a_balance_low():
    held = replace(
        USAGE,
        type="hold",
        postings={"wallet": -100, "held": 100},
        balance_after_micros=550,
        held_after_micros=100,
    )

    assert names(held) == ["wallet.low_balance"]


def test_an_event_carries_the_entry_as_its_owner_reads_it():
    (event,) = events_of(
        replace(spent(before=500, after=499), hash="a" * 64), low_balance_micros=LOW
    )

    assert event.detail["id"] == USAGE.id
    assert (event.detail["org"], event.detail["mode"]) == ("acme", "live")
    assert event.detail["account_id"] == USAGE.account_id
    assert event.detail["seq"] == USAGE.seq
    entry = event.detail["entry"]
    assert isinstance(entry, dict)
    assert entry["hash"] == "a" * 64
    assert entry["type"] == "usage"


def test_the_same_entry_gives_the_same_events_at_every_delivery():
    entry = replace(spent(before=600, after=-1), type="deposit")

    assert [*events_of(entry, low_balance_micros=LOW)] == [
        *events_of(entry, low_balance_micros=LOW)
    ]
    assert len(names(entry)) == 3
