"""The audit: whether what is stored is what the rules of the ledger can have stored.

`audit` takes items as they were scanned or exported, in any order, and names every rule that they
break. It needs no clock and no table: run it over a restored backup as well as over a live export.
A picture that was taken while money moved can show a wallet without its last entries: export to a
point in time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from holdfast.audit import (
    across,
    charges,
    coupons,
    payments,
    recharges,
    statements,
    wallets,
    x402,
)
from holdfast.audit.books import Books, Found, Owned
from holdfast.store.attributes import Attributes

OF_ACCOUNTS: tuple[Callable[[Owned], Found], ...] = (
    *statements.CHECKS,
    *wallets.CHECKS,
    *charges.CHECKS,
)
"""The rules that each account has to keep by itself."""
OF_ALL: tuple[Callable[[Books], Found], ...] = (
    *across.CHECKS,
    *payments.CHECKS,
    *coupons.CHECKS,
    *recharges.CHECKS,
    *x402.CHECKS,
)
"""The rules of what belongs to several."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One broken rule: which, where, and what was found."""

    rule: str
    where: str
    what: str


def audit(records: Iterable[Attributes], entries: Iterable[Attributes]) -> list[Violation]:
    """Every rule that these items break; an empty list if they break none.

    `entries` are the items of entries, and the receipts that stand among them; `records` all the
    others.
    """
    books = Books()
    found: list[Violation] = []
    for add, some in ((books.add_entry, entries), (books.add_record, records)):
        for item in some:
            try:
                add(item)
            except (AttributeError, KeyError, TypeError, ValueError) as broken:
                place = f"{_text(item, 'pk')} {_text(item, 'sk')}"
                found.append(Violation("readable", place, f"cannot be read: {broken!r}"))
    for place, owned in books.accounts.items():
        for check in OF_ACCOUNTS:
            told = ((place, f"{at}: {what}") for at, what in check(owned))
            found += [Violation(check.__name__, where, what) for where, what in told]
    for wide in OF_ALL:
        found += [Violation(wide.__name__, at, what) for at, what in wide(books)]
    return sorted(found)


def audit_items(stored: Iterable[Attributes]) -> list[Violation]:
    """The audit of a whole table, entries and other records in any order."""
    parts: tuple[list[Attributes], list[Attributes]] = ([], [])
    for item in stored:
        parts[_text(item, "sk") == "ENTRY"].append(item)
    return audit(*parts)


def _text(item: Attributes, name: str) -> str:
    return str(item.get(name, {}).get("S", "?"))
