"""Opens what the commands need of the platform: its keys, and its database with the log's key in it."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from zorgid.ca.keys import EncryptedFileKeys, KeyKind, KeyName, KeyProvider, is_home
from zorgid.kernel.clock import Clock, system_clock
from zorgid.kernel.errors import Fault
from zorgid.kernel.randomness import RandomSource, system_random
from zorgid.kernel.secrets import Secret
from zorgid.settings import Settings
from zorgid.storage.database import NO_COMPANIONS, Companions, Database, Origin
from zorgid.storage.embedded import EmbeddedPostgres
from zorgid.storage.migrate import migrate

AUDIT_ENTRIES: Final = KeyName("audit-entries")
AUDIT_SEALS: Final = KeyName("audit-seals")
LOGIN: Final = KeyName("login")
CARD_MASTER: Final = KeyName("card-master")
PORTAL_CLIENT: Final = KeyName("portal-client")
WEB_COOKIES: Final = KeyName("web-cookies")
LIMITS: Final = KeyName("limits")

PLATFORM_KEYS: Final[Mapping[KeyName, KeyKind]] = {
    AUDIT_ENTRIES: KeyKind.secret,
    AUDIT_SEALS: KeyKind.ed25519,
    LOGIN: KeyKind.secret,
    CARD_MASTER: KeyKind.secret,
    PORTAL_CLIENT: KeyKind.p256,
    WEB_COOKIES: KeyKind.secret,
    LIMITS: KeyKind.secret,
}
"""The keys that every node needs besides those of the authorities and of the tokens; made once."""

SHORTEST_PASSPHRASE: Final = 16


class PassphraseUnfit(Fault):
    """The file of the passphrase is missing, empty or too short; the operator writes a better one."""


class PlatformKeysMissing(Fault):
    """This home lacks keys that every node needs; the operator runs `zorgid ca init`, or mends the folder."""


def origin_of_command(settings: Settings, command: str) -> Origin:
    """Return where works of a command come from, for the audit log."""
    return Origin(request_id=f"command-{command}", address=None, node=settings.node)


def open_keys(settings: Settings, *, random: RandomSource = system_random) -> KeyProvider:
    """Return the home of the keys; takes a fifth of a second.

    Raises:
        PassphraseUnfit: the passphrase cannot be read or is too short.
        KeysUnreadable: the folder is not fit, or the passphrase is another one.
    """
    return EncryptedFileKeys(settings.keys_in, _passphrase(settings, random), random=random)


def open_made_keys(settings: Settings) -> KeyProvider:
    """Return the home of the keys when it was ever made; nothing is made or written.

    Raises:
        PassphraseUnfit, KeysUnreadable: as `open_keys`.
        PlatformKeysMissing: no keys were ever made.
    """
    passphrase = read_passphrase(_passphrase_file(settings))
    if not is_home(settings.keys_in):
        raise PlatformKeysMissing(f"no keys were ever made in {settings.keys_in}")
    return EncryptedFileKeys(settings.keys_in, passphrase)


def _passphrase(settings: Settings, random: RandomSource) -> Secret:
    """Return the operator's passphrase; the demo makes up its own and keeps it beside its data."""
    path = _passphrase_file(settings)
    if settings.key_passphrase_file is None:
        _write_once(path, random)
    return read_passphrase(path)


def _passphrase_file(settings: Settings) -> Path:
    return settings.key_passphrase_file or settings.data_folder / "key-passphrase"


def read_passphrase(path: Path) -> Secret:
    """Return the passphrase in a file. Raises `PassphraseUnfit`."""
    try:
        text = path.read_bytes().strip()
    except OSError as error:
        raise PassphraseUnfit(f"{path} cannot be read: {error.strerror}") from None
    if len(text) < SHORTEST_PASSPHRASE:
        raise PassphraseUnfit(f"the passphrase in {path} is shorter than {SHORTEST_PASSPHRASE} characters")
    return Secret(text)


def _write_once(path: Path, random: RandomSource) -> None:
    """Write a fresh passphrase for the owner's eyes only, unless there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(random(32).hex())


def make_platform_keys(keys: KeyProvider) -> None:
    """Make the keys that every node needs, or leave those that are there."""
    for name, kind in PLATFORM_KEYS.items():
        keys.create_key(name, kind)


def require_platform_keys(keys: KeyProvider) -> None:
    """Check that the keys are there. Raises `PlatformKeysMissing`, with their names."""
    missing = sorted(PLATFORM_KEYS.keys() - set(keys.names()))
    if missing:
        raise PlatformKeysMissing(f"missing keys: {', '.join(missing)}")


@asynccontextmanager
async def database_address(settings: Settings) -> AsyncIterator[str]:
    """Give the address of the database; the embedded one runs while the block does, and is up to date."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    embedded = EmbeddedPostgres(settings.database_in)
    url = await asyncio.to_thread(embedded.start)
    try:
        await asyncio.to_thread(migrate, url)
        yield url
    finally:
        await asyncio.to_thread(embedded.stop)


@asynccontextmanager
async def open_database(
    settings: Settings,
    url: str,
    keys: KeyProvider,
    *,
    companions: Companions = NO_COMPANIONS,
    clock: Clock = system_clock,
    random: RandomSource = system_random,
) -> AsyncIterator[Database]:
    """Give the open database, whose log is written with the platform's key."""
    database = await Database.open(
        url,
        clock=clock,
        random=random,
        companions=companions,
        audit_mac=partial(keys.mac, AUDIT_ENTRIES),
        most_connections=settings.most_connections,
    )
    try:
        yield database
    finally:
        await database.close()
