"""Both audits pass what the ledger wrote, and both find every defect that is planted in it."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from holdfast.audit import OF_ACCOUNTS, OF_ALL, audit, audit_items
from holdfast.domain.accounts import Owner, Tenant, owner_of
from holdfast.domain.budgets import RUN, Scope
from holdfast.domain.entries import GENESIS, chain_hash
from holdfast.domain.once import Once
from holdfast.services import accounts, holds, members, wallet, workspaces
from holdfast.services import credits as credit
from holdfast.services.credits import GrantTerms
from holdfast.services.holds import HoldTerms
from holdfast.services.workspaces import Visitor
from holdfast.store import items
from tests.faults.by_card import pay_by_card
from tests.faults.by_coupon import redeem_coupons
from tests.faults.by_recharge import recharge_by_itself
from tests.faults.by_x402 import pay_by_x402
from tests.property.defects_of_coupons import DEFECTS_OF_COUPONS
from tests.property.defects_of_recharges import DEFECTS_OF_RECHARGES
from tests.property.defects_of_x402 import DEFECTS_OF_X402
from tests.property.second_audit import second_audit
from tests.property.traffic import Traffic
from tests.property.world import World

type Item = dict[str, Any]

OPERATIONS = 1_500
HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
LIVE = Tenant("acme", "live")
DORA = "acme/dora"
EARLY = {"S": "2026-01-01T00:00:00.000Z"}
LATE = {"S": "2099-01-01T00:00:00.000Z"}


class Table:
    """The items of a busy ledger, to be spoiled."""

    def __init__(self, stored: list[Item]) -> None:
        self.items = {(item["pk"]["S"], item["sk"]["S"]): item for item in deepcopy(stored)}

    def all(self, noun: str) -> list[Item]:
        return [item for (_, sk), item in self.items.items() if sk.partition("#")[0] == noun]

    def one(self, noun: str, *names: str, **values: str) -> Item:
        """The first of its kind that has these attributes, with these values."""
        return next(
            item
            for item in self.all(noun)
            if all(name in item for name in names)
            and all(item.get(name) == {"S": value} for name, value in values.items())
        )

    def drop(self, item: Item) -> None:
        del self.items[item["pk"]["S"], item["sk"]["S"]]

    def of_wallet(self, item: Item) -> list[Item]:
        """The entries of the wallet that an entry belongs to, in order."""
        mine = [each for each in self.all("ENTRY") if each.get("gsi1pk") == item["gsi1pk"]]
        return sorted(mine, key=lambda each: each["gsi1sk"]["S"])

    def wallet_of(self, item: Item) -> Item:
        _, tenant, account, currency = item["gsi1pk"]["S"].split("#")
        return self.items[f"ORG#{tenant}#ACCT#{account}", f"WALLET#{currency}"]

    def mend(self, item: Item) -> None:
        """Hash a wallet's entries again, so that the chain itself is no finding."""
        head = GENESIS
        for each in self.of_wallet(item):
            entry = replace(items.to_entry(each), prev=head)
            each["prev"], head = {"S": head}, chain_hash(entry)
            each["hash"] = {"S": head}
        self.wallet_of(item)["head"] = {"S": head}


def _add(item: Item, name: str, delta: int) -> None:
    item[name] = {"N": str(int(item[name]["N"]) + delta)}


@cache
def _stored() -> list[Item]:
    world = World()
    Traffic(world, "audits").run(OPERATIONS)
    _settle_down(world)
    return list(world.stored())


