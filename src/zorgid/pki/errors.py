"""The refusals of the language of certificates: each check has a code of its own.

Facts hold no names and no UZI numbers; they may be logged.
"""

from datetime import datetime
from typing import Final

from zorgid.kernel.errors import Refusal

BAD_REQUEST: Final = 400


# --- The UZI identity string --------------------------------------------------------------------------------


class IdentityMalformed(Refusal):
    """The identity in the certificate is no plain ASCII string; the issuer of the card can solve it."""

    code = "uzi-identity-malformed"


class IdentityMissing(IdentityMalformed):
    """The certificate holds no identity (otherName 2.5.5.5): it is not from a UZI card."""

    code = "uzi-identity-missing"


class IdentityRepeated(IdentityMalformed):
    """The certificate holds more than one identity; nobody can say which one counts."""

    code = "uzi-identity-repeated"

    def __init__(self, *, found: int) -> None:
        super().__init__(found=found)


class IdentityParts(IdentityMalformed):
    """The identity has not exactly seven parts."""

    code = "uzi-identity-parts"

    def __init__(self, *, found: int) -> None:
        super().__init__(found=found)


class IdentityVersion(IdentityMalformed):
    """The identity is of another version than 1; the platform must learn it first."""

    code = "uzi-identity-version"


class IdentityAuthority(IdentityMalformed):
    """The first part of the identity is no object identifier."""

    code = "uzi-identity-oid"


class IdentityNumber(IdentityMalformed):
    """The UZI number is not nine digits."""

    code = "uzi-identity-number"


class IdentityCardType(IdentityMalformed):
    """The card type is none of Z, N, M and S."""

    code = "uzi-identity-card-type"


class IdentityUra(IdentityMalformed):
    """The URA is not eight digits."""

    code = "uzi-identity-ura"


class IdentityRole(IdentityMalformed):
    """The role has not the form NN.NNN, or does not fit the card type: only Z has another than 00.000."""

    code = "uzi-identity-role"


class IdentityAgb(IdentityMalformed):
    """The AGB code is not eight digits."""

    code = "uzi-identity-agb"


# --- Recognising a UZI card ---------------------------------------------------------------------------------


class UziCertificateMalformed(Refusal):
    """What was shown is no certificate; the app or the card reader must try again."""

    code = "uzi-malformed"
    status = BAD_REQUEST


class UziIssuerUnknown(Refusal):
    """No issuer in the trust store has signed this certificate: it is no UZI card, or one of a new issuer."""

    code = "uzi-issuer-unknown"


class UziTestIssuer(Refusal):
    """A test card was shown where only real cards count; its holder takes the real card."""

    code = "uzi-test-issuer"


class UziChainInvalid(Refusal):
    """The chain from the certificate to a root of the trust store does not hold."""

    code = "uzi-chain"


class UziExpired(Refusal):
    """The card's time is over; the holder asks the UZI register for a new one."""

    code = "uzi-expired"

    def __init__(self, *, valid_until: datetime) -> None:
        super().__init__(valid_until=valid_until)


class UziNotYetValid(Refusal):
    """The card's time has not begun, or a clock is wrong."""

    code = "uzi-not-yet-valid"

    def __init__(self, *, valid_from: datetime) -> None:
        super().__init__(valid_from=valid_from)


class UziIsAuthority(Refusal):
    """The certificate belongs to an authority, not to a card."""

    code = "uzi-ca"


class UziUsageWrong(Refusal):
    """Another certificate of the card was shown than the one for authentication."""

    code = "uzi-key-usage"

    def __init__(self, *, usage: str) -> None:
        super().__init__(usage=usage)


class UziPurposeWrong(Refusal):
    """The certificate may not be used to log in (extended key usage clientAuth is missing)."""

    code = "uzi-purpose"


class UziPolicyWrong(Refusal):
    """The certificate was issued under another policy than its issuer's policy for authentication."""

    code = "uzi-policy"


class UziIdentityMismatch(Refusal):
    """Two places in the certificate contradict each other; the issuer of the card can solve it."""

    code = "uzi-identity-mismatch"

    def __init__(self, *, what: str) -> None:
        super().__init__(what=what)


class UziSubjectIncomplete(Refusal):
    """The certificate lacks a part of the name, or has it twice."""

    code = "uzi-subject"

    def __init__(self, *, attribute: str) -> None:
        super().__init__(attribute=attribute)


# --- Status -------------------------------------------------------------------------------------------------


class StatusRefused(Refusal):
    """The issuer's word on the certificate does not let it be used."""

    code = "uzi-status"


class StatusRevoked(StatusRefused):
    """The issuer has revoked the certificate; the holder asks for a new card."""

    code = "uzi-revoked"

    def __init__(self, *, revoked_at: datetime, reason: str) -> None:
        super().__init__(revoked_at=revoked_at, reason=reason)


class StatusUnknown(StatusRefused):
    """The issuer does not know the certificate."""

    code = "uzi-status-unknown"


class StatusTooOld(StatusRefused):
    """The issuer's word is older than the limit, or lies in the future; a later try may help."""

    code = "uzi-status-too-old"

    def __init__(self, *, this_update: datetime) -> None:
        super().__init__(this_update=this_update)


class StatusUnfit(StatusRefused):
    """The answer proves nothing: malformed, about another certificate, or signed by nobody entitled."""

    code = "uzi-status-unfit"

    def __init__(self, *, flaw: str) -> None:
        super().__init__(flaw=flaw)


class StatusUnavailable(StatusRefused):
    """There is no answer about the status: then, and only then, the CRL counts; a later try may help."""

    code = "uzi-status-unavailable"
    status = 503


# --- Keys, signatures and requests --------------------------------------------------------------------------


class KeyUnfit(Refusal):
    """A key of this kind or size is not taken."""

    code = "key-unfit"
    status = BAD_REQUEST

    def __init__(self, *, found: str) -> None:
        super().__init__(found=found)


class SignatureWrong(Refusal):
    """The signature is not by this key over these bytes."""

    code = "signature-wrong"
    status = BAD_REQUEST


class RequestMalformed(Refusal):
    """A certificate request cannot be read."""

    code = "request-malformed"
    status = BAD_REQUEST


class RequestSignatureWrong(RequestMalformed):
    """The request is not signed by the key that it is for."""

    code = "request-signature"


class RequestChallengeWrong(RequestMalformed):
    """The request does not carry the text that was asked for: it was made for another card or another try."""

    code = "request-challenge"


class OcspRequestMalformed(Refusal):
    """An OCSP request cannot be read, is too large, has an odd nonce, or asks after several certificates."""

    code = "ocsp-request-malformed"
    status = BAD_REQUEST
