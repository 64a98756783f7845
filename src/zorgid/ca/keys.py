"""Where private keys live and the only place that uses them; the rest of the house holds their names.

`KeyProvider` is what the house asks of any home of keys. `EncryptedFileKeys` is the first home and a
stand-in: whoever has its folder and the passphrase has the keys. A second home, for a device that speaks
PKCS#11, belongs beside it.
"""

import hmac
import os
import re
import stat
import tempfile
import threading
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NewType, Protocol, assert_never

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from zorgid.kernel.errors import Fault
from zorgid.kernel.randomness import RandomSource, base64url, system_random
from zorgid.kernel.secrets import Secret
from zorgid.pki.algorithms import SignatureAlgorithm

KeyName = NewType("KeyName", str)
"""Name of a key: lower letters, digits and hyphens; the same in every home."""

KEY_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class KeyKind(StrEnum):
    """What a provider can make. Names agree with those of card keys where both exist."""

    rsa2048 = "rsa2048"
    rsa3072 = "rsa3072"
    rsa4096 = "rsa4096"
    p256 = "p256"
    ed25519 = "ed25519"
    secret = "secret"  # noqa: S105 - a kind of key, not a secret
    """Thirty-two bytes for `mac` and `derive`; has no public key."""


class SigningAlgorithm(StrEnum):
    """How a provider signs; the first two names are those that certificates use (`pki.algorithms`)."""

    rsa_sha256 = "rsa_sha256"
    ecdsa_sha256 = "ecdsa_sha256"
    rsa_pss_sha256 = "rsa_pss_sha256"
    ed25519 = "ed25519"


SIGNS_WITH: Final[Mapping[KeyKind, frozenset[SigningAlgorithm]]] = {
    KeyKind.rsa2048: frozenset({SigningAlgorithm.rsa_sha256, SigningAlgorithm.rsa_pss_sha256}),
    KeyKind.rsa3072: frozenset({SigningAlgorithm.rsa_sha256, SigningAlgorithm.rsa_pss_sha256}),
    KeyKind.rsa4096: frozenset({SigningAlgorithm.rsa_sha256, SigningAlgorithm.rsa_pss_sha256}),
    KeyKind.p256: frozenset({SigningAlgorithm.ecdsa_sha256}),
    KeyKind.ed25519: frozenset({SigningAlgorithm.ed25519}),
    KeyKind.secret: frozenset(),
}

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class KeyUnknown(Fault):
    """This home has no key of that name; the operator must bring it here or make it."""


class KeysUnreadable(Fault):
    """The folder, a file or the passphrase is not what it must be; the operator must mend it."""


class KeyMisused(Fault):
    """A key was asked for what its kind cannot do; the developer must mend it."""


class KeyProvider(Protocol):
    """A home of keys: makes them, uses them, never gives them away. Safe to call from several threads."""

    @property
    def is_stand_in(self) -> bool:
        """True when the keys can be copied, so that they may not count in production."""
        ...

    @property
    def description(self) -> str:
        """What the operator reads at start; a stand-in says loudly that it is one."""
        ...

    def create_key(self, name: KeyName, kind: KeyKind) -> None:
        """Make a key, or leave the one that has this name and kind.

        Raises:
            KeyMisused: a key of this name and another kind exists.
        """
        ...

    def names(self) -> Sequence[KeyName]:
        """Return the names of all keys, in order."""
        ...

    def public_key(self, name: KeyName) -> PublicKey:
        """Return the public key. Raises `KeyUnknown`, and `KeyMisused` for a secret."""
        ...

    def sign(self, name: KeyName, data: bytes, algorithm: SigningAlgorithm | SignatureAlgorithm) -> bytes:
        """Return the signature over `data`; that of ECDSA is in DER (RFC 3279, section 2.2.3).

        Raises:
            KeyUnknown: no such key.
            KeyMisused: its kind does not sign with `algorithm`.
        """
        ...

    def mac(self, name: KeyName, data: bytes) -> bytes:
        """Return HMAC-SHA256 over `data` (32 bytes). Raises `KeyUnknown` and `KeyMisused`."""
        ...

    def derive(self, name: KeyName, info: bytes, size_bytes: int) -> Secret:
        """Return HKDF-SHA256 of the secret for `info` (RFC 5869). Raises `KeyUnknown` and `KeyMisused`."""
        ...


SALT_FILE: Final = "salt"
SALT_BYTES: Final = 32
SCRYPT_COST: Final = 2**16
"""About a fifth of a second and 64 MiB, once per start: the price of each guess at the passphrase."""