def _settle_down(world: World) -> None:
    """Somebody else, with all that moves no money, and with credit that is partly held, and void.

    The model knows nothing of this.
    """
    store, visitor = world.stores[0], Visitor(LIVE, DORA, is_admin=False)
    owner = owner_of(LIVE, DORA)
    wallet.deposit(store, owner, amount_micros=5_000_000, currency="usd", once=_once("fund"))
    lab = accounts.open_account(
        store, owner=DORA, name="Lab", currency="eur", once=_once("lab")
    ).record
    old = accounts.open_account(
        store, owner=DORA, name="Old", currency="eur", once=_once("old")
    ).record
    old_owner = Owner(LIVE, old.id)
    for use_case, key in ((wallet.deposit, "in"), (wallet.withdraw, "out")):
        use_case(store, old_owner, amount_micros=7, currency="eur", once=_once(key))
    accounts.close_account(store, old_owner, user=DORA, once=_once("close"))
    space = workspaces.open_workspace(
        store, visitor, name="Space", account_id=None, once=_once("space")
    ).record
    workspaces.link(
        store,
        visitor,
        workspace_id=space.id,
        account_id=lab.id,
        make_default=True,
        once=_once("link"),
    )
    members.add(
        store,
        Owner(LIVE, lab.id),
        user="acme/erik",
        role="member",
        email=None,
        once=_once("seat"),
    )
    scope = Scope(
        account_id=owner.account_id, kind=RUN, id="r9", limit_micros=10**9, currency="usd"
    )
    gift, _ = credit.grant(
        store,
        owner,
        amount_micros=3_000_000,
        currency="usd",
        terms=GrantTerms(),
        once=_once("gift"),
    )
    terms = HoldTerms(expires_in=HOUR, scopes=(scope,))
    holds.place_hold(
        store,
        owner,
        amount_micros=11_000_000,
        currency="usd",
        terms=terms,
        once=_once("hold"),
    )
    credit.void(store, LIVE, grant_id=gift.id, once=_once("void"))
    pay_by_card(store, owner, now=NOW)
    pay_by_x402(store, owner, now=NOW)
    redeem_coupons(store, owner, now=NOW)
    recharge_by_itself(store, LIVE, now=NOW)


def _once(key: str) -> Once:
    return Once(tenant=LIVE, caller=DORA, key=key, fingerprint=key, now=NOW)


@pytest.fixture
def table() -> Table:
    return Table(_stored())


def cash_out_of_nowhere(table: Table) -> None:
    _add(table.one("WALLET", "cash"), "cash", 1)


def a_lot_that_lost_to_cash(table: Table) -> None:
    wallet = table.one("WALLET", "lots")
    _add(wallet["lots"]["L"][0]["M"], "left", -1)
    _add(wallet, "cash", 1)


def a_lot_below_zero(table: Table) -> None:
    wallet = table.one("WALLET", "lots")
    wallet["lots"]["L"][0]["M"]["left"] = {"N": "-1"}


def a_lot_with_longer_terms(table: Table) -> None:
    wallet = next(
        wallet for wallet in table.all("WALLET") for lot in _lots(wallet) if "until" in lot
    )
    lot = next(lot for lot in _lots(wallet) if "until" in lot)
    lot["until"] = LATE


def _lots(wallet: Item) -> list[Item]:
    return [lot["M"] for lot in wallet.get("lots", {"L": []})["L"]]


def a_wallet_gone(table: Table) -> None:
    table.drop(table.one("WALLET"))


def a_wallet_that_forgot_a_credit(table: Table) -> None:
    _add(table.one("WALLET"), "credited", -1)


def a_wallet_that_forgot_to_count(table: Table) -> None:
    _add(table.one("WALLET"), "debits", 1)


def an_entry_gone(table: Table) -> None:
    table.drop(table.of_wallet(table.one("ENTRY", type="usage"))[1])


def the_last_entry_gone(table: Table) -> None:
    table.drop(table.of_wallet(table.one("ENTRY", type="usage"))[-1])


def a_number_given_twice(table: Table) -> None:
    entry = deepcopy(table.one("ENTRY", type="usage"))
    entry["pk"]["S"] = entry["pk"]["S"][:-26] + "a" * 26
    table.items[entry["pk"]["S"], "ENTRY"] = entry


def an_entry_that_says_another_thing(table: Table) -> None:
    table.one("ENTRY", type="usage")["reference"] = {"S": "something else"}


def an_entry_chained_to_another(table: Table) -> None:
    table.of_wallet(table.one("ENTRY", type="usage"))[1]["prev"] = {"S": GENESIS}


def postings_that_do_not_add_up(table: Table) -> None:
    entry = table.one("ENTRY", type="deposit")
    _add(entry["postings"]["M"], "deposits", 1)
    table.mend(entry)


def cash_posted_as_credit(table: Table) -> None:
    entry = table.of_wallet(table.one("ENTRY", type="withdrawal"))
    withdrawal = next(each for each in entry if each["type"]["S"] == "withdrawal")
    postings = withdrawal["postings"]["M"]
    postings["credit"] = postings.pop("wallet")
    table.mend(withdrawal)


