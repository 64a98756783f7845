"""Shows the PUK once, and goes on only when its holder says to have kept it (CARD-8)."""

from collections.abc import Callable

from PySide6.QtCore import Qt

from zorgid.kernel.sentences import Sentence
from zorgid_desktop.flow.asking import KeepPuk
from zorgid_desktop.windows.clipboard import LONGEST_MS, OnceOnClipboard
from zorgid_desktop.windows.look import monospace
from zorgid_desktop.windows.paper import Print, Printed
from zorgid_desktop.windows.parts import (
    EnterPresses,
    Notice,
    TickBox,
    announce,
    button,
    describe,
    paragraph,
    row,
    short,
)
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.words import Words

PRINTED = {Printed.sent: "puk-printed", Printed.no_printer: "puk-no-printer"}


class KeepPukScreen(Screen):
    """The PUK in large groups, with a way to copy and to print it, and a box that must be ticked."""

    def __init__(self, words: Words, question: KeepPuk, clipboard: OnceOnClipboard, paper: Print) -> None:
        super().__init__(words, words.text("puk-title"), trouble=question.trouble)
        self._question: KeepPuk | None = question
        self._clipboard = clipboard
        self._print = paper
        self.body.addWidget(paragraph(words.text("puk-why")))
        self.body.addWidget(paragraph(words.text("puk-once"), "strong"))
        shown = question.puk.text_to_show_once()
        self.code = short(shown, "puk")
        font = monospace()
        font.setBold(True)
        self.code.setFont(font)
        self.code.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.code.setAccessibleName(f"{words.text('puk-name')}: {' '.join(shown)}")
        self.code.setAccessibleDescription(words.text("puk-once"))
        self.body.addWidget(row(self.code))
        copy, to_paper = button(words.text("puk-copy")), button(words.text("puk-print"))
        copy.clicked.connect(self._copy)
        to_paper.clicked.connect(self._to_paper)
        to_paper.setAccessibleDescription(words.text("puk-print-hint"))
        self.body.addWidget(row(copy, to_paper))
        self.body.addWidget(paragraph(words.text("puk-print-hint"), "hint"))
        self._status = paragraph("", "strong")
        self._status.hide()
        self.body.addWidget(self._status)
        self.kept = TickBox(words.text("puk-kept"))
        self.body.addWidget(self.kept)
        self.finish()
        go_on = self.add_button("go-on", kind="main")
        go_on.clicked.connect(self._go_on)
        EnterPresses(go_on, self.kept)
        self.add_cancel()
        self.first = self.code

    def _copy(self) -> None:
        if self._question is None:
            return
        self._clipboard.put(self._question.puk.text_to_show_once().replace(" ", ""), self._wiped())
        self._say(self.words.text("puk-copied", seconds=LONGEST_MS // 1000))

    def _wiped(self) -> Callable[[], None]:
        def say() -> None:
            if self._question is not None:
                self._say(self.words.text("puk-copied-gone"))

        return say

    def _to_paper(self) -> None:
        if self._question is None:
            return
        said = PRINTED.get(self._print(self, self.words, self._question.puk))
        if said is not None:
            self._say(self.words.text(said))

    def _say(self, text: str) -> None:
        self._status.setText(text)
        self._status.show()
        announce(self, text)

    def _go_on(self) -> None:
        if self.kept.isChecked():
            self.answer(True)
            return
        if self.notice is None:
            sentence = Sentence(self.words.text("puk-keep-first"), "")
            self.notice = Notice(self.words.text("trouble-mark"), sentence, "wrong")
            self.body.insertWidget(self.body.indexOf(self.kept), self.notice)
            self.notice.show()
            describe(self.kept, self.notice.spoken)
        self.kept.setFocus()
        self.reveal(self.kept)
        announce(self, self.notice.spoken)

    def forget(self) -> None:
        """Take the PUK off the screen."""
        self._question = None
        self.code.setText("")
        self.code.setAccessibleName("")
