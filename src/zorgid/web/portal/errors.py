"""The refusals of the portal."""

from zorgid.kernel.errors import Refusal


class PortalLoginFailed(Refusal):
    """The login did not end in this browser as it began; the person logs in again. `cause` is for the log."""

    code = "portal-login-failed"
    status = 403

    def __init__(self, *, cause: str) -> None:
        super().__init__(cause=cause)


class ReasonMissing(Refusal):
    """No reason, or an unknown one, was chosen for an act on a card; the person chooses one."""

    code = "reason-missing"
    status = 422