def a_balance_that_is_wrong(table: Table) -> None:
    entry = table.one("ENTRY", type="usage")
    _add(entry, "balance", 1)
    table.mend(entry)


def a_lot_drawn_after_its_time(table: Table) -> None:
    entry = next(
        entry
        for entry in table.all("ENTRY")
        if entry.get("type") == {"S": "usage"} and "until" in entry["draws"]["L"][0]["M"]
    )
    lot = entry["draws"]["L"][0]["M"]["id"]
    for each in table.of_wallet(entry):
        for draw in each.get("draws", {"L": []})["L"]:
            if draw["M"]["id"] == lot:
                draw["M"]["until"] = entry["created_at"]
    table.mend(entry)


def a_lot_expired_before_its_time(table: Table) -> None:
    entry = table.one("ENTRY", type="lot_expiry")
    entry["created_at"] = EARLY
    table.mend(entry)


def a_hold_expired_before_its_time(table: Table) -> None:
    entry = table.one("ENTRY", type="hold_expiry")
    entry["created_at"] = EARLY
    table.mend(entry)


def a_hold_that_lost_money(table: Table) -> None:
    hold = table.one("HOLD", "draws", status="open")
    _add(hold["draws"]["L"][0]["M"], "amount", -1)


def a_hold_closed_by_nobody(table: Table) -> None:
    hold = table.one("HOLD", "draws", status="open")
    hold["status"] = {"S": "released"}
    del hold["draws"]


def a_hold_open_again(table: Table) -> None:
    table.one("HOLD", status="captured")["status"] = {"S": "open"}


def a_hold_that_captured_more(table: Table) -> None:
    _add(table.one("HOLD", "captured", status="captured"), "captured", 1)


def a_hold_gone(table: Table) -> None:
    table.drop(table.one("HOLD", status="captured"))


def a_hold_without_entries(table: Table) -> None:
    hold = deepcopy(table.one("HOLD", status="captured"))
    hold["sk"]["S"] = "HOLD#hold_" + "0" * 26 + "_usd"
    table.items[hold["pk"]["S"], hold["sk"]["S"]] = hold


def _with_open_hold(table: Table) -> Item:
    hold = table.one("HOLD", "draws", status="open")
    return table.items[hold["pk"]["S"], "WALLET#" + hold["currency"]["S"]]


def a_hold_due_unseen(table: Table) -> None:
    _with_open_hold(table)["hold_due_at"] = LATE


def a_wallet_with_no_hold_due(table: Table) -> None:
    del _with_open_hold(table)["hold_due_at"]


def a_hold_older_than_where_the_sweep_looks(table: Table) -> None:
    _with_open_hold(table)["open_from"] = {"S": "hold_z"}


def a_wallet_late_in_the_due_index(table: Table) -> None:
    wallet = _with_open_hold(table)
    wallet["gsi2sk"]["S"] = LATE["S"] + wallet["gsi2sk"]["S"][24:]


def a_wallet_gone_from_the_due_index(table: Table) -> None:
    wallet = _with_open_hold(table)
    del wallet["gsi2pk"], wallet["gsi2sk"]


def a_refund_forgotten(table: Table) -> None:
    _add(table.one("REFUNDED"), "refunded", -1)


def a_record_of_refunds_gone(table: Table) -> None:
    table.drop(table.one("REFUNDED"))


def an_account_gone(table: Table) -> None:
    table.drop(table.one("ACCOUNT"))


def a_quote_used_for_another_job(table: Table) -> None:
    table.one("QUOTE", "used_by")["used_by"] = {"S": "job-other"}


def a_quote_that_names_another_entry(table: Table) -> None:
    quote = table.one("QUOTE", "used_by")
    quote["entry_id"] = {"S": table.one("ENTRY", type="usage")["pk"]["S"].split("#")[2]}


def a_quote_used_by_nobody(table: Table) -> None:
    del table.one("QUOTE", "used_by")["used_by"]


def a_quote_gone(table: Table) -> None:
    table.drop(table.one("QUOTE", "used_by"))


def a_quote_for_less(table: Table) -> None:
    quote = table.one("QUOTE", "used_by")
    _add(quote["line_items"]["L"][0]["M"], "unit", 10_000)


