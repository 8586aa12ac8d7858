"""A payment over x402 on its way: from the signature to the wallet, once.

    pending -> settled     the facilitator says that it is on the chain: the wallet is credited
            -> failed      refused at the only attempt: nothing was ever sent to the chain
            -> unknown     no answer, or one that leaves it open
    unknown -> settled
            -> failed      only by proof that the authorisation was not used and is over

A signed authorisation can be settled again and again, and moves the money once: whoever is unsure
sends the same one again. To tell the payer that it failed when it did not would make them sign a
second one and pay twice. So a refusal counts as one only while nothing can have happened: after an
attempt without an answer, or one that was cut off, the same words may mean that the money is here
("nonce already used", "insufficient funds").

The record is stored before anybody is asked to settle, and has all that is needed to ask again.
"""

from dataclasses import dataclass, replace

from holdfast.domain import x402
from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import SECOND, Instant
from holdfast.domain.entries import Json
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged
from holdfast.domain.x402_outcomes import NoWord, Outcome, Refused, Settled, Verdict
from holdfast.domain.x402_payments import V1, Payment
from holdfast.errors import InvariantBroken, PaymentNotAccepted, PaymentState, PaymentUsed

PENDING = "pending"
SETTLED = "settled"
FAILED = "failed"
UNKNOWN = "unknown"

LEASE_SECONDS = 45
"""How long an attempt is left alone: longer than any function of the API runs."""
RETRY_SECONDS = 15
RETRY_SECONDS_MAX = 3_600
ATTEMPTS_MAX = 30
"""After a day and a night of it somebody has to look at the chain."""

MISMATCH = "settlement_mismatch"
NOT_VALID = "invalid_payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class X402Settlement:
    """One authorisation that was presented to credit a workspace's account.

    `id` is the authorisation's, and belongs to no tenant: a second one with it, anywhere, is the
    same money. `valid_after` and `valid_before` are seconds since 1970 in decimal, as large as
    256 bits. `due_at` is when the next attempt may begin; without it none will, and an unknown
    outcome waits for somebody who looks at the chain.
    """

    id: str
    tenant: Tenant
    workspace_id: str
    account_id: str
    user: str
    amount_micros: int
    x402_version: int
    network: str
    pay_to: str
    url: str
    description: str
    payer: str
    nonce: str
    valid_after: str
    valid_before: str
    signature: str
    created_at: Instant
    status: str = PENDING
    attempts: int = 1
    due_at: Instant | None = None
    transaction: str | None = None
    reason: str | None = None
    concluded_at: Instant | None = None
    version: int = 0

    @property
    def currency(self) -> str:
        """The currency of the wallet that is credited."""
        return x402.CURRENCY

    @property
    def offer(self) -> x402.Offer:
        """What was paid for."""
        return x402.Offer(
            network=x402.NETWORKS[self.network],
            pay_to=self.pay_to,
            amount_micros=self.amount_micros,
            url=self.url,
            description=self.description,
        )


def presented(
    payment: Payment,
    offer: x402.Offer,
    *,
    tenant: Tenant,
    workspace_id: str,
    account_id: str,
    user: str,
    now: Instant,
) -> X402Settlement:
    """The settlement that a payment asks for, to be stored by `begin`, leased for one attempt.

    Raises:
        PaymentNotAccepted: The payment is not one for the offer, or not at `now`.
    """
    x402.require_match(payment, offer, now)
    signed = payment.authorization
    return X402Settlement(
        id=x402.settlement_id(offer.network, signed),
        tenant=tenant,
        workspace_id=workspace_id,
        account_id=account_id,
        user=user,
        amount_micros=offer.amount_micros,
        x402_version=payment.x402_version,
        network=offer.network.id,
        pay_to=offer.pay_to,
        url=offer.url,
        description=offer.description,
        payer=signed.payer,
        nonce=signed.nonce,
        valid_after=str(signed.valid_after),
        valid_before=str(signed.valid_before),
        signature=payment.signature,
        created_at=now,
        due_at=now + LEASE_SECONDS * SECOND,
        version=1,
    )


