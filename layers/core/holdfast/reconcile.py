"""Holds a day of Stripe's balance against the ledger, by hand: `python -m holdfast.reconcile`.

It asks the Stripe and the table that its environment names, as the functions do, keeps the report
where they keep it, and prints it. Without `--day` it is the last day that is over; today can be
named too, and what is on its way then is in flight.

Exit status: 0 all is well; 1 something waits for somebody; 2 nothing was compared.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import date

from holdfast import providers, runtime
from holdfast.domain import money
from holdfast.domain.reconciliation import Difference, Report, days_back
from holdfast.errors import Refusal
from holdfast.services import reconciliation

MODES = ("live", "test")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it, and say what was found."""
    asked = _parser().parse_args(arguments)
    now = runtime.now()
    day = asked.day.isoformat() if asked.day else days_back(now)[-1]
    status = 0
    for mode in [asked.mode] if asked.mode else MODES:
        try:
            report = reconciliation.reconcile(
                runtime.ledger_store(), providers.stripe, mode, day, now=now
            )
        except Refusal as refusal:
            sys.stderr.write(f"{mode} {day}: {refusal.message}\n")
            return 2
        sys.stdout.writelines(f"{line}\n" for line in _told(report))
        status = status or int(report.open_count > 0)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reconcile", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--mode", choices=MODES, help="one mode; otherwise both")
    parser.add_argument("--day", type=date.fromisoformat, help="a day of UTC, as 2026-11-21")
    return parser


def _told(report: Report) -> Iterator[str]:
    yield (
        f"{report.mode} {report.day}: {report.lines} lines, {report.payments} payments, "
        f"{report.in_flight} in flight, {report.open_count} differences, {report.healed} healed"
    )
    for total in report.totals:
        there = _amount(total.there_micros, total.currency)
        fees = _amount(total.fee_micros, total.currency)
        here = "-" if total.here_micros is None else _amount(total.here_micros, total.currency)
        yield f"  {total.type} {total.currency}: Stripe {there}, ledger {here}, fees {fees}"
    for difference in report.differences:
        yield f"  {_line(difference)}"
    if report.count > len(report.differences):
        yield f"  and {report.count - len(report.differences)} more"


def _line(found: Difference) -> str:
    word = f"{found.kind} ({found.because})" if found.because else found.kind
    names = (found.org, found.account_id, found.payment_id, found.entry_id, found.line_id)
    healed = " healed" if found.is_healed else ""
    amount = _amount(found.amount_micros, found.currency)
    about = " ".join(filter(None, (*names, found.stripe_id)))
    return f"{word} {found.type} {amount} {found.currency} {about}{healed}"


def _amount(micros: int, currency: str) -> str:
    return money.minor_decimal(micros, currency)


if __name__ == "__main__":
    sys.exit(main())
