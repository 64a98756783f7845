"""The refusals and faults of the certificate authority."""

from zorgid.kernel.errors import Fault, Refusal


class KeyAlreadySeen(Refusal):
    """The key of a certificate request served before, here or elsewhere.

    The card must make fresh keys: start making it again.
    """

    code = "key-already-seen"
    status = 409


class IntentSpent(Refusal):
    """The one signature that an intent allows was begun before, or the intent was revoked.

    The outcome of the first time is not known. The card must be made again, with fresh keys.
    """

    code = "intent-spent"
    status = 409


class CertificateUnknown(Refusal):
    """No authority of ours issued this certificate, or not yet at the time asked for.

    Whoever presents it must use another one.
    """

    code = "certificate-unknown"
    status = 404


class HierarchyMissing(Fault):
    """There is no certificate authority yet; the operator makes it with `zorgid ca init`."""


class ResponderMissing(Fault):
    """An authority has no valid responder certificate; the operator must look why none was made."""


class CrlMissing(Fault):
    """An authority has published no CRL yet; the operator must look why."""
