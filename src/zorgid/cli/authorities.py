"""Commands of the certificate authorities."""

import argparse

from zorgid.ca.hierarchy import initialise_hierarchy, load_hierarchy
from zorgid.ca.keys import EncryptedFileKeys, KeyProvider
from zorgid.ca.model import HierarchyPlan, Places
from zorgid.ca.publication import publish_crl
from zorgid.cli.terminal import OK, say
from zorgid.opening import (
    database_address,
    make_platform_keys,
    open_database,
    open_keys,
    origin_of_command,
    read_passphrase,
)
from zorgid.settings import Settings, SettingsUnfit


async def initialise(settings: Settings, asked: argparse.Namespace) -> int:
    """Make the keys of the platform and the authorities, as far as they are missing."""
    keys = open_keys(settings)
    settings.require_nothing_pretends([keys.description] if keys.is_stand_in else [])
    make_platform_keys(keys)
    async with database_address(settings) as url, open_database(settings, url, keys) as database:
        hierarchy = await initialise_hierarchy(
            database,
            keys,
            root_keys=_root_keys(asked) or keys,
            plan=HierarchyPlan(is_stand_in=settings.allows_stand_ins),
            places=Places(settings.pki_origin),
            origin=origin_of_command(settings, "ca-init"),
        )
    for authority in hierarchy.all:
        say(f"{authority.name}: {authority.certificate.subject.rfc4514_string()}")
    return OK


async def publish(settings: Settings, asked: argparse.Namespace) -> int:
    """Publish new CRLs now."""
    keys, root_keys = open_keys(settings), _root_keys(asked)
    origin = origin_of_command(settings, "crl-publish")
    async with database_address(settings) as url, open_database(settings, url, keys) as database:
        hierarchy = await load_hierarchy(database, Places(settings.pki_origin), origin)
        of_authorities = [(authority, keys) for authority in hierarchy.issuing]
        if root_keys is not None:
            of_authorities.append((hierarchy.root, root_keys))
        for authority, home in of_authorities:
            crl = await publish_crl(database, home, authority, origin)
            say(f"{authority.name}: number {crl.number}, until {crl.next_update:%Y-%m-%d %H:%M} UTC")
    return OK


def _root_keys(asked: argparse.Namespace) -> KeyProvider | None:
    """Return the home of the root's key, when one was named."""
    if asked.root_keys is None and asked.root_passphrase_file is None:
        return None
    if asked.root_keys is None or asked.root_passphrase_file is None:
        raise SettingsUnfit("--root-keys and --root-passphrase-file belong together: give both or neither")
    return EncryptedFileKeys(asked.root_keys, read_passphrase(asked.root_passphrase_file))