def a_job_that_points_at_another_hold(table: Table) -> None:
    job = table.one("JOB")
    other = next(
        hold for hold in table.all("HOLD") if "job" not in hold and hold["pk"] == job["pk"]
    )
    job["hold_id"] = {"S": other["sk"]["S"].removeprefix("HOLD#")}


def a_job_gone(table: Table) -> None:
    table.drop(table.one("JOB"))


def a_wallet_that_forgot_a_charge(table: Table) -> None:
    _add(table.one("WALLET", "charged"), "charged", -1)


def an_entry_that_tells_other_cash(table: Table) -> None:
    _add(table.one("ENTRY", "cash", type="usage"), "cash", 1)


def restricted_credit_posted_as_credit(table: Table) -> None:
    entry = next(
        entry
        for entry in table.all("ENTRY")
        if "restricted_credit" in entry.get("postings", {"M": {}})["M"]
    )
    postings = entry["postings"]["M"]
    postings["credit"] = postings.pop("restricted_credit")
    table.mend(entry)


def a_schedule_that_moves_money(table: Table) -> None:
    entry = table.one("ENTRY", type="credit_scheduled")
    entry["postings"]["M"] = {"credit": entry["amount"], "promotions": _negative(entry["amount"])}
    table.mend(entry)


def _negative(number: Item) -> Item:
    return {"N": f"-{number['N']}"}


def credit_opened_before_its_day(table: Table) -> None:
    entry = table.one("ENTRY", type="credit_grant", source="system")
    entry["created_at"] = EARLY
    table.mend(entry)


def _with_pending(table: Table) -> Item:
    return table.one("WALLET", "pending")


def pending_credit_that_grew(table: Table) -> None:
    _add(_with_pending(table)["pending"]["L"][0]["M"], "left", 1)


def pending_credit_gone(table: Table) -> None:
    del _with_pending(table)["pending"]


def a_day_that_would_be_missed(table: Table) -> None:
    wallet = next(
        wallet
        for wallet in table.all("WALLET")
        if "pending" in wallet
        and wallet["pending"]["L"][0]["M"]["at"]["S"] == wallet["gsi2sk"]["S"][:24]
    )
    wallet["gsi2sk"]["S"] = LATE["S"] + wallet["gsi2sk"]["S"][24:]


def a_void_lot_to_be_spent(table: Table) -> None:
    void = {grant["sk"]["S"][6:] for grant in table.all("GRANT") if "voided_at" in grant}
    wallet = next(w for w in table.all("WALLET") if void & {lot["id"]["S"] for lot in _lots(w)})
    lot = next(lot for lot in _lots(wallet) if lot["id"]["S"] in void)
    _add(lot, "held", -1)
    _add(lot, "left", 1)


def a_lot_for_other_meters(table: Table) -> None:
    lot = next(lot for wallet in table.all("WALLET") for lot in _lots(wallet) if "meters" in lot)
    lot["meters"] = {"L": [{"S": "anything"}]}


def a_grant_gone(table: Table) -> None:
    table.drop(table.one("GRANT"))


def a_grant_of_more(table: Table) -> None:
    _add(table.one("GRANT"), "amount", 1)


def a_grant_of_another_priority(table: Table) -> None:
    _add(table.one("GRANT", "priority"), "priority", 1)


def a_grant_voided_by_nobody(table: Table) -> None:
    grant = next(grant for grant in table.all("GRANT") if "voided_at" not in grant)
    grant["voided_at"] = LATE


def a_void_that_is_forgotten(table: Table) -> None:
    del table.one("GRANT", "voided_at")["voided_at"]


def a_starter_gone(table: Table) -> None:
    table.drop(table.one("STARTER"))


def a_starter_without_credit(table: Table) -> None:
    starter = deepcopy(table.one("STARTER"))
    starter["pk"] = table.one("LINKED")["pk"]
    table.items[starter["pk"]["S"], "STARTER"] = starter


def a_budget_that_holds_less(table: Table) -> None:
    _add(_held_budget(table), "held", -1)


def _held_budget(table: Table) -> Item:
    return next(budget for budget in table.all("BUDGET") if int(budget["held"]["N"]) > 0)


