"""Whatever goes wrong with service, reader or card has a sentence of its own and a way on (ALL-2)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.desktop.builders import (
    HOLDER,
    PIN,
    PUK,
    Desk,
    ScriptedFace,
    Terminal,
    a_card_in,
    a_named_card,
)

import cardkit.errors
from cardkit import errors
from cardkit.card import Card
from cardkit.errors import CardError
from cardkit.readers import PivReader
from cardkit.secrets import SMARTCARD_PIN
from cardkit.virtual import VirtualReader
from zorgid.kernel.sentences import Language
from zorgid_desktop import cli
from zorgid_desktop.flow.asking import AskPin, Cancelled, InsertCard, NewPin, Wanted
from zorgid_desktop.flow.cards import TROUBLES, show_pin, trouble_of, wrong_pin
from zorgid_desktop.flow.choosing import look
from zorgid_desktop.flow.ending import reference_of, why_it_ended
from zorgid_desktop.pins import change_pin, with_own_card
from zorgid_desktop.texts import sentence

TOLD_APART = (
    errors.ReaderServiceAbsent(),
    errors.ReaderAbsent(),
    errors.ReaderEmpty(),
    errors.CardMute(),
    errors.CardBusy(),
    errors.CardGone(),
    errors.CardNotRecognised(),
    errors.CardFileUnreadable("x"),
    errors.CardAnswerMalformed("x"),
)

VERIFY = 0x20
COMMAND_WITHOUT_PIN = 5


def every_error() -> set[type[CardError]]:
    found = {one for one in vars(cardkit.errors).values() if isinstance(one, type)}
    return {one for one in found if issubclass(one, CardError)}


@pytest.mark.parametrize("language", Language)
def test_troubles_are_told_apart_each_with_what_to_do(language: Language) -> None:
    told = [sentence(trouble_of(error), language) for error in TOLD_APART]
    assert len({one.text for one in told}) == len(told)
    assert all(one.next_step for one in told)


def test_every_trouble_in_the_table_is_one_that_can_happen() -> None:
    assert set(TROUBLES) <= every_error()


MENDED: dict[str, tuple[Callable[[Desk], None], Callable[[Desk], None], str]] = {
    "no service": (
        lambda desk: setattr(desk, "service_is_there", False),
        lambda desk: setattr(desk, "service_is_there", True),
        "reader-service-absent",
    ),
    "no reader": (
        lambda desk: desk.unplugged.update({"Links", "Rechts"}),
        lambda desk: desk.unplugged.clear(),
        "reader-absent",
    ),
    "no card": (lambda desk: desk.left.remove(), lambda desk: desk.left.insert("anna"), "reader-empty"),
    "file that is no card": (
        lambda desk: desk.folder.joinpath("anna.card.json").rename(desk.folder / "kept"),
        lambda desk: (desk.folder / "kept").rename(desk.folder / "anna.card.json") and None,
        "card-file-unreadable",
    ),
}


@pytest.mark.parametrize("trouble", MENDED)
def test_a_trouble_that_the_person_mends_is_gone_on_from(tmp_path: Path, trouble: str) -> None:
    a_card_in(tmp_path)
    desk = Desk(tmp_path)
    desk.left.insert("anna")
    breaks, mends, code = MENDED[trouble]
    breaks(desk)

    class Mending(ScriptedFace):
        def ask(self, question: object) -> object:
            answer = super().ask(question)  # type: ignore[arg-type]
            if isinstance(question, InsertCard) and question.trouble:
                mends(desk)
            return answer

    face = Mending(None, None, PIN, NewPin("Linde25", "Linde25"))
    with_own_card(desk, face, change_pin)
    assert face.troubles == [None, code, None, None]
    assert face.asked[0] == InsertCard(None, Wanted.own_card)
    assert [said.code for said in face.told] == ["pin-changed"]


def test_no_other_card_than_the_one_pointed_at_is_asked_for_its_pin(tmp_path: Path) -> None:
    """It was swapped after it stood in the list: the PIN of one card costs no try of another (PIN-2)."""
    a_named_card(a_card_in(tmp_path), "bert", "B. Bakker", "900000001")
    desk = Desk(tmp_path)
    desk.left.insert("anna")
    pointed_at = look(desk).cards[0]
    desk.left.insert("bert")
    before = desk.files()["bert.card.json"]

    class PutsItBack(ScriptedFace):
        def ask(self, question: object) -> object:
            answer = super().ask(question)  # type: ignore[arg-type]
            if isinstance(question, InsertCard) and question.trouble:
                desk.left.insert("anna")
            return answer

    face = PutsItBack(None, None, PIN, NewPin("Linde25", "Linde25"))
    with_own_card(desk, face, change_pin, very=pointed_at)
    assert face.troubles == [None, "wrong-card", None, None]
    assert desk.files()["bert.card.json"] == before
    assert [said.code for said in face.told] == ["pin-changed"]


def test_a_damaged_virtual_card_is_said_and_shows_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    reader = a_card_in(tmp_path)
    reader.folder.joinpath("kapot.card.json").write_text('{"pin": "246810"')
    assert cli.main(["--cards-folder", str(tmp_path), "cards"]) == 0
    told = capsys.readouterr()
    assert f"Andere kaart van {HOLDER}" in told.out
    assert "Deze virtuele kaart is beschadigd" in told.out
    assert "Traceback" not in told.out + told.err
    assert "246810" not in told.out + told.err


def test_a_damaged_virtual_card_can_be_chosen_and_then_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = a_card_in(tmp_path)
    reader.folder.joinpath("kapot.card.json").write_text("[]")
    terminal = Terminal(tmp_path, "kapot", "anna", hidden=(PIN, "Linde25", "Linde25"))
    with_own_card(terminal.readers, terminal.face, change_pin)
    assert "Deze virtuele kaart is beschadigd" in terminal.screen
    assert "De kaart heeft een nieuwe pincode." in terminal.screen


def test_a_fault_before_anything_is_shown_is_a_sentence_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise ImportError(PUK)

    monkeypatch.setattr(cli, "_start", fail)
    assert cli.main(["cards"]) == 1
    told = capsys.readouterr()
    assert told.err.startswith("! ")
    assert "ImportError/test_troubles:" in told.err
    assert PUK not in told.err
    assert told.out == ""


def test_an_answer_that_no_card_gives_costs_no_try_and_the_card_may_be_put_in_again(tmp_path: Path) -> None:
    """No answer of the first try is used; a PIN is never tried twice for one typing (PIN-1)."""
    reader = a_card_in(tmp_path)
    face = ScriptedFace(None, None, PIN, NewPin("Linde25", "Linde25"))

    def garble(number: int, command: bytes, answer: bytes) -> None:
        reader.after_apdu = None
        raise errors.CardAnswerMalformed(command.hex())

    reader.after_apdu = garble
    with_own_card(_readers(reader), face, change_pin)
    assert face.troubles == [None, "card-trouble", None, None]


def test_a_garbled_answer_to_a_wrong_pin_is_not_said_to_have_cost_nothing(tmp_path: Path) -> None:
    """PIN-1: the card counted the try before its answer broke; the next question tells the tries left."""
    reader = a_card_in(tmp_path)
    face = ScriptedFace(None, "999999", None, PIN, NewPin("Linde25", "Linde25"))

    def garble(number: int, command: bytes, answer: bytes) -> None:
        if command[1] == VERIFY and len(command) > COMMAND_WITHOUT_PIN:
            reader.after_apdu = None
            raise errors.CardAnswerMalformed(answer.hex())

    reader.after_apdu = garble
    with_own_card(_readers(reader), face, change_pin)
    assert face.troubles[2] == "card-trouble"
    said = sentence(trouble_of(errors.CardAnswerMalformed()), Language.nl)
    assert "poging" not in said.text
    assert "try" not in sentence(trouble_of(errors.CardAnswerMalformed()), Language.en).text
    assert [one.tries_left for one in face.asked if isinstance(one, AskPin)] == [3, 2]


def _readers(reader: VirtualReader) -> Desk:
    desk = Desk(reader.folder)
    desk.left = reader
    return desk


def test_the_last_try_is_warned_of_before_it_is_made(tmp_path: Path) -> None:
    """PIN-1."""
    a_card_in(tmp_path)
    terminal = Terminal(tmp_path, "anna", hidden=("999999", "999999", "stop"))
    with pytest.raises(Cancelled):
        with_own_card(terminal.readers, terminal.face, change_pin)
    warning = f"Let op: dit is de laatste poging. Is de pincode weer fout, dan is de kaart van {HOLDER}"
    assert "\n".join(terminal.shown).replace("\n! ", " ").count(warning) == 1
    assert terminal.reader.card_state("anna").pin.tries_left == 1


@pytest.mark.parametrize(("tries_left", "is_last"), [(None, False), (3, False), (2, False), (1, True)])
def test_one_try_left_is_the_last(tries_left: int | None, is_last: bool) -> None:
    assert AskPin(None, None, HOLDER, tries_left, SMARTCARD_PIN).is_last_try is is_last


def test_a_card_that_tells_no_tries_is_said_to_tell_none() -> None:
    assert wrong_pin(errors.PinWrong(tries_left=None)).code == "pin-wrong-tries-unknown"
    assert wrong_pin(errors.PinWrong(tries_left=2)).facts == {"tries_left": 2}


def test_a_pin_is_sent_once_for_each_typing(tmp_path: Path) -> None:
    """PIN-1."""
    reader = a_card_in(tmp_path)
    sent: list[bytes] = []

    def listen(number: int, command: bytes) -> None:
        if command[1] == 0x20 and len(command) > 5:
            sent.append(command)

    reader.before_apdu = listen
    with PivReader(reader).open_card() as card:
        _show(card)
    assert len(sent) == 2


def _show(card: Card) -> None:
    show_pin(ScriptedFace("999999", PIN), card, context=None, holder=HOLDER)


def test_the_reference_of_a_fault_names_the_place_and_nothing_that_was_typed() -> None:
    def fail() -> None:
        raise KeyError(PUK)

    with pytest.raises(KeyError) as caught:
        fail()
    reference = reference_of(caught.value)
    assert reference.startswith("KeyError/test_troubles:")
    assert PUK not in reference
    assert why_it_ended(caught.value).code == "unforeseen"
    assert reference_of(ValueError(PIN)) == "ValueError/?"
