"""What stands in the way of accounts, workspaces, members and keys."""

from holdfast.errors.kinds import Conflict, InvalidRequest, NotFound, NotServed


class AccountNotFound(NotFound):
    code = "account_not_found"
    message = "There is no such account."


class KeyNotFound(NotFound):
    code = "api_key_not_found"
    message = "There is no such API key."


class WorkspaceNotFound(NotFound):
    code = "workspace_not_found"
    message = "There is no such workspace."


class AccountNotLinked(NotFound):
    code = "account_not_linked"
    message = "The account is not linked to this workspace."


class MemberNotFound(NotFound):
    code = "member_not_found"
    message = "There is no such member."


class AccountClosed(Conflict):
    code = "account_closed"
    message = "The account is closed."


class AccountInUse(Conflict):
    """An account that cannot be closed yet; `reason` says what is in the way."""

    code = "account_in_use"
    message = "The account is still in use."

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class AccountIsDefault(Conflict):
    code = "account_is_default"
    message = "The workspace's default account stays linked. Make another one the default first."


class MemberExists(Conflict):
    code = "member_exists"
    message = "This user is a member already."


class OwnerStays(Conflict):
    code = "owner_stays"
    message = "The owner of an account stays its owner."


class TooManyLinks(InvalidRequest):
    code = "too_many_linked_accounts"
    message = "The workspace has as many linked accounts as a workspace can have."


class TooManyMembers(InvalidRequest):
    code = "too_many_members"
    message = "The account has as many members as an account can have."


class TooManyKeys(InvalidRequest):
    code = "too_many_api_keys"
    message = "The user has as many API keys as a user can have."


class ManagedElsewhere(NotServed):
    code = "managed_elsewhere"
    message = "Accounts and their members are managed elsewhere."
