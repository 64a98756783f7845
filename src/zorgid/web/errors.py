"""Refusals of the edge itself: forms that are not ours, bodies that are too large."""

from zorgid.kernel.errors import Refusal


class FormNotOurs(Refusal):
    """A form came from another site, or from a page that is too old; the person opens the page again."""

    code = "form-not-ours"
    status = 403


class BodyTooLarge(Refusal):
    """More bytes were sent than any of our addresses takes; the sender sends less."""

    code = "body-too-large"
    status = 413

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(limit_bytes=limit_bytes)


class PortTaken(Refusal):
    """Another program listens where this one was to answer. The operator ends it, or takes another port."""

    code = "port-taken"
    status = 503

    def __init__(self, *, address: str, port: int, setting: str) -> None:
        super().__init__(address=address, port=port, setting=setting)