def request_of(settlement: X402Settlement) -> dict[str, Json]:
    """What a facilitator is asked with, to verify and to settle: nothing that a client chose.

    The payment is written down anew from what was read of it, and what is required is our own.
    """
    version = settlement.x402_version
    required = x402.requirements(settlement.offer, version)
    paid: dict[str, Json] = {"x402Version": version}
    if version == V1:
        paid |= {"scheme": required["scheme"], "network": required["network"]}
    else:
        paid |= {"resource": x402.resource(settlement.offer), "accepted": required}
    paid["payload"] = {
        "signature": settlement.signature,
        "authorization": {
            "from": settlement.payer,
            "to": settlement.pay_to,
            "value": settlement.offer.amount,
            "validAfter": settlement.valid_after,
            "validBefore": settlement.valid_before,
            "nonce": settlement.nonce,
        },
    }
    return {"x402Version": version, "paymentPayload": paid, "paymentRequirements": required}


def require_valid(settlement: X402Settlement, verdict: Verdict) -> None:
    """Refuse a payment that the facilitator does not take, or takes for somebody else's.

    Raises:
        PaymentNotAccepted: `reason` is the facilitator's word for why.
    """
    if not verdict.is_valid:
        raise PaymentNotAccepted(reason=verdict.reason or NOT_VALID)
    if verdict.payer is not None and verdict.payer.lower() != settlement.payer:
        raise PaymentNotAccepted(reason=NOT_VALID)


def require_same(
    there: X402Settlement,
    payment: Payment,
    *,
    tenant: Tenant,
    workspace_id: str,
    amount_micros: int,
) -> None:
    """Refuse a payment whose nonce was presented before for something else.

    To be asked before anything else is held against the payment: one that was settled is answered
    with what it did, long after the authorisation is over.

    Raises:
        PaymentUsed: It was another authorisation, or for another workspace or amount.
    """
    signed = payment.authorization
    asked = replace(
        there,
        tenant=tenant,
        workspace_id=workspace_id,
        amount_micros=amount_micros,
        pay_to=signed.to,
        valid_after=str(signed.valid_after),
        valid_before=str(signed.valid_before),
    )
    if signed.value != there.amount_micros or _what(asked) != _what(there):
        raise PaymentUsed


def begin(there: X402Settlement | None, asked: X402Settlement) -> Resolution:
    """Store what is asked for, or leave what is there if it is the same payment for the same.

    A payment that failed may be tried again. Otherwise the one that is there goes on, to the
    account that it was begun for.

    Raises:
        PaymentUsed: The authorisation's nonce was presented for something else.
    """
    if there is None:
        return Deed(asked, (Change(None, asked),))
    if _what(there) != _what(asked):
        raise PaymentUsed
    if there.status != FAILED:
        return Unchanged(there)
    again = replace(asked, version=there.version + 1)
    return Deed(again, (Change(there, again),))


def is_due(settlement: X402Settlement, now: Instant) -> bool:
    """Whether an attempt may begin at `now`: none is under way, and it is not over."""
    return settlement.due_at is not None and settlement.due_at <= now


def attempted(settlement: X402Settlement, now: Instant) -> X402Settlement:
    """The settlement with one more attempt begun, to be stored before the facilitator is asked.

    The one before may have gone through, whatever became of its answer.
    """
    assert is_due(settlement, now)
    return replace(
        settlement,
        attempts=settlement.attempts + 1,
        due_at=now + LEASE_SECONDS * SECOND,
        version=settlement.version + 1,
    )


