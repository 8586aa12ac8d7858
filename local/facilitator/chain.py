"""What the facilitator knows and does: it checks as the protocol says, and remembers each nonce."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.facilitator.signatures import CHAINS, signer_of

MARGIN_SECONDS = 6
NONCE_USED = "invalid_exact_evm_nonce_already_used"

type Answer = dict[str, Any]


@dataclass(slots=True)
class Knobs:
    """How it is told to behave.

    `verify_fails` and `settle_fails` are reasons to give; `settle_hangs_seconds` is how long it
    says nothing after it settled; `settled_again` is the reason it gives for what it has settled
    before, where it otherwise repeats its answer.
    """

    verify_fails: str | None = None
    settle_fails: str | None = None
    settle_hangs_seconds: float = 0.0
    settled_again: str | None = None


@dataclass(slots=True)
class Chain:
    """The transactions by what makes an authorisation one: chain, token, payer and nonce."""

    transfers: dict[tuple[str, ...], Answer] = field(default_factory=dict)

    def verify(self, request: Any, *, now_seconds: int) -> Answer:
        """What `/verify` answers."""
        try:
            reason = self._reason(request, now_seconds)
            payer = request["paymentPayload"]["payload"]["authorization"]["from"]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return {"isValid": False, "invalidReason": "invalid_payload"}
        valid = {"isValid": True, "payer": payer}
        return valid if reason is None else {**valid, "isValid": False, "invalidReason": reason}

    def settle(self, request: Any, *, now_seconds: int) -> Answer:
        """What `/settle` answers; what it settles is on the chain from then on."""
        verdict = self.verify(request, now_seconds=now_seconds)
        if not verdict["isValid"]:
            return refusal(verdict["invalidReason"])
        place = _place(request)
        self.transfers[place] = {
            "success": True,
            "transaction": f"0x{hashlib.sha256('/'.join(place).encode()).hexdigest()}",
            "network": _required(request)["network"],
            "payer": verdict["payer"],
        }
        return self.transfers[place]

    def settled(self, request: Any) -> Answer | None:
        """What was answered when this was settled, if it was."""
        try:
            is_signed = _is_signed(request["paymentPayload"]["payload"], _required(request))
            return self.transfers.get(_place(request)) if is_signed else None
        except (AttributeError, KeyError, TypeError):
            return None

    def _reason(self, request: Any, now_seconds: int) -> str | None:
        """What is wrong with a payment first; the order is the protocol's."""
        paid, required = request["paymentPayload"], _required(request)
        version = request["x402Version"]
        chosen = paid["accepted"] if version == 2 else paid
        payload, signed = paid["payload"], paid["payload"]["authorization"]
        amount = required["amount" if version == 2 else "maxAmountRequired"]
        checks = (
            (version not in (1, 2) or paid["x402Version"] != version, "invalid_x402_version"),
            (chosen["scheme"] != "exact" or required["scheme"] != "exact", "unsupported_scheme"),
            (required["network"] not in CHAINS, "invalid_network"),
            (chosen["network"] != required["network"], "network_mismatch"),
            (not {"name", "version"} <= set(required["extra"]), "missing_eip712_domain"),
            (signed["to"].lower() != required["payTo"].lower(), _wrong("recipient_mismatch")),
            (int(signed["value"]) != int(amount), _wrong("authorization_value_mismatch")),
            (
                int(signed["validBefore"]) < now_seconds + MARGIN_SECONDS,
                _wrong("authorization_valid_before"),
            ),
            (int(signed["validAfter"]) > now_seconds, _wrong("authorization_valid_after")),
            (not _is_signed(payload, required), _wrong("signature")),
            (_place(request) in self.transfers, NONCE_USED),
        )
        return next((reason for is_wrong, reason in checks if is_wrong), None)


def refusal(reason: str) -> Answer:
    """What `/settle` answers when it did not."""
    return {"success": False, "errorReason": reason, "transaction": "", "network": "", "payer": ""}


def _wrong(what: str) -> str:
    return f"invalid_exact_evm_payload_{what}"


def _is_signed(payload: Mapping[str, Any], required: Mapping[str, Any]) -> bool:
    signed = payload["authorization"]
    signer = signer_of(signed, required, payload["signature"])
    return signer is not None and signer.lower() == signed["from"].lower()


def _required(request: Any) -> Any:
    return request["paymentRequirements"]


def _place(request: Any) -> tuple[str, ...]:
    required = _required(request)
    signed = request["paymentPayload"]["payload"]["authorization"]
    chain = str(CHAINS.get(required["network"]))
    return (chain, required["asset"].lower(), signed["from"].lower(), signed["nonce"].lower())
