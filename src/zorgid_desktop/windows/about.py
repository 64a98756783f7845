"""What this program is: version, environment, licence."""

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from zorgid_desktop import APP_VERSION
from zorgid_desktop.build import FLAVOUR
from zorgid_desktop.windows.parts import LEAST_WIDTH, Facts, band
from zorgid_desktop.windows.screens.done import LastScreen
from zorgid_desktop.windows.words import Words


class AboutWindow(QWidget):
    """A small window with three facts and one button."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.setObjectName("page")
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
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(band(words))
        whole.addWidget(self._screen, 1)
        self.setWindowTitle(words.text("window-title", title=self._screen.title))
        self.resize(LEAST_WIDTH, 400)

    def begin(self) -> None:
        """Show the window."""
        self.show()
        self.raise_()
        self.activateWindow()
        self._screen.begin()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Escape close the window."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)
