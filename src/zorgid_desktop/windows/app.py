"""The app with windows: puts them together, and runs them until the last one is closed."""

import contextlib
import os
import sys
import threading
from argparse import Namespace
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

from PySide6.QtCore import QLibraryInfo, QLocale, QObject, Qt, QTimer, QTranslator, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from cardkit.readers import Readers
from zorgid.kernel.sentences import Language
from zorgid.protocol.errors import LinkMalformed
from zorgid.protocol.links import LaunchLink, parse_link
from zorgid_desktop.core_files import keep_no_core_files
from zorgid_desktop.flow.asking import Said, SeenCard, Trouble
from zorgid_desktop.opening import Opening, offer
from zorgid_desktop.scheme.at_start import look_at_scheme
from zorgid_desktop.scheme.program import is_packaged, program_for
from zorgid_desktop.texts import language_of
from zorgid_desktop.windows.about import AboutWindow
from zorgid_desktop.windows.card_list import CardWatcher, Turn
from zorgid_desktop.windows.cards_window import CardsWindow
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.collecting import Collector
from zorgid_desktop.windows.drawing import Studio
from zorgid_desktop.windows.face import WindowFace
from zorgid_desktop.windows.flow_window import FlowWindow, Work
from zorgid_desktop.windows.line import Line, run_while_owed
from zorgid_desktop.windows.look import dress
from zorgid_desktop.windows.no_screen import said_without_screen
from zorgid_desktop.windows.pictures import app_icon
from zorgid_desktop.windows.safety import catch_unforeseen
from zorgid_desktop.windows.screens.done import StoppedScreen
from zorgid_desktop.windows.tray import Tray
from zorgid_desktop.windows.words import Words
from zorgid_desktop.windows.work import acting, following

STOPPED: Final = 1
"""The exit code when the last flow did not go through."""


class Desk(QObject):
    """Everything that is on the screen: the list of cards, windows of flows, and the icon in the tray."""

    unforeseen = Signal(object)
    """A `Trouble` that came from nowhere; shown in a window of its own."""

    def __init__(
        self, words: Words, open_readers: Callable[[], Readers], tray: Tray | None, clipboard: OnceOnClipboard
    ) -> None:
        super().__init__()
        self.words = words
        self.turn = Turn()
        self.flows: list[FlowWindow] = []
        self.cards: CardsWindow | None = None
        self.outcome: Trouble | None = None
        self._open_readers = open_readers
        self._studio = Studio(words, clipboard, tray)
        self._watcher: CardWatcher | None = None
        self._icon: QSystemTrayIcon | None = None
        self._about: AboutWindow | None = None
        self._is_quitting = False
        self.unforeseen.connect(self.show_trouble, Qt.ConnectionType.QueuedConnection)

    def is_busy(self) -> bool:
        """Tell whether a flow is at work that must not be disturbed; one that only watches a card is not."""
        return any(flow.is_active for flow in self.flows)

    def start(self, work: Work, *, chosen: SeenCard | None = None) -> FlowWindow:
        """Open a window in which a flow is walked."""
        face = WindowFace(self._open_readers(), chosen=chosen)
        window = FlowWindow(self._studio, face)
        window.ended.connect(self._note)
        self.flows = [flow for flow in self.flows if flow.is_active or flow.isVisible()]
        self.flows.append(window)
        window.show()
        window.begin(work)
        return window

    def follow(self, link: str | LaunchLink) -> FlowWindow:
        """Follow a launch link in a window of its own."""
        return self.start(following(link, self.words.language, self.turn))

    def come_forward(self) -> None:
        """Show the window of the flow that was begun last."""
        if self.flows:
            self.flows[-1].come_forward()

    def _note(self, trouble: Trouble | None) -> None:
        self.outcome = trouble
        if self._watcher is not None:
            self._watcher.look_again()

    # --- The list of cards ------------------------------------------------------------------------

    def show_cards(self) -> None:
        """Show the list of cards, and keep it as the readers are."""
        if self.cards is None:
            self.cards = CardsWindow(
                self.words, today=date.today, hides=self._lives_on, tray=self._studio.tray
            )
            self.cards.list.chosen.connect(self._act)
            self.cards.list.about.clicked.connect(self.show_about)
            self.cards.list.leave.clicked.connect(self.quit)
            self._watcher = CardWatcher(self._open_readers, self.turn)
            self._watcher.changed.connect(self.cards.list.show_cards, Qt.ConnectionType.QueuedConnection)
            self._watcher.start()
            self._put_icon()
        self.cards.begin()

    def _act(self, name: str, seen: SeenCard) -> None:
        if self.is_busy():
            self.flows[-1].come_forward()
            return
        self.start(acting(name, self.turn), chosen=seen)

    def show_about(self) -> None:
        """Show what this program is."""
        self._about = AboutWindow(self.words)
        self._about.begin()

    # --- The icon in the tray ---------------------------------------------------------------------

    def _put_icon(self) -> None:
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        self._icon = QSystemTrayIcon(QApplication.windowIcon(), self)
        self._icon.setToolTip(self.words.text("tray-tip"))
        self._menu = QMenu()
        for name, act in (("show-window", self.show_cards), ("about", self.show_about), ("quit", self.quit)):
            action = QAction(self.words.text(name), self._menu)
            action.triggered.connect(act)
            self._menu.addAction(action)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._icon_activated)
        self._icon.show()
        QApplication.setQuitOnLastWindowClosed(False)

    def _icon_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.show_cards()

    def _lives_on(self) -> bool:
        return self._icon is not None and not self._is_quitting

    # --- The end ----------------------------------------------------------------------------------

    def show_trouble(self, trouble: Trouble) -> None:
        """Show a trouble that belongs to no flow."""
        window = FlowWindow(self._studio, WindowFace(self._open_readers()))
        window.show_last(StoppedScreen(self.words, trouble))
        self.flows.append(window)
        window.show()

    def quit(self) -> None:
        """End the app; a flow that is writing is stopped as soon as that is safe."""
        self._is_quitting = True
        for flow in self.flows:
            flow.close()
        if self.is_busy():
            QTimer.singleShot(200, self.quit)
            return
        QApplication.quit()

    def tidy(self) -> None:
        """Leave nothing behind: no watch on the readers, nothing secret on the clipboard."""
        self._studio.clipboard.wipe()
        if self._watcher is not None:
            self._watcher.stop()
        if self._icon is not None:
            self._icon.hide()


