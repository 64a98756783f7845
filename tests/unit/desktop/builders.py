"""What the tests of the Desktop App start from: faces and terminals that follow a script, and cards that keep count."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.cardkit.builders import USAGES, blank, self_signed

from cardkit.card import KeySlot
from cardkit.errors import ReaderServiceAbsent
from cardkit.readers import PivReader
from cardkit.virtual import Mode, VirtualReader, VirtualReaders, make_uzi_like_card
from zorgid.kernel.sentences import Language
from zorgid.pki.identity import CardType, UziIdentity, identity_other_name
from zorgid.pki.profiles import OID_SMARTCARD_CA
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


def a_named_card(
    reader: VirtualReader,
    name: str,
    holder: str,
    number: str,
    *,
    is_smartcard: bool = False,
    serial: int = 4242,
    mode: Mode = Mode.extended,
) -> None:
    """Put a finished card into the tray that says in its certificate whose it is and of which kind."""
    oid_ca = OID_SMARTCARD_CA if is_smartcard else "2.16.528.1.1003.1.3.5.5.2"
    identity = UziIdentity(oid_ca, number, CardType.N, "90000382", "00.000", "00000000")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = named_certificate(key, holder, identity)
    pin = PIN if mode is Mode.extended else DIGITS
    keys = {KeySlot.authentication: (key, certificate)}
    reader.add(name, make_uzi_like_card(serial, keys, pin=pin, puk=PUK, mode=mode))


def named_certificate(
    key: ec.EllipticCurvePrivateKey, holder: str, identity: UziIdentity
) -> x509.Certificate:
    """Return an authentication certificate with a holder and an identity, signed by itself."""
    plain = self_signed(USAGES["authentication"], key, holder)
    builder = (
        x509.CertificateBuilder()
        .subject_name(plain.subject)
        .issuer_name(plain.subject)
        .public_key(key.public_key())
        .serial_number(plain.serial_number)
        .not_valid_before(plain.not_valid_before_utc)
        .not_valid_after(plain.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([identity_other_name(identity)]), critical=False)
    )
    for extension in plain.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256())


class Desk:
    """Two readers on one tray of cards (`cardkit.readers.Readers`), each of which may be unplugged."""

    def __init__(self, folder: Path) -> None:
        self.left = VirtualReader(folder, name="Links")
        self.right = VirtualReader(folder, name="Rechts")
        self.folder = folder
        self.unplugged: set[str] = set()
        self.service_is_there = True
        self.turns: Iterator[Callable[[], None]] = iter(())
        """What happens at the desk, one thing at each wait; after the last, whoever waits again is a fault."""

    def present(self) -> list[PivReader]:
        if not self.service_is_there:
            raise ReaderServiceAbsent
        return [PivReader(one) for one in (self.left, self.right) if one.name not in self.unplugged]

    def wait(self, seconds: float) -> bool:
        assert seconds > 0
        next(self.turns)()
        return True

    def files(self) -> dict[str, bytes]:
        """The whole memory of every card of the tray."""
        return {path.name: path.read_bytes() for path in self.folder.glob("*.card.json")}


def a_blank_in(folder: Path, name: str = "leeg") -> VirtualReader:
    reader = VirtualReader(folder)
    reader.add(name, blank())
    return reader
