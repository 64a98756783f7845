"""Reads the roots of makers of cards from `attestation/<maker>/*.pem|cer` in the trust folder (CARD-10)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cardkit.attestation import TrustedRoot
from zorgid.kernel.errors import Fault
from zorgid.stock.model import AttestationRoot

STAND_IN_ROOTS: Final = frozenset({AttestationRoot.test})
"""Makers that exist only in software; their roots count where stand-ins may work."""


class AttestationRootUnfit(Fault):
    """A file among the roots of makers cannot be read; the operator mends the one that is named."""


def read_attestation_roots(
    folder: Path, *, allows_stand_ins: bool
) -> Mapping[AttestationRoot, Sequence[TrustedRoot]]:
    """Return the pinned roots of each maker; a maker without a folder has none.

    Raises:
        AttestationRootUnfit: a file is no certificate.
    """
    return {
        maker: [
            TrustedRoot(maker.value, certificate.public_bytes(Encoding.DER))
            for certificate in _certificates(folder / "attestation" / maker.value)
        ]
        for maker in AttestationRoot
        if allows_stand_ins or maker not in STAND_IN_ROOTS
    }


def _certificates(folder: Path) -> Iterator[x509.Certificate]:
    for path in sorted(folder.glob("*")):
        try:
            content = path.read_bytes()
            if content.startswith(b"-----BEGIN"):
                yield x509.load_pem_x509_certificate(content)
            else:
                yield x509.load_der_x509_certificate(content)
        except (OSError, ValueError):
            raise AttestationRootUnfit(f"{path} is no certificate that can be read") from None
