"""Whom an operation is about, and the records that it reads."""

from collections.abc import Callable

from holdfast.domain import holds
from holdfast.domain.accounts import Owner, Tenant, owner_of
from holdfast.domain.billing_info import BillingInfo
from holdfast.domain.budgets import Scope, budget_of
from holdfast.domain.coupons import Guesses, Redemption
from holdfast.domain.credits import Starter
from holdfast.domain.ledger import Record, Wallet
from holdfast.domain.members import member_id
from holdfast.domain.payment_methods import Customer
from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import Breaker
from holdfast.domain.wallet import Refunded
from holdfast.errors import (
    GrantNotFound,
    HoldNotFound,
    InvariantBroken,
    MemberNotFound,
    PaymentNotFound,
    QuoteNotFound,
    Refusal,
    WorkspaceNotFound,
)
from holdfast.store import keys
from holdfast.store.ledger_store import Ref

__all__ = [
    "Owner",
    "account_of",
    "api_key_of",
    "attempt_of",
    "breaker_of",
    "budget_ref",
    "coupon_of",
    "customer_of",
    "dispute_of",
    "grant_of",
    "guesses_of",
    "held_job_of",
    "hold_of",
    "info_of",
    "linked_of",
    "member_of",
    "method_of",
    "owner_of",
    "payment_of",
    "quote_of",
    "recharge_of",
    "redemption_of",
    "refunded_of",
    "seat_of",
    "starter_of",
    "wallet_of",
    "workspace_of",
    "x402_of",
]


def account_of(owner: Owner) -> Ref:
    """The account; None where there is none."""
    return Ref(keys.account(owner.tenant, owner.account_id), _none)


def seat_of(owner: Owner, user: str) -> Ref:
    """What is stored of a user as a member of the account; None where nothing is."""
    place = member_id(owner.account_id, user)
    return Ref(keys.member(owner.tenant, owner.account_id, place), _none)


def member_of(owner: Owner, member: str) -> Ref:
    """A member of the account by its id; refused as unknown where there is none."""
    key = keys.member(owner.tenant, owner.account_id, member)
    return Ref(key, _refuse(MemberNotFound))


def info_of(owner: Owner) -> Ref:
    """The account's billing info; empty where nothing was ever told."""

    def untold() -> BillingInfo:
        return BillingInfo(tenant=owner.tenant, account_id=owner.account_id)

    return Ref(keys.info(owner.tenant, owner.account_id), untold)


def customer_of(owner: Owner) -> Ref:
    """The account as the payment provider knows it; unknown there where there is no record."""

    def unknown() -> Customer:
        return Customer(account_id=owner.account_id)

    return Ref(keys.customer(owner.tenant, owner.account_id), unknown)


def method_of(owner: Owner, method_id: str) -> Ref:
    """A payment method of the account; None where none was ever on file under this id."""
    return Ref(keys.method(owner.tenant, owner.account_id, method_id), _none)


def payment_of(tenant: Tenant, payment_id: str) -> Ref:
    """A payment of the org; refused as unknown where there is none."""
    return Ref(keys.payment(tenant, payment_id), _refuse(PaymentNotFound))


def dispute_of(owner: Owner, dispute_id: str) -> Ref:
    """A dispute of a payment of the account's; None where we have not heard of it."""
    return Ref(keys.dispute(owner.tenant, owner.account_id, dispute_id), _none)


def recharge_of(owner: Owner) -> Ref:
    """How the account is recharged by itself; not at all where nobody ever said so."""

    def untold() -> AutoRecharge:
        return AutoRecharge(account_id=owner.account_id)

    return Ref(keys.recharge(owner.tenant, owner.account_id), untold)


def attempt_of(owner: Owner, attempt_id: str) -> Ref:
    """An attempt to recharge the account; None where there is none."""
    return Ref(keys.attempt(owner.tenant, owner.account_id, attempt_id), _none)


def breaker_of(tenant: Tenant, card: str) -> Ref:
    """The breaker of a card, by its fingerprint; untouched where it was never charged by itself."""
    return Ref(keys.breaker(tenant, card), lambda: Breaker(card=card))


