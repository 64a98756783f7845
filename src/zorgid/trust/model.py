"""The values of trust: what an environment trusts, where it asks, and the daily check."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from zorgid.pki.crl_judgement import CRL_AGE_LIMIT
from zorgid.pki.recognise import TrustStore


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
