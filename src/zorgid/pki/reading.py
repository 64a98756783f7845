"""Reads foreign certificates without stumbling: what the library may raise, what may be absent."""

from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

UNREADABLE: Final = (
    ValueError,
    TypeError,
    NotImplementedError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises, sometimes at the first look at a part only, for bytes that are not in order."""

Kind = TypeVar("Kind", bound=x509.ExtensionType)


def extension_of(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    """Return the extension of this kind, or None when the certificate has none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
