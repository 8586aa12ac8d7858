"""When several refusals apply, the documented order wins.

Shape, then existence and ownership, then state, then limits, then money: a caller is told what is
wrong first, and never learns about money from a request that could not have been granted anyway.
"""

from dataclasses import replace

import pytest

from holdfast.domain import holds, quotes
from holdfast.domain import wallet as rules
from holdfast.domain.ledger import Wallet
from holdfast.domain.money import AMOUNT_MICROS_MAX, WALLET_MICROS_MAX
from holdfast.domain.quotes import DevicePrice, HeldJob, Quote
from holdfast.domain.wallet import Refunded
from holdfast.errors import (
    AmountTooLarge,
    DeviceOffline,
    HoldClosed,
    HoldExceeded,
    HoldExpired,
    InsufficientFunds,
    InvalidField,
    JobHeld,
    NotRefundable,
    QuoteExpired,
    QuoteUsed,
    RefundExceeded,
    ReleaseDiffers,
    TooManyLots,
    TransactionNotFound,
)
from tests.domain.samples import (
    HOUR,
    NOW,
    credit,
    hold,
    hold_after,
    once,
    wallet,
    wallet_after,
)

POOR = wallet(cash=150)
TOO_LARGE = AMOUNT_MICROS_MAX + 1

PLACED = holds.place_hold(POOR, hold(100), once("place"))
OPEN = hold_after(PLACED)
LEFT = wallet_after(PLACED)
EXPIRY = OPEN.expires_at
CAPTURED = hold_after(holds.capture_hold(LEFT, OPEN, once("c"), amount_micros=40, final=True))
LENDING = replace(OPEN, over_capture="overdraft", overdraft_micros=10)


@pytest.mark.parametrize(
    ("of", "now", "amount", "refusal"),
    [
        pytest.param(OPEN, EXPIRY, TOO_LARGE, AmountTooLarge, id="shape before expired"),
        pytest.param(CAPTURED, NOW, TOO_LARGE, AmountTooLarge, id="shape before closed"),
        pytest.param(OPEN, EXPIRY, 101, HoldExpired, id="expired before exceeded"),
        pytest.param(CAPTURED, NOW, 101, HoldClosed, id="closed before exceeded"),
        pytest.param(CAPTURED, EXPIRY, 1, HoldClosed, id="captured stays so after its time"),
        pytest.param(LENDING, EXPIRY, 9_999, HoldExpired, id="expired before money"),
        pytest.param(OPEN, NOW, 9_999, HoldExceeded, id="the hold's limit before money"),
        pytest.param(LENDING, NOW, 9_999, InsufficientFunds, id="money last"),
    ],
)
@pytest.mark.parametrize("final", [False, True])
def test_of_a_capture(of, now, amount, refusal, final):
    with pytest.raises(refusal):
        holds.capture_hold(LEFT, of, once(now=now), amount_micros=amount, final=final)


@pytest.mark.parametrize(
    ("of", "now", "more", "refusal"),
    [
        pytest.param(OPEN, EXPIRY, TOO_LARGE, HoldExpired, id="expired before its limit"),
        pytest.param(CAPTURED, NOW, TOO_LARGE, HoldClosed, id="closed before its limit"),
        pytest.param(CAPTURED, NOW, 9_999, HoldClosed, id="closed before money"),
        pytest.param(OPEN, NOW, AMOUNT_MICROS_MAX, AmountTooLarge, id="its limit before money"),
        pytest.param(OPEN, NOW, 9_999, InsufficientFunds, id="money last"),
    ],
)
def test_of_an_extension(of, now, more, refusal):
    with pytest.raises(refusal):
        holds.extend_hold(LEFT, of, once(now=now), expires_at=None, amount_micros=more)


def test_of_a_new_hold_the_amount_comes_before_the_money():
    with pytest.raises(AmountTooLarge):
        holds.place_hold(POOR, hold(TOO_LARGE), once())


def test_of_a_withdrawal_the_amount_comes_before_the_money():
    with pytest.raises(AmountTooLarge):
        rules.withdraw(POOR, once(), amount_micros=TOO_LARGE)


CROWDED = wallet(*(credit(f"lot_{number}", 1) for number in range(200)), cash=WALLET_MICROS_MAX)


