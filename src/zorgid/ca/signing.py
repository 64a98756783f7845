"""Signs what was prepared, and looks at the result before anybody else does."""

import asyncio

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from zorgid.ca.keys import KeyMisused, KeyName, KeyProvider
from zorgid.pki.algorithms import PublicKey
from zorgid.pki.prepare import Prepared, assemble, check_issued


def certificate_key(keys: KeyProvider, name: KeyName) -> PublicKey:
    """Return a public key that certificates may carry. Raises `KeyMisused` for a key of another kind."""
    key = keys.public_key(name)
    if isinstance(key, ed25519.Ed25519PublicKey):
        raise KeyMisused(f"key {name} is of a kind that certificates do not carry")
    return key


def require_key_of(certificate: x509.Certificate, keys: KeyProvider, name: KeyName) -> None:
    """Check that a home holds the key of an authority's certificate. Raises `KeyMisused` for another key."""
    if certificate_key(keys, name) != certificate.public_key():
        raise KeyMisused(f"key {name} is not the key of {certificate.subject.rfc4514_string()}")


async def sign_prepared(prepared: Prepared, keys: KeyProvider, issuer_key: KeyName) -> bytes:
    """Return the certificate (DER) for exactly what was prepared, its signature checked."""
    signature = await asyncio.to_thread(keys.sign, issuer_key, prepared.tbs, prepared.algorithm)
    der = assemble(prepared.tbs, prepared.algorithm, signature)
    check_issued(der, prepared, certificate_key(keys, issuer_key))
    return der
