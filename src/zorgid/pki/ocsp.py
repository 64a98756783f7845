"""The responder's side of OCSP: reads requests strictly, writes answers around any signer.

One question a request, since answers are kept ready one by one. A nonce means an answer of its own.

Source: RFC 6960; RFC 9654 for the nonce; RFC 5019, section 2.1.1, for one certificate a request.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import cached_property, lru_cache
from typing import Final, assert_never

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import OCSPExtensionOID

from zorgid.pki import der
from zorgid.pki.algorithms import Signer, admitted_key, algorithm_for, key_bits
from zorgid.pki.crl import RevocationReason
from zorgid.pki.errors import OcspRequestMalformed
from zorgid.pki.reading import UNREADABLE

LARGEST_REQUEST_BYTES: Final = 2048
REMEMBERED_REQUESTS: Final = 10_000
"""Requests without nonce come again byte for byte; that they were read once is enough."""
LONGEST_NONCE_BYTES: Final = 128
"""A longer nonce is malformed. Source: RFC 9654, section 2.1."""
LONGEST_ECHOED_NONCE_BYTES: Final = 32
"""A longer nonce is left out of the answer, as RFC 9654 allows."""

OCSP_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
ARCHIVE_CUTOFF: Final = "1.3.6.1.5.5.7.48.1.6"


class CertIdHash(StrEnum):
    """The hashes by which a request may name an issuer."""

    sha1 = "sha1"
    sha256 = "sha256"

    @property
    def identifier(self) -> bytes:
        """The AlgorithmIdentifier as DER."""
        return _HASH_IDENTIFIERS[self]


_HASH_IDENTIFIERS: Final = {
    CertIdHash.sha1: der.sequence(der.oid("1.3.14.3.2.26"), der.NULL),
    CertIdHash.sha256: der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL),
}


@dataclass(frozen=True)
class CertId:
    """How OCSP names a certificate; two are equal when they name the same one by the same hash."""

    hash_algorithm: CertIdHash
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int

    @property
    def encoded(self) -> bytes:
        """The CertID as DER."""
        return der.sequence(
            self.hash_algorithm.identifier,
            der.octet_string(self.issuer_name_hash),
            der.octet_string(self.issuer_key_hash),
            der.integer(self.serial),
        )


@dataclass(frozen=True)
class OcspQuestion:
    """What a request asks."""

    cert_id: CertId
    nonce: bytes | None
    """To be given back; None when there was none or it is longer than what is echoed."""


@dataclass(frozen=True)
class Good:
    """Not held and not revoked, as far as the responder knows."""


@dataclass(frozen=True)
class Revoked:
    """Held or revoked since `at`."""

    at: datetime
    reason: RevocationReason


@dataclass(frozen=True)
class Unknown:
    """The responder's issuer never issued such a certificate."""


Answer = Good | Revoked | Unknown


class OcspError(IntEnum):
    """Answers that say nothing about a certificate; they are not signed. Source: RFC 6960, 4.2.1."""

    malformed_request = 1
    internal_error = 2
    try_later = 3
    unauthorized = 6


@dataclass(frozen=True)
class Responder:
    """Who answers: a certificate with OCSPSigning, or the issuer's own, and what signs with its key."""

    certificate: x509.Certificate
    sign: Signer

    @cached_property
    def identifier(self) -> bytes:
        """The responder's name in an answer, as DER: the hash of its key."""
        key_hash = digest(CertIdHash.sha1, key_bits(admitted_key(self.certificate.public_key())))
        return der.explicit(2, der.octet_string(key_hash))

    @cached_property
    def algorithm(self) -> bytes:
        """The AlgorithmIdentifier of its signatures as DER."""
        return algorithm_for(self.certificate.public_key()).identifier

    @cached_property
    def certificates(self) -> bytes:
        """What goes along with each answer as DER: its certificate."""
        return der.explicit(0, der.sequence(self.certificate.public_bytes(Encoding.DER)))


def digest(algorithm: CertIdHash, data: bytes) -> bytes:
    """Return the hash of `data`; SHA-1 serves as a name here, not as a proof."""
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()


def cert_id(issuer: x509.Certificate, serial: int, hash_algorithm: CertIdHash) -> CertId:
    """Return the CertID of the certificate with this serial number by `issuer`."""
    return CertId(
        hash_algorithm,
        digest(hash_algorithm, issuer.subject.public_bytes()),
        digest(hash_algorithm, key_bits(admitted_key(issuer.public_key()))),
        serial,
    )


