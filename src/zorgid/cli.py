"""The command `zorgid`. What a command needs is imported when it runs, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from zorgid.ca.keys import KeyProvider
    from zorgid.kernel.errors import Refusal
    from zorgid.settings import Settings
    from zorgid.trust.model import TrustBundle

    Command = Callable[[Settings, argparse.Namespace], Coroutine[None, None, int]]

OK = 0
FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 when all is well."""
    asked = parser().parse_args(arguments)
    import structlog  # noqa: PLC0415 - see the module's docstring

    from zorgid.kernel.errors import Fault, Refusal  # noqa: PLC0415
    from zorgid.logs import configure_logs  # noqa: PLC0415
    from zorgid.pki.names import allow_accents_in_long_names  # noqa: PLC0415
    from zorgid.settings import Settings  # noqa: PLC0415

    command: Command = asked.command
    allow_accents_in_long_names()
    try:
        settings = Settings.from_environment(os.environ)
        configure_logs(level=log_level(settings, asked))
        return asyncio.run(command(settings, asked))
    except Refusal as refusal:
        sys.stderr.write(in_both_languages(refusal))
        return FAILED
    except Fault as stop:
        sys.stderr.write(f"zorgid: {type(stop).__name__}: {stop}\n")
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except Exception as error:  # noqa: BLE001 - told in the log, where no values are written
        if type(error).__module__.startswith("psycopg"):
            says = "the database cannot be used"  # its own text may quote the password
        else:
            says = "a fault ended the command, see the log"
            structlog.get_logger("zorgid").exception("command ended")
        sys.stderr.write(f"zorgid: {says} ({type(error).__name__}); run `zorgid doctor`\n")
        return FAILED


def in_both_languages(refusal: Refusal) -> str:
    """Return what a terminal says of a refusal: in Dutch and in English, each with what to do next."""
    from zorgid.kernel.sentences import Language  # noqa: PLC0415
    from zorgid.web.shell import load_sentences  # noqa: PLC0415

    sentences = load_sentences()
    if refusal.code not in sentences.codes():
        return f"zorgid: {type(refusal).__name__}: {refusal}\n"
    said = [sentences.sentence(refusal.code, refusal.facts, language) for language in Language]
    return "\n".join(f"zorgid: {one.text}\n{one.next_step}\n" for one in said)


def log_level(settings: Settings, asked: argparse.Namespace) -> str:
    """Return from which weight on lines are written; less by default where progress is shown beside them."""
    if getattr(asked, "once", False) and "log_level" not in settings.model_fields_set:
        return "warning"
    return settings.log_level


