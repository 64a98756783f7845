"""The values of trust: what an environment trusts and where it asks, and a recognised UZI card."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from zorgid.pki.crl_judgement import CRL_AGE_LIMIT
from zorgid.pki.identity import CardType
from zorgid.pki.names import HolderNames
from zorgid.pki.recognise import Level, RecognisedUziCard, TrustStore


@dataclass(frozen=True)
class Ways:
    """Where one issuer may be asked about its certificates; no other address is ever called (ALL-4).

    Args:
        ocsp: addresses of its responder; none when it has no responder, as a root whose key is off line.
        crl: addresses of its list.
        crl_age_limit: how old the list may be. Longer than the four hours for cards only at authorities whose
            key is off line and whose list therefore comes out a few times a year.
    """

    ocsp: tuple[str, ...]
    crl: tuple[str, ...]
    crl_age_limit: timedelta = CRL_AGE_LIMIT


@dataclass(frozen=True)
class TrustBundle:
    """A trust store and the ways to each authority in it, by the SHA-256 of the authority's public key."""

    store: TrustStore
    ways: Mapping[bytes, Ways]


@dataclass(frozen=True)
class UziCard:
    """A UZI card that is real, in time and not revoked, as its authentication certificate shows it."""

    uzi_number: str
    card_type: CardType
    ura: str
    role: str
    agb: str
    names: HolderNames
    organisation_name: str
    certificate_der: bytes
    fingerprint_sha256: bytes
    valid_until: datetime
    level: Level

    @property
    def title(self) -> str | None:
        """Return the formal title of a professional; None on other cards."""
        return self.names.title

    @classmethod
    def of(cls, card: RecognisedUziCard) -> "UziCard":
        """Return what other rooms need of a recognised card. Call it when the status is known to be good."""
        return cls(
            uzi_number=card.identity.uzi_number,
            card_type=card.identity.card_type,
            ura=card.identity.ura,
            role=card.identity.role,
            agb=card.identity.agb,
            names=card.names,
            organisation_name=card.organisation_name,
            certificate_der=card.certificate.public_bytes(Encoding.DER),
            fingerprint_sha256=card.fingerprint_sha256,
            valid_until=card.valid_until,
            level=card.level,
        )


@dataclass(frozen=True)
class MadeWith:
    """A UZI certificate with which a means was made, for the daily check (CARD-16).

    `reference` is the caller's own name for the means.
    """

    reference: str
    certificate_der: bytes
    made_at: datetime


@dataclass(frozen=True)
class RevokedBefore:
    """A means whose UZI card turned out to have been revoked when it was made."""

    reference: str
    revoked_at: datetime


@dataclass(frozen=True)
class Recheck:
    """The outcome of the daily check.

    `unlearned` are the references whose status could not be learned; they are checked again the next time.
    """

    revoked: tuple[RevokedBefore, ...]
    unlearned: tuple[str, ...]
