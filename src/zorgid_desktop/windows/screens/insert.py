"""Asks for a card in the reader, or to swap one card for another."""

from typing import Protocol

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from zorgid_desktop.flow.asking import InsertCard, Wanted
from zorgid_desktop.windows.parts import announce, drawing, paragraph, short, without_mnemonic
from zorgid_desktop.windows.pictures import Picture, picture
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.words import Words


class Tray(Protocol):
    """The imitation cards of the demo, which are put in by choosing them."""

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


class InsertScreen(Screen):
    """Goes on when the reader reports the card (the face watches that), or by the button."""

    def __init__(self, words: Words, question: InsertCard, tray: Tray | None) -> None:
        title = words.text(f"insert-title-{question.wanted}")
        super().__init__(words, title, trouble=question.trouble)
        self._tray = tray
        asked = words.asking_for(question)
        self.body.addWidget(paragraph(asked))
        is_swap = question.wanted is Wanted.blank_card
        which = Picture.swap if is_swap else Picture.insert
        labels = words.text("uzi-card-short"), words.text("smartcard-short")
        self.body.addWidget(drawing(picture(which, labels), words.text(f"picture-{which}")))
        self._list = self._with_tray(tray) if tray is not None else None
        if self._list is None:
            self.body.addWidget(paragraph(words.text("insert-hint"), "hint"))
            self.body.addWidget(paragraph(words.text("insert-manual"), "hint"))
        self.finish()
        go_on = self.add_button("go-on", kind="main")
        go_on.clicked.connect(self._go_on)
        go_on.setAccessibleDescription(asked)
        self.add_cancel()
        self.first = self._list or go_on

    def _with_tray(self, tray: Tray) -> QListWidget:
        label = short(self.words.text("insert-tray"), "strong")
        choices = QListWidget()
        for name in tray.cards:
            item = QListWidgetItem(f"  {name}", choices)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setSizeHint(QSize(0, choices.fontMetrics().height() + 16))
        choices.setCurrentRow(0)
        choices.setMinimumHeight(150)
        choices.setAccessibleName(without_mnemonic(label.text()))
        choices.itemActivated.connect(self._go_on)
        label.setBuddy(choices)
        self.body.addWidget(label)
        self.body.addWidget(choices)
        return choices

    def _go_on(self) -> None:
        chosen = self._list.currentItem() if self._list is not None else None
        if chosen is not None and self._tray is not None:
            self._tray.insert(chosen.data(Qt.ItemDataRole.UserRole))
        self.answer()

    def begin(self) -> None:
        """Say what is wanted as well: on this screen the sentence is the task."""
        super().begin()
        description = self.first.accessibleDescription() if self.first is not None else ""
        announce(self, f"{self.title} {description}")