def run_windows(link_text: str | None, options: Namespace) -> int:
    """Run the app with windows: for a launch link, or with the list of cards; returns the exit code.

    A link goes to the program that runs already at this desk, when there is one.
    """
    opening = offer(link_text, os.environ) if link_text is not None else Opening(is_ours=True)
    if not opening.is_ours and opening.said is None:
        return 0
    keep_no_core_files()
    application = new_application(language_of())
    collector = Collector(application)
    open_readers, tray = readers_of(options.cards_folder)
    desk = Desk(Words(language_of()), open_readers, tray, OnceOnClipboard(QApplication.clipboard()))
    undo = catch_unforeseen(desk.unforeseen.emit)
    try:
        if opening.said is not None:
            desk.show_trouble(opening.said)
        if opening.is_ours:
            _run_first(desk, link_text, application, options.cards_folder)
        else:
            application.exec()
    finally:
        desk.tidy()
        undo()
        collector.stop()
    is_refused = not opening.is_ours or desk.outcome is not None
    return STOPPED if link_text is not None and is_refused else 0


def _run_first(
    desk: Desk, link_text: str | None, application: QApplication, cards_folder: Path | None
) -> None:
    """Run until the last window is closed; links of later starts come in by the line."""
    line = Line(desk.is_busy, desk.follow, desk.come_forward)

    def begin() -> None:
        if link_text is None:
            desk.show_cards()
        else:
            _follow(desk, line, link_text)
        _look_at_scheme(desk, cards_folder)

    run_while_owed(line, os.environ, begin, application.exec)


def _follow(desk: Desk, line: Line, link_text: str) -> None:
    try:
        link = parse_link(link_text)
    except LinkMalformed:
        desk.outcome = Said("link-malformed")
        desk.show_trouble(desk.outcome)
    else:
        line.begin(link)


def _look_at_scheme(desk: Desk, cards_folder: Path | None) -> None:
    """Tell in a window of its own when links start another program; asking the system takes its time."""

    def look() -> None:
        said = look_at_scheme(program_for(cards_folder), os.environ, is_packaged=is_packaged())
        with contextlib.suppress(RuntimeError):  # the windows are gone already
            if said is not None:
                desk.unforeseen.emit(said)

    threading.Thread(target=look, name="scheme", daemon=True).start()


def new_application(language: Language) -> QApplication:
    """Return Qt's application in our look, with Qt's own buttons in the person's language.

    Without a screen the program ends here, with a sentence.
    """
    with said_without_screen(language):
        application = QApplication([sys.argv[0]])
    application.setApplicationName("zorgid-desktop")
    application.setApplicationDisplayName("ZORG-ID")
    application.setDesktopFileName("zorgid-desktop")
    application.setWindowIcon(app_icon())
    translator = QTranslator(application)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(QLocale(language.value), "qtbase", "_", folder):
        application.installTranslator(translator)
    dress(application)
    return application


def readers_of(cards_folder: Path | None) -> tuple[Callable[[], Readers], Tray | None]:
    """Return what opens the readers anew for whoever looks at them, and the tray of virtual cards if any."""
    from zorgid_desktop.workplace import readers_here, workplace_with  # noqa: PLC0415 - loads the drivers

    place = workplace_with(cards_folder)
    if place.tray is None:
        return readers_here, None
    from cardkit.virtual import VirtualReaders  # noqa: PLC0415 - not in a production build
    from zorgid_desktop.listing import ToldTray  # noqa: PLC0415

    tray = place.tray
    return lambda: VirtualReaders(tray), ToldTray(tray)
