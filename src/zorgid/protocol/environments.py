"""The signed list of platforms that an installed Desktop App may speak to.

A launch link names an environment by id; this list says at which origin it is. The operator signs it
(`zorgid environments sign`), every build of the app holds the public keys that count. What is signed is the
name of the format and the canonical JSON of the list (RFC 8785), with Ed25519 (RFC 8032).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AwareDatetime, Field, ValidationError, field_validator, model_validator

from zorgid.protocol.context import Message, canonical

FORMAT: Final = "zorgid-environments:1"
"""Stands before what is signed, so that no signature for anything else ever counts here."""

MOST_BYTES: Final = 20_000


class EnvironmentRefused(Exception):
    """The app may not speak to the environment of a link; `code` and `facts` say why, for a sentence."""

    code: ClassVar[str]

    def __init__(self, **facts: Any) -> None:
        self.facts: dict[str, Any] = facts
        super().__init__(self.code)


class EnvironmentsMalformed(EnvironmentRefused):
    """The file is not of the one form that exists; a fresh one from the operator solves it."""

    code = "environments-malformed"


class EnvironmentsUnsigned(EnvironmentRefused):
    """The signature is not over this list, or of no key that this build knows: somebody changed the file."""

    code = "environments-unsigned"


class EnvironmentsExpired(EnvironmentRefused):
    """The list was valid until a day that has passed, or is valid from a day that has not come."""

    code = "environments-expired"

    def __init__(self, *, valid_until: str) -> None:
        super().__init__(valid_until=valid_until)


class EnvironmentsOlder(EnvironmentRefused):
    """A newer list was in use on this computer; somebody put an older one back."""

    code = "environments-older"

    def __init__(self, *, serial: int, least: int) -> None:
        super().__init__(serial=serial, least=least)


class Environment(Message):
    """One platform: the id that its links carry, and where it is."""

    id: str = Field(pattern=r"^[a-z]{1,20}$")
    origin: str = Field(max_length=200)
    """Scheme and host, with a port when it is not the usual one; never plain HTTP."""

    @field_validator("origin")
    @classmethod
    def _is_secure_origin(cls, given: str) -> str:
        parts = urlsplit(given)
        if parts.scheme != "https" or not parts.hostname or given != f"https://{parts.netloc}":
            raise ValueError("an origin is https://host[:port] and nothing more")
        if parts.username is not None or not given.isascii():
            raise ValueError("an origin names a host and nobody")
        return given


class EnvironmentList(Message):
    """What is signed. `serial` goes up with every list, so that an older one is known as such."""

    format: Literal["zorgid-environments:1"] = "zorgid-environments:1"
    serial: int = Field(ge=1, le=2**53 - 1)
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    environments: tuple[Environment, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_one_answer_per_id(self) -> Self:
        if len({one.id for one in self.environments}) != len(self.environments):
            raise ValueError("an environment is named twice")
        return self

    def signed_bytes(self) -> bytes:
        """Return what the operator's key signs."""
        return FORMAT.encode("ascii") + b"\n" + canonical(self.model_dump(mode="json"))


class SignedEnvironments(Message):
    """The file as it lies beside an app: the list, and the signature in hexadecimal."""

    signed: EnvironmentList
    signature: str = Field(pattern=r"^[0-9a-f]{128}$")


def sign_environments(listed: EnvironmentList, sign: Callable[[bytes], bytes]) -> SignedEnvironments:
    """Return the list with the signature that `sign` gives over it (Ed25519)."""
    return SignedEnvironments(signed=listed, signature=sign(listed.signed_bytes()).hex())


def verify_environments(
    unverified: bytes, keys: Sequence[Ed25519PublicKey], *, now: datetime, least_serial: int
) -> EnvironmentList:
    """Return the list of a file when it counts now.

    Args:
        unverified: the file.
        keys: those that the build holds; none means that no list counts.
        now: aware time.
        least_serial: the highest serial that was ever in use here.

    Raises:
        EnvironmentsMalformed, EnvironmentsUnsigned, EnvironmentsExpired, EnvironmentsOlder: it does not.
    """
    if len(unverified) > MOST_BYTES:
        raise EnvironmentsMalformed
    try:
        file = SignedEnvironments.model_validate_json(unverified)
    except ValidationError:
        raise EnvironmentsMalformed from None
    if not any(_has_signed(key, file) for key in keys):
        raise EnvironmentsUnsigned
    listed = file.signed
    if not listed.valid_from <= now < listed.valid_until:
        raise EnvironmentsExpired(valid_until=f"{listed.valid_until:%Y-%m-%d}")
    if listed.serial < least_serial:
        raise EnvironmentsOlder(serial=listed.serial, least=least_serial)
    return listed


def _has_signed(key: Ed25519PublicKey, file: SignedEnvironments) -> bool:
    try:
        key.verify(bytes.fromhex(file.signature), file.signed.signed_bytes())
    except InvalidSignature:
        return False
    return True
