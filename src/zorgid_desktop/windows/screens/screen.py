"""What every screen has: a title, a page that scrolls, and a row of buttons that stays in sight."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from zorgid_desktop.flow.asking import Trouble
from zorgid_desktop.windows.parts import Notice, announce, button, describe, paragraph
from zorgid_desktop.windows.words import Words

MARGIN = 28
"""White around a page, in units of 1/96 inch."""


class Screen(QWidget):
    """A page with one task; `answered` gives the answer, `cancelled` says that the person wants to stop."""

    answered = Signal(object)
    cancelled = Signal()

    def __init__(self, words: Words, title: str, *, trouble: Trouble | None = None) -> None:
        super().__init__()
        self.words = words
        self.title = title
        self.trouble = trouble
        self.first: QWidget | None = None
        """Where the focus begins."""
        self.setAccessibleName(title)
        self._page = QWidget()
        self._page.setObjectName("page")
        self._page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.body = QVBoxLayout(self._page)
        self.body.setContentsMargins(MARGIN, 20, MARGIN, 20)
        self.body.setSpacing(14)
        self.heading = paragraph(title, "title")
        self.body.addWidget(self.heading)
        self.notice = self._notice_of(trouble)
        self._lay_out()

    def _lay_out(self) -> None:
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._page)
        foot = QWidget()
        foot.setObjectName("foot")
        foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._buttons = QHBoxLayout(foot)
        self._buttons.setContentsMargins(MARGIN, 14, MARGIN, 14)
        self._buttons.setSpacing(14)
        self._buttons.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._scroll, 1)
        whole.addWidget(foot)

    def _notice_of(self, trouble: Trouble | None) -> Notice | None:
        if trouble is None:
            return None
        notice = Notice(self.words.text("trouble-mark"), self.words.sentence(trouble), "wrong")
        self.body.addWidget(notice)
        return notice

    def add_button(self, name: str, *, kind: str = "second") -> QPushButton:
        """Add a button at the end of the row, as wide as the widest."""
        made = button(self.words.text(name), kind=kind)
        self._buttons.insertWidget(self._buttons.count() - 1, made)
        widest = max(one.sizeHint().width() for one in self._in_row())
        for one in self._in_row():
            one.setMinimumWidth(widest)
        return made

    def _in_row(self) -> list[QPushButton]:
        items = (self._buttons.itemAt(at) for at in range(self._buttons.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [one for one in widgets if isinstance(one, QPushButton)]

    def add_cancel(self, name: str = "cancel") -> QPushButton:
        """Add the button that stops, equal to the one that goes on."""
        made = self.add_button(name)
        made.clicked.connect(self.cancelled.emit)
        return made

    def answer(self, value: Any = None) -> None:
        """Give the person's answer to whoever asked."""
        self.answered.emit(value)

    def begin_at_heading(self, *spoken: str) -> None:
        """Let the focus begin at the title, so that an Enter too many presses nothing."""
        self.heading.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.heading.setAccessibleName(self.title)
        describe(self.heading, *spoken)
        self.first = self.heading

    def finish(self) -> None:
        """Close the page off at its end."""
        self.body.addStretch(1)

    def begin(self) -> None:
        """Put the focus where the person begins, and let a screen reader say what this page is about."""
        if self.first is not None:
            self.first.setFocus(Qt.FocusReason.OtherFocusReason)
            if self.notice is not None:
                describe(self.first, self.notice.spoken)
        announce(self, self.title if self.notice is None else f"{self.title} {self.notice.spoken}")

    def forget(self) -> None:
        """Drop what was typed; called when the screen goes."""

    def keep_in_sight(self, *edits: QLineEdit) -> None:
        """Scroll to a field as soon as something is typed in it.

        A small screen begins at the top of the page, with what is asked and why.
        """
        for edit in edits:
            edit.textEdited.connect(lambda _, edit=edit: self.reveal(edit))

    def reveal(self, widget: QWidget) -> None:
        """Scroll until a widget is in sight, also when the page has just grown."""
        self.body.activate()
        self._scroll.ensureWidgetVisible(widget, 0, MARGIN)
