"""What stands in the way of money: funds, limits, credit, entries."""

from holdfast.errors.kinds import Conflict, Forbidden, InvalidRequest, NotFound, PaymentRequired


class InsufficientFunds(PaymentRequired):
    code = "insufficient_funds"
    message = "Available balance is too low."

    def __init__(self, *, needed_micros: int, available_micros: int, currency: str) -> None:
        super().__init__(
            needed_micros=needed_micros, available_micros=available_micros, currency=currency
        )


class BudgetExceeded(PaymentRequired):
    """A limit that the money would pass; `scope` names it (`run:r1`, over `window`)."""

    code = "budget_exceeded"
    message = "A budget would be passed."

    def __init__(
        self,
        *,
        scope: str,
        window: str,
        limit_micros: int,
        used_micros: int,
        needed_micros: int,
        currency: str,
    ) -> None:
        super().__init__(
            scope=scope,
            window=window,
            limit_micros=limit_micros,
            used_micros=used_micros,
            needed_micros=needed_micros,
            currency=currency,
        )


class PaymentMethodNeeded(Forbidden):
    code = "payment_method_needed"
    message = "A payment method has to be on file first."


class EntryNotFound(NotFound):
    code = "entry_not_found"
    message = "There is no such entry."


class TransactionNotFound(NotFound):
    code = "transaction_not_found"
    message = "There is no such transaction."


class GrantNotFound(NotFound):
    code = "credit_grant_not_found"
    message = "There is no such credit grant."


class GrantVoided(Conflict):
    code = "credit_grant_voided"
    message = "The credit grant is void already."


class StarterCreditGranted(Conflict):
    code = "starter_credit_granted"
    message = "The starter credit was granted before."


class AmountTooLarge(InvalidRequest):
    code = "amount_too_large"
    message = "The amount is beyond what one wallet or one operation can hold."


class RefundExceeded(InvalidRequest):
    code = "refund_exceeded"
    message = "Less than that is left to refund."

    def __init__(self, *, asked_micros: int, refundable_micros: int, currency: str) -> None:
        super().__init__(
            param="amount",
            asked_micros=asked_micros,
            refundable_micros=refundable_micros,
            currency=currency,
        )


class NotRefundable(InvalidRequest):
    code = "not_refundable"
    message = "Only a charge can be refunded."


class TooManyLots(InvalidRequest):
    code = "too_many_lots"
    message = "The wallet has as many open lots as a wallet can have."
