"""What all windows share: the band at the top, the least width, and Escape as a way out."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from zorgid_desktop.windows.parts import drawing, short
from zorgid_desktop.windows.pictures import mark
from zorgid_desktop.windows.words import Words

LEAST_WIDTH: Final = 640
"""No window is narrower: half of the narrowest screen, which is one at 200 %."""


class Window(QMainWindow):
    """A window of the app. A screen reader calls it a frame, and not a thing without a role."""

    def __init__(self, words: Words, width: int, height: int) -> None:
        super().__init__()
        inside = QWidget()
        inside.setObjectName("page")
        self.whole = QVBoxLayout(inside)
        self.whole.setContentsMargins(0, 0, 0, 0)
        self.whole.setSpacing(0)
        self.whole.addWidget(band(words))
        self.setCentralWidget(inside)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setWindowIcon(QApplication.windowIcon())
        self.setMinimumWidth(LEAST_WIDTH)
        room = self.screen().availableGeometry()
        self.resize(min(width, room.width() - 40), min(height, room.height() - 60))

    def come_forward(self) -> None:
        """Show the window before others: the browser was there last."""
        self.show()
        self.raise_()
        self.activateWindow()

    def escape(self) -> None:
        """Do what Escape does here."""
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Escape be a way out."""
        if event.key() == Qt.Key.Key_Escape:
            self.escape()
        else:
            super().keyPressEvent(event)


def band(words: Words) -> QWidget:
    """Return the band at the top of every window: the mark and the name of the product."""
    top = QWidget()
    top.setObjectName("top")
    top.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    beside = QHBoxLayout(top)
    beside.setContentsMargins(28, 10, 28, 10)
    beside.addWidget(drawing(mark(28), words.text("product")))
    beside.addWidget(short(words.text("product")))
    beside.addStretch(1)
    return top
