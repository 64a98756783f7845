"""Sends the person on to the browser, with the address to go on with when that does not come by itself."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from zorgid_desktop.flow.asking import Said
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.parts import announce, button, describe, field, paragraph, row
from zorgid_desktop.windows.screens.progress import StoppableScreen
from zorgid_desktop.windows.words import Words


class AddressEdit(QLineEdit):
    """The address, to be read; the keys that copy do what the button does, and nothing else copies."""

    copied = Signal()

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.setReadOnly(True)
        self.setCursorPosition(0)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        # Qt puts what is selected on a clipboard that nobody wipes, on X11 at once.
        self.selectionChanged.connect(self.deselect)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Copy the whole address, by the way that takes it off again."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
            event.accept()
            return
        super().keyPressEvent(event)


class AddressPanel(QWidget):
    """The address with a way to copy it.

    It holds a code that counts once and for a minute; it leaves the clipboard as a PUK does, or earlier, when
    it is forgotten.
    """

    def __init__(self, words: Words, address: str, clipboard: OnceOnClipboard, *spoken: str) -> None:
        super().__init__()
        self._words = words
        self._clipboard = clipboard
        self._take_off: Callable[[], None] = _nothing
        self.address = AddressEdit(address)
        self.address.copied.connect(self._copy)
        self.copy = button(words.text("address-copy"))
        self.copy.clicked.connect(self._copy)
        self._status = paragraph("", "strong")
        self._status.hide()
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(14)
        inside.addWidget(field(words.text("address-field"), self.address))
        inside.addWidget(row(self.copy))
        inside.addWidget(paragraph(words.text("address-for-you")))
        inside.addWidget(self._status)
        describe(self.address, *spoken, words.text("address-for-you"))

    def _copy(self) -> None:
        self._take_off = self._clipboard.put(self.address.text(), _nothing)
        self._status.setText(self._words.text("address-copied"))
        self._status.show()
        announce(self, self._status.text())

    def forget(self) -> None:
        """Take the address off the screen, and off the clipboard where it is still there."""
        self.address.setText("")
        self._take_off()


class AddressScreen(StoppableScreen):
    """No browser could be opened: the address is all there is."""

    def __init__(self, words: Words, said: Said, clipboard: OnceOnClipboard) -> None:
        super().__init__(words, words.text("address-title"))
        sentence = words.sentence(said)
        told = f"{sentence.text} {sentence.next_step}"
        self.body.addWidget(paragraph(told))
        self.panel = AddressPanel(words, str(said.facts["address"]), clipboard, told)
        self.body.addWidget(self.panel)
        self._lay_out_stopping()
        self.finish()
        self.add_cancel()
        self.first = self.panel.copy

    def forget(self) -> None:
        """Drop the address."""
        self.panel.forget()


class BrowserScreen(StoppableScreen):
    """A browser was started; whoever does not see it come asks for the address."""

    def __init__(self, words: Words, said: Said, clipboard: OnceOnClipboard) -> None:
        super().__init__(words, words.text("address-title"))
        told = words.sentence(said)
        self.body.addWidget(paragraph(told.text))
        self.body.addWidget(paragraph(told.next_step, "hint"))
        self.ask = button(words.text("address-show"))
        self.ask.clicked.connect(self._show)
        self.body.addWidget(row(self.ask))
        self._how = paragraph(words.text("address-how"))
        self.panel = AddressPanel(words, str(said.facts["address"]), clipboard, self._how.text())
        for hidden in (self._how, self.panel):
            hidden.hide()
            self.body.addWidget(hidden)
        self._lay_out_stopping()
        self.finish()
        self.add_cancel()
        self.begin_at_heading(told.text, told.next_step)

    def _show(self) -> None:
        self.ask.hide()
        self._how.show()
        self.panel.show()
        self.panel.copy.setFocus()
        self.reveal(self.panel)
        announce(self, self._how.text())

    def forget(self) -> None:
        """Drop the address."""
        self.panel.forget()


def _nothing() -> None:
    """Do nothing."""
