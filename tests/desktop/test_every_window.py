"""Every window, in both languages: nothing is cut off, everything has a name, the keyboard alone will do (ALL-1)."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QWidget,
)
from tests.desktop.driving import focused, key, shown
from tests.desktop.examples import begun, windows

from zorgid.kernel.sentences import Language
from zorgid_desktop.windows.flow_window import FlowWindow
from zorgid_desktop.windows.parts import SecretEdit
from zorgid_desktop.windows.window import LEAST_WIDTH

NAMES = (
    "about",
    "ask-puk",
    "ask-puk-last-try",
    "birth-date",
    "birth-date-check",
    "browser-address",
    "browser-opened",
    "busy-proved",
    "cards",
    "cards-demo-tray",
    "cards-no-reader",
    "cards-no-service",
    "cards-none",
    "cards-trouble",
    "choose-card",
    "done-card-made",
    "done-pin-changed",
    "done-session-ended",
    "done-session-not-told",
    "done-session-over",
    "done-watching",
    "insert-blank-card",
    "insert-blank-card-refused",
    "insert-demo-tray",
    "insert-login-card",
    "insert-new-card",
    "insert-uzi-card-reader-empty",
    "keep-puk",
    "making",
    "new-pin",
    "new-pin-differ",
    "open-in-browser",
    "pin-act-last-try",
    "pin-login",
    "pin-tries-unknown",
    "start-over",
    "stopped-cancelled",
    "stopped-cancelled-making",
    "stopped-cancelled-pin-change",
    "stopped-cancelled-unblocking",
    "stopped-pin-blocked",
    "stopped-refused",
    "stopped-unforeseen",
)
each = pytest.mark.parametrize("language", Language)
window_of = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def _(application: QApplication) -> None:
    """Every test here needs Qt."""


def test_all_windows_are_looked_at() -> None:
    for language in Language:
        assert set(windows(language)) == set(NAMES)


def opened(name: str, language: Language) -> QWidget:
    return begun(windows(language)[name]())


@each
@window_of
@pytest.mark.parametrize("width", [720, LEAST_WIDTH])
def test_no_text_is_cut_off(name: str, language: Language, width: int) -> None:
    window = opened(name, language)
    window.resize(width, 600)
    QApplication.processEvents()
    for label in shown(window, QLabel):
        if label.text():
            needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
            assert label.height() >= needed, label.text()
            assert label.wordWrap() or label.width() >= label.sizeHint().width(), label.text()
        assert label.mapTo(window, label.rect().topRight()).x() < window.width(), label.text()
    for button in shown(window, QAbstractButton):
        assert button.width() >= button.sizeHint().width(), button.text()
        right = button.mapTo(window, button.rect().topRight()).x()
        assert right < window.width(), button.text()


@each
@window_of
def test_whatever_can_be_used_has_a_name(name: str, language: Language) -> None:
    window = opened(name, language)
    assert window.windowTitle().endswith("ZORG-ID")
    used = [*shown(window, QAbstractButton), *shown(window, QLineEdit), *shown(window, QListWidget)]
    assert used
    for one in used:
        assert one.accessibleName(), one
        assert "&" not in one.accessibleName()
    pictures = [label for label in shown(window, QLabel) if not label.pixmap().isNull()]
    assert all(label.accessibleName() for label in pictures)


@each
@window_of
def test_the_keyboard_reaches_everything(name: str, language: Language) -> None:
    window = opened(name, language)
    wanted = {
        one
        for kind in (QAbstractButton, QLineEdit, QListWidget)
        for one in shown(window, kind)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    radios = {one for one in wanted if isinstance(one, QAbstractButton) and one.autoExclusive()}
    met: list[QWidget | None] = []
    for _ in range(3 * len(wanted) + 6):
        met.append(focused())
        key(focused() or window, Qt.Key.Key_Tab)
    assert (wanted - radios) <= set(met)
    assert not radios or radios & set(met)


@each
@window_of
def test_no_key_is_given_to_two_things(name: str, language: Language) -> None:
    window = opened(name, language)
    texts = [one.text() for one in shown(window, QAbstractButton)]
    texts += [label.text() for label in shown(window, QLabel) if label.buddy() is not None]
    keys = [text[text.index("&") + 1].lower() for text in texts if "&" in text.replace("&&", "")]
    # Each card of a list has its own buttons, of the same names.
    doubles = {one for one in keys if keys.count(one) > 1}
    assert name == "cards" or not doubles


@each
@window_of
def test_the_focus_begins_inside_and_is_on_nothing_that_cannot_be_undone(
    name: str, language: Language
) -> None:
    window = opened(name, language)
    begun_at = focused()
    assert begun_at is not None
    assert window.isAncestorOf(begun_at)
    assert begun_at.accessibleName()
    if (
        isinstance(window, FlowWindow)
        and window.screen_now is not None
        and window.screen_now.notice is not None
    ):
        assert window.screen_now.notice.spoken in begun_at.accessibleDescription() + begun_at.accessibleName()


@each
@window_of
def test_secrets_are_typed_unseen_and_cannot_be_copied(name: str, language: Language) -> None:
    window = opened(name, language)
    for edit in shown(window, SecretEdit):
        edit.setText("Linde24")
        edit.selectAll()
        key(edit, Qt.Key.Key_Copy)
        edit.keyPressEvent(copying())
        assert QApplication.clipboard().text() == ""
        assert edit.echoMode() is QLineEdit.EchoMode.Password
        assert edit.inputMethodHints() & Qt.InputMethodHint.ImhSensitiveData
        assert edit.inputMethodHints() & Qt.InputMethodHint.ImhNoPredictiveText
        assert edit.contextMenuPolicy() is Qt.ContextMenuPolicy.NoContextMenu
        assert edit.take() == "Linde24"
        assert not edit.isUndoAvailable()
        assert edit.text() == ""


def copying() -> object:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    return QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)


@each
@pytest.mark.parametrize("name", ["pin-login", "new-pin", "ask-puk"])
def test_what_is_typed_can_be_shown_and_hidden(name: str, language: Language) -> None:
    window = opened(name, language)
    (box,) = shown(window, QCheckBox)
    for mode in (QLineEdit.EchoMode.Normal, QLineEdit.EchoMode.Password):
        key(box, Qt.Key.Key_Space)
        assert all(edit.echoMode() is mode for edit in shown(window, SecretEdit))


@each
@window_of
def test_the_picture_in_the_documentation_is_there(
    name: str, language: Language, house: Callable[[str], bool]
) -> None:
    assert house(f"docs/screens/window-{name}-{language}.png")


@pytest.fixture
def house() -> Callable[[str], bool]:
    from pathlib import Path

    return lambda path: (Path(__file__).parents[2] / path).is_file()
