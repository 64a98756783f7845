"""Shows how far the making is, by named steps and the time it took; or that the app is busy otherwise."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QTimer

from zorgid_desktop.flow.asking import Said
from zorgid_desktop.windows.parts import announce, drawing, paragraph
from zorgid_desktop.windows.pictures import Picture, picture
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.words import Words

STEPS: Final = {
    "step-preparing": "making-preparing",
    "step-keys": "making-keys",
    "step-certificates": "making-certificates",
    "step-puk": "making-puk",
    "step-proving": "making-proving",
}
"""What the flow tells at each step of a making, and the text that names the step here."""
SECONDS_A_MINUTE: Final = 60


class StoppableScreen(Screen):
    """A page that asks nothing; whoever wants to stop hears that it is done as soon as it is safe."""

    def say_stopping(self) -> None:
        """Say that the wish to stop was heard."""
        self._stopping.setText(self.words.text("stopping"))
        self._stopping.show()
        announce(self, self.words.text("stopping"))

    def _lay_out_stopping(self) -> None:
        self._stopping = paragraph("", "strong")
        self._stopping.hide()
        self.body.addWidget(self._stopping)


class BusyScreen(StoppableScreen):
    """What the app is doing now, when that is no step of a making."""

    def __init__(self, words: Words, said: Said | None) -> None:
        super().__init__(words, words.text("busy-title"))
        told = words.sentence(said) if said is not None else None
        lines = (told.text, told.next_step) if told is not None else (words.text("busy-text"),)
        for line in filter(None, lines):
            self.body.addWidget(paragraph(line))
        self._lay_out_stopping()
        self.finish()
        self.add_cancel()
        self.begin_at_heading(*lines)


class MakingScreen(StoppableScreen):
    """The five steps, the one that is on, and the time since the first."""

    def __init__(self, words: Words, began_at: float, now: Callable[[], float]) -> None:
        super().__init__(words, words.text("making-title"))
        self._began_at = began_at
        self._now = now
        self.body.addWidget(paragraph(words.text("making-leave-in")))
        labels = words.text("uzi-card-short"), words.text("smartcard-short")
        self.body.addWidget(drawing(picture(Picture.busy, labels), words.text("picture-busy")))
        self._count = paragraph("", "strong")
        self.body.addWidget(self._count)
        self.lines = {code: paragraph("") for code in STEPS}
        for line in self.lines.values():
            self.body.addWidget(line)
        self._elapsed = paragraph("", "hint")
        self.body.addWidget(self._elapsed)
        self._lay_out_stopping()
        self.finish()
        self.add_cancel()
        self.begin_at_heading(words.text("making-leave-in"))
        self._ticks = QTimer(self)
        self._ticks.timeout.connect(self.tick)
        self._ticks.start(1000)
        self.tick()

    def show_step(self, code: str) -> None:
        """Mark a step as the one that is on, those before it as done."""
        number = list(STEPS).index(code)
        self._count.setText(self.words.text("step-of", number=number + 1, count=len(STEPS)))
        for at, (one, name) in enumerate(STEPS.items()):
            mark = "step-done" if at < number else "step-now" if at == number else "step-later"
            self.lines[one].setText(self.words.text(mark, step=self.words.text(name)))
            font = self.lines[one].font()
            font.setBold(at == number)
            self.lines[one].setFont(font)
        announce(self, f"{self._count.text()}. {self.words.text(STEPS[code])}")

    def tick(self) -> None:
        """Show how long it has taken so far."""
        passed = int(self._now() - self._began_at)
        minutes, seconds = divmod(passed, SECONDS_A_MINUTE)
        self._elapsed.setText(self.words.text("elapsed", minutes=minutes, seconds=seconds))
