"""The main window: the cards in the readers, and what their holders can do with them."""

from collections.abc import Callable
from datetime import date

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from zorgid_desktop.flow.asking import CardKind, Said, SeenCard
from zorgid_desktop.flow.seeing import are_alike
from zorgid_desktop.windows.card_list import Shown, Status, status_of
from zorgid_desktop.windows.parts import (
    Facts,
    Notice,
    Panel,
    announce,
    button,
    drawing,
    paragraph,
    row,
    short,
)
from zorgid_desktop.windows.pictures import Picture, picture
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.tray import Tray, TrayPanel
from zorgid_desktop.windows.window import Window
from zorgid_desktop.windows.words import Words

WIDTH = 760
HEIGHT = 620


class CardPanel(Panel):
    """One card: whose, what kind, until when, how it stands; with the buttons for its PIN."""

    def __init__(self, words: Words, seen: SeenCard, today: date) -> None:
        super().__init__("card")
        self.seen = seen
        title = words.name_of(seen)
        self.inside.addWidget(paragraph(title, "name"))
        facts = _facts(words, seen)
        status = _status(words, seen, today)
        if status is not None:
            self.inside.addWidget(row(short(status, "tag")))
        self.inside.addWidget(Facts(facts))
        told = [f"{name}: {value}." for name, value in facts]
        next_step = words.text("blank-next") if seen.kind is CardKind.blank else None
        if next_step is not None:
            self.inside.addWidget(paragraph(next_step, "hint"))
        self.setAccessibleName(" ".join(filter(None, [f"{title}.", status, *told, next_step])))
        self.buttons = self._buttons(words, seen)

    def _buttons(self, words: Words, seen: SeenCard) -> dict[str, QPushButton]:
        if seen.kind is CardKind.blank:
            return {}
        if seen.kind is CardKind.uzi_card:
            self.inside.addWidget(paragraph(words.text("pin-of-uzi-card"), "hint"))
            return {}
        made = {name: button(words.text(name)) for name in ("change-pin", "unblock-pin")}
        for name, one in made.items():
            one.setAccessibleName(words.text(f"{name}-of", holder=seen.holder or "?"))
        self.inside.addWidget(row(*made.values()))
        return made


def _facts(words: Words, seen: SeenCard) -> list[tuple[str, str]]:
    facts: list[tuple[str, str | None]] = [
        ("card-number", seen.number),
        ("card-serial", seen.serial),
        ("card-issuer", seen.issuer),
        ("card-until", f"{seen.valid_until:%d-%m-%Y}" if seen.valid_until else None),
        ("card-reader", seen.reader),
    ]
    return [(words.text(name), value) for name, value in facts if value is not None]


def _status(words: Words, seen: SeenCard, today: date) -> str | None:
    status = status_of(seen, today)
    if status is None or seen.valid_until is None:
        return None
    if status is Status.soon:
        return words.text("status-soon", days=(seen.valid_until - today).days)
    return words.text(f"status-{status}")


class CardsScreen(Screen):
    """The list, drawn anew when something came or went; the focus stays where it was."""

    chosen = Signal(str, object)
    """The name of an act, and the card it is for."""

    def __init__(self, words: Words, today: Callable[[], date], tray: Tray | None) -> None:
        super().__init__(words, words.text("cards-title"))
        self._today = today
        self._list = QWidget()
        self._inside = QVBoxLayout(self._list)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(14)
        self._inside.addWidget(paragraph(words.text("cards-looking")))
        self.body.addWidget(self._list)
        self.panels: list[CardPanel] = []
        self._tray = TrayPanel(words, tray) if tray is not None else None
        if self._tray is not None:
            self.body.addWidget(self._tray)
        self.finish()
        self.about = self.add_button("about")
        self.leave = self.add_button("quit")
        self.begin_at_heading()

    def show_cards(self, shown: Shown) -> None:
        """Draw what lies in the readers now, and let a screen reader say so."""
        self._clear()
        self.panels = [CardPanel(self.words, seen, self._today()) for seen in shown.cards]
        if are_alike(shown.cards):
            alike = self.words.sentence(Said("smartcards-alike"))
            self._inside.addWidget(Notice(self.words.text("trouble-mark"), alike, "note"))
        for panel in self.panels:
            self._inside.addWidget(panel)
            for name, one in panel.buttons.items():
                one.clicked.connect(lambda _=False, name=name, seen=panel.seen: self.chosen.emit(name, seen))
        for reader, said in shown.troubles:
            self._inside.addWidget(self._trouble(reader, said))
        if shown.why_not is not None:
            self._inside.addWidget(paragraph(self.words.text(shown.why_not)))
            self._inside.addWidget(self._drawing())
        if self._tray is not None:
            self._tray.list.look()
        announce(self, self.spoken())

    def spoken(self) -> str:
        """Return what a screen reader hears of the list."""
        items = (self._inside.itemAt(at) for at in range(self._inside.count()))
        widgets = (item.widget() for item in items if item is not None)
        told = (getattr(one, "text", one.accessibleName)() for one in widgets if one is not None)
        return " ".join([self.title, *filter(None, told)])

    def _trouble(self, reader: str, said: Said) -> Notice:
        title = ": ".join(filter(None, (self.words.text("trouble-mark"), reader)))
        return Notice(title, self.words.sentence(said), "warn")

    def _drawing(self) -> QWidget:
        labels = self.words.text("uzi-card-short"), self.words.text("smartcard-short")
        return drawing(picture(Picture.insert, labels), self.words.text("picture-insert"))

    def _clear(self) -> None:
        while (item := self._inside.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                if widget.isAncestorOf(self.focusWidget() or self):
                    self.heading.setFocus()
                widget.hide()
                widget.deleteLater()


class CardsWindow(Window):
    """The list in a window of its own; `closing` is asked whether it may go or only hides."""

    def __init__(
        self, words: Words, *, today: Callable[[], date], hides: Callable[[], bool], tray: Tray | None = None
    ) -> None:
        super().__init__(words, WIDTH, HEIGHT)
        self._hides = hides
        self.list = CardsScreen(words, today, tray)
        self.setWindowTitle(words.text("window-title", title=self.list.title))
        self.whole.addWidget(self.list, 1)

    def begin(self) -> None:
        """Show the window before others, with the focus in it."""
        self.come_forward()
        self.list.begin()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Hide where the app lives on in the tray, else go."""
        if self._hides():
            self.hide()
            event.ignore()
        else:
            event.accept()
