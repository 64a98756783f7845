"""What a person sees at the end: a card that was made, a login, a new PIN; or why it did not go through."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from PySide6.QtWidgets import QFileDialog, QWidget

from zorgid.kernel.sentences import Sentence
from zorgid_desktop.flow.asking import Said, Trouble
from zorgid_desktop.flow.ending import STOPPED_ON
from zorgid_desktop.reminder import reminder
from zorgid_desktop.windows.parts import Facts, Notice, announce, button, drawing, paragraph, row
from zorgid_desktop.windows.pictures import Picture, picture
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.tray import Tray
from zorgid_desktop.windows.words import Words

ChooseFile = Callable[[QWidget, str, str], Path | None]
"""Lets the person choose where a file goes: window, proposed name, kind of file."""


def choose_file(parent: QWidget, name: str, kind: str) -> Path | None:
    """Ask where to save, beginning in the person's own folder."""
    chosen, _ = QFileDialog.getSaveFileName(parent, "", str(Path.home() / name), kind)
    return Path(chosen) if chosen else None


class LastScreen(Screen):
    """A page after which nothing comes; closing is all that is left."""

    def add_close(self) -> None:
        """Add the one button."""
        self.add_button("close", kind="main").clicked.connect(self._close)

    def _close(self) -> None:
        self.answer()


class MadeScreen(LastScreen):
    """The card is in use: until when, whose organisation, a reminder, a label."""

    def __init__(self, words: Words, facts: Any, choose: ChooseFile = choose_file) -> None:
        super().__init__(words, words.text("card-made-title"))
        self._facts = facts
        self._choose = choose
        rows = [
            (words.text("card-made-number"), str(facts["card_number"])),
            (words.text("card-made-until"), str(facts["valid_until"])),
            (words.text("card-made-at"), str(facts["organisation"])),
        ]
        good = Notice(f"✓ {words.text('good-mark')}", Sentence(words.text("card-made-out"), ""), "good")
        good.inside.addWidget(Facts(rows))
        self.body.addWidget(good)
        self.body.addWidget(paragraph(words.text("card-made-reminder")))
        save = button(words.text("reminder-save"))
        save.clicked.connect(self._save)
        self.body.addWidget(row(save))
        self._status = paragraph("", "strong")
        self._status.hide()
        self.body.addWidget(self._status)
        self.body.addWidget(paragraph(words.text("card-made-label")))
        self.body.addWidget(paragraph(words.text("card-made-employer"), "hint"))
        self.finish()
        self.add_close()
        self.begin_at_heading(good.spoken, *(f"{name}: {value}." for name, value in rows))

    def _save(self) -> None:
        name = self.words.text("reminder-file", card_number=self._facts["card_number"])
        path = self._choose(self, name, self.words.text("reminder-kind"))
        if path is None:
            return
        try:
            path.write_text(self._calendar(), encoding="utf-8", newline="")
        except OSError:
            self._say("reminder-not-saved")
        else:
            self._say("reminder-saved")

    def _calendar(self) -> str:
        facts = {key: self._facts[key] for key in ("card_number", "valid_until")}
        return reminder(
            card_number=str(facts["card_number"]),
            valid_until=day_in(str(facts["valid_until"])),
            summary=self.words.text("reminder-summary", **facts),
            text=self.words.text("reminder-text", **facts),
            now=datetime.now(UTC),
        )

    def _say(self, name: str) -> None:
        self._status.setText(self.words.text(name))
        self._status.show()
        announce(self, self._status.text())


def day_in(shown: str) -> date:
    """Return the day that the flow shows as day-month-year."""
    return datetime.strptime(shown, "%d-%m-%Y").replace(tzinfo=UTC).date()


MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "good": ("✓ ", "good-mark"),
    "warn": ("", "trouble-mark"),
    "note": ("", ""),
}
"""The word that goes with each kind of notice, and the sign before it."""


class DoneScreen(LastScreen):
    """The last word of what is no making: a login, a new PIN, the end of a session."""

    def __init__(
        self, words: Words, title: str, said: Said, *, kind: str = "good", which: Picture | None = None
    ) -> None:
        super().__init__(words, words.text(title))
        sign, name = MARKS[kind]
        notice = Notice(sign + words.text(name) if name else "", words.sentence(said), kind)
        self.body.addWidget(notice)
        if which is not None:
            labels = words.text("uzi-card-short"), words.text("smartcard-short")
            self.body.addWidget(drawing(picture(which, labels), words.text(f"picture-{which}")))
        self.finish()
        self.add_close()
        self.begin_at_heading(notice.spoken)


class WatchingScreen(DoneScreen):
    """A login that lasts as long as its card stays in the reader."""

    def __init__(self, words: Words, said: Said, tray: Tray | None) -> None:
        super().__init__(words, "logged-in-title", said, which=Picture.stay)
        self.body.insertWidget(self.body.count() - 1, paragraph(words.text("watching-close"), "hint"))
        if tray is not None:
            self.add_button("tray-remove").clicked.connect(tray.remove)


class StoppedScreen(LastScreen):
    """A refusal of the platform, a trouble of the app, or a stop by the person: what, and what to do next."""

    def __init__(self, words: Words, trouble: Trouble) -> None:
        is_own_wish = trouble.code in STOPPED_ON.values()
        title = "cancelled-title" if is_own_wish else "stopped-title"
        super().__init__(words, words.text(title), trouble=None if is_own_wish else trouble)
        if is_own_wish:
            self.notice = Notice("", words.sentence(trouble), "note")
            self.body.addWidget(self.notice)
        self.finish()
        self.add_close()
        self.begin_at_heading()
