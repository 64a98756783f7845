"""The front door of the demo: persons by name as at the workplace, and lines to copy that work as they stand."""

import asyncio
import re
import shlex
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from tests.workplace_builders import DOCTOR, Stage

from zorgid.demo.visitor import Page
from zorgid.kernel.sentences import Language
from zorgid.protocol.links import parse_link
from zorgid.web.desktop_lines import PROGRAM

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUSE = Path(__file__).parents[3]
ADDRESS = re.compile(rb"\S+/oauth/complete#\S+")


def line_on(page: Page, command: str) -> str:
    """The line of a page that starts the Desktop App with a command."""
    found = re.search(
        rf"ZORGID_DESKTOP\S+ {re.escape(PROGRAM)} .*? {command}\b( 'zorg-id:[^']*')?", page.text
    )
    assert found, page.text
    return found.group()


async def typed(line: str, answers: str = "") -> asyncio.subprocess.Process:
    """Run a line as a shell does, with the program of this very environment; nobody is at the terminal."""
    program = Path(sys.executable).with_name("zorgid-desktop")
    process = await asyncio.create_subprocess_shell(
        line.replace(PROGRAM, shlex.quote(str(program))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(answers.encode())
    process.stdin.write_eof()
    return process


async def test_the_line_of_the_login_page_logs_in_though_ports_and_folder_are_not_the_usual(
    stage: Stage,
) -> None:
    """LOGIN-2: copied from the page to a terminal, with nothing added but where the address goes."""
    person = stage.person()
    page = await person.begin_login()
    line = line_on(page, "open")
    stage.secrets.add(parse_link(page.launch_link).handle.text_for_wire())
    app = await typed(line.replace(" open ", " open --print-address "), f"{DOCTOR}\n110011\n")
    assert app.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while not (found := ADDRESS.search(said)) and (more := await app.stdout.readline()):
            said += more
        assert found, said.decode()
        landed = await person.complete(found.group().decode())
        await app.communicate()
    assert landed.address == f"{stage.care}/"
    assert "Willemijn Johanna de Graaf" in landed.text
    assert app.returncode == 0


async def test_the_line_of_the_start_page_shows_the_cards_of_this_demo(stage: Stage) -> None:
    page = await stage.person().open(f"{stage.origin}/")
    app = await typed(line_on(page, "cards"))
    said, _ = await app.communicate()
    assert app.returncode == 0
    assert [name for name in stage.world.reader.cards if f"{name} " not in said.decode()] == []


async def test_start_page_and_workplace_name_the_person_first_and_then_the_card(stage: Stage) -> None:
    person = stage.person()
    await person.sit_down()
    for address in (f"{stage.origin}/", f"{stage.desk}/"):
        page = await person.open(address)
        for card in stage.world.register.cards:
            holder, name = card.person.names.full_name, f"uzi-{card.label}"
            assert re.search(rf"{re.escape(holder)} .*{name}\b", page.text), (address, name)
        assert page.text.index("Willemijn Johanna de Graaf") < page.text.index(DOCTOR)
        for name in stage.world.reader.cards:
            assert name in page.text, (address, name)


async def test_in_english_nothing_but_names_is_dutch_about_the_cards(stage: Stage) -> None:
    """ALL-1: who or what each card is, on the start page and at the workplace."""
    person = stage.person(**{"Accept-Language": "en"})
    await person.sit_down()
    for address in (f"{stage.origin}/", f"{stage.desk}/"):
        page = await person.open(address)
        for card in stage.world.register.cards:
            assert card.description[Language.en] in page.text, address
            assert card.description[Language.nl] not in page.text, address


async def test_start_page_and_workplace_have_the_words_of_the_portal_and_the_how_tos(stage: Stage) -> None:
    """One word for one thing: whoever reads a how-to finds it on the page."""
    doors = files("zorgid.web").joinpath("templates/portal/start.html").read_text(encoding="utf-8")
    how_tos = "".join(page.read_text(encoding="utf-8") for page in HOUSE.glob("docs/handleiding-*.md"))
    person = stage.person()
    await person.sit_down()
    start, desk = (await person.open(f"{stage.origin}/")).text, (await person.at_desk()).text
    for words in ("Een Smartcard aanmaken", "Smartcards beheren", "Een organisatie valideren"):
        assert f'"{words}"' in doors
        assert f"**{words}**" in " ".join(how_tos.split())
        assert words in start
        assert words in desk or words == "Een organisatie valideren", "that is no errand of most"


async def test_a_demo_elsewhere_says_that_links_do_not_find_it(stage: Stage) -> None:
    person = stage.person()
    assert "Links in de browser vinden haar daarom niet" in (await person.open(f"{stage.origin}/app")).text
    page = await person.begin_login()
    assert "een app die de browser start, vindt haar niet" in page.text
