"""The test UZI register itself: its cards, its trust stores, and what it says about a card today."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from zorgid.demo.uzi_register.authorities import Authority, Founder, Hierarchy, key_usage
from zorgid.demo.uzi_register.cards import CardMaker, TestCard
from zorgid.demo.uzi_register.keep import Keep
from zorgid.demo.uzi_register.people import Defect, read_people
from zorgid.demo.uzi_register.profile import REAL_ISSUERS, TEST_ISSUERS, CardUsage, IssuerLine
from zorgid.kernel.clock import Clock
from zorgid.kernel.randomness import RandomSource
from zorgid.pki.algorithms import KeyKind, admitted_key, algorithm_for, key_fingerprint, sign_with
from zorgid.pki.crl import RevocationReason, assemble_crl, build_tbs_crl, encode_entry
from zorgid.pki.identity import CardType
from zorgid.pki.ocsp import (
    Answer,
    CertIdHash,
    Good,
    OcspQuestion,
    Responder,
    Revoked,
    Unknown,
    build_answer,
    cert_id,
)
from zorgid.pki.prepare import new_serial
from zorgid.pki.profiles import SIGNING
from zorgid.pki.recognise import Level, TrustStore, UziIssuer

CRL_LASTS: Final = timedelta(hours=48)
OCSP_LASTS: Final = timedelta(hours=12)
STALE_BY: Final = timedelta(hours=5)
"""How old its answers are while it is stale: more than the platform takes."""
RESPONDER_LASTS: Final = timedelta(days=30)


class Mood(StrEnum):
    """How the register behaves; tests and the acceptance environment change it."""

    well = "well"
    stale = "stale"
    """It answers, but with what it knew hours ago."""
    dark = "dark"
    """It does not answer at all."""


@dataclass
class Counter:
    """Gives CRL numbers that only grow."""

    last: int = 0

    def next_after(self, at: datetime) -> int:
        """Return a number made of the moment, higher than the last one."""
        self.last = max(self.last + 1, int(at.timestamp()))
        return self.last


class Register:
    """The test UZI register. Not trusted by anything in production, and loud about it."""

    def __init__(
        self,
        keep: Keep,
        hierarchy: Hierarchy,
        cards: tuple[TestCard, ...],
        clock: Clock,
        random: RandomSource,
    ) -> None:
        self.hierarchy = hierarchy
        self.cards = cards
        self.mood = Mood.well
        self._keep = keep
        self._clock = clock
        self._random = random
        self._revoked = keep.revocations()
        self._issued = {
            (card_issuer(hierarchy, key.certificate).slug, key.certificate.serial_number)
            for card in cards
            for key in card.keys.values()
        }
        self._issued |= {
            (above.slug, below.certificate.serial_number)
            for below in hierarchy.all
            if (above := card_issuer(hierarchy, below.certificate)) is not below
        }
        self._issued |= {
            (hierarchy.level_2.slug, older.serial_number) for older in hierarchy.older_issuer_certificates
        }
        self._counter = Counter()
        self._responders: dict[str, Responder] = {}
        self._responder_keys = {
            authority.slug: keep.key(f"{authority.slug}_ocsp")
            for authority in hierarchy.all
            if authority.has_responder
        }

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        base_url: str,
        clock: Clock,
        random: RandomSource,
        keys: KeyKind = KeyKind.rsa2048,
    ) -> "Register":
        """Return the register whose world is kept in `folder`; what is missing is made (seconds for RSA).

        `base_url` stands in the certificates as the address of its OCSP responder and lists.
        """
        keep, now = Keep(folder, keys, base_url), clock().replace(microsecond=0)
        hierarchy = Founder(keep, base_url, now, random).found()
        maker = CardMaker(keep, hierarchy, now, random)
        lines = read_people()
        register = cls(keep, hierarchy, tuple(maker.make(line) for line in lines), clock, random)
        for line in lines:
            if line.defect is Defect.revoked:
                register.revoke_card(line.label, at=now - timedelta(days=7))
        return register

    def card(self, label: str) -> TestCard:
        """Return the card with this label. Raises `KeyError` when there is none."""
        for card in self.cards:
            if card.label == label:
                return card
        raise KeyError(label)

    def trust_store(self, *, accepts_test: bool = True) -> TrustStore:
        """Return a trust store that knows this register, to accept its cards or to refuse them by name."""
        issuers = tuple(
            _pinned(self.hierarchy.issuers[card_type], line, card_type, is_test=True)
            for card_type, line in TEST_ISSUERS.items()
        )
        between = (
            *(issuer.certificate for issuer in self.hierarchy.issuers.values()),
            *self.hierarchy.older_issuer_certificates,
            self.hierarchy.level_2.certificate,
        )
        return TrustStore((self.hierarchy.root.certificate,), between, issuers, accepts_test=accepts_test)

    def production_like_store(self) -> TrustStore:
        """Return a store as in production: it takes the imitation for the real one, and no test cards."""
        store = self.trust_store(accepts_test=False)
        imitation = self.hierarchy.imitation_issuer
        return TrustStore(
            roots=(*store.roots, self.hierarchy.imitation_root.certificate),
            intermediates=(*store.intermediates, imitation.certificate),
            issuers=(
                *store.issuers,
                _pinned(imitation, REAL_ISSUERS[CardType.N], CardType.N, is_test=False),
            ),
            accepts_test=False,
        )

    # --- Switches -------------------------------------------------------------------------------------------

    def revoke(self, serial: int, *, at: datetime | None = None) -> None:
        """Revoke a certificate; the register knows no suspension, so this is for good."""
        self._revoked.setdefault(serial, (at or self._clock()).replace(microsecond=0))
        self._keep.keep_revocations(self._revoked)

    def revoke_card(self, label: str, *, at: datetime | None = None) -> None:
        """Revoke all certificates of a card."""
        for key in self.card(label).keys.values():
            self.revoke(key.certificate.serial_number, at=at)

    def go_dark(self) -> None:
        """Answer nothing from now on."""
        self.mood = Mood.dark

    def go_stale(self) -> None:
        """Answer from now on with what was known hours ago."""
        self.mood = Mood.stale

    def recover(self) -> None:
        """Answer as it should from now on."""
        self.mood = Mood.well

    # --- What it says ---------------------------------------------------------------------------------------

    def authority(self, slug: str) -> Authority | None:
        """Return the authority with this name in addresses, or None when there is none."""
        return next((authority for authority in self.hierarchy.all if authority.slug == slug), None)

    def crl(self, authority: Authority) -> bytes:
        """Return the complete list of an authority (DER), signed now."""
        at = self._as_of()
        entries = [
            encode_entry(serial, revoked_at, RevocationReason.unspecified)
            for serial, revoked_at in self._revoked.items()
            if (authority.slug, serial) in self._issued and revoked_at <= at
        ]
        tbs = build_tbs_crl(
            authority.certificate,
            number=self._counter.next_after(at),
            this_update=at,
            next_update=at + CRL_LASTS,
            entries=entries,
            expired_from=None,
        )
        return assemble_crl(tbs, algorithm_for(authority.public_key), sign_with(authority.key)(tbs))

    def answer(self, question: OcspQuestion) -> bytes | None:
        """Return the signed answer (DER), or None when the question is about an issuer that is not here."""
        authority = self._asked_authority(question)
        if authority is None:
            return None
        at = self._as_of()
        return build_answer(
            question.cert_id,
            self._status(authority, question.cert_id.serial, at),
            responder=self._responder(authority),
            produced_at=at,
            this_update=at,
            next_update=at + OCSP_LASTS,
            nonce=question.nonce,
        )

    def _as_of(self) -> datetime:
        now = self._clock().replace(microsecond=0)
        return now - STALE_BY if self.mood is Mood.stale else now

    def _asked_authority(self, question: OcspQuestion) -> Authority | None:
        asked = question.cert_id
        for authority in self.hierarchy.all:
            named = cert_id(authority.certificate, asked.serial, CertIdHash(asked.hash_algorithm))
            if named == asked and authority.has_responder:
                return authority
        return None

    def _status(self, authority: Authority, serial: int, at: datetime) -> Answer:
        if (authority.slug, serial) not in self._issued:
            return Unknown()
        revoked_at = self._revoked.get(serial)
        if revoked_at is None or revoked_at > at:
            return Good()
        return Revoked(revoked_at, RevocationReason.unspecified)

    def _responder(self, authority: Authority) -> Responder:
        kept = self._responders.get(authority.slug)
        now = self._clock().replace(microsecond=0)
        if kept is None or not _covers(kept.certificate, now):
            kept = self._responders[authority.slug] = self._new_responder(authority, now)
        return kept

    def _new_responder(self, authority: Authority, now: datetime) -> Responder:
        key = self._responder_keys[authority.slug]
        name = str(authority.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} OCSP"[:64])]))
            .public_key(admitted_key(key.public_key()))
            .serial_number(new_serial(self._random))
            .not_valid_before(now - STALE_BY)
            .not_valid_after(now + RESPONDER_LASTS)
            .add_extension(key_usage(SIGNING), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
            .add_extension(x509.OCSPNoCheck(), critical=False)
        )
        return Responder(authority.sign(authority.below(builder)), sign_with(key))


def card_issuer(hierarchy: Hierarchy, certificate: x509.Certificate) -> Authority:
    """Return the authority that has signed `certificate`, found by name."""
    return next(
        authority for authority in hierarchy.all if authority.certificate.subject == certificate.issuer
    )


def _covers(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _pinned(authority: Authority, line: IssuerLine, card_type: CardType, *, is_test: bool) -> UziIssuer:
    return UziIssuer(
        name=line.name,
        key_sha256=key_fingerprint(authority.public_key),
        card_type=card_type,
        oid_ca=line.oid_ca,
        authentication_policy=line.policies[CardUsage.authentication],
        level=Level.high,
        is_test=is_test,
    )
