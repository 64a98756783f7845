"""The pieces that screens are made of, each with its name for a screen reader."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from zorgid.kernel.sentences import Sentence
from zorgid_desktop.plain import plain
from zorgid_desktop.windows.look import INK
from zorgid_desktop.windows.words import Words

NO_HINTS: Final = (
    Qt.InputMethodHint.ImhHiddenText
    | Qt.InputMethodHint.ImhSensitiveData
    | Qt.InputMethodHint.ImhNoPredictiveText
    | Qt.InputMethodHint.ImhNoAutoUppercase
)
"""What an input method must not do with a secret."""
CLIPBOARD_KEYS: Final = (QKeySequence.StandardKey.Copy, QKeySequence.StandardKey.Cut)
DIGIT_WIDTH: Final = "0"
LONG_LABEL: Final = 30
"""A label with more signs may need a second line."""


class Paragraph(QLabel):
    """A text that is as high as its lines at the width it gets, and no higher.

    Qt guesses a width for the least height of a wrapped text, and scrolls a page that fits.
    """

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return one line; the layout asks for the true height."""
        return QSize(self.fontMetrics().averageCharWidth() * 12, self.fontMetrics().height())


def paragraph(text: str, kind: str = "text") -> QLabel:
    """Return a text that is wrapped and never cut off; it is plain, whatever stands in it."""
    label = Paragraph(plain(text, keeps_lines=True))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setProperty("kind", kind)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return label


def short(text: str, kind: str = "text") -> QLabel:
    """Return a text on one line."""
    label = QLabel(plain(text, keeps_lines=True))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("kind", kind)
    return label


def drawing(pixmap: QPixmap, description: str) -> QLabel:
    """Return a picture that says what is to be seen on it."""
    label = QLabel()
    label.setPixmap(pixmap)
    label.setAccessibleName(description)
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return label


def button(text: str, *, kind: str = "second") -> QPushButton:
    """Return a button that Enter presses as well as the space bar."""
    made = QPushButton(text)
    made.setProperty("kind", kind)
    made.setAutoDefault(True)
    made.setAccessibleName(without_mnemonic(text))
    return made


def without_mnemonic(text: str) -> str:
    """Return a text without the sign that marks its key."""
    return text.replace("&", "")


class Panel(QFrame):
    """A frame of one kind: a note, what was asked, what is wrong, what is good."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.setProperty("kind", kind)
        self.inside = QVBoxLayout(self)
        self.inside.setContentsMargins(18, 12, 18, 12)
        self.inside.setSpacing(6)


class Notice(Panel):
    """A sentence with its next step, marked by a word and a colour."""

    def __init__(self, mark: str, sentence: Sentence, kind: str) -> None:
        super().__init__(kind)
        if mark:
            self.inside.addWidget(short(mark, "strong"))
        self.inside.addWidget(paragraph(sentence.text))
        if sentence.next_step:
            self.inside.addWidget(paragraph(sentence.next_step))
        self.spoken = " ".join(filter(None, (mark, sentence.text, sentence.next_step)))
        self.setAccessibleName(self.spoken)


class Facts(QWidget):
    """Names and values under each other."""

    def __init__(self, facts: list[tuple[str, str]]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(facts):
            grid.addWidget(short(name, "hint"), row, 0, Qt.AlignmentFlag.AlignTop)
            shown = paragraph(value, "strong")
            shown.setAccessibleName(f"{name}: {value}")
            grid.addWidget(shown, row, 1)


class SecretEdit(QLineEdit):
    """A field for a PIN or PUK: hidden, not copied, not predicted, and empty after use."""

    def __init__(self, *, longest: int) -> None:
        super().__init__()
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(NO_HINTS)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setDragEnabled(False)
        self.setAcceptDrops(False)
        self.selectionChanged.connect(self._select_nothing_shown)
        # A few more than fit, so that a text that is too long is refused in words and not cut off in silence.
        self.setMaxLength(longest + 4)
        self.setFixedWidth(self.fontMetrics().horizontalAdvance(DIGIT_WIDTH * 18) + 40)

    def take(self) -> str:
        """Return what was typed and forget it; nothing can be undone."""
        typed = self.text()
        self.setText("")
        return typed

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 - Qt's name
        """Offer no menu: there is nothing to copy here."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Take every key but those that copy, also while the text is shown."""
        if any(event.matches(keys) for keys in CLIPBOARD_KEYS):
            event.accept()
            return
        super().keyPressEvent(event)

    def _select_nothing_shown(self) -> None:
        """Select nothing while the text is shown: Qt puts that on a clipboard, on X11 at once."""
        if self.echoMode() is QLineEdit.EchoMode.Normal:
            self.deselect()


class TickBox(QCheckBox):
    """A box to tick, with a tick that is drawn and not only coloured."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setAccessibleName(without_mnemonic(text))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the box, and the tick in it."""
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = QRectF(self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(INK), 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        shape = ((0.24, 0.52), (0.43, 0.72), (0.78, 0.28))
        painter.drawPolyline(
            [QPointF(box.x() + x * box.width(), box.y() + y * box.height()) for x, y in shape]
        )


class ShowTyped(TickBox):
    """Shows what is typed in fields that hide it, for as long as it is ticked."""

    def __init__(self, words: Words, *edits: SecretEdit) -> None:
        super().__init__(words.text("show-typed"))
        self._edits = edits
        self.toggled.connect(self._show)

    def _show(self, is_shown: bool) -> None:  # noqa: FBT001 - Qt's signal
        mode = QLineEdit.EchoMode.Normal if is_shown else QLineEdit.EchoMode.Password
        for edit in self._edits:
            edit.setEchoMode(mode)
            edit.setInputMethodHints(NO_HINTS)


def field(label: str, edit: QLineEdit, hint: str = "") -> QWidget:
    """Return a field under its label and hint; the label's key goes to the field."""
    whole = QWidget()
    inside = QVBoxLayout(whole)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(4)
    name = paragraph(label, "strong") if len(label) > LONG_LABEL else short(label, "strong")
    name.setBuddy(edit)
    edit.setAccessibleName(without_mnemonic(label))
    inside.addWidget(name)
    if hint:
        inside.addWidget(paragraph(hint, "hint"))
        edit.setAccessibleDescription(hint)
    inside.addWidget(edit)
    return whole


def describe(widget: QWidget, *texts: str) -> None:
    """Give a widget what a screen reader says after its name; earlier descriptions stay in front."""
    parts = (widget.accessibleDescription(), *texts)
    widget.setAccessibleDescription(" ".join(filter(None, parts)))


def row(*widgets: QWidget) -> QWidget:
    """Return widgets beside each other, the first at the left."""
    whole = QWidget()
    inside = QHBoxLayout(whole)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(12)
    for widget in widgets:
        inside.addWidget(widget)
    inside.addStretch(1)
    return whole


def announce(widget: QWidget, text: str) -> None:
    """Let a screen reader say a text at once, wherever the focus is."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))


class EnterPresses(QObject):
    """Lets Enter in a widget press a button."""

    def __init__(self, target: QPushButton, *widgets: QWidget) -> None:
        super().__init__(target)
        self._target = target
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Press the button when Enter is typed."""
        is_enter = (
            event.type() is QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        )
        if is_enter:
            self._target.click()
            return True
        return super().eventFilter(watched, event)
