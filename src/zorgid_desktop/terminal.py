"""The face of the app in a terminal: the same questions as the windows ask.

With real readers the person puts a card in and presses Enter; with virtual cards one is chosen from the tray.
"""

import getpass
import shutil
import textwrap
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cardkit.readers import Readers
from zorgid.kernel.sentences import Language, Sentence
from zorgid.protocol.purposes import Purpose
from zorgid_desktop.flow.asking import (
    AskBirthDate,
    AskPin,
    AskPuk,
    Cancelled,
    ChooseCard,
    ChoosePin,
    InsertCard,
    KeepPuk,
    NewPin,
    Question,
    Said,
    SeenCard,
    StartOver,
    Trouble,
    Wanted,
)
from zorgid_desktop.flow.birth_dates import NoBirthDate, require_birth_date
from zorgid_desktop.flow.choosing import Need, is_there
from zorgid_desktop.flow.seeing import said_of_card
from zorgid_desktop.listing import in_tray, told_in_tray
from zorgid_desktop.texts import sentence

if TYPE_CHECKING:
    from cardkit.virtual import VirtualReader
    from zorgid.protocol.context import Context

T = TypeVar("T")
YES = frozenset({"ja", "j", "yes", "y"})
CANCEL = frozenset({"stop", "q"})
LONGEST_NUMBER = 4
NARROWEST = 20
"""No narrower lines are made, in characters, whatever the terminal says of itself."""


