"""A line to copy from a page of the demo works as it stands, also on other ports and with another folder."""

import shlex
from pathlib import Path

import pytest
from tests.web_builders import browser, services_for_pages

from zorgid.settings import Settings
from zorgid.web.application import web_application
from zorgid.web.desktop_lines import ORIGIN_VARIABLE, PROGRAM, USUAL_CARDS, USUAL_ORIGIN, DesktopLines
from zorgid.web.downloads.routes import routes
from zorgid_desktop.environments import DEMO_ORIGIN, DEMO_ORIGIN_VARIABLE, origin_of
from zorgid_desktop.workplace import DEMO_CARDS


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the project, in which the demo runs."""
    program = tmp_path / PROGRAM
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(*, has_cards: bool = True, **settings: object) -> DesktopLines:
    return DesktopLines.of(Settings.model_validate(settings), has_cards=has_cards)


def test_the_app_is_known_here_by_its_own_names() -> None:
    assert (ORIGIN_VARIABLE, USUAL_ORIGIN, USUAL_CARDS) == (DEMO_ORIGIN_VARIABLE, DEMO_ORIGIN, DEMO_CARDS)


def test_the_usual_demo_needs_no_more_than_the_program() -> None:
    usual = lines()
    assert usual.is_at_usual_port
    assert usual.command == ".venv/bin/zorgid-desktop"
    assert usual.register == ".venv/bin/zorgid-desktop --cards-folder var/cards scheme register"


def test_a_demo_elsewhere_is_named_to_the_app() -> None:
    moved = lines(origin="http://localhost:8700", data_folder=Path("var 8700"))
    assert not moved.is_at_usual_port
    variable, *words = shlex.split(moved.command)
    assert origin_of("demo", dict([variable.split("=", 1)])) == "http://localhost:8700"
    assert words == [PROGRAM, "--cards-folder", "var 8700/cards"]


def test_a_demo_that_was_started_outside_the_project_names_its_cards_in_full(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    assert f"--cards-folder {project}/elsewhere/var/cards" in lines().command


def test_a_platform_without_a_demo_names_no_cards_of_its_own() -> None:
    assert lines(has_cards=False, data_folder=Path("other")).command == PROGRAM


@pytest.mark.parametrize(
    ("origin", "shown", "not_shown"),
    [
        (USUAL_ORIGIN, "scheme register", "andere poort"),
        ("http://localhost:8700", "andere poort", "scheme register"),
    ],
)
async def test_links_are_offered_to_the_app_only_where_it_finds_the_demo(
    origin: str, shown: str, not_shown: str
) -> None:
    services = services_for_pages(settings=Settings(origin=origin))
    async with browser(web_application(services, routes(None)), origin) as client:
        page = (await client.get("/app")).text
    assert shown in page
    assert not_shown not in page
