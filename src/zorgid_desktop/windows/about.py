"""What this program is: version, environment, licence."""

from typing import Final

from PySide6.QtCore import qVersion

from zorgid_desktop import APP_VERSION
from zorgid_desktop.build import FLAVOUR
from zorgid_desktop.windows.parts import Facts
from zorgid_desktop.windows.screens.done import LastScreen
from zorgid_desktop.windows.window import Window
from zorgid_desktop.windows.words import Words

WIDTH: Final = 640
HEIGHT: Final = 420


class AboutWindow(Window):
    """A small window with three facts and one button."""

    def __init__(self, words: Words) -> None:
        super().__init__(words, WIDTH, HEIGHT)
        self._screen = LastScreen(words, words.text("about-title"))
        rows = [
            (words.text("about-version"), APP_VERSION),
            (words.text("about-environment"), words.text(f"flavour-{FLAVOUR}")),
            (words.text("about-licence"), words.text("about-licence-name")),
            (words.text("about-qt"), words.text("about-qt-name", version=qVersion())),
        ]
        self._screen.body.addWidget(Facts(rows))
        self._screen.finish()
        self._screen.add_close()
        self._screen.begin_at_heading(*(f"{name}: {value}." for name, value in rows))
        self._screen.answered.connect(self.close)
        self.whole.addWidget(self._screen, 1)
        self.setWindowTitle(words.text("window-title", title=self._screen.title))

    def begin(self) -> None:
        """Show the window."""
        self.come_forward()
        self._screen.begin()
