"""Asks for a card in the reader, or to swap one card for another."""

from zorgid_desktop.flow.asking import InsertCard, Wanted
from zorgid_desktop.windows.parts import announce, drawing, paragraph
from zorgid_desktop.windows.pictures import Picture, picture
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.tray import Tray, TrayList
from zorgid_desktop.windows.words import Words


class InsertScreen(Screen):
    """Goes on when the reader reports the card (the face watches that), or by the button."""

    def __init__(self, words: Words, question: InsertCard, tray: Tray | None) -> None:
        title = words.text(f"insert-title-{question.wanted}")
        super().__init__(words, title, trouble=question.trouble)
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

    def _with_tray(self, tray: Tray) -> TrayList:
        choices = TrayList(self.words, tray)
        choices.itemActivated.connect(self._go_on)
        self.body.addWidget(choices.label)
        self.body.addWidget(choices)
        return choices

    def _go_on(self) -> None:
        if self._list is not None:
            self._list.insert_chosen()
        self.answer()

    def begin(self) -> None:
        """Say what is wanted as well: on this screen the sentence is the task."""
        super().begin()
        description = self.first.accessibleDescription() if self.first is not None else ""
        announce(self, f"{self.title} {description}")
