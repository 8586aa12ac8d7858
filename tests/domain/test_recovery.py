from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain import recharge as rules
from holdfast.domain.recharge import Verdict
from holdfast.domain.recovery import Recovery, recovery
from tests.domain.recharge_samples import UNTOLD, having, switched_on
from tests.domain.samples import HOUR, NOW

FAILED = replace(
    switched_on(),
    failures=2,
    failed_id="att_1",
    failure_code="card_declined",
    decline_code="generic_decline",
    failed_at=NOW - timedelta(minutes=5),
)


def shown(settings, reason, majors=0, until=None):
    return recovery(settings, having(majors), Verdict(reason, 1, until), now=NOW)


@pytest.mark.parametrize(
    ("reason", "state", "told", "action"),
    [
        (rules.NO_CARD, "blocked", "no_payment_method", "update_payment_method"),
        (rules.BLOCKED, "blocked", "card_declined", "update_payment_method"),
        (rules.DISPUTED, "blocked", "disputed", "add_funds"),
        (rules.BACKING_OFF, "retrying", "card_declined", "update_payment_method"),
        (
            rules.AUTHENTICATION,
            "action_required",
            "authentication_required",
            "complete_authentication",
        ),
    ],
)
def test_what_keeps_a_wallet_from_being_recharged_is_told_with_what_ends_it(
    reason, state, told, action
):
    found = shown(FAILED, reason, until=NOW + HOUR)

    assert (found.state, found.reason, found.required_action) == (state, told, action)
    assert found.blocked_actions == ("auto_recharge",)
    assert found.next_retry_at == (NOW + HOUR if state == "retrying" else None)
    assert (found.failed_attempts, found.failure_code) == (2, "card_declined")


@pytest.mark.parametrize(
    "reason", [rules.ASKED, rules.BELOW, rules.IN_FLIGHT, rules.DAILY_CAP, rules.MONTHLY_CAP]
)
def test_an_account_whose_cards_work_is_in_no_such_state(reason):
    assert shown(switched_on(), reason, until=NOW + HOUR) == Recovery()


@pytest.mark.parametrize(
    ("majors", "state"), [(0, "none"), (-0.000001, "action_required"), (0.000001, "none")]
)
def test_a_debt_is_ended_by_funds(majors, state):
    found = shown(UNTOLD, rules.OFF, majors)

    assert found.state == state
    if majors < 0:
        assert (found.reason, found.required_action) == ("negative_balance", "add_funds")
        assert found.blocked_actions == ("hold", "withdrawal")


def test_a_debt_that_a_dead_card_does_not_pay_is_about_the_card_first():
    found = shown(FAILED, rules.BLOCKED, -1)

    assert (found.state, found.reason) == ("blocked", "card_declined")
    assert found.blocked_actions == ("auto_recharge", "hold", "withdrawal")


def test_a_card_that_failed_elsewhere_fails_here_too():
    found = shown(switched_on(), rules.BACKING_OFF, until=NOW + HOUR)

    assert (found.state, found.reason) == ("retrying", "auto_recharge_failed")
    assert (found.failed_attempts, found.failure_code) == (0, None)
