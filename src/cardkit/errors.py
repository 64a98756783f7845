"""Everything that can go wrong between a program and a card.

One root, `CardError`; each error carries its facts as attributes and never a PIN, PUK or key. The sentence a
person reads is made elsewhere, from those facts.
"""

from __future__ import annotations

from enum import StrEnum


class CardError(Exception):
    """Anything that goes wrong with a card, a reader or what a card says."""


class PinUnfit(CardError):
    """A text that cannot be a PIN of this card; found before anything is sent, so it costs no try.

    The holder solves it by typing a PIN that fits.
    """

    def __init__(self, *, shortest: int, longest: int, digits_only: bool) -> None:
        super().__init__(f"{shortest} to {longest} {'digits' if digits_only else 'letters or digits'}")
        self.shortest = shortest
        self.longest = longest
        self.digits_only = digits_only


class PukUnfit(PinUnfit):
    """A text that cannot be a PUK of this card; found before anything is sent, so it costs no try."""


class PinWrong(CardError):
    """The card refused the PIN; `tries_left` (at least 1) remain before it is blocked.

    None where a token behind a PKCS#11 module does not tell how many.
    """

    def __init__(self, *, tries_left: int | None) -> None:
        super().__init__(f"PIN wrong, tries left: {tries_left or 'not told'}")
        self.tries_left = tries_left


class PinBlocked(CardError):
    """The PIN is blocked, by this try or before; the holder unblocks it with the PUK."""

    tries_left = 0


class PukWrong(CardError):
    """The card refused the PUK; `tries_left` (at least 1) remain before the card is lost.

    None where a token behind a PKCS#11 module does not tell how many.
    """

    def __init__(self, *, tries_left: int | None) -> None:
        super().__init__(f"PUK wrong, tries left: {tries_left or 'not told'}")
        self.tries_left = tries_left


class PukBlocked(CardError):
    """The PUK is blocked: the PIN can no longer be unblocked and only a reset, or a new card, helps."""

    tries_left = 0


class PinNeeded(CardError):
    """The card wants the PIN first (for the signature key: directly before each use)."""


class ManagementKeyNeeded(CardError):
    """The card wants its management key first."""


class ManagementKeyWrong(CardError):
    """The card and the given management key do not belong together."""


class CardGone(CardError):
    """The card was pulled out, reset or swapped: this connection is dead and stays so."""


class ReaderEmpty(CardError):
    """There is no card in the reader."""


class ReaderServiceAbsent(CardError):
    """This computer runs no service that knows of readers (PC/SC), or has no binding to it."""


class ReaderAbsent(CardError):
    """The service runs, but no reader is connected, or the one in use was unplugged."""


class CardMute(CardError):
    """A card is in the reader and does not answer: the wrong way round, dirty or broken."""


class ModuleFlaw(StrEnum):
    """Why a PKCS#11 module cannot be used."""

    missing = "missing"
    """There is no such file."""
    not_whole = "not-whole"
    """The setting names no whole path; a library is never looked for in some folder."""
    crashed = "crashed"
    """It ended the process that tried it."""
    mute = "mute"
    """It did not come back in time."""
    unfit = "unfit"
    """It is no PKCS#11 module, one for another kind of computer, or one that refuses to start."""
    no_binding = "no-binding"
    """This program was installed without what speaks to modules."""


class ModuleUnusable(CardError):
    """A PKCS#11 module that is wanted cannot be used; `module` is its file, `flaw` says why.

    Whoever installed the module, or set its name, solves it.
    """

    def __init__(self, *, module: str, flaw: ModuleFlaw) -> None:
        super().__init__(f"PKCS#11 module {module}: {flaw}")
        self.module = module
        self.flaw = flaw


class CardFileUnreadable(CardError):
    """The file is no virtual card, or one of another format; delete it and make the card again."""


class CardBusy(CardError):
    """Another program, or another part of this one, holds the card exclusively."""


class CardNotRecognised(CardError):
    """The card has no PIV application, or answers the selection of it with something else."""


class CardRefused(CardError):
    """The card refused a command with a status that has no error of its own here.

    The status is two bytes of a card, or a return value of a PKCS#11 module; `command` tells which.
    """

    def __init__(self, *, status: int, command: str) -> None:
        super().__init__(f"{command} refused with status {status:04X}")
        self.status = status
        self.command = command


class CardAnswerMalformed(CardError):
    """The card answered something that the standard does not allow; nothing of it was used."""


class CardCannot(CardError):
    """This kind of card does not know the act.

    `capability` is the stored text of `card.Capability`, or of `pkcs11.codes.TokenAct` for a token behind a
    PKCS#11 module.
    """

    def __init__(self, *, capability: str) -> None:
        super().__init__(f"this kind of card cannot: {capability}")
        self.capability = capability


class KeyMissing(CardError):
    """There is no key in the slot, or not the expected one (`slot` is the stored text of `card.KeySlot`)."""

    def __init__(self, *, slot: str) -> None:
        super().__init__(f"no such key in slot {slot}")
        self.slot = slot


class KeyUnsupported(CardError):
    """The key is neither RSA of 2048, 3072 or 4096 bits nor on P-256 or P-384."""


class CertificateMissing(CardError):
    """No certificate on the card has the asked usage, or several have and none can be preferred."""

    def __init__(self, *, usage: str) -> None:
        super().__init__(f"no single certificate for {usage} on the card")
        self.usage = usage


class TlvMalformed(CardError):
    """Bytes that are not a complete, definite-length BER-TLV."""


class PossessionUnproven(CardError):
    """The proof does not show that its maker holds the private key."""


class AttestationFlaw(StrEnum):
    """What is wrong with the proof that a key was made on a card."""

    malformed = "malformed"
    root_unknown = "root-unknown"
    chain_broken = "chain-broken"
    outside_validity = "outside-validity"
    not_an_attestation_issuer = "not-an-attestation-issuer"
    other_key = "other-key"
    other_slot = "other-slot"
    serial_missing = "serial-missing"
    policy_missing = "policy-missing"
    pin_policy_too_weak = "pin-policy-too-weak"


class AttestationRefused(CardError):
    """The proof that a key was made on a card does not hold; `reason` says why.

    Another card, or support, solves it.
    """

    def __init__(self, reason: AttestationFlaw) -> None:
        super().__init__(reason.value)
        self.reason = reason
