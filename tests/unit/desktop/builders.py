"""What the tests of the Desktop App start from: faces and terminals that follow a script, and cards that keep count."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.cardkit.builders import USAGES, blank, self_signed

from cardkit.card import KeySlot
from cardkit.virtual import Mode, VirtualReader, VirtualReaders, make_uzi_like_card
from zorgid.kernel.sentences import Language
from zorgid.protocol.context import Context, MeansUsed, Purpose, sha256_of_act
from zorgid_desktop.flow.asking import Cancelled, Question, Said
from zorgid_desktop.terminal import TerminalFace

HOLDER = "Anna de Vries"
PIN = "Linde24"
DIGITS = "246810"
"""The PIN of a strict card, which takes nothing else."""
PUK = "12345678"
STOP = object()
"""An answer that is none: the person stops."""


class ScriptedFace:
    """Answers questions from a list, and keeps what was asked and told."""

    def __init__(self, *answers: Any) -> None:
        self._answers: Iterator[Any] = iter(answers)
        self.asked: list[Question[Any]] = []
        self.told: list[Said] = []

    def ask(self, question: Question[Any]) -> Any:
        self.asked.append(question)
        answer = next(self._answers)
        if answer is STOP:
            raise Cancelled
        return answer

    def tell(self, said: Said) -> None:
        self.told.append(said)

    @property
    def troubles(self) -> list[str | None]:
        """The code of what went wrong before each question."""
        return [question.trouble.code if question.trouble else None for question in self.asked]


class Terminal:
    """A terminal whose lines and hidden lines come from lists; what is shown is kept."""

    def __init__(
        self,
        folder: Path,
        *typed: str | BaseException,
        hidden: tuple[str | BaseException, ...] = (),
        language: Language = Language.nl,
    ) -> None:
        self.shown: list[str] = []
        self.prompts: list[str] = []
        self.hidden_prompts: list[str] = []
        self.reader = VirtualReader(folder)
        self._typed = iter(typed)
        self._hidden = iter(hidden)
        self.readers = VirtualReaders(self.reader)
        self.face = TerminalFace(
            self.readers,
            language,
            tray=self.reader,
            show=self.shown.append,
            read=self._read,
            read_hidden=self._read_hidden,
        )

    def _read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return answer_of(next(self._typed))

    def _read_hidden(self, prompt: str) -> str:
        self.hidden_prompts.append(prompt)
        return answer_of(next(self._hidden))

    @property
    def screen(self) -> str:
        """All that can be read on the screen: lines and prompts, not what was typed."""
        return "\n".join([*self.shown, *self.prompts, *self.hidden_prompts])


def answer_of(typed: str | BaseException) -> str:
    if isinstance(typed, BaseException):
        raise typed
    return typed


def a_context(**others: Any) -> Context:
    given: Mapping[str, Any] = {
        "origin": "https://id.example",
        "care_application": "Demo-HIS",
        "purpose": Purpose.login,
        "accepts": tuple(MeansUsed),
        "expires_at": datetime(2026, 6, 15, 10, 5, tzinfo=UTC),
        "app_key": "6UoWwDCkLjV0J-pQG8c0THxbVhBcpR0AZDift1Yl5DM",
    }
    return Context(**{**given, **others})


def an_act(text: str = "Maak een ZORG-ID Smartcard") -> Context:
    return a_context(purpose=Purpose.make_card, act=text, act_sha256=sha256_of_act(text))


def a_card_in(folder: Path, name: str = "anna", *, mode: Mode = Mode.extended) -> VirtualReader:
    """A reader with a finished card in it: of `HOLDER`, with `PIN` (strict: `DIGITS`) and `PUK`."""
    reader = VirtualReader(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = self_signed(USAGES["authentication"], key, HOLDER)
    pin = PIN if mode is Mode.extended else DIGITS
    reader.add(
        name,
        make_uzi_like_card(4242, {KeySlot.authentication: (key, certificate)}, pin=pin, puk=PUK, mode=mode),
    )
    reader.insert(name)
    return reader


def a_blank_in(folder: Path, name: str = "leeg") -> VirtualReader:
    reader = VirtualReader(folder)
    reader.add(name, blank())
    return reader
