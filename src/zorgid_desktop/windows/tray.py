"""The imitation cards of the demo, which are put in by choosing them; a production build has none."""

from typing import Protocol

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from zorgid_desktop.windows.parts import Panel, button, row, short, without_mnemonic
from zorgid_desktop.windows.words import Words


class Tray(Protocol):
    """What holds the imitation cards."""

    @property
    def cards(self) -> list[str]:
        """The names of the cards."""
        ...

    def insert(self, name: str) -> None:
        """Put a card in."""
        ...

    def remove(self) -> None:
        """Take the card out."""
        ...


class TrayList(QListWidget):
    """The cards by name, one of them chosen."""

    def __init__(self, words: Words, tray: Tray) -> None:
        super().__init__()
        self._tray = tray
        self.label = short(words.text("insert-tray"), "strong")
        self.label.setBuddy(self)
        self.setAccessibleName(without_mnemonic(self.label.text()))
        self.setMinimumHeight(150)
        for name in tray.cards:
            item = QListWidgetItem(f"  {name}", self)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setSizeHint(QSize(0, self.fontMetrics().height() + 16))
        self.setCurrentRow(0)

    def insert_chosen(self) -> None:
        """Put the chosen card in."""
        chosen = self.currentItem()
        if chosen is not None:
            self._tray.insert(chosen.data(Qt.ItemDataRole.UserRole))


class TrayPanel(Panel):
    """The tray beside the list of cards, with a way in and a way out of the imitation reader."""

    def __init__(self, words: Words, tray: Tray) -> None:
        super().__init__("note")
        cards = TrayList(words, tray)
        self.inside.addWidget(cards.label)
        self.inside.addWidget(cards)
        put_in, take_out = button(words.text("tray-insert")), button(words.text("tray-remove"))
        put_in.clicked.connect(cards.insert_chosen)
        cards.itemActivated.connect(cards.insert_chosen)
        take_out.clicked.connect(tray.remove)
        self.inside.addWidget(row(put_in, take_out))