def concluded(settlement: X402Settlement, outcome: Outcome, now: Instant) -> X402Settlement:
    """The settlement after what the facilitator said. What is settled or failed stays so."""
    if settlement.status in (SETTLED, FAILED):
        return settlement
    match outcome:
        case Settled() if _is_of(settlement, outcome):
            return _over(settlement, SETTLED, now, transaction=outcome.transaction)
        case Settled():
            return _open(settlement, MISMATCH, outcome.transaction, now)
        case Refused() if _is_first_word(settlement) and outcome.is_definite:
            return _over(settlement, FAILED, now, reason=outcome.reason)
        case Refused():
            return _open(settlement, outcome.reason, outcome.transaction, now)
        case NoWord():
            return _open(settlement, outcome.reason, None, now)


def _is_first_word(settlement: X402Settlement) -> bool:
    # After an answer that never came, a refusal may be of the second look at a nonce that was used.
    return settlement.status == PENDING and settlement.attempts == 1


def disproved(settlement: X402Settlement, now: Instant) -> X402Settlement:
    """The settlement as failed, by the word of somebody who saw on the chain that it never was.

    That can be seen only once the authorisation is over: until then it may still be used.

    Raises:
        PaymentState: The outcome is known, or the authorisation is still good at `now`.
    """
    if settlement.status != UNKNOWN or not _is_past(settlement, now):
        raise PaymentState(status=settlement.status)
    return _over(settlement, FAILED, now, reason=x402.VALID_BEFORE)


def response_of(settlement: X402Settlement) -> dict[str, Json]:
    """What the payer is told of a settlement whose outcome is known, as its version spells it."""
    if settlement.status not in (SETTLED, FAILED):
        raise InvariantBroken("nobody knows yet whether it was settled")
    required = x402.requirements(settlement.offer, settlement.x402_version)
    shown: dict[str, Json] = {
        "success": settlement.status == SETTLED,
        "transaction": settlement.transaction or "",
        "network": required["network"],
        "payer": settlement.payer,
    }
    return shown if settlement.reason is None else {**shown, "errorReason": settlement.reason}


def _what(settlement: X402Settlement) -> tuple[object, ...]:
    """What makes two presentations of a nonce the same: all of it, and what it is to pay for.

    Not the signature, of which one authorisation has several, nor the version it is written in.
    """
    return (
        settlement.tenant,
        settlement.workspace_id,
        settlement.amount_micros,
        settlement.pay_to.lower(),
        settlement.valid_after,
        settlement.valid_before,
    )


def _is_of(settlement: X402Settlement, outcome: Settled) -> bool:
    """Whether what was settled is what was asked for, in every word that was said of it."""
    network = settlement.offer.network
    return (
        outcome.has_hash
        and outcome.network in (network.id, network.name)
        and (outcome.payer is None or outcome.payer.lower() == settlement.payer)
        and outcome.amount in (None, settlement.offer.amount)
    )


def _over(
    settlement: X402Settlement,
    status: str,
    now: Instant,
    *,
    transaction: str | None = None,
    reason: str | None = None,
) -> X402Settlement:
    return replace(
        settlement,
        status=status,
        due_at=None,
        transaction=transaction or settlement.transaction,
        reason=reason,
        concluded_at=now,
        version=settlement.version + 1,
    )


def _open(
    settlement: X402Settlement, reason: str, transaction: str | None, now: Instant
) -> X402Settlement:
    return replace(
        settlement,
        status=UNKNOWN,
        due_at=_next_at(settlement, now),
        transaction=transaction or settlement.transaction,
        reason=reason,
        version=settlement.version + 1,
    )


def _next_at(settlement: X402Settlement, now: Instant) -> Instant | None:
    """When to try again: later each time, and once more after the authorisation is over.

    By then it cannot be settled any more, but who settled it before may say so.
    """
    if settlement.attempts >= ATTEMPTS_MAX or _is_past(settlement, now):
        return None
    seconds = min(RETRY_SECONDS << (settlement.attempts - 1), RETRY_SECONDS_MAX)
    return now + seconds * SECOND


def _is_past(settlement: X402Settlement, now: Instant) -> bool:
    return int(settlement.valid_before) <= now.timestamp()
