"""Whatever becomes of coupons, payments and limits, in any order: what must stay true."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.domain import coupons as rules
from holdfast.domain import payments
from holdfast.domain.accounts import default_account_id
from holdfast.domain.clock import Instant
from holdfast.domain.coupons import Coupon, Guesses, Redemption
from holdfast.domain.ledger import Change, Wallet
from holdfast.domain.payments import Payment
from holdfast.errors import Refusal, TooManyRequests
from tests.domain.samples import ACCOUNT_ID, HOUR, NOW, TENANT, once

PEOPLE = tuple(default_account_id(TENANT, f"acme/{name}") for name in ("alice", "bob", "carol"))
MINUTE = timedelta(minutes=1)

deeds = st.lists(
    st.tuples(
        st.sampled_from(["redeem", "redeem", "end", "end", "change"]),
        st.integers(0, 2),
        st.sampled_from(["succeeded", "failed", "canceled", "pending"]),
        st.integers(0, 5),
    ),
    max_size=40,
)


@dataclass(slots=True)
class Town:
    """One coupon, three accounts, and the payments that they have begun with it."""

    coupon: Coupon
    now: Instant = NOW
    redemptions: dict[str, Redemption] = field(default_factory=dict)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    begun: list[Payment] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)
    keys: "count[int]" = field(default_factory=count)

    def redemption(self, who: str) -> Redemption:
        return self.redemptions.get(who) or Redemption(account_id=who, code=self.coupon.code)

    def write(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            after = change.after
            if isinstance(after, Coupon):
                assert change.before == self.coupon
                self.coupon = after
            elif isinstance(after, Redemption):
                assert change.read_version == self.redemption(after.account_id).version
                self.redemptions[after.account_id] = after
            elif isinstance(after, Wallet):
                self.wallets[after.account_id] = after

    def redeem(self, who: str) -> None:
        """A credit coupon at once, a bonus coupon with a payment that begins."""
        asked = once(str(next(self.keys)), now=self.now)
        if self.coupon.kind == "credit":
            fresh = Wallet(tenant=TENANT, account_id=who, currency="usd")
            before = self.wallets.get(who, fresh)
            journal = rules.redeem_credit(before, self.coupon, self.redemption(who), asked)
            self.write(journal.changes)
            self.done[who] += 1
            self.given[who] += journal.entry.amount_micros
            return
        payment = payments.begin(
            asked,
            kind="topup",
            account_id=who,
            amount_micros=1_000,
            currency="usd",
            surface="agents",
            coupon_code=self.coupon.code,
            bonus_micros=self.coupon.bonus_micros(1_000),
        )
        changes = rules.reserve(
            self.coupon, self.redemption(who), payment.id, purchase_micros=1_000, now=self.now
        )
        self.write(changes)
        self.begun.append(payment)
        self.done[who] += 1

    def end(self, status: payments.Status, which: int) -> None:
        """Some payment is heard of."""
        if not self.begun:
            return
        place = which % len(self.begun)
        payment = self.begun[place]
        if payment.status == "succeeded":
            status = "succeeded"
        seen = replace(payment, status=status)
        was_mine = self.redemption(seen.account_id).reserved_for == seen.id
        changes, bonus_micros = rules.concluded(
            self.coupon, self.redemption(seen.account_id), seen, now=self.now
        )
        self.write(changes)
        if seen.to_credit:
            self.given[seen.account_id] += bonus_micros
            self.done[seen.account_id] += bool(changes) and not was_mine
            seen = replace(seen, entry_id="ent_1")
        elif changes:
            self.done[seen.account_id] -= 1
        self.begun[place] = seen


@settings(max_examples=300)
@given(
    kind=st.sampled_from(["credit", "bonus"]),
    limit=st.none() | st.integers(1, 4),
    per_user=st.integers(1, 3),
    deeds=deeds,
)
def test_what_was_redeemed_is_counted_exactly_and_never_passes_a_limit(
    kind, limit, per_user, deeds
):
    town = Town(
        Coupon(
            code="SPRING-26",
            kind=kind,
            currency="usd",
            amount_micros=50,
            max_redemptions=limit,
            per_user=per_user,
            created_at=NOW,
            version=1,
        )
    )
    for deed, who, status, which in deeds:
        town.now += MINUTE
        try:
            if deed == "redeem":
                town.redeem(PEOPLE[who])
            elif deed == "end":
                town.end(status, which)
            else:
                town.coupon = rules.change(town.coupon, {"active": bool(which % 3)})
        except Refusal:
            continue

        uses = {name: used.uses for name, used in town.redemptions.items()}
        assert town.coupon.redeemed == sum(uses.values()) == town.done.total()
        assert limit is None or town.coupon.redeemed <= limit
        assert all(0 <= each <= per_user for each in uses.values())
        assert all(uses.get(name, 0) == town.done[name] for name in PEOPLE)
        reserved = sum(bool(used.reserved_for) for used in town.redemptions.values())
        assert town.given.total() == 50 * (town.coupon.redeemed - reserved)


@settings(max_examples=300)
@given(
    tries=st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 8).map(lambda minutes: minutes * MINUTE)),
        max_size=60,
    )
)
def test_in_no_quarter_of_an_hour_more_than_five_new_codes_are_answered(tries):
    guesses, now = Guesses(account_id=ACCOUNT_ID), NOW
    answered: list[Instant] = []
    for code, passed in tries:
        now += passed
        before = guesses
        try:
            guesses = rules.missed(guesses, f"CODE-{code}", now)
        except TooManyRequests as refused:
            wait = refused.details["retry_after_seconds"]
            assert isinstance(wait, int)
            assert 1 <= wait <= 900
            rules.require_unlocked(guesses, f"CODE-{code}", now + timedelta(seconds=wait))
            continue
        if guesses is not before:
            answered.append(now)
    for end in answered:
        assert sum(end - HOUR / 4 < at <= end for at in answered) <= 5
