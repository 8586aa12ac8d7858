"""Every refusal of the system: a stable code, a fixed message, and the facts that changed.

    Refusal
    |-- Unreadable              body that cannot be read as the JSON object it should be
    |   `-- InvalidPayment, InvalidX402Version, InvalidSignature
    |-- Unauthenticated         no credential, or a bad one
    |-- PaymentRequired         money, a limit or a card stands in the way
    |   |-- BudgetExceeded, InsufficientFunds
    |   `-- PaymentDeclined, AuthenticationRequired, PaymentNotAccepted
    |-- Forbidden               known caller, not allowed
    |   `-- PaymentMethodNeeded
    |-- NotFound                unknown, or somebody else's
    |   |-- AccountNotFound, EntryNotFound, HoldNotFound, JobNotFound, QuoteNotFound,
    |   |-- DeviceNotFound, TransactionNotFound, RouteNotFound, GrantNotFound, KeyNotFound,
    |   |-- WorkspaceNotFound, AccountNotLinked, MemberNotFound, CouponInvalid, CouponNotFound
    |   `-- PaymentMethodNotFound, PaymentNotFound, PlanNotFound
    |-- MethodNotAllowed
    |-- Conflict                the thing is in a state that does not allow this
    |   |-- HoldClosed, HoldExpired, HoldNotDue, JobHeld, QuoteUsed, ReleaseDiffers, DeviceOffline,
    |   |-- AccountClosed, AccountInUse, AccountIsDefault, MemberExists, OwnerStays,
    |   |-- GrantVoided, StarterCreditGranted, PaymentState, RefundRefused,
    |   |-- PaymentUsed, OrderNotRefundable, SubscriptionsNotEnabled
    |   |-- NoPaymentMethod, PaymentMethodInUse, AutoRechargeOff
    |   |-- CouponExists, CouponRedeemed, CouponReserved, CouponExhausted
    |   `-- KeyInUse
    |-- Gone                    it was there, and its time has passed
    |   `-- QuoteExpired, SessionExpired, CouponExpired
    |-- TooLarge
    |-- UnsupportedMediaType
    |-- InvalidRequest          a field is wrong; `param` names it
    |   |-- InvalidField, UnknownField, CardDataNotAllowed, InvalidCursor
    |   |-- IdempotencyKeyInvalid, IdempotencyKeyReused
    |   |-- HoldExceeded, AmountTooLarge, RefundExceeded, NotRefundable
    |   `-- TooManyLots, TooManyLinks, TooManyMembers, TooManyKeys
    |-- TooManyRequests
    |-- Unavailable             try again
    |   `-- Contention, TokenizedElsewhere
    |-- BadGateway              somebody behind us is down
    |   `-- StripeUnavailable, FacilitatorUnavailable
    `-- NotServed               this installation does not do that
        `-- ManagedElsewhere, X402NotConfigured

    InvariantBroken             not a refusal: ours, a 500, and it pages somebody

A refusal knows nothing of HTTP: `holdfast.http.errors` holds the only table of statuses. `code` is
public, lower_snake, never reused; `docs/errors.md` lists every code in order of precedence.
"""

