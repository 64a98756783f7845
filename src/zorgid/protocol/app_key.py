"""The Desktop App's key of one flow signs every request: a stolen handle is of no use to another.

A request names a counter. The same counter with the same body is a repetition and gets the same answer
(ALL-8); a lower counter, or the same with another body, is refused by the platform.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from pydantic import Field

from zorgid.kernel.randomness import base64url, from_base64url
from zorgid.protocol.context import Message, canonical
from zorgid.protocol.errors import AppSignatureWrong

HEADER: Final = "ZorgID-Signature"
"""HTTP header that carries counter and signature: `v=1;n=<counter>;k=<thumbprint>;s=<signature>`."""

COORDINATE_BYTES: Final = 32
MOST_COUNTER_DIGITS: Final = 9


class AppKey(Message):
    """The public half of the app key: P-256, as coordinates in base64url (RFC 7518, section 6.2)."""

    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")
    y: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")

    @classmethod
    def of(cls, key: ec.EllipticCurvePublicKey) -> "AppKey":
        """Return the message form of a P-256 public key."""
        numbers = key.public_numbers()
        x, y = (base64url(value.to_bytes(COORDINATE_BYTES, "big")) for value in (numbers.x, numbers.y))
        return cls(x=x, y=y)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the key. Raises `AppSignatureWrong` when the point is not on the curve."""
        try:
            x, y = (int.from_bytes(from_base64url(value), "big") for value in (self.x, self.y))
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        except ValueError:
            raise AppSignatureWrong from None

    def thumbprint(self) -> str:
        """Return the JWK thumbprint (RFC 7638) in base64url."""
        members = {"crv": "P-256", "kty": "EC", "x": self.x, "y": self.y}
        return base64url(hashlib.sha256(canonical(members)).digest())


@dataclass(frozen=True)
class RequestSignature:
    """What the header of a request says."""

    counter: int
    thumbprint: str
    signature: bytes

    def header(self) -> str:
        """Return the header's value."""
        return f"v=1;n={self.counter};k={self.thumbprint};s={base64url(self.signature)}"


def signed_bytes(*, origin: str, method: str, path: str, body: bytes, counter: int) -> bytes:
    """Return what the app key signs for one request."""
    return canonical(
        {
            "body": hashlib.sha256(body).hexdigest(),
            "counter": counter,
            "method": method,
            "origin": origin,
            "path": path,
        }
    )


def sign_request(
    key: ec.EllipticCurvePrivateKey, *, origin: str, method: str, path: str, body: bytes, counter: int
) -> RequestSignature:
    """Return the signature of one request (ECDSA P-256, SHA-256, r followed by s)."""
    data = signed_bytes(origin=origin, method=method, path=path, body=body, counter=counter)
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")
    return RequestSignature(counter, AppKey.of(key.public_key()).thumbprint(), signature)


def read_header(unverified: str | None) -> RequestSignature:
    """Return the parts of the header. Raises `AppSignatureWrong` for anything but the exact form."""
    parts = (unverified or "").split(";")
    names = [part.partition("=")[0] for part in parts]
    if names != ["v", "n", "k", "s"] or parts[0] != "v=1":
        raise AppSignatureWrong
    counter, thumbprint, signature = (part.partition("=")[2] for part in parts[1:])
    if not counter.isascii() or not counter.isdigit() or len(counter) > MOST_COUNTER_DIGITS:
        raise AppSignatureWrong
    try:
        read = RequestSignature(int(counter), thumbprint, from_base64url(signature))
    except ValueError:
        raise AppSignatureWrong from None
    if read.header() != unverified:
        raise AppSignatureWrong
    return read


def verify_request(
    claimed: RequestSignature, key: AppKey, *, origin: str, method: str, path: str, body: bytes
) -> int:
    """Return the counter of a request that `key` signed. Raises `AppSignatureWrong`."""
    if claimed.thumbprint != key.thumbprint() or len(claimed.signature) != 2 * COORDINATE_BYTES:
        raise AppSignatureWrong
    r, s = (
        int.from_bytes(half, "big")
        for half in (claimed.signature[:COORDINATE_BYTES], claimed.signature[COORDINATE_BYTES:])
    )
    data = signed_bytes(origin=origin, method=method, path=path, body=body, counter=claimed.counter)
    try:
        key.public_key().verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise AppSignatureWrong from None
    return claimed.counter