@pytest.mark.parametrize(
    ("before", "amount", "refusal"),
    [
        pytest.param(CROWDED, TOO_LARGE, AmountTooLarge, id="shape before room"),
        pytest.param(CROWDED, 5, TooManyLots, id="room before the most a wallet can hold"),
        pytest.param(replace(CROWDED, lots=()), 5, AmountTooLarge, id="the most at last"),
    ],
)
def test_of_a_deposit(before, amount, refusal):
    with pytest.raises(refusal):
        rules.deposit(before, once(), amount_micros=amount, expires_at=NOW + HOUR)


CHARGE = rules.use(POOR, once("use"), amount_micros=30).entry
DEPOSIT = rules.deposit(POOR, once("deposit"), amount_micros=30).entry
STRANGER = replace(POOR, account_id=f"acct_{'b' * 26}")
EUROS = replace(POOR, currency="eur")


@pytest.mark.parametrize(
    ("before", "original", "amount", "refusal"),
    [
        pytest.param(STRANGER, CHARGE, TOO_LARGE, AmountTooLarge, id="shape before existence"),
        pytest.param(
            replace(STRANGER, currency="eur"),
            DEPOSIT,
            31,
            TransactionNotFound,
            id="somebody else's before all that it would tell",
        ),
        pytest.param(STRANGER, CHARGE, 31, TransactionNotFound, id="ownership before limits"),
        pytest.param(EUROS, DEPOSIT, 31, InvalidField, id="the currency before its type"),
        pytest.param(EUROS, CHARGE, 31, InvalidField, id="the currency before limits"),
        pytest.param(POOR, DEPOSIT, 31, NotRefundable, id="its type before limits"),
        pytest.param(POOR, CHARGE, 31, RefundExceeded, id="limits last"),
    ],
)
def test_of_a_refund(before, original, amount, refusal):
    refunded = Refunded(entry_id=original.id, account_id=original.account_id)

    with pytest.raises(refusal):
        rules.refund(before, refunded, once(), original=original, amount_micros=amount)


DEVICE = DevicePrice(
    provider="braket", device="qpu", currency="usd", per_task_micros=10_000, per_shot_micros=0
)
ASKED = quotes.quote_job(DEVICE, POOR, once("quote"), shots=1, tasks=1, job_id=None)
USED = replace(ASKED, used_by="job-1", entry_id="ent_x")
HELD_JOB = HeldJob(job_id="job-2", account_id=POOR.account_id, hold_id=OPEN.id, version=1)
LATE = ASKED.expires_at
OTHER_DAY = replace(OPEN, expires_at=LATE + HOUR)


@pytest.mark.parametrize(
    ("quote", "held", "now", "refusal"),
    [
        pytest.param(USED, HELD_JOB, LATE, QuoteUsed, id="used before held, expired and money"),
        pytest.param(ASKED, HELD_JOB, LATE, JobHeld, id="held before expired and money"),
        pytest.param(ASKED, None, LATE, QuoteExpired, id="expired before money"),
        pytest.param(ASKED, None, NOW, InsufficientFunds, id="money last"),
    ],
)
def test_of_a_quoted_hold(quote: Quote, held, now, refusal):
    with pytest.raises(refusal):
        quotes.hold_quoted(
            POOR, quote, held, OTHER_DAY, once(now=now), job_id="job-2", hold_id=OPEN.id
        )


def test_of_a_quote_the_devices_state_comes_before_the_amount():
    offline = replace(DEVICE, online=False)

    with pytest.raises(DeviceOffline):
        quotes.quote_job(offline, POOR, once(), shots=1, tasks=AMOUNT_MICROS_MAX, job_id=None)


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        pytest.param(101, ReleaseDiffers, id="released before exceeded"),
        pytest.param(39, ReleaseDiffers, id="released with another amount"),
    ],
)
def test_of_the_release_of_a_job_that_was_released(amount, refusal):
    with pytest.raises(refusal):
        quotes.release_job(POOR, CAPTURED, once(), capture_micros=amount, reason=None)


def test_an_expired_job_is_no_refusal_at_all():
    journal = quotes.release_job(LEFT, OPEN, once(now=EXPIRY), capture_micros=101, reason=None)

    assert isinstance(wallet_after(journal), Wallet)
    assert wallet_after(journal).held_micros == 0