def a_budget_that_holds_what_was_given_back(table: Table) -> None:
    _add(next(b for b in table.all("BUDGET") if b["held"] == {"N": "0"}), "held", 1)


def a_budget_that_counts_twice(table: Table) -> None:
    budget = next(
        budget
        for budget in table.all("BUDGET")
        if "#key#" not in budget["sk"]["S"].replace("BUDGET", "") and int(budget["spent"]["N"])
    )
    _add(budget, "spent", int(budget["spent"]["N"]))


def a_budget_that_forgot(table: Table) -> None:
    budget = next(b for b in table.all("BUDGET") if "BUDGET#run" in b["sk"]["S"] and _spent(b))
    budget["spent"] = {"N": "0"}


def _spent(budget: Item) -> bool:
    return int(budget["spent"]["N"]) > 0


def a_budget_gone(table: Table) -> None:
    table.drop(_held_budget(table))


def a_budget_of_nothing(table: Table) -> None:
    budget = deepcopy(table.one("BUDGET"))
    budget["sk"]["S"] = "BUDGET#run#nothing#usd#total"
    budget["held"] = budget["spent"] = {"N": "0"}
    table.items[budget["pk"]["S"], budget["sk"]["S"]] = budget


def a_hold_under_other_scopes(table: Table) -> None:
    del table.one("HOLD", "scopes")["scopes"]


def a_closed_account_with_an_open_wallet(table: Table) -> None:
    del table.one("WALLET", "closed")["closed"]


def a_closed_wallet_with_money(table: Table) -> None:
    account = table.one("ACCOUNT", owner="acme/dora")
    account["closed_at"] = LATE
    table.items[account["pk"]["S"], "WALLET#usd"]["closed"] = {"BOOL": True}


def an_open_account_with_a_closed_wallet(table: Table) -> None:
    table.one("WALLET")["closed"] = {"BOOL": True}


def a_default_account_that_is_not_linked(table: Table) -> None:
    table.one("WORKSPACE")["default_account_id"] = {"S": "acct_" + "a" * 26}


def a_link_that_its_account_does_not_know(table: Table) -> None:
    table.drop(table.one("LINKED"))


def a_link_that_its_workspace_does_not_know(table: Table) -> None:
    links = table.one("WORKSPACE")["links"]["L"]
    del links[0]


def a_link_twice(table: Table) -> None:
    links = table.one("WORKSPACE")["links"]["L"]
    links.append(links[0])


def a_member_who_is_the_owner(table: Table) -> None:
    table.one("MEMBER")["user"] = {"S": DORA}


def a_member_in_the_role_of_the_owner(table: Table) -> None:
    table.one("MEMBER")["role"] = {"S": "owner"}


def a_member_of_no_account(table: Table) -> None:
    member = table.one("MEMBER")
    table.drop(table.items[member["pk"]["S"], "ACCOUNT"])


def an_answer_that_is_not_there(table: Table) -> None:
    table.drop(table.one("MEMBER"))


def an_answer_from_the_future(table: Table) -> None:
    receipt = next(each for each in table.all("ENTRY") if "answer" in each)
    _add(receipt["answer"]["M"], "version", 9)


def _paid(table: Table, **values: str) -> Item:
    return table.one("PAYMENT", "entry_id", **values)


def a_payment_gone(table: Table) -> None:
    table.drop(_paid(table, kind="topup"))


def a_payment_that_received_less(table: Table) -> None:
    _add(_paid(table, kind="topup"), "received_micros", -1)


def a_payment_that_failed_and_was_credited(table: Table) -> None:
    _paid(table, kind="topup")["status"] = {"S": "failed"}


def a_payment_that_names_another_entry(table: Table) -> None:
    paid = [each for each in table.all("PAYMENT") if "entry_id" in each]
    first, second, *_ = [each for each in paid if each["kind"] == {"S": "topup"}]
    first["entry_id"] = second["entry_id"]


def a_payment_credited_to_two(table: Table) -> None:
    first, second, *_ = [each for each in table.all("ENTRY") if _is_from_stripe(each, "deposit")]
    second["reference"] = first["reference"]
    second["details"]["M"]["payment_id"] = first["reference"]
    table.mend(second)


