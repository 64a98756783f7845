"""The refusals of the making of a card."""

from zorgid.kernel.errors import Refusal


class IssuanceUnknown(Refusal):
    """No making belongs to this id. Begin again on the page *Smartcard aanmaken*."""

    code = "issuance-unknown"
    status = 404


class IssuanceOver(Refusal):
    """The day for this making has passed, or it ended. Begin again on the page *Smartcard aanmaken*."""

    code = "issuance-over"
    status = 410


class NotAtThisStep(Refusal):
    """The making waits for another step than the one that was asked."""

    code = "issuance-not-at-this-step"
    status = 409

    def __init__(self, *, step: str, act: str) -> None:
        super().__init__(step=step, act=act)


class CardNotBlank(Refusal):
    """The card in the reader holds an identity that this making did not put there; it is not touched."""

    code = "card-not-blank"
    status = 409


class KindNotAdmitted(Refusal):
    """This kind of card cannot be made here; the employee takes another one.

    It cannot prove where its keys were made, is a stand-in, or has no keys of the kind that is asked here.
    """

    code = "card-kind-not-admitted"


class KeyOfferMalformed(Refusal):
    """The three keys did not come as one request or proof of agreement each, in their order."""

    code = "key-offer-malformed"
    status = 400


class AttestationMissing(Refusal):
    """The card can prove that its keys were made on it, and the proof did not come (CARD-10)."""

    code = "attestation-missing"


class AttestationUnfit(Refusal):
    """The proof that a key was made on the card does not hold: `flaw` says in what (CARD-10)."""

    code = "attestation-unfit"

    def __init__(self, *, flaw: str) -> None:
        super().__init__(flaw=flaw)


class OtherCardAttested(Refusal):
    """The keys were made on another card than the one that is in making."""

    code = "other-card-attested"


class PossessionUnproven(Refusal):
    """The confidentiality key was not shown to be on the card."""

    code = "possession-unproven"


class NewCardUnproven(Refusal):
    """The new card did not show the use of all three keys with the certificates that were given for it."""

    code = "new-card-unproven"