def linked_of(owner: Owner, workspace_id: str) -> Ref:
    """What the account knows of a workspace; None where it was never linked to it."""
    key = keys.linked(owner.tenant, owner.account_id, workspace_id)
    return Ref(key, _none)


def workspace_of(tenant: Tenant, workspace_id: str) -> Ref:
    """A workspace; refused as unknown where there is none."""
    return Ref(keys.workspace(tenant, workspace_id), _refuse(WorkspaceNotFound))


def api_key_of(key_id: str) -> Ref:
    """An API key; None where there is none. The id does not say whose it is: look at the key."""
    return Ref(keys.api_key(key_id), _none)


def wallet_of(owner: Owner, currency: str) -> Ref:
    """The account's wallet in a currency; a new one, number 0, where there is none yet."""

    if owner.asker is not None:
        raise InvariantBroken("nobody looked whether this user has a seat in the account")

    def new() -> Wallet:
        return Wallet(tenant=owner.tenant, account_id=owner.account_id, currency=currency)

    return Ref(keys.wallet(owner.tenant, owner.account_id, currency), new)


def budget_ref(scope: Scope, tenant: Tenant) -> Ref:
    """A scope's budget; an untouched one where nothing was spent under it."""
    return Ref(keys.budget(tenant, scope.place), lambda: budget_of(scope))


def grant_of(owner: Owner, grant_id: str) -> Ref:
    """A credit grant of the account; refused as unknown where there is none."""
    key = keys.grant(owner.tenant, owner.account_id, grant_id)
    return Ref(key, _refuse(GrantNotFound))


def coupon_of(tenant: Tenant, code: str) -> Ref:
    """A coupon of the org; None where there is none of this code."""
    return Ref(keys.coupon(tenant, code), _none)


def redemption_of(owner: Owner, code: str) -> Ref:
    """What the account has used of a coupon; nothing where there is no record."""

    def unused() -> Redemption:
        return Redemption(account_id=owner.account_id, code=code)

    return Ref(keys.redemption(owner.tenant, owner.account_id, code), unused)


def guesses_of(owner: Owner) -> Ref:
    """The codes that the account has tried in vain; none where there is no record."""

    def none() -> Guesses:
        return Guesses(account_id=owner.account_id)

    return Ref(keys.guesses(owner.tenant, owner.account_id), none)


def starter_of(owner: Owner) -> Ref:
    """Whether the account's owner had the starter credit; not yet where there is no record."""

    def not_yet() -> Starter:
        return Starter(account_id=owner.account_id)

    return Ref(keys.starter(owner.tenant, owner.account_id), not_yet)


def hold_of(owner: Owner, hold_id: str) -> Ref:
    """A hold of the account; refused as unknown where there is none."""
    holds.currency_of(hold_id)
    key = keys.hold(owner.tenant, owner.account_id, hold_id)
    return Ref(key, _refuse(HoldNotFound))


def quote_of(owner: Owner, quote_id: str) -> Ref:
    """A quote of the account; refused as unknown where there is none."""
    key = keys.quote(owner.tenant, owner.account_id, quote_id)
    return Ref(key, _refuse(QuoteNotFound))


def held_job_of(owner: Owner, job_id: str) -> Ref:
    """What is known of a hardware job; None where it never had a hold."""
    return Ref(keys.held_job(owner.tenant, owner.account_id, job_id), _none)


def refunded_of(owner: Owner, entry_id: str) -> Ref:
    """How much of a charge was given back; nothing so far where there is no record."""

    def nothing() -> Refunded:
        return Refunded(entry_id=entry_id, account_id=owner.account_id)

    return Ref(keys.refunded(owner.tenant, owner.account_id, entry_id), nothing)


def x402_of(settlement_id: str) -> Ref:
    """A payment over x402; None where there is none. It may be another org's: look at it."""
    return Ref(keys.x402_settlement(settlement_id), _none)


def _none() -> None:
    return None


def _refuse(refusal: type[Refusal]) -> Callable[[], Record]:
    def missing() -> Record:
        raise refusal()

    return missing
