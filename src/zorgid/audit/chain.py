"""The chain of seals: each closes a range of transactions, names the one before it, and is signed (Ed25519).

A seal is one line of canonical JSON (RFC 8785). It says how many entries its transactions wrote and the
digest over them, so that an entry that is dropped, changed or added afterwards no longer fits. Pure: the key
is behind a `Sign`.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Self
from uuid import UUID

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from zorgid.audit.findings import Finding, FindingCode
from zorgid.kernel.randomness import base64url, from_base64url

Sign = Callable[[bytes], bytes]
"""Gives the Ed25519 signature (64 bytes) of some bytes; the key is not in the database."""

LABEL: Final = b"zorgid audit seal 1\n"
NOTHING_BEFORE: Final = bytes(32)
"""What the first seal names as the hash of the seal before it."""

FIELDS: Final = frozenset(
    {"at", "digest", "entries", "from_xact", "node", "number", "previous", "signature", "until_xact"}
)


class SealUnreadable(ValueError):
    """A line is no seal: it was tampered with, or cut off."""


@dataclass(frozen=True)
class Mark:
    """What a seal holds of one entry: the transaction that wrote it, its id and its MAC."""

    xact: int
    id: UUID
    mac: bytes


@dataclass(frozen=True)
class Seal:
    """Closes the entries written by the transactions `from_xact` (inclusive) to `until_xact` (exclusive)."""

    number: int
    at: datetime
    node: str
    from_xact: int
    until_xact: int
    entries: int
    digest: bytes
    previous: bytes
    signature: bytes

    def covered(self) -> bytes:
        """Return the bytes that the signature covers."""
        return LABEL + rfc8785.dumps(self._plain())

    def line(self) -> str:
        """Return the seal as it is kept: one line without its end."""
        return rfc8785.dumps(self._plain() | {"signature": base64url(self.signature)}).decode("utf-8")

    def hash(self) -> bytes:
        """Return the SHA-256 under which the next seal names this one."""
        return hashlib.sha256(self.line().encode("utf-8")).digest()

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read a line. Raises `SealUnreadable`; says nothing about signature and place in the chain."""
        try:
            plain = json.loads(line)
            seal = cls._from_plain(plain)
            if set(plain) != FIELDS or seal.line() != line:
                raise SealUnreadable(line[:80])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise SealUnreadable(line[:80]) from error
        return seal

    @classmethod
    def _from_plain(cls, plain: dict[str, Any]) -> Self:
        return cls(
            number=_whole(plain["number"]),
            at=datetime.fromisoformat(plain["at"]),
            node=_text(plain["node"]),
            from_xact=_whole(plain["from_xact"]),
            until_xact=_whole(plain["until_xact"]),
            entries=_whole(plain["entries"]),
            digest=from_base64url(plain["digest"]),
            previous=from_base64url(plain["previous"]),
            signature=from_base64url(plain["signature"]),
        )

    def _plain(self) -> dict[str, str | int]:
        return {
            "number": self.number,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "node": self.node,
            "from_xact": self.from_xact,
            "until_xact": self.until_xact,
            "entries": self.entries,
            "digest": base64url(self.digest),
            "previous": base64url(self.previous),
        }


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(value)
    return value


class Digest:
    """Gathers marks, in the order of transaction and id, into the count and the digest of a seal."""

    def __init__(self) -> None:
        self.entries = 0
        self._hash = hashlib.sha256()

    def add(self, mark: Mark) -> None:
        """Take in one entry."""
        self.entries += 1
        self._hash.update(mark.xact.to_bytes(8, "big") + mark.id.bytes + mark.mac)

    def value(self) -> bytes:
        """Return the SHA-256 over all that was taken in (32 bytes)."""
        return self._hash.digest()

    @classmethod
    def over(cls, marks: Iterable[Mark]) -> Self:
        """Return the digest over `marks`."""
        digest = cls()
        for mark in marks:
            digest.add(mark)
        return digest


def next_seal(
    last: Seal | None, digest: Digest, *, until_xact: int, now: datetime, node: str, sign: Sign
) -> Seal:
    """Return the signed seal that follows `last`.

    Its time never lies before that of `last`, whatever the clock says.
    """
    unsigned = Seal(
        number=last.number + 1 if last else 1,
        at=max(now, last.at) if last else now,
        node=node,
        from_xact=last.until_xact if last else 0,
        until_xact=until_xact,
        entries=digest.entries,
        digest=digest.value(),
        previous=last.hash() if last else NOTHING_BEFORE,
        signature=b"",
    )
    return replace(unsigned, signature=sign(unsigned.covered()))


def check_seal(seal: Seal, before: Seal | None, public_key: Ed25519PublicKey) -> Sequence[Finding]:
    """Return what is wrong with a seal that stands after `before`; `None` for the first one there is."""
    findings = []
    if not _is_signed(seal, public_key):
        findings.append(Finding(FindingCode.seal_not_ours, seal=seal.number))
    if before is None:
        if seal.number != 1 or seal.previous != NOTHING_BEFORE or seal.from_xact != 0:
            findings.append(Finding(FindingCode.seals_lack_their_beginning, seal=seal.number))
    elif not _follows(seal, before):
        findings.append(Finding(FindingCode.chain_broken, seal=seal.number))
    return findings


def _is_signed(seal: Seal, public_key: Ed25519PublicKey) -> bool:
    try:
        public_key.verify(seal.signature, seal.covered())
    except InvalidSignature:
        return False
    return True


def _follows(seal: Seal, before: Seal) -> bool:
    return (
        seal.number == before.number + 1
        and seal.previous == before.hash()
        and seal.from_xact == before.until_xact
        and seal.until_xact >= seal.from_xact
        and seal.at >= before.at
    )
