"""The command that registers care applications."""

import argparse
import asyncio

from zorgid.audit.model import Actor, ActorKind
from zorgid.cli.terminal import FAILED, OK, say
from zorgid.clients.actions import put_client
from zorgid.clients.model import RedirectPolicy
from zorgid.clients.registration import read_registration
from zorgid.kernel.errors import Refusal
from zorgid.kernel.sentences import Language
from zorgid.opening import database_address, open_database, open_keys, origin_of_command
from zorgid.settings import Settings
from zorgid.web.shell import load_sentences


async def register(settings: Settings, asked: argparse.Namespace) -> int:
    """Register the care application that a file describes, or replace its registration."""
    by = Actor(ActorKind.support, reference="client-register")
    redirects = RedirectPolicy.loopback_allowed if settings.is_demo else RedirectPolicy.https_only
    keys, origin = open_keys(settings), origin_of_command(settings, "client-register")
    try:
        told = read_registration(await asyncio.to_thread(asked.file.read_bytes))
        async with (
            database_address(settings) as url,
            open_database(settings, url, keys) as database,
            database.work(origin) as work,
        ):
            client = await put_client(work, told, by=by, redirects=redirects)
    except Refusal as refusal:
        said = load_sentences().sentence(refusal.code, refusal.facts, Language.en)
        say(f"{said.text} {said.next_step}")
        return FAILED
    except OSError as error:
        say(f"{asked.file} cannot be read: {error.strerror}")
        return FAILED
    say(f"{client.id}: {client.name}, profile {client.profile}")
    return OK
