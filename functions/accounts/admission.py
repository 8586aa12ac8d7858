"""Which account a path names, and who may make accounts here at all."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Depends

from holdfast.domain.accounts import Owner, is_account_id
from holdfast.errors import AccountNotFound, ManagedElsewhere
from holdfast.http.principal import Caller, Principal, owner_named
from holdfast.runtime import Settings, settings


def internal(principal: Caller, installation: Annotated[Settings, Depends(settings)]) -> Principal:
    """Whoever calls, where accounts and their members are managed here.

    Raises:
        ManagedElsewhere: They are not.
    """
    if not installation.accounts_are_ours:
        raise ManagedElsewhere
    return principal


Internal = Annotated[Principal, Depends(internal)]
"""A route with this does nothing where another system says which accounts there are."""


def account_named(caller: Principal, account_id: str) -> Owner:
    """The account that a path names: by its id alone, no user's name stands for one.

    Raises:
        AccountNotFound: No account has an id of that form.
    """
    if not is_account_id(account_id):
        raise AccountNotFound
    return owner_named(caller, account_id)
