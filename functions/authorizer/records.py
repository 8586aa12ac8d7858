"""The keys on this environment's table, and the secret of the house.

Loading this takes longer than all else that the authorizer does, so it is left until the first
key is seen.
"""

from authorizer.api_keys import Records
from holdfast import runtime
from holdfast.domain.api_keys import ApiKey
from holdfast.gateways.secrets import NotMade
from holdfast.services import api_keys


def find(key_id: str) -> ApiKey | None:
    """The record of a key, read consistently."""
    return api_keys.find(runtime.ledger_store(), key_id)


def house_secret() -> bytes | None:
    """The secret of the house; None as long as nobody has made a key."""
    try:
        return runtime.api_key_secret().value()
    except NotMade:
        return None


RECORDS = Records(find=find, house_secret=house_secret)