class EncryptedFileKeys:
    """Keys as PKCS#8 files in a folder that only its owner may enter; a stand-in for a key device.

    Every file has a password of its own, made from the passphrase, a salt and the name, so that a file put
    in another's place cannot be opened. A key is parsed once and then kept in memory. Nodes that share the
    folder may make the same key at once: one of them wins and all use that key.

    Args:
        folder: made with mode 0700 when it is not there.
        passphrase: the operator's; it is asked for at each start and kept nowhere.
        random: gives the salt.
    """

    is_stand_in = True

    def __init__(self, folder: Path, passphrase: Secret, *, random: RandomSource = system_random) -> None:
        self._folder = _private_folder(folder)
        salt = self._salt(random)
        stretched = Scrypt(salt=salt, length=32, n=SCRYPT_COST, r=8, p=1).derive(passphrase.reveal())
        self._file_passwords = Secret(stretched)
        self._parsed: dict[KeyName, PrivateKey | Secret] = {}
        self._lock = threading.Lock()

    @property
    def description(self) -> str:
        """What the operator reads at start."""
        return f"STAND-IN: private keys in encrypted files in {self._folder}; not for production"

    def create_key(self, name: KeyName, kind: KeyKind) -> None:
        """Make a key, or leave the one that has this name and kind."""
        path = self._path(name)
        if not path.exists():
            _write_once(path, self._encrypted(name, _generate(kind)))
        if _kind_of(self._key(name)) is not kind:
            raise KeyMisused(f"key {name} exists and is not of kind {kind}")

    def names(self) -> Sequence[KeyName]:
        """Return the names of all keys, in order."""
        return sorted(KeyName(path.stem) for path in self._folder.glob("*.pem"))

    def public_key(self, name: KeyName) -> PublicKey:
        """Return the public key."""
        key = self._key(name)
        if isinstance(key, Secret):
            raise KeyMisused(f"key {name} is a secret and has no public key")
        return key.public_key()

    def sign(self, name: KeyName, data: bytes, algorithm: SigningAlgorithm | SignatureAlgorithm) -> bytes:
        """Return the signature over `data`."""
        key = self._key(name)
        if algorithm not in SIGNS_WITH[_kind_of(key)] or isinstance(key, Secret):
            raise KeyMisused(f"key {name} does not sign with {algorithm}")
        return _sign(key, data, SigningAlgorithm(algorithm))

    def mac(self, name: KeyName, data: bytes) -> bytes:
        """Return HMAC-SHA256 over `data`."""
        return hmac.digest(self._secret(name).reveal(), data, "sha256")

    def derive(self, name: KeyName, info: bytes, size_bytes: int) -> Secret:
        """Return HKDF-SHA256 of the secret for `info`."""
        return _derive(self._secret(name), info, size_bytes)

    def _secret(self, name: KeyName) -> Secret:
        key = self._key(name)
        if not isinstance(key, Secret):
            raise KeyMisused(f"key {name} is not a secret")
        return key

    def _key(self, name: KeyName) -> PrivateKey | Secret:
        with self._lock:
            if name not in self._parsed:
                self._parsed[name] = self._read(name)
            return self._parsed[name]

    def _read(self, name: KeyName) -> PrivateKey | Secret:
        try:
            text = self._path(name).read_bytes()
        except FileNotFoundError:
            raise KeyUnknown(f"no key {name} in {self._folder}") from None
        try:
            key = serialization.load_pem_private_key(text, self._password(name))
        except (ValueError, TypeError) as error:
            raise KeysUnreadable(f"key {name} cannot be opened with this passphrase") from error
        if isinstance(key, x25519.X25519PrivateKey):
            return Secret(key.private_bytes_raw())
        if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
            return key
        raise KeysUnreadable(f"key {name} is of a kind that is not made here")

    def _encrypted(self, name: KeyName, key: PrivateKey | x25519.X25519PrivateKey) -> bytes:
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(self._password(name)),
        )

    def _password(self, name: KeyName) -> bytes:
        return base64url(_derive(self._file_passwords, name.encode(), 32).reveal()).encode()

    def _path(self, name: KeyName) -> Path:
        if not KEY_NAME.fullmatch(name):
            raise KeyMisused(f"{name!r} cannot name a key")
        return self._folder / f"{name}.pem"

    def _salt(self, random: RandomSource) -> bytes:
        path = self._folder / SALT_FILE
        if not path.exists():
            if any(self._folder.glob("*.pem")):
                raise KeysUnreadable(f"the salt of {self._folder} is gone; bring it back from a backup")
            _write_once(path, random(SALT_BYTES))
        return path.read_bytes()


def _generate(kind: KeyKind) -> PrivateKey | x25519.X25519PrivateKey:
    """Return a fresh key. A secret is kept as the seed of an X25519 key, so that all files have one form."""
    match kind:
        case KeyKind.rsa2048 | KeyKind.rsa3072 | KeyKind.rsa4096:
            return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))
        case KeyKind.p256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.ed25519:
            return ed25519.Ed25519PrivateKey.generate()
        case KeyKind.secret:
            return x25519.X25519PrivateKey.generate()
        case _:
            assert_never(kind)


def _kind_of(key: PrivateKey | Secret) -> KeyKind:
    match key:
        case Secret():
            return KeyKind.secret
        case rsa.RSAPrivateKey():
            return KeyKind(f"rsa{key.key_size}")
        case ec.EllipticCurvePrivateKey():
            return KeyKind.p256
        case _:
            return KeyKind.ed25519


def _sign(key: PrivateKey, data: bytes, algorithm: SigningAlgorithm) -> bytes:
    match key:
        case rsa.RSAPrivateKey() if algorithm is SigningAlgorithm.rsa_pss_sha256:
            # RFC 7518, section 3.5: the salt is as long as the hash.
            return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        case rsa.RSAPrivateKey():
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        case ec.EllipticCurvePrivateKey():
            return key.sign(data, ec.ECDSA(hashes.SHA256()))
        case _:
            return key.sign(data)


def _derive(secret: Secret, info: bytes, size_bytes: int) -> Secret:
    return Secret(
        HKDF(algorithm=hashes.SHA256(), length=size_bytes, salt=None, info=info).derive(secret.reveal())
    )


def is_home(folder: Path) -> bool:
    """Tell whether `EncryptedFileKeys` ever was in a folder; opening it there writes nothing then."""
    return (folder / SALT_FILE).exists() or any(folder.glob("*.pem"))


def _private_folder(folder: Path) -> Path:
    """Return the folder, made when absent. Raises `KeysUnreadable` when others than its owner may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise KeysUnreadable(f"{folder} is open to others than its owner; its mode must be 0700")
    return folder


def _write_once(path: Path, content: bytes) -> None:
    """Write a whole file under a name that nobody has taken; when somebody just did, theirs stays."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")  # readable by its owner only
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
