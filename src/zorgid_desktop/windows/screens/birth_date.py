"""Asks the birth date in three fields, and lets the person look once more."""

from datetime import date

from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from zorgid_desktop.flow.asking import AskBirthDate, Said
from zorgid_desktop.flow.birth_dates import NoBirthDate, require_birth_date
from zorgid_desktop.windows.parts import (
    EnterPresses,
    Notice,
    announce,
    describe,
    field,
    paragraph,
    row,
)
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.words import Words

FIELDS = (("birth-day", 2), ("birth-month", 2), ("birth-year", 4))
"""The fields with how many digits each takes."""


class BirthDateScreen(Screen):
    """A first birth date is kept and compared ever after, so what was typed is shown again in words."""

    def __init__(self, words: Words, question: AskBirthDate) -> None:
        super().__init__(words, words.text("birth-title"), trouble=question.trouble)
        facts = {"full_name": question.full_name, "organisation": question.organisation}
        self._today = question.today
        self._typing = QWidget()
        inside = QVBoxLayout(self._typing)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(14)
        inside.addWidget(paragraph(words.text("birth-greeting", **facts)))
        inside.addWidget(paragraph(words.text("birth-why")))
        self.edits = [self._edit(digits) for _, digits in FIELDS]
        inside.addWidget(paragraph(words.text("birth-hint"), "hint"))
        names = [words.text(name) for name, _ in FIELDS]
        inside.addWidget(row(*(field(name, edit) for name, edit in zip(names, self.edits, strict=True))))
        self.body.addWidget(self._typing)
        self._check = self._lay_out_check()
        self.finish()
        describe(self.edits[0], words.text("birth-greeting", **facts), words.text("birth-hint"))
        self._go_on = self.add_button("go-on", kind="main")
        self._right = self.add_button("birth-right", kind="main")
        self._change = self.add_button("birth-change")
        self.add_cancel()
        self._connect()
        self._show(is_check=False)
        self.first = self.edits[0]

    def _edit(self, digits: int) -> QLineEdit:
        edit = QLineEdit()
        edit.setMaxLength(digits)
        edit.setFixedWidth(edit.fontMetrics().horizontalAdvance("0" * (digits + 1)) + 40)
        return edit

    def _lay_out_check(self) -> QWidget:
        check = QWidget()
        inside = QVBoxLayout(check)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(14)
        self._typed = paragraph("", "title")
        inside.addWidget(self._typed)
        inside.addWidget(paragraph(self.words.text("birth-look")))
        self.body.addWidget(check)
        return check

    def _connect(self) -> None:
        self._go_on.clicked.connect(self._look_once_more)
        self._right.clicked.connect(self._send)
        self._change.clicked.connect(self._type_again)
        day, month, year = self.edits
        day.returnPressed.connect(month.setFocus)
        month.returnPressed.connect(year.setFocus)
        EnterPresses(self._go_on, year)

    def _born_on(self) -> date:
        """Return what was typed. Raises `NoBirthDate`."""
        typed = "-".join(edit.text().strip() for edit in self.edits)
        return require_birth_date(typed, today=self._today)

    def _look_once_more(self) -> None:
        try:
            born_on = self._born_on()
        except NoBirthDate as refused:
            self._complain(refused.said)
            return
        month = self.words.text(f"month-{born_on.month}")
        said = self.words.text("birth-check", day=born_on.day, month=month, year=born_on.year)
        self._typed.setText(said)
        self._show(is_check=True)
        self._say(self._right, f"{self.heading.text()} {said} {self.words.text('birth-look')}")

    def _complain(self, said: Said) -> None:
        sentence = self.words.sentence(said)
        fresh = Notice(self.words.text("trouble-mark"), sentence, "wrong")
        if self.notice is not None:
            self.body.replaceWidget(self.notice, fresh)
            self.notice.hide()
            self.notice.deleteLater()
        else:
            self.body.insertWidget(1, fresh)
        fresh.show()
        self.notice = fresh
        self._say(self.edits[0], fresh.spoken)

    def _say(self, focus: QLineEdit | QPushButton, text: str) -> None:
        focus.setFocus()
        describe(focus, text)
        announce(self, text)

    def _type_again(self) -> None:
        self._show(is_check=False)
        self.edits[0].setFocus()
        self.edits[0].selectAll()

    def _send(self) -> None:
        self.answer(f"{self._born_on():%d-%m-%Y}")

    def _show(self, *, is_check: bool) -> None:
        if is_check and self.notice is not None:
            self.notice.hide()
        self.heading.setText(self.words.text("birth-check-title" if is_check else "birth-title"))
        self._typing.setVisible(not is_check)
        self._check.setVisible(is_check)
        self._go_on.setVisible(not is_check)
        self._right.setVisible(is_check)
        self._change.setVisible(is_check)

    def forget(self) -> None:
        """Empty the fields."""
        for edit in self.edits:
            edit.setText("")
