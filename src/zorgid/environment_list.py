"""Signs the list of environments that Desktop Apps believe, with a key that lies apart from the platform's.

The key home is named with each command, as that of the root is: whoever has it decides where the apps of the
whole country look for their platform.
"""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from zorgid.ca.keys import KeyKind, KeyName, KeyProvider, SigningAlgorithm
from zorgid.kernel.clock import Clock
from zorgid.kernel.errors import Fault
from zorgid.protocol.environments import (
    EnvironmentList,
    EnvironmentRefused,
    sign_environments,
    verify_environments,
)

ENVIRONMENTS: Final = KeyName("environments")


class EnvironmentListUnfit(Fault):
    """The list is not of its form, or no app would believe it once it is signed; the operator mends it."""


def signing_key(keys: KeyProvider) -> Ed25519PublicKey:
    """Return the public key that builds of the app hold; the key is made when it is not there."""
    keys.create_key(ENVIRONMENTS, KeyKind.ed25519)
    public = keys.public_key(ENVIRONMENTS)
    assert isinstance(public, Ed25519PublicKey)
    return public


def signed_file(keys: KeyProvider, unsigned: bytes, clock: Clock) -> bytes:
    """Return the signed file of a list, checked as an app checks it.

    Raises:
        EnvironmentListUnfit: it is not of its form, or its time is not now.
    """
    try:
        listed = EnvironmentList.model_validate_json(unsigned)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise EnvironmentListUnfit(said) from None
    public = signing_key(keys)
    signed = sign_environments(listed, lambda data: keys.sign(ENVIRONMENTS, data, SigningAlgorithm.ed25519))
    content = (signed.model_dump_json(indent=2) + "\n").encode()
    try:
        verify_environments(content, [public], now=clock(), least_serial=0)
    except EnvironmentRefused as refusal:
        raise EnvironmentListUnfit(f"an app would refuse it: {refusal.code} {refusal.facts}") from None
    return content


def read_list(path: Path) -> bytes:
    """Return the content of the operator's file. Raises `EnvironmentListUnfit`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentListUnfit(f"{path} cannot be read: {error.strerror}") from None