from holdfast.errors.coupons import (
    CouponExhausted,
    CouponExists,
    CouponExpired,
    CouponInvalid,
    CouponNotFound,
    CouponRedeemed,
    CouponReserved,
)
from holdfast.errors.holds import (
    DeviceNotFound,
    DeviceOffline,
    HoldClosed,
    HoldExceeded,
    HoldExpired,
    HoldNotDue,
    HoldNotFound,
    JobHeld,
    JobNotFound,
    QuoteExpired,
    QuoteNotFound,
    QuoteUsed,
    ReleaseDiffers,
)
from holdfast.errors.kinds import (
    BadGateway,
    Conflict,
    Fact,
    Forbidden,
    Gone,
    InvalidRequest,
    InvariantBroken,
    MethodNotAllowed,
    NotFound,
    NotServed,
    PaymentRequired,
    Refusal,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    Unreadable,
    UnsupportedMediaType,
)
from holdfast.errors.money import (
    AmountTooLarge,
    BudgetExceeded,
    EntryNotFound,
    GrantNotFound,
    GrantVoided,
    InsufficientFunds,
    NotRefundable,
    PaymentMethodNeeded,
    RefundExceeded,
    StarterCreditGranted,
    TooManyLots,
    TransactionNotFound,
)
from holdfast.errors.payments import (
    AuthenticationRequired,
    AutoRechargeOff,
    FacilitatorUnavailable,
    InvalidPayment,
    InvalidSignature,
    InvalidX402Version,
    NoPaymentMethod,
    OrderNotRefundable,
    PaymentDeclined,
    PaymentMethodInUse,
    PaymentMethodNotFound,
    PaymentNotAccepted,
    PaymentNotFound,
    PaymentState,
    PaymentUsed,
    PlanNotFound,
    RefundRefused,
    SessionExpired,
    StripeUnavailable,
    SubscriptionsNotEnabled,
    TokenizedElsewhere,
    X402NotConfigured,
)
from holdfast.errors.people import (
    AccountClosed,
    AccountInUse,
    AccountIsDefault,
    AccountNotFound,
    AccountNotLinked,
    KeyNotFound,
    ManagedElsewhere,
    MemberExists,
    MemberNotFound,
    OwnerStays,
    TooManyKeys,
    TooManyLinks,
    TooManyMembers,
    WorkspaceNotFound,
)
from holdfast.errors.requests import (
    CardDataNotAllowed,
    Contention,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidField,
    KeyInUse,
    RouteNotFound,
    UnknownField,
)

__all__ = [
    "AccountClosed",
    "AccountInUse",
    "AccountIsDefault",
    "AccountNotFound",
    "AccountNotLinked",
    "AmountTooLarge",
    "AuthenticationRequired",
    "AutoRechargeOff",
    "BadGateway",
    "BudgetExceeded",
    "CardDataNotAllowed",
    "Conflict",
    "Contention",
    "CouponExhausted",
    "CouponExists",
    "CouponExpired",
    "CouponInvalid",
    "CouponNotFound",
    "CouponRedeemed",
    "CouponReserved",
    "DeviceNotFound",
    "DeviceOffline",
    "EntryNotFound",
    "FacilitatorUnavailable",
    "Fact",
    "Forbidden",
    "Gone",
    "GrantNotFound",
    "GrantVoided",
    "HoldClosed",
    "HoldExceeded",
    "HoldExpired",
    "HoldNotDue",
    "HoldNotFound",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyReused",
    "InsufficientFunds",
    "InvalidCursor",
    "InvalidField",
    "InvalidPayment",
    "InvalidRequest",
    "InvalidSignature",
    "InvalidX402Version",
    "InvariantBroken",
    "JobHeld",
    "JobNotFound",
    "KeyInUse",
    "KeyNotFound",
    "ManagedElsewhere",
    "MemberExists",
    "MemberNotFound",
    "MethodNotAllowed",
    "NoPaymentMethod",
    "NotFound",
    "NotRefundable",
    "NotServed",
    "OrderNotRefundable",
    "OwnerStays",
    "PaymentDeclined",
    "PaymentMethodInUse",
    "PaymentMethodNeeded",
    "PaymentMethodNotFound",
    "PaymentNotAccepted",
    "PaymentNotFound",
    "PaymentRequired",
    "PaymentState",
    "PaymentUsed",
    "PlanNotFound",
    "QuoteExpired",
    "QuoteNotFound",
    "QuoteUsed",
    "RefundExceeded",
    "RefundRefused",
    "Refusal",
    "ReleaseDiffers",
    "RouteNotFound",
    "SessionExpired",
    "StarterCreditGranted",
    "StripeUnavailable",
    "SubscriptionsNotEnabled",
    "TokenizedElsewhere",
    "TooLarge",
    "TooManyKeys",
    "TooManyLinks",
    "TooManyLots",
    "TooManyMembers",
    "TooManyRequests",
    "TransactionNotFound",
    "Unauthenticated",
    "Unavailable",
    "UnknownField",
    "Unreadable",
    "UnsupportedMediaType",
    "WorkspaceNotFound",
    "X402NotConfigured",
]