@lru_cache(maxsize=REMEMBERED_REQUESTS)
def parse_request(unverified: bytes) -> OcspQuestion:
    """Return the question that a request (DER) asks.

    Raises:
        OcspRequestMalformed: it cannot be read, is too large, asks after several certificates, names its
            issuer by another hash than SHA-1 or SHA-256, has a nonce of a length that cannot be, or demands
            something unknown.
    """
    if len(unverified) > LARGEST_REQUEST_BYTES:
        raise OcspRequestMalformed
    try:
        request = ocsp.load_der_ocsp_request(unverified)
        named = CertId(
            CertIdHash(request.hash_algorithm.name),
            request.issuer_name_hash,
            request.issuer_key_hash,
            request.serial_number,
        )
        nonce = _nonce(request.extensions, unverified)
    except UNREADABLE:
        raise OcspRequestMalformed from None
    return OcspQuestion(named, nonce)


def _nonce(extensions: x509.Extensions, unverified: bytes) -> bytes | None:
    """Return the nonce to be given back. Raises `ValueError` for one that cannot be."""
    nonce = None
    for extension in extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            nonce = extension.value.nonce
        elif extension.critical:
            msg = "a critical extension that is not known"
            raise ValueError(msg)
    if nonce is None:
        return None
    # The library takes a nonce without its own OCTET STRING too, and could not give that back as it came.
    is_wrapped = der.octet_string(der.octet_string(nonce)) in unverified
    if not is_wrapped or not 0 < len(nonce) <= LONGEST_NONCE_BYTES:
        msg = "a nonce that cannot be"
        raise ValueError(msg)
    return nonce if len(nonce) <= LONGEST_ECHOED_NONCE_BYTES else None


def build_answer(
    asked: CertId,
    answer: Answer,
    *,
    responder: Responder,
    produced_at: datetime,
    this_update: datetime,
    next_update: datetime,
    archive_cutoff: datetime | None = None,
    nonce: bytes | None = None,
) -> bytes:
    """Return a signed answer about one certificate as DER.

    Args:
        asked: the CertID of the question; the answer repeats it.
        answer: what is known of the certificate.
        responder: who signs; its certificate goes along.
        produced_at: the moment of signing.
        this_update: the moment at which `answer` was known to be right.
        next_update: until when a newer answer will be there.
        archive_cutoff: revocations of certificates that expired after this moment are still known.
        nonce: what the question wants to see again.
    """
    single = der.sequence(
        asked.encoded,
        _encode(answer),
        der.generalized_time(this_update),
        der.explicit(0, der.generalized_time(next_update)),
        _extensions(1, _archive_cutoff(archive_cutoff)),
    )
    tbs = der.sequence(
        responder.identifier,
        der.generalized_time(produced_at),
        der.sequence(single),
        _extensions(1, _nonce_extension(nonce)),
    )
    return _successful(tbs, responder)


def _successful(tbs: bytes, responder: Responder) -> bytes:
    signature = der.bit_string(responder.sign(tbs))
    basic = der.sequence(tbs, responder.algorithm, signature, responder.certificates)
    body = der.sequence(der.oid(OCSP_BASIC), der.octet_string(basic))
    return der.sequence(der.enumerated(0), der.explicit(0, body))


def _encode(answer: Answer) -> bytes:
    match answer:
        case Good():
            return der.implicit(0, b"")
        case Revoked(at, reason):
            said = (
                b""
                if reason is RevocationReason.unspecified
                else der.explicit(0, der.enumerated(reason.number))
            )
            return der.explicit(1, der.generalized_time(at), said)
        case Unknown():
            return der.implicit(2, b"")
        case _:
            assert_never(answer)


def _archive_cutoff(at: datetime | None) -> bytes:
    return b"" if at is None else der.extension(ARCHIVE_CUTOFF, der.generalized_time(at))


def _nonce_extension(nonce: bytes | None) -> bytes:
    if nonce is None:
        return b""
    return der.extension(OCSPExtensionOID.NONCE.dotted_string, der.octet_string(nonce))


def _extensions(number: int, extension: bytes) -> bytes:
    return der.explicit(number, der.sequence(extension)) if extension else b""


def error_answer(error: OcspError) -> bytes:
    """Return an answer that says why there is none."""
    return der.sequence(der.enumerated(error))
