"""Has the library write a certificate, and gives the bytes that are to be signed without any signing key.

The library's builder signs in one go with a key object. Here it gets a stand-in that keeps the bytes it is
asked to sign: they can be checked and logged before the real key is used on exactly them.
"""

from typing import Any, Final, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from zorgid.pki import der
from zorgid.pki.algorithms import SignatureAlgorithm, signed

PLACEHOLDER: Final = der.sequence()
"""Stands where the signature will be; it verifies under no key."""


class _Capture:
    """Keeps the bytes it is asked to sign; has no key."""

    def __init__(self) -> None:
        self.tbs = b""

    def sign(self, data: bytes, *_how: Any) -> bytes:
        self.tbs = bytes(data)
        return PLACEHOLDER


class _RsaCapture(_Capture):
    """Passes for an RSA key."""


class _EcCapture(_Capture):
    """Passes for an elliptic-curve key."""


# The library asks for its own abstract classes, which are there for keys that live elsewhere.
rsa.RSAPrivateKey.register(_RsaCapture)
ec.EllipticCurvePrivateKey.register(_EcCapture)


def tbs_of(builder: x509.CertificateBuilder, algorithm: SignatureAlgorithm) -> bytes:
    """Return the TBSCertificate that `builder` describes, as DER, to be signed with `algorithm`."""
    capture = _RsaCapture() if algorithm is SignatureAlgorithm.rsa_sha256 else _EcCapture()
    builder.sign(cast("Any", capture), algorithm.hash_algorithm)
    return capture.tbs


def unsigned_certificate(tbs: bytes, algorithm: SignatureAlgorithm) -> x509.Certificate:
    """Return what the bytes say as a certificate that nobody has signed, for looking at."""
    return x509.load_der_x509_certificate(signed(tbs, algorithm, PLACEHOLDER))
