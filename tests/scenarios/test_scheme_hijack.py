"""Another program takes the scheme of the links: the app says so at its start, and what the other gets is worthless.

docs/security.md, logging in; docs/desktop-protocol.md, chapters 1, 3 and 6.
"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.scenarios.attack_world import COLLEAGUE, EMPLOYEE, AttackWorld, SoftwareKey, link_on, shared_world

from zorgid.kernel.sentences import Language
from zorgid.protocol.links import Browser, LaunchLink, parse_link
from zorgid.protocol.messages import decode
from zorgid_desktop.scheme import SchemeState, linux, register, registered
from zorgid_desktop.scheme.at_start import look_at_scheme
from zorgid_desktop.scheme.program import Program
from zorgid_desktop.texts import sentence

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AttackWorld]:
    async with shared_world(servers, tmp_path_factory) as world:
        await world.register_organisation()
        yield world


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The home of a user with the app's own program registered."""
    folders = {
        "HOME": "h",
        "XDG_DATA_HOME": "h/data",
        "XDG_CONFIG_HOME": "h/config",
        "XDG_DATA_DIRS": "shared",
    }
    for folder in folders.values():
        (tmp_path / folder / "applications").mkdir(parents=True, exist_ok=True)
    found = {name: str(tmp_path / folder) for name, folder in folders.items()}
    return {**found, "XDG_CURRENT_DESKTOP": "", "DISPLAY": ":none"}


def program(folder: Path, kept: str) -> Program:
    """A program that keeps the words that it is started with."""
    folder.mkdir()
    path = folder / "program"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{folder}/new"\nmv "{folder}/new" "{folder}/{kept}"\n')
    path.chmod(0o755)
    return Program((str(path),))


async def click(link: str, home: dict[str, str], caught: Path) -> LaunchLink:
    """Open a link as a browser does, and return what the program that was started got."""

    def open_link() -> str:
        subprocess.run(
            ["xdg-open", link], env={**os.environ, **home}, capture_output=True, timeout=60, check=True
        )
        return caught.read_text().splitlines()[-1]

    return parse_link(await asyncio.to_thread(open_link))


def made_up_card() -> SoftwareKey:
    """A card that the hijacker made up; no issuer stands behind it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return SoftwareKey(builder.sign(key, hashes.SHA256()), key)


async def test_a_program_that_took_the_scheme_gets_the_handle_and_nothing_with_it(
    world: AttackWorld, home: dict[str, str], tmp_path: Path
) -> None:
    """The hijacker attaches and proves with whatever it has: without the card and the cookie nobody is logged in."""
    ours, evil = program(tmp_path / "ours", "started"), program(tmp_path / "evil", "caught")
    register(ours, home, "linux")
    assert look_at_scheme(ours, home, is_packaged=True, platform="linux") is None
    launcher = Path(home["XDG_DATA_HOME"]) / "applications" / linux.FILE
    launcher.write_text(linux.launcher(evil))

    browser = world.browser()
    page = await browser.begin_login()
    link = await click(page.launch_link, home, tmp_path / "evil/caught")
    assert link == link_on(page)

    # It says so at the next start, in both languages, with the name of the program.
    assert registered(ours, home, "linux").state is SchemeState.other
    said = look_at_scheme(ours, home, is_packaged=True, platform="linux")
    assert said is not None
    assert all(evil.start[0] in sentence(said, language).text for language in Language)

    # With a card that it made up.
    hijacker = world.app()
    async with world.nothing_changes(("login-proved", "refused", "uzi-issuer-unknown")):
        reply = await hijacker.attach(link)
        token = made_up_card().token(
            challenge=decode(reply.challenge), context=reply.context, handle=link.handle
        )
        refused = await hijacker.try_prove(link, token)
    assert refused.status_code == 403
    assert not await browser.is_logged_in()

    # The person's own app comes second: it is over for both, and she is told.
    answer = await world.app().try_attach(link)
    assert (answer.status_code, answer.json()["code"]) == (409, "login-attached-elsewhere")
    assert not await browser.is_logged_in()


async def test_a_hijacker_with_a_card_of_its_own_logs_itself_in_nowhere(
    world: AttackWorld, home: dict[str, str], tmp_path: Path
) -> None:
    """Its code completes nothing without the cookie, which no program gets by the link."""
    evil = program(tmp_path / "evil", "caught")
    register(evil, home, "linux")
    browser = world.browser()
    page = await browser.begin_login()
    link = await click(page.launch_link, home, tmp_path / "evil/caught")
    code = await world.app().prove(link, world.card(COLLEAGUE))
    own = world.browser("198.51.100.66")
    async with world.nothing_changes(("login-completed", "refused", "login-other-browser")):
        refused = await own.post_completion(link.handle, code)
    assert refused.status_code == 403
    assert not await own.is_logged_in()
    assert not await browser.is_logged_in()
    assert (await browser.post_completion(link.handle, code)).status_code == 403, "the code is burnt"


AGENTS = [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Browser.firefox),
    ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", Browser.edge),
    ("curl/8", Browser.default),
]


@pytest.mark.parametrize(("agent", "expected"), AGENTS)
async def test_the_link_of_any_login_names_the_browser_that_shows_it(
    world: AttackWorld, agent: str, expected: Browser
) -> None:
    """The app goes back to the browser that holds the cookie, also when an application began."""
    browser = world.browser()
    browser.client.headers["user-agent"] = agent
    assert link_on(await browser.begin_login()).browser is expected
    assert link_on(await browser.begin("make-card")).browser is expected


async def test_this_desk_has_an_employee(world: AttackWorld) -> None:
    """The scenarios above refuse for their own reasons: with card and cookie the very same way lets in."""
    browser = await world.log_in(world.card(EMPLOYEE))
    assert await browser.is_logged_in()
