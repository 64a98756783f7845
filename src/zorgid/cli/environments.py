"""Commands that make the list of environments which Desktop Apps believe."""

import argparse
import asyncio

from zorgid.ca.keys import EncryptedFileKeys, KeyProvider
from zorgid.cli.terminal import OK, say
from zorgid.environment_list import read_list, signed_file, signing_key
from zorgid.kernel.clock import system_clock
from zorgid.opening import read_passphrase
from zorgid.settings import Settings


async def show_key(settings: Settings, asked: argparse.Namespace) -> int:
    """Show the public key that goes into builds of the Desktop App."""
    del settings
    say((await asyncio.to_thread(lambda: signing_key(_signing_keys(asked)))).public_bytes_raw().hex())
    return OK


async def sign(settings: Settings, asked: argparse.Namespace) -> int:
    """Sign the list in a file."""
    del settings
    content = await asyncio.to_thread(
        lambda: signed_file(_signing_keys(asked), read_list(asked.file), system_clock)
    )
    await asyncio.to_thread(asked.output.write_bytes, content)
    say(f"{asked.output} is signed")
    return OK


def _signing_keys(asked: argparse.Namespace) -> KeyProvider:
    """Return the home of the key that signs lists of environments."""
    return EncryptedFileKeys(asked.signing_keys, read_passphrase(asked.signing_passphrase_file))