class TerminalFace:
    """Draws each question as a few lines; `stop` at any of them cancels.

    Hidden input is read with `getpass`, so that a PIN is not on the screen and in no history.
    """

    def __init__(
        self,
        readers: Readers,
        language: Language,
        *,
        tray: "VirtualReader | None" = None,
        show: Callable[[str], None] = print,
        read: Callable[[str], str] = input,
        read_hidden: Callable[[str], str] = getpass.getpass,
    ) -> None:
        self._readers = readers
        self._tray = tray
        self._language = language
        self._show = show
        self._read = read
        self._read_hidden = read_hidden
        self._width = max(shutil.get_terminal_size().columns - 1, NARROWEST)
        self._answers: dict[type[Question[Any]], Callable[[Any], Any]] = {
            InsertCard: self._insert_card,
            ChooseCard: self._choose_card,
            AskPin: self._ask_pin,
            AskBirthDate: self._ask_birth_date,
            ChoosePin: self._choose_pin,
            KeepPuk: self._keep_puk,
            AskPuk: self._ask_puk,
            StartOver: self._start_over,
        }

    def ask(self, question: Question[T]) -> T:
        """Return the person's answer. Raises `Cancelled`."""
        if question.trouble is not None:
            self.explain(question.trouble)
        return cast("T", self._answers[type(question)](question))

    def tell(self, said: Said) -> None:
        """Show how far the flow is."""
        self._show("")
        self._paragraph(sentence(said, self._language), mark="  ")

    def explain(self, trouble: Trouble) -> None:
        """Show what went wrong and what to do."""
        self._show("")
        self._paragraph(sentence(trouble, self._language), mark="! ")

    def _paragraph(self, text: Sentence, *, mark: str = "") -> None:
        """Show a sentence and what to do next, wrapped to the terminal; addresses are never broken."""
        for line in filter(None, (text.text, text.next_step)):
            self._show(self._wrapped(line, mark))

    def _wrapped(self, line: str, mark: str = "") -> str:
        return textwrap.fill(
            line,
            self._width,
            initial_indent=mark,
            subsequent_indent=mark,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _said(self, code: str, **facts: object) -> Sentence:
        said = Said(code, facts)
        return sentence(said, self._language)

    def _line(self, prompt: str, read: Callable[[str], str]) -> str:
        try:
            typed = read(prompt)
        except (EOFError, KeyboardInterrupt):
            raise Cancelled from None
        if typed.strip().lower() in CANCEL:
            raise Cancelled
        return typed

    def _insert_card(self, question: InsertCard) -> None:
        need = Need(question.wanted, card_number=question.card_number)
        if self._tray is None and question.trouble is None and is_there(self._readers, need):
            return
        again = question.wanted is Wanted.blank_card and question.card_number is not None
        code = f"ask-{question.wanted}" + ("-again" if again else "")
        text = self._said(code, card_number=question.card_number)
        self._show(f"\n{self._wrapped(text.text)}")
        if self._tray is None:
            is_in = self._said("card-is-in")
            self._line(f"{is_in.text} {is_in.next_step} ", self._read)
        else:
            self._choose_from(self._tray)

    def _choose_from(self, tray: "VirtualReader") -> None:
        text = self._said("choose-from-tray")
        self._show(self._wrapped(text.text))
        names = tray.cards
        widest = max(map(len, names), default=0)
        for number, name in enumerate(names, start=1):
            what = in_tray(told_in_tray(tray, name), self._language)
            self._show(self._wrapped(f"{number:2}  {name:{widest}}  {what}", " "))
        while True:
            typed = self._line(f"{text.next_step} ", self._read).strip()
            place = place_in(names, typed)
            name = typed if place is None else names[place]
            if name in names:
                tray.insert(name)
                return
            self.explain(Said("no-such-card"))

    def _choose_card(self, question: ChooseCard) -> int:
        text = self._said("choose-card")
        self._show(f"\n{self._wrapped(text.text)}")
        for number, seen in enumerate(question.cards, start=1):
            self._show(self._wrapped(f"{number}  {self._described(seen)}", "  "))
        while True:
            place = place_in(question.cards, self._line(f"{text.next_step} ", self._read).strip())
            if place is not None:
                return place
            self.explain(Said("no-such-card"))

    def _described(self, seen: SeenCard) -> str:
        facts = {"found": said_of_card(seen), "reader": seen.reader}
        if seen.valid_until is None:
            return self._said("blank-card-to-choose", **facts).text
        return self._said("card-to-choose", valid_until=f"{seen.valid_until:%d-%m-%Y}", **facts).text

    def _ask_pin(self, question: AskPin) -> str:
        if question.context is not None and question.trouble is None:
            self._show_context(question.context)
        code = "ask-pin" if question.tries_left is not None else "ask-pin-tries-unknown"
        if question.is_last_try:
            self.explain(Said("pin-last-try", {"holder": question.holder}))
        text = self._said(code, holder=question.holder, tries_left=question.tries_left)
        self._show(f"\n{self._wrapped(text.text)}")
        return self._line(text.next_step, self._read_hidden)

    def _show_context(self, context: "Context") -> None:
        facts = context.model_dump()
        is_act = context.act is not None and context.purpose is not Purpose.login
        codes = ["context-act" if is_act else "context-login", "context-origin", "stop-hint"]
        if context.organisation is not None:
            codes.insert(1, "context-organisation")
        self._show("")
        for code in codes:
            self._paragraph(self._said(code, **facts))

    def _ask_birth_date(self, question: AskBirthDate) -> str:
        text = self._said("ask-birth-date", full_name=question.full_name, organisation=question.organisation)
        while True:
            self._show(f"\n{self._wrapped(text.text)}")
            typed = self._line(text.next_step, self._read)
            try:
                born_on = require_birth_date(typed, today=question.today)
            except NoBirthDate:
                return typed  # the flow says why it is none, and asks again
            if self._is_right(born_on):
                return typed

    def _is_right(self, born_on: date) -> bool:
        """Let the person look once more: a first birth date is kept, and compared ever after."""
        text = self._said("check-birth-date", day=born_on.day, month=born_on.month, year=born_on.year)
        self._show(self._wrapped(text.text))
        return self._yes(text.next_step)

    def _choose_pin(self, question: ChoosePin) -> NewPin:
        code = "choose-pin-digits" if question.rules.digits_only else "choose-pin"
        facts = {"shortest": question.rules.shortest, "longest": question.rules.longest}
        text = self._said(code, card_number=question.card_number, **facts)
        self._show(f"\n{self._wrapped(text.text)}")
        first = self._line(text.next_step, self._read_hidden)
        return NewPin(first, self._line(self._said("choose-pin-again").next_step, self._read_hidden))

    def _keep_puk(self, question: KeepPuk) -> bool:
        text = self._said("keep-puk")
        self._show(f"\n{self._wrapped(text.text)}\n\n      {question.puk.text_to_show_once()}\n")
        return self._yes(text.next_step)

    def _ask_puk(self, question: AskPuk) -> str:
        left = "?" if question.tries_left is None else question.tries_left
        text = self._said("ask-puk", holder=question.holder, tries_left=left)
        self._show(f"\n{self._wrapped(text.text)}")
        return self._line(text.next_step, self._read_hidden)

    def _start_over(self, question: StartOver) -> bool:
        text = self._said("ask-start-over", card_number=question.card_number)
        self._show(f"\n{self._wrapped(text.text)}")
        return self._yes(text.next_step)

    def _yes(self, prompt: str) -> bool:
        return self._line(prompt, self._read).strip().lower() in YES


def place_in(things: Sequence[object], typed: str) -> int | None:
    """Return the place, counted from nought, that a typed number names; None for anything else."""
    number = int(typed) if typed.isdecimal() and len(typed) <= LONGEST_NUMBER else 0
    return number - 1 if 0 < number <= len(things) else None