def parser() -> argparse.ArgumentParser:
    """Return what understands the command line."""
    whole = argparse.ArgumentParser(
        prog="zorgid",
        description="The ZORG-ID platform. Settings are variables ZORGID_…; see docs/settings.md.",
    )
    commands = whole.add_subparsers(required=True, metavar="command")

    one = _add(commands, "serve", serve, "answer on all addresses, until a signal to stop")
    one.add_argument(
        "--with-worker",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also do the work of `zorgid worker` (default: yes)",
    )
    _add(commands, "worker", worker, "publish, seal, sweep and dispatch, until a signal to stop")
    _add(commands, "migrate", migrate, "bring the tables up to this version")

    ca = commands.add_parser("ca", help="the certificate authorities").add_subparsers(
        required=True, metavar="what"
    )
    _with_root(_add(ca, "init", ca_init, "make keys, authorities and first CRLs, as far as they are missing"))
    crl = commands.add_parser("crl", help="certificate revocation lists").add_subparsers(
        required=True, metavar="what"
    )
    _with_root(
        _add(crl, "publish", crl_publish, "publish new CRLs now; that of the root when its keys are given")
    )

    client = commands.add_parser("client", help="care applications").add_subparsers(
        required=True, metavar="what"
    )
    one = _add(client, "register", client_register, "register a care application, or change its registration")
    one.add_argument("file", type=Path, metavar="FILE", help="the registration as JSON (docs/supplier.md)")

    environments = commands.add_parser(
        "environments", help="where Desktop Apps look for their platform"
    ).add_subparsers(required=True, metavar="what")
    _with_signing_keys(
        _add(
            environments, "key", environments_key, "make the signing key if need be, and show its public half"
        )
    )
    one = _add(environments, "sign", environments_sign, "sign a list of environments (docs/packages.md)")
    one.add_argument("file", type=Path, metavar="FILE", help="the list as JSON")
    one.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the signed list goes")
    _with_signing_keys(one)

    audit = commands.add_parser("audit", help="the audit log").add_subparsers(required=True, metavar="what")
    one = _add(audit, "verify", audit_verify, "check the whole log against its seals")
    one.add_argument(
        "--at-least", type=int, default=0, metavar="N", help="a seal number known to have existed"
    )

    _add(commands, "doctor", doctor, "look at every part and say what to do about it")

    one = _add(commands, "demo", demo, "run the platform with the demo world")
    one.add_argument("--once", action="store_true", help="run the main job by itself and end")
    one.add_argument("--report", type=Path, metavar="FILE", help="with --once: write the facts as JSON")
    one.add_argument(
        "--keep-running", action="store_true", help="with --once: leave the platform up afterwards"
    )
    return whole


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, command: Command, words: str
) -> argparse.ArgumentParser:
    """Add one command."""
    added: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    added.set_defaults(command=command)
    return added


def _with_root(command: argparse.ArgumentParser) -> None:
    """Let a command take the keys of the root, which lie apart in production."""
    command.add_argument(
        "--root-keys", type=Path, metavar="FOLDER", help="home of the root's key (default: no other)"
    )
    command.add_argument("--root-passphrase-file", type=Path, metavar="FILE")


def _with_signing_keys(command: argparse.ArgumentParser) -> None:
    """Let a command take the home of the key that signs lists of environments."""
    command.add_argument("--signing-keys", type=Path, required=True, metavar="FOLDER", help="home of the key")
    command.add_argument("--signing-passphrase-file", type=Path, required=True, metavar="FILE")


def until_told() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def serve(settings: Settings, asked: argparse.Namespace) -> int:
    """Answer requests until told to stop; those that run then may finish."""
    from zorgid.app import additions_of, build  # noqa: PLC0415
    from zorgid.web.ports import platform_ports, require_free_ports  # noqa: PLC0415

    stop = until_told()
    require_free_ports(platform_ports(settings))
    async with build(settings, additions_of(settings), with_worker=asked.with_worker) as running:
        await running.serve(stop)
    return OK


async def worker(settings: Settings, asked: argparse.Namespace) -> int:
    """Do the work that nobody asks for until told to stop."""
    from zorgid.app import additions_of, build  # noqa: PLC0415

    del asked
    stop = until_told()
    async with build(settings, additions_of(settings)):
        await stop.wait()
    return OK


async def migrate(settings: Settings, asked: argparse.Namespace) -> int:
    """Bring the tables up to this version."""
    from zorgid.opening import database_address  # noqa: PLC0415
    from zorgid.storage.migrate import migrate as bring_up  # noqa: PLC0415

    del asked
    async with database_address(settings) as url:
        done = await asyncio.to_thread(bring_up, url)
    _say(f"{len(done)} steps taken" if done else "nothing to do")
    return OK


async def ca_init(settings: Settings, asked: argparse.Namespace) -> int:
    """Make the keys of the platform and the authorities, as far as they are missing."""
    from zorgid.ca.hierarchy import initialise_hierarchy  # noqa: PLC0415
    from zorgid.ca.model import HierarchyPlan, Places  # noqa: PLC0415
    from zorgid.opening import (  # noqa: PLC0415
        database_address,
        make_platform_keys,
        open_database,
        open_keys,
        origin_of_command,
    )

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
        _say(f"{authority.name}: {authority.certificate.subject.rfc4514_string()}")
    return OK


