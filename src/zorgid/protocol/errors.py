"""The refusals that both sides of the desktop protocol can give."""

from zorgid.kernel.errors import Refusal


class LinkMalformed(Refusal):
    """The launch link is not of the one form that exists; it did not come from a ZORG-ID page."""

    code = "link-malformed"
    status = 400


class ProofMalformed(Refusal):
    """The proof is not a Web eID token of the form that the protocol prescribes."""

    code = "proof-malformed"
    status = 400


class ProofWrong(Refusal):
    """The signature does not fit what was shown: context, purpose, origin or key is another."""

    code = "proof-wrong"
    status = 403


class AppSignatureWrong(Refusal):
    """A request of the Desktop App does not carry a valid signature of the key that attached."""

    code = "app-signature-wrong"
    status = 401
