"""The lines that start the project's Desktop App in a terminal, as pages of the demo show them to be copied.

The app finds a demo by itself on the usual port and with the usual folder; of another one the lines tell it.
What the app calls these things is known here by name only, since the platform does not import it.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from zorgid.settings import Settings

PROGRAM: Final = ".venv/bin/zorgid-desktop"
ORIGIN_VARIABLE: Final = "ZORGID_DESKTOP_DEMO_ORIGIN"
USUAL_ORIGIN: Final = str(Settings.model_fields["origin"].default)
USUAL_CARDS: Final = Path("var/cards")
"""Where the app looks by itself, from the folder of the project."""


@dataclass(frozen=True)
class DesktopLines:
    """What to type in the folder of the project."""

    origin: str
    cards: Path
    """Where virtual cards are, from the folder of the project."""

    @classmethod
    def of(cls, settings: Settings, *, has_cards: bool) -> Self:
        """Return the lines for this platform; `has_cards` where a demo keeps cards in its data folder."""
        cards = settings.data_folder / "cards" if has_cards else USUAL_CARDS
        is_in_project = Path(PROGRAM).exists()
        return cls(settings.origin, cards if is_in_project or not has_cards else cards.absolute())

    @property
    def is_at_usual_port(self) -> bool:
        """Whether an app that a link starts, which is told nothing, finds this demo."""
        return self.origin == USUAL_ORIGIN

    @property
    def command(self) -> str:
        """The app with what it must be told; its command follows."""
        words = [] if self.is_at_usual_port else [f"{ORIGIN_VARIABLE}={shlex.quote(self.origin)}"]
        words.append(PROGRAM)
        if self.cards != USUAL_CARDS:
            words += ["--cards-folder", shlex.quote(str(self.cards))]
        return " ".join(words)

    @property
    def register(self) -> str:
        """What lets links open the app; a browser starts it in any folder, so the cards are always named."""
        return f"{PROGRAM} --cards-folder {shlex.quote(str(self.cards))} scheme register"
