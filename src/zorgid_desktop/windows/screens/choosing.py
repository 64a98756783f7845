"""Lets the person choose among cards, or between starting over and stopping."""

from PySide6.QtWidgets import QButtonGroup, QRadioButton

from zorgid_desktop.flow.asking import ChooseCard, StartOver
from zorgid_desktop.windows.parts import EnterPresses, paragraph
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.words import Words


class ChooseCardScreen(Screen):
    """One of several cards that would do; each is named by holder, kind, number and reader."""

    def __init__(self, words: Words, question: ChooseCard) -> None:
        super().__init__(words, words.text("choose-card-title"), trouble=question.trouble)
        self.body.addWidget(paragraph(words.text("choose-card-why")))
        self._choices = QButtonGroup(self)
        for number, seen in enumerate(question.cards):
            choice = QRadioButton(words.card(seen).replace("&", "&&"))
            choice.setAccessibleName(words.card(seen).replace("\n", ", "))
            choice.setAccessibleDescription(words.text("choose-card-why"))
            self._choices.addButton(choice, number)
            self.body.addWidget(choice)
        self._choices.button(0).setChecked(True)
        self.finish()
        go_on = self.add_button("go-on", kind="main")
        go_on.clicked.connect(lambda: self.answer(self._choices.checkedId()))
        EnterPresses(go_on, *self._choices.buttons())
        self.add_cancel()
        self.first = self._choices.button(0)


class StartOverScreen(Screen):
    """Yes or no; a no ends the making as it is."""

    def __init__(self, words: Words, question: StartOver) -> None:
        super().__init__(words, words.text("start-over-title"), trouble=question.trouble)
        why = words.text("start-over-why", card_number=question.card_number)
        self.body.addWidget(paragraph(why))
        self.finish()
        yes = self.add_button("start-over-yes", kind="main")
        yes.clicked.connect(lambda: self.answer(True))
        no = self.add_button("start-over-no")
        no.clicked.connect(lambda: self.answer(False))
        self.begin_at_heading(why)
