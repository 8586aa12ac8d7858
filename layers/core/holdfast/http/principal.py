"""What a route asks for to know its caller, and whom that caller may name."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from holdfast.domain.accounts import Owner, is_account_id, owner_of, user_name
from holdfast.domain.api_keys import NOUNS, allows, needed_scope
from holdfast.errors import AccountNotFound, Forbidden
from holdfast.http.credential import Principal, principal_of
from holdfast.http.incoming import incoming_of

__all__ = [
    "Admin",
    "Caller",
    "Person",
    "Platform",
    "Principal",
    "owner_named",
    "principal_of",
    "require_scope",
    "user_of",
]


def caller(request: Request) -> Principal:
    """Whoever calls."""
    principal = incoming_of(request).principal
    assert principal is not None, "a public route has no caller to ask for"
    return principal


Caller = Annotated[Principal, Depends(caller)]
"""A route with this is closed to strangers; a route without it is public."""


def admin(principal: Caller) -> Principal:
    """Whoever calls, an admin of its org.

    Raises:
        Forbidden: It is not.
    """
    if not principal.is_admin:
        raise Forbidden
    return principal


def platform(principal: Caller) -> Principal:
    """Whoever calls, one of the platform's own.

    Raises:
        Forbidden: It is not.
    """
    if not principal.is_platform:
        raise Forbidden
    return principal


Admin = Annotated[Principal, Depends(admin)]
Platform = Annotated[Principal, Depends(platform)]


def require_scope(principal: Principal, noun: str, method: str) -> None:
    """Refuse an API key whose scopes do not allow this method of this function.

    Raises:
        Forbidden: They do not; `scope` says what is lacking.
    """
    if principal.key is None:
        return
    if noun not in NOUNS:
        raise Forbidden
    needed = needed_scope(noun, method)
    if not allows(principal.key.scopes, needed):
        raise Forbidden(scope=needed)


def person(principal: Caller) -> Principal:
    """Whoever calls, by a token of their own and not by an API key.

    Raises:
        Forbidden: It is a key: a key that makes keys would have no limits.
    """
    if principal.key is not None:
        raise Forbidden
    return principal


Person = Annotated[Principal, Depends(person)]


def user_of(principal: Principal, name: str | None, *, param: str = "user") -> str:
    """`owner/name` of the user that a request is about: the caller, unless it names another.

    Raises:
        InvalidField: Not a user name.
        AccountNotFound: A user of another org, who is nobody here.
        Forbidden: Another user of the org, and the caller is no admin.
    """
    if name is None:
        return principal.user
    user = user_name(name, org=principal.org, param=param)
    if not user.startswith(f"{principal.org}/"):
        raise AccountNotFound
    if user != principal.user and not principal.is_admin:
        raise Forbidden
    return user


def owner_named(principal: Principal, name: str | None, *, param: str = "user") -> Owner:
    """Whom a request is about, named by user or by account id; the caller, if it names nobody.

    An id that an admin gives is taken as it is: whether there is such an account in the admin's
    own org and mode is for the service to find out; and whether any other caller has a seat in it.

    Raises:
        InvalidField: Neither a user name nor an account id.
        AccountNotFound: A user of another org.
        Forbidden: Another user of the org, and the caller is no admin.
    """
    own = owner_of(principal.tenant, principal.user)
    if name is None or name == own.account_id:
        return own
    if is_account_id(name):
        return Owner(principal.tenant, name, asker=None if principal.is_admin else principal.user)
    return owner_of(principal.tenant, user_of(principal, name, param=param))
