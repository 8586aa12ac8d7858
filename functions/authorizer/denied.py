"""Why a credential is not good. The API repeats the code to the caller, in its own dialect."""


class Denied(Exception):
    """The caller stays a stranger. The code is all that is ever told or logged of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


NOT_CONFIGURED = "not_configured"
KEYS_UNAVAILABLE = "keys_unavailable"
MISSING = "missing_credential"
UNKNOWN = "unknown_credential"
MALFORMED = "malformed_token"
WRONG_ALGORITHM = "wrong_algorithm"
UNKNOWN_KEY = "unknown_key"
WRONG_SIGNATURE = "wrong_signature"
EXPIRED = "expired_token"
NOT_YET = "token_not_yet_valid"
WRONG_ISSUER = "wrong_issuer"
WRONG_AUDIENCE = "wrong_audience"
WRONG_USE = "not_an_access_token"
INVALID_CLAIMS = "invalid_claims"
REVOKED_KEY = "revoked_key"
EXPIRED_KEY = "expired_key"
