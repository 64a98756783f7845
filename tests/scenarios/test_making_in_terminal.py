"""A making in a terminal, from the first question to the card in use: what is typed, and what the screen shows."""

from collections.abc import Iterator

import pytest
from tests.scenarios.checks import one_good_card
from tests.scenarios.world import EMPLOYEE, NEW_PIN, Scenario

from cardkit.virtual import VirtualReaders
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import Cancelled
from zorgid_desktop.terminal import TerminalFace


class Screen:
    """A terminal whose person has these lines to type, in this order."""

    def __init__(self, world: Scenario, language: Language, *lines: str) -> None:
        self.shown: list[str] = []
        self._lines: Iterator[str] = iter(lines)
        self.face = TerminalFace(
            VirtualReaders(world.reader),
            language,
            tray=world.reader,
            show=self.shown.append,
            read=self._read,
            read_hidden=self._read,
        )

    def _read(self, prompt: str) -> str:
        self.shown.append(prompt)
        return next(self._lines)

    @property
    def text(self) -> str:
        return " ".join("\n".join(self.shown).split())


@pytest.mark.parametrize(("language", "yes"), [(Language.nl, "ja"), (Language.en, "yes")])
def test_a_card_is_made_by_typing(world: Scenario, language: Language, yes: str) -> None:
    blank = world.blank()
    maker = world.maker(EMPLOYEE, blank)
    wrong = ("12345", "876543")
    screen = Screen(
        world,
        language,
        f"uzi-{EMPLOYEE}",
        *wrong,
        maker.pin,
        "31 maart 1980",
        maker.birth_date,
        yes,
        blank,
        "12345é",
        "12345é",
        NEW_PIN,
        NEW_PIN,
        yes,
    )
    known = set(world.secrets)
    world.make(screen.face)
    one_good_card(world, EMPLOYEE, maker)
    assert world.uzi(EMPLOYEE).person.names.full_name in screen.text
    assert "Huisartsenpraktijk De Linde" in screen.text
    for secret in (maker.pin, NEW_PIN, *wrong, *(world.secrets - known)):
        assert secret not in screen.text
    assert "{" not in screen.text


def test_a_person_who_stops_finds_the_making_as_it_was(world: Scenario) -> None:
    blank = world.blank()
    maker = world.maker(EMPLOYEE, blank)
    screen = Screen(world, Language.nl, f"uzi-{EMPLOYEE}", maker.pin, maker.birth_date, "ja", blank, "stop")
    state = world.reader.card_state(blank)
    with pytest.raises(Cancelled):
        world.make(screen.face)
    assert world.reader.card_state(blank) == state
    screen = Screen(world, Language.nl, f"uzi-{EMPLOYEE}", maker.pin, blank, NEW_PIN, NEW_PIN, "ja")
    world.make(screen.face)
    one_good_card(world, EMPLOYEE, maker)
