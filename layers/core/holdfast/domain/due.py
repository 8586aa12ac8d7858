"""What is due: something that time alone may have to do something about."""

from dataclasses import dataclass

from holdfast.domain.accounts import Tenant

WALLET = "WALLET"
PAYMENT = "PAYMENT"
RECHARGE = "RECHARGE"
X402 = "X402"
DISPUTE = "DISPUTE"


@dataclass(frozen=True, slots=True)
class Due:
    """A thing that is due by now: its noun, whose it is, and its name there.

    A wallet's name is its currency: a hold or a lot in it may have to expire.
    """

    noun: str
    tenant: Tenant
    account_id: str
    name: str
