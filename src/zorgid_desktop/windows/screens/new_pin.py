"""Lets the person choose a PIN and type it twice."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from zorgid_desktop.flow.asking import ChoosePin, NewPin
from zorgid_desktop.windows.parts import EnterPresses, SecretEdit, ShowTyped, describe, field, paragraph
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.words import Words


class NewPinScreen(Screen):
    """The rules are said beforehand; whether the PIN fits is decided by the flow."""

    def __init__(self, words: Words, question: ChoosePin) -> None:
        super().__init__(words, words.text("new-pin-title"), trouble=question.trouble)
        self.body.addWidget(paragraph(words.text("new-pin-for", card_number=question.card_number)))
        rules = rules_of(words, question)
        listed = QWidget()
        inside = QVBoxLayout(listed)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        inside.addWidget(paragraph(words.text("new-pin-rules"), "strong"))
        for rule in rules:
            inside.addWidget(paragraph(rule))
        self.body.addWidget(listed)
        self.edit = SecretEdit(longest=question.rules.longest)
        self.again = SecretEdit(longest=question.rules.longest)
        self.body.addWidget(field(words.text("new-pin-first"), self.edit))
        self.body.addWidget(field(words.text("new-pin-second"), self.again))
        self.body.addWidget(ShowTyped(words, self.edit, self.again))
        describe(self.edit, *(rule.removeprefix("• ") + "." for rule in rules))
        self.finish()
        go_on = self.add_button("go-on", kind="main")
        go_on.clicked.connect(self._go_on)
        EnterPresses(go_on, self.again)
        self.edit.returnPressed.connect(self.again.setFocus)
        self.add_cancel()
        self.keep_in_sight(self.edit, self.again)
        self.first = self.edit

    def _go_on(self) -> None:
        self.answer(NewPin(self.edit.take(), self.again.take()))

    def forget(self) -> None:
        """Empty both fields."""
        self.edit.take()
        self.again.take()


def rules_of(words: Words, question: ChoosePin) -> list[str]:
    """Return the rules of this card's PIN, a line each."""
    rules = question.rules
    name = "new-pin-rule-length-digits" if rules.digits_only else "new-pin-rule-length"
    return [
        words.text(name, shortest=rules.shortest, longest=rules.longest),
        words.text("new-pin-rule-guess"),
        words.text("new-pin-rule-same"),
    ]
