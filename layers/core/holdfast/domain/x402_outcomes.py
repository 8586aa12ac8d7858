"""What an x402 facilitator may say of a payment, as it was understood."""

import re
from dataclasses import dataclass

UNREADABLE = "unreadable_answer"
"""The reason of whatever cannot be understood."""

# What a facilitator says before it sends anything. Whatever else it says leaves it open: that the
# nonce was used, or that a transaction failed, is also what it says of money that is here.
_DEFINITE = re.compile(
    r"insufficient_funds|invalid_exact_evm_insufficient_balance"
    r"|invalid_exact_evm_payload_[a-z0-9_]+|invalid_(network|payload|scheme|x402_version)"
    r"|invalid_payment_requirements|unsupported_scheme|network_mismatch|missing_eip712_domain"
)
_TRANSACTION = re.compile(r"0x[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a facilitator takes a payment, and why not."""

    is_valid: bool
    payer: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A facilitator's word that a payment is on the chain."""

    transaction: str
    network: str
    payer: str | None = None
    amount: str | None = None

    @property
    def has_hash(self) -> bool:
        """Whether the transaction can be looked up on the chain."""
        return _TRANSACTION.fullmatch(self.transaction) is not None


@dataclass(frozen=True, slots=True)
class Refused:
    """A facilitator's word that it did not settle, and the transaction if it sent one."""

    reason: str
    transaction: str | None = None

    @property
    def is_definite(self) -> bool:
        """Whether it says, too, that nothing was sent to the chain."""
        return not self.transaction and _DEFINITE.fullmatch(self.reason) is not None


@dataclass(frozen=True, slots=True)
class NoWord:
    """Nobody said what happened: no answer, half of one, or one that makes no sense."""

    reason: str


type Outcome = Settled | Refused | NoWord