def _is_from_stripe(item: Item, type_: str) -> bool:
    return bool(item.get("source") == {"S": "stripe"} and item["type"] == {"S": type_})


def a_purchase_that_the_wallet_never_paid(table: Table) -> None:
    _paid(table, payment_method_id="balance", kind="intent")["entry_id"] = {"S": "ent_none"}


def a_refund_gone(table: Table) -> None:
    table.drop(_paid(table, kind="refund"))


def a_refund_of_more(table: Table) -> None:
    _add(_paid(table, kind="refund", status="succeeded"), "amount_micros", 1)


def a_refund_that_failed_and_was_not_undone(table: Table) -> None:
    del table.one("PAYMENT", "undone_by")["undone_by"]


def a_refund_that_is_undone_and_did_not_fail(table: Table) -> None:
    table.one("PAYMENT", "undone_by")["status"] = {"S": "succeeded"}


def a_refund_that_no_wallet_paid(table: Table) -> None:
    entry = next(each for each in table.all("ENTRY") if _is_from_stripe(each, "card_refund"))
    entry["details"]["M"]["refund_id"] = {"S": "ref_none"}
    table.mend(entry)


def a_payment_that_forgot_its_refund(table: Table) -> None:
    _add(table.one("PAYMENT", "refunded_micros", kind="topup"), "refunded_micros", -1)


def more_back_than_came_in(table: Table) -> None:
    refund = _paid(table, kind="refund", status="succeeded")
    paid = table.items[f"ORG#acme/live#PAY#{refund['refund_of']['S']}", "PAYMENT"]
    _add(refund, "amount_micros", 10**9)
    _add(paid, "refunded_micros", 10**9)


def money_from_stripe_for_nobody(table: Table) -> None:
    entry = next(each for each in table.all("ENTRY") if _is_from_stripe(each, "card_purchase"))
    entry["reference"] = {"S": "pay_none"}
    table.mend(entry)


def a_deposit_that_clears_with_stripe_by_itself(table: Table) -> None:
    entry = next(
        each
        for each in table.all("ENTRY")
        if each.get("type") == {"S": "deposit"} and each["source"] == {"S": "api"}
    )
    entry["postings"]["M"]["stripe_clearing"] = entry["postings"]["M"].pop("deposits")
    table.mend(entry)


def a_dispute_gone(table: Table) -> None:
    table.drop(table.one("DISPUTE", status="lost"))


def frozen_money_forgotten(table: Table) -> None:
    _add(table.one("DISPUTE", status="under_review"), "frozen_micros", -1)


def frozen_money_free_again(table: Table) -> None:
    dispute = table.one("DISPUTE", status="under_review")
    wallet = table.items[dispute["pk"]["S"], "WALLET#usd"]
    frozen = int(dispute["frozen_micros"]["N"])
    _add(wallet, "cash", frozen)
    _add(wallet, "cash_held", -frozen)


def a_loss_that_took_less(table: Table) -> None:
    _add(table.one("DISPUTE", status="lost"), "taken_micros", -1)


def a_dispute_that_owes_more_than_came_in(table: Table) -> None:
    dispute = table.one("DISPUTE", status="under_review")
    _add(dispute, "amount_micros", 10**9)
    _add(dispute, "owed_micros", 10**9)


def a_dispute_that_is_open_again(table: Table) -> None:
    dispute = table.one("DISPUTE", status="won")
    dispute["status"] = {"S": "needs_response"}
    del dispute["closed_at"], dispute["closed_by"]


def a_dispute_that_nobody_looks_for(table: Table) -> None:
    dispute = table.one("DISPUTE", status="under_review")
    del dispute["due_at"], dispute["gsi2pk"], dispute["gsi2sk"]


def a_dispute_that_is_over_and_due(table: Table) -> None:
    due = table.one("DISPUTE", status="under_review")
    over = table.one("DISPUTE", status="lost")
    over |= {name: due[name] for name in ("due_at", "gsi2pk", "gsi2sk")}


def a_dispute_closed_by_nobody(table: Table) -> None:
    table.one("DISPUTE", status="lost")["closed_by"] = {"S": "ent_none"}


def a_dispute_opened_by_nobody(table: Table) -> None:
    table.one("DISPUTE", status="lost")["frozen_by"] = {"S": "ent_none"}


