"""The refusals about roles and rights."""

from zorgid.kernel.errors import Refusal


class RightMissing(Refusal):
    """No role of the person allows this act here.

    An administrator of the organisation can say who may (ROLE-6).
    """

    code = "right-missing"

    def __init__(self, *, act: str) -> None:
        super().__init__(act=act)


class GrantUnknown(Refusal):
    """The grant does not exist or has ended; the screen that shows it is out of date."""

    code = "grant-unknown"
    status = 404


class LastAdministrator(Refusal):
    """An organisation keeps an administrator; appointing another first opens the way (ROLE-1)."""

    code = "last-administrator"
    status = 409


class RoleNotGrantable(Refusal):
    """The role cannot be granted there: `holder` never, `support` at no organisation, others only at one."""

    code = "role-not-grantable"
    status = 422

    def __init__(self, *, role: str) -> None:
        super().__init__(role=role)
