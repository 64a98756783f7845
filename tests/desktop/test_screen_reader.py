"""What a screen reader gets of every window, through AT-SPI on a real screen: roles, names, the focus (ALL-1)."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.desktop.showing import TYPED
from tests.desktop.test_every_window import NAMES
from tests.desktop.x11 import desktop_session, line_from, running

from zorgid.kernel.sentences import Language

pytestmark = pytest.mark.xdist_group("screen-reader")
DEBIANS_PYTHON = "/usr/bin/python3"
HERE = Path(__file__).parent
NOT_A_HINDRANCE = {"filler", "panel", "scroll pane", "viewport", "scroll bar", "frame", "separator"}

Told = tuple[dict[str, Any], list[dict[str, Any]]]


def ask(program: subprocess.Popen[str], line: str) -> Any:
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(line + "\n")
    program.stdin.flush()
    return json.loads(line_from(program.stdout.fileno()))


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Language], Told]]:
    """Show a window, and return what it says of itself and what the screen reader gets."""
    with desktop_session(tmp_path_factory.mktemp("session")) as variables:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": variables}
        plain = {**pipes, "env": {**variables, "PYTHONPATH": "", "PYTHONWARNINGS": ""}}
        with (
            running([sys.executable, "-m", "tests.desktop.showing"], **pipes) as shown,
            running([DEBIANS_PYTHON, str(HERE / "screen_reader.py")], **plain) as reader,
        ):

            def look(name: str, language: Language) -> Told:
                facts = ask(shown, f"{language} {name}")
                return facts, ask(reader, facts["title"])

            yield look


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", NAMES)
def test_a_screen_reader_gets_every_window(
    look: Callable[[str, Language], Told], name: str, language: Language
) -> None:
    facts, heard = look(name, language)
    assert heard, "the window is not there"
    assert heard[0]["role"] == "frame"
    got = {(one["role"], one["name"]) for one in heard if one["showing"]}
    for role, called, _ in facts["used"]:
        assert (role, called) in got
    for one in heard:
        if one["showing"] and one["role"] not in NOT_A_HINDRANCE:
            assert one["name"], one
    described = " ".join(one["description"] for one in heard)
    for _, _, description in facts["used"]:
        assert description in described


@pytest.mark.parametrize("name", ["pin-login", "pin-act-last-try", "new-pin", "ask-puk"])
def test_a_screen_reader_does_not_get_what_is_typed_in_secret(
    look: Callable[[str, Language], Told], name: str
) -> None:
    _, heard = look(name, Language.nl)
    fields = [one for one in heard if one["role"] == "password text"]
    assert fields
    assert all(one["text"] and TYPED not in one["text"] for one in fields)
    assert TYPED not in json.dumps(heard)


def test_a_screen_reader_hears_what_a_pin_is_for_before_it_is_typed(
    look: Callable[[str, Language], Told],
) -> None:
    """Application, organisation, address and level belong to the description of the field."""
    _, heard = look("pin-login", Language.nl)
    (field,) = (one for one in heard if one["role"] == "password text")
    for part in (
        "Demo-HIS",
        "Huisartsenpraktijk De Linde",
        "https://id.zorg-id.example",
        "hoog",
        "3 keer",
    ):
        assert part in field["description"]


def test_a_screen_reader_hears_a_trouble_with_the_field_that_has_the_focus(
    look: Callable[[str, Language], Told],
) -> None:
    _, heard = look("pin-act-last-try", Language.nl)
    (field,) = (one for one in heard if one["role"] == "password text")
    assert "Deze pincode is niet goed" in field["description"]
    assert "laatste poging" in field["description"]


def test_a_screen_reader_can_read_the_puk(look: Callable[[str, Language], Told]) -> None:
    _, heard = look("keep-puk", Language.nl)
    assert any("4 8 2 0" in one["name"] for one in heard)