def a_dispute_of_another_payment(table: Table) -> None:
    table.one("DISPUTE")["payment_id"] = {"S": "pay_none"}


DEFECTS = {
    cash_out_of_nowhere: "folded",
    a_lot_that_lost_to_cash: "lots_add_up",
    a_lot_below_zero: "lots_are_sound",
    a_lot_with_longer_terms: "lots_are_sound",
    a_wallet_gone: "folded",
    a_wallet_that_forgot_a_credit: "folded",
    a_wallet_that_forgot_to_count: "folded",
    an_entry_gone: "chained",
    the_last_entry_gone: "folded",
    a_number_given_twice: "chained",
    an_entry_that_says_another_thing: "chained",
    an_entry_chained_to_another: "chained",
    postings_that_do_not_add_up: "balanced",
    cash_posted_as_credit: "balanced",
    a_balance_that_is_wrong: "folded",
    a_lot_drawn_after_its_time: "timely",
    a_lot_expired_before_its_time: "timely",
    a_hold_expired_before_its_time: "timely",
    a_hold_that_lost_money: "holds_stand",
    a_hold_closed_by_nobody: "holds_stand",
    a_hold_open_again: "holds_stand",
    a_hold_that_captured_more: "holds_stand",
    a_hold_gone: "holds_stand",
    a_hold_without_entries: "holds_stand",
    a_hold_due_unseen: "due_in_time",
    a_wallet_with_no_hold_due: "due_in_time",
    a_hold_older_than_where_the_sweep_looks: "due_in_time",
    a_wallet_late_in_the_due_index: "due_in_time",
    a_wallet_gone_from_the_due_index: "due_in_time",
    a_refund_forgotten: "refunds_add_up",
    a_record_of_refunds_gone: "refunds_add_up",
    an_account_gone: "introduced_once",
    a_quote_used_for_another_job: "quotes_hold_once",
    a_quote_that_names_another_entry: "quotes_hold_once",
    a_quote_used_by_nobody: "quotes_hold_once",
    a_quote_gone: "quotes_hold_once",
    a_quote_for_less: "quotes_hold_once",
    a_job_that_points_at_another_hold: "jobs_hold_once",
    a_job_gone: "jobs_hold_once",
    a_wallet_that_forgot_a_charge: "folded",
    an_entry_that_tells_other_cash: "folded",
    restricted_credit_posted_as_credit: "balanced",
    a_schedule_that_moves_money: "balanced",
    credit_opened_before_its_day: "timely",
    pending_credit_that_grew: "pending_waits",
    pending_credit_gone: "pending_waits",
    a_day_that_would_be_missed: "due_in_time",
    a_void_lot_to_be_spent: "lots_are_sound",
    a_lot_for_other_meters: "lots_are_sound",
    a_grant_gone: "grants_stand",
    a_grant_of_more: "grants_stand",
    a_grant_of_another_priority: "grants_stand",
    a_grant_voided_by_nobody: "grants_stand",
    a_void_that_is_forgotten: "grants_stand",
    a_starter_gone: "started_once",
    a_starter_without_credit: "started_once",
    a_budget_that_holds_less: "budgets_add_up",
    a_budget_that_holds_what_was_given_back: "budgets_add_up",
    a_budget_that_counts_twice: "budgets_add_up",
    a_budget_that_forgot: "budgets_add_up",
    a_budget_gone: "budgets_add_up",
    a_budget_of_nothing: "budgets_add_up",
    a_hold_under_other_scopes: "holds_stand",
    a_closed_account_with_an_open_wallet: "closed_for_good",
    a_closed_wallet_with_money: "closed_for_good",
    an_open_account_with_a_closed_wallet: "closed_for_good",
    a_default_account_that_is_not_linked: "workspaces_are_bound",
    a_link_that_its_account_does_not_know: "workspaces_are_bound",
    a_link_that_its_workspace_does_not_know: "workspaces_are_bound",
    a_link_twice: "workspaces_are_bound",
    a_member_who_is_the_owner: "members_have_seats",
    a_member_in_the_role_of_the_owner: "members_have_seats",
    a_member_of_no_account: "members_have_seats",
    a_payment_gone: "stripe_has_a_payment",
    a_payment_that_received_less: "payments_credited_once",
    a_payment_that_failed_and_was_credited: "payments_credited_once",
    a_payment_that_names_another_entry: "payments_credited_once",
    a_payment_credited_to_two: "payments_credited_once",
    a_purchase_that_the_wallet_never_paid: "payments_credited_once",
    a_refund_gone: "refunds_were_taken_once",
    a_refund_of_more: "refunds_were_taken_once",
    a_refund_that_failed_and_was_not_undone: "refunds_were_taken_once",
    a_refund_that_is_undone_and_did_not_fail: "refunds_were_taken_once",
    a_refund_that_no_wallet_paid: "refunds_were_taken_once",
    a_payment_that_forgot_its_refund: "refunds_of_payments_add_up",
    more_back_than_came_in: "refunds_of_payments_add_up",
    money_from_stripe_for_nobody: "stripe_has_a_payment",
    a_deposit_that_clears_with_stripe_by_itself: "stripe_has_a_payment",
    a_dispute_gone: "disputes_stand",
    frozen_money_forgotten: "disputes_stand",
    frozen_money_free_again: "lots_add_up",
    a_loss_that_took_less: "disputes_stand",
    a_dispute_that_owes_more_than_came_in: "disputes_stand",
    a_dispute_that_is_open_again: "disputes_stand",
    a_dispute_that_nobody_looks_for: "disputes_stand",
    a_dispute_that_is_over_and_due: "disputes_stand",
    a_dispute_closed_by_nobody: "disputes_stand",
    a_dispute_opened_by_nobody: "disputes_stand",
    a_dispute_of_another_payment: "disputes_stand",
    an_answer_that_is_not_there: "receipts_answer",
    an_answer_from_the_future: "receipts_answer",
    **DEFECTS_OF_X402,
    **DEFECTS_OF_COUPONS,
    **DEFECTS_OF_RECHARGES,
}


