"""The imitation cards of the demo, which are put in by choosing them; a production build has none."""

import html
from typing import Final, Protocol

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from zorgid_desktop.listing import Told
from zorgid_desktop.windows.parts import Panel, button, row, short, without_mnemonic
from zorgid_desktop.windows.words import Words

SEEN_AT_ONCE: Final = 4
"""How many cards of the list are seen, each of them whole."""
FRAME: Final = 4
"""The border of the list that has the focus, in units of 1/96 inch."""


class Tray(Protocol):
    """What holds the imitation cards."""

    @property
    def cards(self) -> list[str]:
        """The names of the cards."""
        ...

    def told(self, name: str) -> Told:
        """Return what a card tells of itself, or why it tells nothing."""
        ...

    def insert(self, name: str) -> None:
        """Put a card in."""
        ...

    def remove(self) -> None:
        """Take the card out."""
        ...


class TrayList(QListWidget):
    """The cards by name, each with what it is, one of them chosen."""

    def __init__(self, words: Words, tray: Tray) -> None:
        super().__init__()
        self._words = words
        self._tray = tray
        self.label = short(words.text("insert-tray"), "strong")
        self.label.setBuddy(self)
        self.setAccessibleName(without_mnemonic(self.label.text()))
        height = 2 * self.fontMetrics().height() + 16
        self.setFixedHeight(SEEN_AT_ONCE * height + 2 * FRAME)
        for name in tray.cards:
            item = QListWidgetItem(self)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setSizeHint(QSize(0, height))
        self.look()
        self.setCurrentRow(0)

    def look(self) -> None:
        """Say anew what each card is: a blank one may have become somebody's."""
        for item in map(self.item, range(self.count())):
            name = item.data(Qt.ItemDataRole.UserRole)
            told = self._tray.told(name)
            what = self._words.in_list(told)
            item.setText(self._words.in_tray(name, told))
            item.setToolTip(
                f"<span>{html.escape(what)}</span>"
            )  # or Qt would look for marks of its own in it
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}: {what}")

    def insert_chosen(self) -> None:
        """Put the chosen card in."""
        chosen = self.currentItem()
        if chosen is not None:
            self._tray.insert(chosen.data(Qt.ItemDataRole.UserRole))


class TrayPanel(Panel):
    """The tray beside the list of cards, with a way in and a way out of the imitation reader."""

    def __init__(self, words: Words, tray: Tray) -> None:
        super().__init__("note")
        self.list = cards = TrayList(words, tray)
        self.inside.addWidget(cards.label)
        self.inside.addWidget(cards)
        put_in, take_out = button(words.text("tray-insert")), button(words.text("tray-remove"))
        put_in.clicked.connect(cards.insert_chosen)
        cards.itemActivated.connect(cards.insert_chosen)
        take_out.clicked.connect(tray.remove)
        self.inside.addWidget(row(put_in, take_out))
