"""Stories of disputes: a payment by card that its bank takes back, in the orders it is heard in."""

from tests.faults import disputed
from tests.faults import world as ask
from tests.faults.stories import Effect, Scenario
from tests.faults.world import MAJOR

_BROKE = (ask.use("spend the credit", 10 * MAJOR),)
_SENT = (*_BROKE, disputed.begin("top up", 20 * MAJOR))
_PAID = (*_SENT, disputed.paid("paid", of="top up"))
_SPENT = (*_PAID, ask.use("work", 15 * MAJOR))
_OPEN = (*_SPENT, disputed.disputed("opened", "needs_response", 20 * MAJOR, of="top up"))
_HISTORY = "introductory_credit usage"
_WHILE_OPEN = f"{_HISTORY} deposit usage dispute_opened"

STORIES_OF_DISPUTES = (
    Scenario(
        name="a payment is disputed of which nobody has heard",
        given=_SENT,
        steps=(disputed.disputed("opened", "needs_response", 12 * MAJOR, of="top up"),),
        effect=Effect(
            cash=8 * MAJOR,
            cash_held=12 * MAJOR,
            entries=f"{_HISTORY} deposit dispute_opened",
            people="account, needs_response dispute, succeeded topup",
        ),
    ),
    Scenario(
        name="a dispute freezes what is there, and what comes in stays free",
        given=_SPENT,
        steps=(
            disputed.disputed("opened", "needs_response", 20 * MAJOR, of="top up"),
            ask.use("too much", 1 * MAJOR),
            ask.deposit("more", 3 * MAJOR),
            ask.place_hold("hold", 2 * MAJOR),
            disputed.disputed("again", "under_review", 20 * MAJOR, of="top up", at=1),
        ),
        effect=Effect(
            cash=0,
            cash_held=7 * MAJOR,
            entries=f"{_WHILE_OPEN} usage deposit hold",
            holds="open",
            people="account, succeeded topup, under_review dispute",
        ),
    ),
    Scenario(
        name="a dispute is lost, and the next money pays what was spent",
        given=_OPEN,
        steps=(
            disputed.disputed("lost", "lost", 20 * MAJOR, of="top up", at=1),
            disputed.disputed("late", "needs_response", 20 * MAJOR, of="top up", at=2),
            ask.place_hold("nothing there", 1 * MAJOR, at=3),
            ask.deposit("more", 18 * MAJOR, at=4),
        ),
        effect=Effect(
            cash=3 * MAJOR,
            entries=f"{_WHILE_OPEN} dispute_lost deposit",
            people="account, lost dispute, succeeded topup",
        ),
        refused={"nothing there": "insufficient_funds"},
    ),
    Scenario(
        name="a dispute is lost that nobody has heard of, nor of its payment",
        given=_SENT,
        steps=(disputed.disputed("lost", "lost", 20 * MAJOR, of="top up"),),
        effect=Effect(
            entries=f"{_HISTORY} deposit dispute_lost",
            people="account, lost dispute, succeeded topup",
        ),
    ),
    Scenario(
        name="a dispute is won",
        given=_OPEN,
        steps=(
            disputed.disputed("won", "won", 20 * MAJOR, of="top up", at=1),
            disputed.disputed("twice", "won", 20 * MAJOR, of="top up", at=2),
        ),
        effect=Effect(
            cash=5 * MAJOR,
            entries=f"{_WHILE_OPEN} dispute_won",
            people="account, succeeded topup, won dispute",
        ),
    ),
    Scenario(
        name="a dispute is lost, and won on appeal",
        given=_OPEN,
        steps=(
            disputed.disputed("lost", "lost", 20 * MAJOR, of="top up", at=1),
            disputed.disputed("appeal", "appeal_under_review", 20 * MAJOR, of="top up", at=2),
            disputed.disputed("won", "won", 20 * MAJOR, of="top up", at=3),
        ),
        effect=Effect(
            cash=5 * MAJOR,
            entries=f"{_WHILE_OPEN} dispute_lost dispute_won",
            people="account, succeeded topup, won dispute",
        ),
    ),
    Scenario(
        name="a payment is refunded at Stripe while it is disputed, and the refund fails",
        given=_PAID,
        steps=(
            disputed.disputed("asked", "warning_needs_response", 20 * MAJOR, of="top up"),
            disputed.refunded("refunded", 6 * MAJOR, of="top up", at=1),
            disputed.disputed("closed", "warning_closed", 20 * MAJOR, of="top up", at=2),
            disputed.refunded("failed", 6 * MAJOR, of="top up", status="failed", at=3),
        ),
        effect=Effect(
            cash=20 * MAJOR,
            entries=f"{_HISTORY} deposit dispute_opened card_refund dispute_won card_refund_failed",
            people="account, failed refund, succeeded topup, warning_closed dispute",
        ),
    ),
    Scenario(
        name="a purchase is disputed, and nothing of the wallet is touched",
        given=(*_BROKE, ask.deposit("cash", 4 * MAJOR)),
        steps=(
            disputed.begin("buy", 20 * MAJOR, kind="intent"),
            disputed.disputed("lost", "lost", 20 * MAJOR, of="buy", at=1),
        ),
        effect=Effect(
            cash=4 * MAJOR,
            entries=f"{_HISTORY} deposit card_purchase dispute_lost",
            people="account, lost dispute, succeeded intent",
        ),
    ),
)