def test_what_the_ledger_wrote_passes_both(table):
    found = [*audit_items(table.items.values()), *second_audit(table.items.values())]

    assert found == []


@pytest.mark.parametrize(
    ("spoil", "rule"), DEFECTS.items(), ids=[defect.__name__ for defect in DEFECTS]
)
def test_a_defect_is_found_by_both(table, spoil, rule):
    spoil(table)

    found = {violation.rule for violation in audit_items(table.items.values())}
    found_again = second_audit(table.items.values())

    assert rule in found
    assert found_again != []


def test_every_rule_has_a_defect():
    checks = {check.__name__ for check in (*OF_ACCOUNTS, *OF_ALL)}

    assert checks == set(DEFECTS.values())


def test_a_finding_says_where(table):
    wallet = table.one("WALLET", "cash")
    _add(wallet, "cash", 7)

    found = audit_items(table.items.values())

    assert {violation.where for violation in found} == {wallet["pk"]["S"]}
    balance = next(violation for violation in found if "balance is" in violation.what)
    assert balance.rule == "folded"
    assert balance.what.startswith(wallet["sk"]["S"].removeprefix("WALLET#") + ": balance is ")


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"pk": {"S": "ORG#acme/live#ACCT#a"}, "sk": {"S": "WALLET#usd"}},
        {"pk": {"S": "ORG#acme/live#ACCT#a"}, "sk": {"S": "NOUN#usd"}},
        {"pk": {"S": "ENTRY#acme/live#ent_a"}, "sk": {"S": "ENTRY"}, "gsi1sk": {"S": "7"}},
        {"pk": {"S": "nonsense"}, "sk": {"N": "7"}},
    ],
    ids=lambda item: str(item.get("sk")),
)
def test_an_item_that_cannot_be_read_is_a_finding_and_no_crash(table, item):
    found = audit_items([*table.items.values(), item])

    assert [violation.rule for violation in found] == ["readable"]


def test_receipts_may_stand_among_the_entries(table):
    stored = list(table.items.values())
    entries = [item for item in stored if item["sk"]["S"] == "ENTRY"]
    records = [item for item in stored if item["sk"]["S"] != "ENTRY"]

    receipts = sum(items.is_receipt(entry) for entry in entries)
    found = audit(records, entries)

    assert receipts > 0
    assert found == []


def test_an_audit_reads_a_generator_once(table):
    found = audit_items(item for item in table.items.values())

    assert found == []
