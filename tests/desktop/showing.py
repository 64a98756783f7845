"""A program that shows the windows one after another: a line `language name` on its input, then facts on its output."""

import json
import sys

from PySide6.QtCore import QSocketNotifier, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QLineEdit, QRadioButton, QWidget
from tests.desktop.examples import begun, windows

from zorgid.kernel.sentences import Language
from zorgid_desktop.windows.app import new_application
from zorgid_desktop.windows.parts import SecretEdit

ROLES: dict[type[QWidget], str] = {
    SecretEdit: "password text",
    QLineEdit: "text",
    QCheckBox: "check box",
    QRadioButton: "radio button",
    QAbstractButton: "push button",
}
"""What a screen reader calls each kind, the narrowest kind first. Source: AT-SPI, AtspiRole."""
TYPED = "Linde24"


def facts_of(window: QWidget) -> dict[str, object]:
    """Return what a screen reader must get of a window."""
    used = []
    for one in [*window.findChildren(QLineEdit), *window.findChildren(QAbstractButton)]:
        if one.isVisible():
            role = next(role for kind, role in ROLES.items() if isinstance(one, kind))
            used.append([role, one.accessibleName(), one.accessibleDescription()])
        if isinstance(one, SecretEdit):
            one.setText(TYPED)
    focus = QApplication.focusWidget()
    return {
        "title": window.windowTitle(),
        "used": used,
        "focus": focus.accessibleName() if focus is not None else None,
    }


class Showing:
    """Keeps one window open, until the next line."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        self._window: QWidget | None = None
        self._notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self.read)

    def read(self) -> None:
        """Show what the next line names."""
        words = sys.stdin.readline().split()
        if not words:
            self._application.quit()
            return
        if self._window is not None:
            self._window.close()
            self._window.deleteLater()
        self._window = begun(windows(Language(words[0]))[words[1]]())
        QTimer.singleShot(0, self.tell)

    def tell(self) -> None:
        """Write the facts of the window."""
        assert self._window is not None
        print(json.dumps(facts_of(self._window)), flush=True)  # noqa: T201


if __name__ == "__main__":
    running = new_application(Language.nl)
    running.setQuitOnLastWindowClosed(False)
    showing = Showing(running)
    running.exec()
