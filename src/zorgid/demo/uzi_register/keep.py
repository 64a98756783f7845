"""Keeps keys, certificates and revocations of the test register in a folder: its world stays the same.

The keys are not encrypted: they are worth nothing.
"""

import hashlib
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from zorgid.pki.algorithms import KeyKind, PrivateKey, admitted_key, new_private_key


class Keep:
    """What the folder holds; anything that is missing is made and kept."""

    def __init__(self, folder: Path, kind: KeyKind, base_url: str) -> None:
        self._kind = kind
        self._keys = folder / kind
        # Certificates name the address of the register: another one means another world.
        self._certificates = self._keys / hashlib.sha256(base_url.encode()).hexdigest()[:8]
        self._certificates.mkdir(parents=True, exist_ok=True)

    def key(self, name: str) -> PrivateKey:
        """Return the private key called `name`."""
        path = self._keys / f"{name}.key.pem"
        if path.exists():
            key = load_pem_private_key(path.read_bytes(), password=None)
            admitted_key(key.public_key())
            return key  # type: ignore[return-value]  # the line above has seen that it is one of the two kinds
        made = new_private_key(self._kind)
        self._write(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made

    def certificate(self, name: str, make: Callable[[], x509.Certificate]) -> x509.Certificate:
        """Return the certificate called `name`, by `make` the first time."""
        path = self._certificates / f"{name}.cer"
        if path.exists():
            return x509.load_der_x509_certificate(path.read_bytes())
        made = make()
        self._write(path, made.public_bytes(Encoding.DER))
        return made

    def revocations(self) -> dict[int, datetime]:
        """Return since when which serial numbers are revoked."""
        path = self._certificates / "revoked.json"
        if not path.exists():
            return {}
        kept = json.loads(path.read_text(encoding="ascii"))
        return {int(serial, 16): datetime.fromisoformat(at) for serial, at in kept.items()}

    def keep_revocations(self, revocations: dict[int, datetime]) -> None:
        """Keep since when which serial numbers are revoked."""
        text = json.dumps({f"{serial:x}": at.isoformat() for serial, at in revocations.items()}, indent=1)
        self._write(self._certificates / "revoked.json", text.encode("ascii"))

    def _write(self, path: Path, content: bytes) -> None:
        """Write all of it or nothing, since a kill between the two would leave a broken world."""
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        unfinished.write_bytes(content)
        unfinished.chmod(0o600)
        unfinished.replace(path)
