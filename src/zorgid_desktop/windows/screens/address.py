"""Shows the address to go on with, when no browser could be opened."""

from PySide6.QtWidgets import QLineEdit

from zorgid_desktop.flow.asking import Said
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.parts import announce, button, describe, field, paragraph, row
from zorgid_desktop.windows.screens.progress import StoppableScreen
from zorgid_desktop.windows.words import Words


class AddressScreen(StoppableScreen):
    """The address holds a code that counts once and for a minute; it leaves the clipboard as a PUK does."""

    def __init__(self, words: Words, said: Said, clipboard: OnceOnClipboard) -> None:
        super().__init__(words, words.text("address-title"))
        told = words.sentence(said)
        self.body.addWidget(paragraph(told.text))
        self.address = QLineEdit(str(said.facts["address"]))
        self.address.setReadOnly(True)
        self.address.setCursorPosition(0)
        self.body.addWidget(field(words.text("address-field"), self.address))
        describe(self.address, told.text, told.next_step)
        copy = button(words.text("address-copy"))
        copy.clicked.connect(lambda: self._copy(clipboard))
        self.body.addWidget(row(copy))
        self.body.addWidget(paragraph(told.next_step))
        self._status = paragraph("", "strong")
        self._status.hide()
        self.body.addWidget(self._status)
        self._lay_out_stopping()
        self.finish()
        self.add_cancel()
        self.first = copy

    def _copy(self, clipboard: OnceOnClipboard) -> None:
        clipboard.put(self.address.text(), lambda: None)
        self._status.setText(self.words.text("address-copied"))
        self._status.show()
        announce(self, self._status.text())

    def forget(self) -> None:
        """Take the address off the screen."""
        self.address.setText("")
