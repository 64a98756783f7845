"""The refusals of the addresses of the Desktop App."""

from zorgid.kernel.errors import Refusal


class MessageMalformed(Refusal):
    """A request of the app is not of the form that its version of the protocol prescribes; update the app."""

    code = "message-malformed"
    status = 400