async def crl_publish(settings: Settings, asked: argparse.Namespace) -> int:
    """Publish new CRLs now."""
    from zorgid.ca.hierarchy import load_hierarchy  # noqa: PLC0415
    from zorgid.ca.model import Places  # noqa: PLC0415
    from zorgid.ca.publication import publish_crl  # noqa: PLC0415
    from zorgid.opening import database_address, open_database, open_keys, origin_of_command  # noqa: PLC0415

    keys, root_keys = open_keys(settings), _root_keys(asked)
    origin = origin_of_command(settings, "crl-publish")
    async with database_address(settings) as url, open_database(settings, url, keys) as database:
        hierarchy = await load_hierarchy(database, Places(settings.pki_origin), origin)
        of_authorities = [(authority, keys) for authority in hierarchy.issuing]
        if root_keys is not None:
            of_authorities.append((hierarchy.root, root_keys))
        for authority, home in of_authorities:
            crl = await publish_crl(database, home, authority, origin)
            _say(f"{authority.name}: number {crl.number}, until {crl.next_update:%Y-%m-%d %H:%M} UTC")
    return OK


def _root_keys(asked: argparse.Namespace) -> KeyProvider | None:
    """Return the home of the root's key, when one was named."""
    from zorgid.ca.keys import EncryptedFileKeys  # noqa: PLC0415
    from zorgid.opening import read_passphrase  # noqa: PLC0415
    from zorgid.settings import SettingsUnfit  # noqa: PLC0415

    if asked.root_keys is None and asked.root_passphrase_file is None:
        return None
    if asked.root_keys is None or asked.root_passphrase_file is None:
        raise SettingsUnfit("--root-keys and --root-passphrase-file belong together: give both or neither")
    return EncryptedFileKeys(asked.root_keys, read_passphrase(asked.root_passphrase_file))


async def client_register(settings: Settings, asked: argparse.Namespace) -> int:
    """Register the care application that a file describes, or replace its registration."""
    from zorgid.audit.model import Actor, ActorKind  # noqa: PLC0415
    from zorgid.clients.actions import put_client  # noqa: PLC0415
    from zorgid.clients.model import RedirectPolicy  # noqa: PLC0415
    from zorgid.clients.registration import read_registration  # noqa: PLC0415
    from zorgid.kernel.errors import Refusal  # noqa: PLC0415
    from zorgid.kernel.sentences import Language  # noqa: PLC0415
    from zorgid.opening import database_address, open_database, open_keys, origin_of_command  # noqa: PLC0415
    from zorgid.web.shell import load_sentences  # noqa: PLC0415

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
        _say(f"{said.text} {said.next_step}")
        return FAILED
    except OSError as error:
        _say(f"{asked.file} cannot be read: {error.strerror}")
        return FAILED
    _say(f"{client.id}: {client.name}, profile {client.profile}")
    return OK


async def environments_key(settings: Settings, asked: argparse.Namespace) -> int:
    """Show the public key that goes into builds of the Desktop App."""
    from zorgid.environment_list import signing_key  # noqa: PLC0415

    del settings
    _say((await asyncio.to_thread(lambda: signing_key(_signing_keys(asked)))).public_bytes_raw().hex())
    return OK


async def environments_sign(settings: Settings, asked: argparse.Namespace) -> int:
    """Sign the list in a file."""
    from zorgid.environment_list import read_list, signed_file  # noqa: PLC0415
    from zorgid.kernel.clock import system_clock  # noqa: PLC0415

    del settings
    content = await asyncio.to_thread(
        lambda: signed_file(_signing_keys(asked), read_list(asked.file), system_clock)
    )
    await asyncio.to_thread(asked.output.write_bytes, content)
    _say(f"{asked.output} is signed")
    return OK


