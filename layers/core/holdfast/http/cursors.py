"""Where a list goes on: opaque to callers, and good for the list that gave it out alone.

A cursor is no secret and no permission: the store makes its keys of the list that is asked for,
and takes from the cursor only how far it has got. The scope keeps a cursor of one list or account
from being read as a place in another.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from holdfast.errors import InvalidCursor

CURSOR_LENGTH_MAX = 6144
_SCOPE_LENGTH = 16
_POSITION = re.compile(r"[ -~]{1,4096}")


def encode_cursor(scope: str, position: str) -> str:
    """The cursor for a place in the list that `scope` names (its kind, its account, its filter).

    >>> decode_cursor("entries acct_1", encode_cursor("entries acct_1", "000000000042"))
    '000000000042'
    """
    written = json.dumps([_mark(scope), position], separators=(",", ":"))
    return urlsafe_b64encode(written.encode()).decode().rstrip("=")


def decode_cursor(scope: str, cursor: str) -> str:
    """The place that a cursor of this very list stands for.

    Raises:
        InvalidCursor: It is not one, or one of another list.
    """
    if len(cursor) > CURSOR_LENGTH_MAX:
        raise InvalidCursor
    try:
        written = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        _, position = json.loads(written)
    except (ValueError, TypeError, RecursionError) as broken:
        raise InvalidCursor from broken
    if not isinstance(position, str) or not _POSITION.fullmatch(position):
        raise InvalidCursor
    # Written again for this list it must be the same text: there is one cursor for one place.
    if encode_cursor(scope, position) != cursor:
        raise InvalidCursor
    return position


def _mark(scope: str) -> str:
    return sha256(scope.encode()).hexdigest()[:_SCOPE_LENGTH]
