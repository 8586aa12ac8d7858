"""The nightly run: both modes, whatever becomes of the other, and what it leaves in the log."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast import providers, runtime
from holdfast import reconcile as command
from holdfast.errors import Unavailable
from payments import nightly
from tests.services.shop import Shop, shop

SCHEDULED = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}
PARAMETERS = {"live": "/holdfast/stripe-live-key", "test": "/holdfast/stripe-test-key"}
NIGHT = timedelta(hours=23)


@pytest.fixture
def till(monkeypatch) -> Shop:
    """A shop in the place of the environment."""
    made = shop()
    told = replace(runtime.settings(), stripe_key_parameters=PARAMETERS)
    monkeypatch.setattr(runtime, "ledger_store", lambda: made.caller.store)
    monkeypatch.setattr(runtime, "now", lambda: made.now)
    monkeypatch.setattr(runtime, "settings", lambda: told)
    monkeypatch.setattr(providers, "stripe", made.stripes)
    return made


def emitted(capsys) -> list[dict[str, float]]:
    """The metrics of each report."""
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = (nightly.DIFFERENCES_METRIC, nightly.HEALED_METRIC)
    return [{name: sum(line[name]) for name in names} for line in printed if names[0] in line]


def test_a_night_without_a_difference_counts_none(till, capsys):
    till.pay(500)
    till.wait(NIGHT)

    assert nightly.reconcile(SCHEDULED, None) == {"reports": 2, "differences": 0}

    assert emitted(capsys) == [{nightly.DIFFERENCES_METRIC: 0, nightly.HEALED_METRIC: 0}] * 2


def test_a_difference_is_counted_for_an_alarm_and_logged_with_no_name_in_it(till, capsys):
    paid = till.pay(500)
    till.line(paid.charge_id)["amount"] += 1
    till.wait(NIGHT)

    assert nightly.reconcile(SCHEDULED, None) == {"reports": 2, "differences": 1}

    printed = capsys.readouterr()
    assert paid.id not in printed.out + printed.err
    assert '"differences":{"amount":1}' in printed.err
    counted = [json.loads(line) for line in printed.out.splitlines()]
    assert [line[nightly.DIFFERENCES_METRIC] for line in counted] == [[1.0], [0.0]]


def test_the_second_tick_of_a_night_does_nothing(till):
    till.pay(500)
    till.wait(NIGHT)
    nightly.reconcile(SCHEDULED, None)
    before = till.caller.stored()

    assert nightly.reconcile(SCHEDULED, None) == {"reports": 0, "differences": 0}

    assert till.caller.stored() == before


def test_a_mode_that_breaks_does_not_stop_the_other(till, capsys):
    till.pay(500)
    till.wait(NIGHT)
    till.stripes("live")
    door = till.doors["live"]
    door.plan = {door.calls: "before"}

    with pytest.raises(ExceptionGroup) as broken:
        nightly.reconcile(SCHEDULED, None)

    assert len(broken.value.exceptions) == 1
    assert len(emitted(capsys)) == 1
    door.plan = {}
    assert nightly.reconcile(SCHEDULED, None)["reports"] == 1


def keyless(till: Shop, monkeypatch) -> None:
    """No key of live mode was ever put where it is looked for."""

    def no_key() -> str:
        raise Unavailable

    connection = till.stripes("live").balance.connection
    monkeypatch.setattr(connection, "_secret", no_key)
    monkeypatch.setattr(connection, "_key", None)


def test_a_mode_in_which_nobody_pays_needs_no_key(till, monkeypatch):
    till.wait(NIGHT)
    keyless(till, monkeypatch)

    assert nightly.reconcile(SCHEDULED, None) == {"reports": 1, "differences": 0}


def test_a_key_that_is_gone_is_not_passed_over_where_somebody_paid(till, monkeypatch):
    till.pay(500)
    till.wait(NIGHT)
    keyless(till, monkeypatch)

    with pytest.raises(ExceptionGroup):
        nightly.reconcile(SCHEDULED, None)


def test_a_mode_without_the_name_of_a_key_is_not_asked_for(till, monkeypatch):
    told = replace(runtime.settings(), stripe_key_parameters={**PARAMETERS, "live": ""})
    monkeypatch.setattr(runtime, "settings", lambda: told)
    till.wait(NIGHT)

    assert nightly.reconcile(SCHEDULED, None)["reports"] == 1


# --- By hand -------------------------------------------------------------------------------------


def test_a_run_by_hand_prints_both_modes(till, capsys):
    till.pay(500)
    till.wait(NIGHT)

    assert command.main([]) == 0

    assert capsys.readouterr().out == (
        "live 2026-11-21: 1 lines, 1 payments, 0 in flight, 0 differences, 0 healed\n"
        "  charge usd: Stripe 500, ledger 500, fees 45\n"
        "test 2026-11-21: 0 lines, 0 payments, 0 in flight, 0 differences, 0 healed\n"
    )


def test_a_difference_is_printed_and_told_by_the_exit_status(till, capsys):
    paid = till.pay(500)
    line = till.line(paid.charge_id)
    line["amount"] += 1

    assert command.main(["--mode", "live", "--day", "2026-11-21"]) == 1

    assert capsys.readouterr().out == (
        "live 2026-11-21: 1 lines, 1 payments, 0 in flight, 1 differences, 0 healed\n"
        "  charge usd: Stripe 501, ledger 500, fees 45\n"
        f"  amount charge 1 usd acme {paid.account_id} {paid.id} {paid.entry_id} {line['id']} "
        f"{paid.payment_intent_id}\n"
    )


def test_without_stripe_nothing_is_compared_and_that_is_said(till, capsys):
    till.stripes("test")
    till.doors["test"].plan = {0: "before"}

    assert command.main(["--mode", "test"]) == 2

    assert capsys.readouterr().err.startswith("test 2026-11-20: The payment provider does not")


@pytest.mark.parametrize("arguments", [["--mode", "both"], ["--day", "today"]])
def test_what_is_neither_a_mode_nor_a_day_is_not_taken(till, arguments):
    before = till.caller.stored()

    with pytest.raises(SystemExit):
        command.main(arguments)

    assert till.caller.stored() == before