def _signing_keys(asked: argparse.Namespace) -> KeyProvider:
    """Return the home of the key that signs lists of environments."""
    from zorgid.ca.keys import EncryptedFileKeys  # noqa: PLC0415
    from zorgid.opening import read_passphrase  # noqa: PLC0415

    return EncryptedFileKeys(asked.signing_keys, read_passphrase(asked.signing_passphrase_file))


async def audit_verify(settings: Settings, asked: argparse.Namespace) -> int:
    """Check the whole log against its seals; the exit code says whether it is as it was written."""
    from functools import partial  # noqa: PLC0415

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    from zorgid.audit.places import FolderSeals  # noqa: PLC0415
    from zorgid.audit.verify import verify  # noqa: PLC0415
    from zorgid.kernel.sentences import Language  # noqa: PLC0415
    from zorgid.opening import (  # noqa: PLC0415
        AUDIT_ENTRIES,
        AUDIT_SEALS,
        database_address,
        open_database,
        open_keys,
        origin_of_command,
    )
    from zorgid.web.shell import load_sentences  # noqa: PLC0415

    keys = open_keys(settings)
    public_key = keys.public_key(AUDIT_SEALS)
    assert isinstance(public_key, Ed25519PublicKey)
    async with database_address(settings) as url, open_database(settings, url, keys) as database:
        result = await verify(
            database,
            FolderSeals(settings.seals_in),
            partial(keys.mac, AUDIT_ENTRIES),
            public_key,
            origin=origin_of_command(settings, "audit-verify"),
            at_least=asked.at_least,
        )
    sentences = load_sentences()
    for finding in result.findings:
        found = sentences.sentence(finding.code, finding.facts, Language.en)
        _say(f"FOUND {found.text} {found.next_step}")
    if result.more_findings:
        _say(f"FOUND {result.more_findings} more")
    _say(
        f"{result.entries} entries, {result.seals} seals, the last is number {result.last_seal}; "
        f"{result.unsealed} entries not sealed yet; {result.erased} personal facts erased"
    )
    for silence in result.silences:
        _say(
            f"nothing was sealed from {silence.from_at:%Y-%m-%d %H:%M:%S} to {silence.until_at:%H:%M:%S} UTC"
        )
    _say("the log is as it was written" if result.is_sound else "THE LOG IS NOT AS IT WAS WRITTEN")
    return OK if result.is_sound else FAILED


async def doctor(settings: Settings, asked: argparse.Namespace) -> int:
    """Look at every part; the exit code says whether one is broken."""
    from zorgid.doctor import examine  # noqa: PLC0415
    from zorgid.judgements import Verdict  # noqa: PLC0415

    del asked
    findings = await examine(settings, trust=await asyncio.to_thread(_trust_of_demo, settings))
    for finding in findings:
        _say(finding.line())
    return FAILED if any(finding.verdict is Verdict.broken for finding in findings) else OK


def _trust_of_demo(settings: Settings) -> TrustBundle | None:
    """Return what a demo that ran here trusts; elsewhere the trust folder counts."""
    if not settings.is_demo or settings.trust_folder is not None or not settings.data_folder.exists():
        return None
    from zorgid.demo.world import open_world  # noqa: PLC0415
    from zorgid.kernel.clock import system_clock  # noqa: PLC0415
    from zorgid.kernel.randomness import system_random  # noqa: PLC0415

    if not (settings.data_folder / "uzi-register").exists():
        return None
    return open_world(settings, clock=system_clock, random=system_random, folder=settings.data_folder).trust


async def demo(settings: Settings, asked: argparse.Namespace) -> int:
    """Run the platform with the demo world around it."""
    from zorgid.demo.command import run  # noqa: PLC0415

    code: int = await run(
        settings, until_told(), once=asked.once, report=asked.report, keep_running=asked.keep_running
    )
    return code


def _say(line: str) -> None:
    """Write a line for the operator."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
