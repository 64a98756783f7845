"""Which card of all that lie in the readers is used, and what is said of the others (CARD-9, PIN-1).

No card but the chosen one changes by a byte, and none loses a try.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cardkit.builders import blank
from tests.unit.desktop.builders import Desk, ScriptedFace, a_named_card

from cardkit.errors import CardBusy, CardError, ReaderAbsent, ReaderEmpty, ReaderServiceAbsent
from cardkit.readers import PivReader
from cardkit.virtual import Mode
from zorgid.kernel.sentences import Language
from zorgid.protocol.context import MeansUsed
from zorgid_desktop.flow.asking import CardKind, ChooseCard, SeenCard, Wanted
from zorgid_desktop.flow.cards import WrongCard
from zorgid_desktop.flow.choosing import Need, card_in, fitness, is_there, look
from zorgid_desktop.texts import sentence

ANNA, BAS = "Anna de Vries", "Bas Jansen"
LOGIN, UZI, OWN = Need(Wanted.login_card), Need.of_login((MeansUsed.uzi_card,)), Need(Wanted.own_card)
SMARTCARD = Need.of_login((MeansUsed.smartcard,))
BLANK = Need(Wanted.blank_card)
AGAIN = Need(Wanted.blank_card, "7", "CWZJNVV9C")
NEW = Need(Wanted.new_card, "7", "CWZJNVV9C")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A tray with two UZI cards, two Smartcards and two blank cards, and two readers."""
    desk = Desk(tmp_path)
    a_named_card(desk.left, "uzi-anna", ANNA, "900000101", mode=Mode.strict, serial=1)
    a_named_card(desk.left, "uzi-bas", BAS, "900000102", mode=Mode.strict, serial=2)
    a_named_card(desk.left, "smartcard-anna", ANNA, "900000101", is_smartcard=True, serial=7)
    a_named_card(desk.left, "smartcard-bas", BAS, "900000102", is_smartcard=True, serial=8)
    for name, serial in (("leeg", 7), ("leeg-anders", 9)):
        desk.left.add(name, blank(serial=serial))
    return desk


def put(desk: Desk, left: str | None, right: str | None) -> Desk:
    for reader, card in ((desk.left, left), (desk.right, right)):
        if card is not None:
            reader.insert(card)
    return desk


KINDS = {
    "uzi": SeenCard("L", CardKind.uzi_card, None, ANNA, "1", can_log_in=True),
    "smartcard": SeenCard("L", CardKind.smartcard, "8", BAS, "2", can_log_in=True),
    "reserved, written": SeenCard("L", CardKind.smartcard, "7", ANNA, "1", can_log_in=True),
    "other": SeenCard("L", CardKind.other, "5", BAS, can_log_in=True),
    "other that logs nobody in": SeenCard("L", CardKind.other, "5", BAS),
    "blank": SeenCard("L", CardKind.blank, "9"),
    "reserved, blank": SeenCard("L", CardKind.blank, "7"),
    "blank without a number": SeenCard("L", CardKind.blank),
}
FITNESS: dict[str, tuple[Need, list[int]]] = {
    "login": (LOGIN, [2, 2, 2, 1, 0, 0, 0, 0]),
    "login by UZI card": (UZI, [2, 0, 0, 1, 0, 0, 0, 0]),
    "login by Smartcard": (SMARTCARD, [0, 2, 2, 1, 0, 0, 0, 0]),
    "making": (BLANK, [0, 1, 1, 1, 1, 2, 2, 0]),
    "making again": (AGAIN, [0, 1, 3, 1, 1, 2, 4, 0]),
    "new card": (NEW, [0, 0, 1, 0, 0, 0, 1, 0]),
    "own card": (OWN, [1, 1, 1, 1, 1, 1, 1, 1]),
}


@pytest.mark.parametrize("name", FITNESS)
def test_how_well_each_kind_of_card_fits_each_need(name: str) -> None:
    need, expected = FITNESS[name]
    assert [fitness(seen, need) for seen in KINDS.values()] == expected


FOUND: list[tuple[str | None, str | None, Need, str]] = [
    ("uzi-anna", None, LOGIN, "uzi-anna"),
    (None, "uzi-anna", UZI, "uzi-anna"),
    ("smartcard-bas", "uzi-anna", UZI, "uzi-anna"),
    ("smartcard-bas", "uzi-anna", SMARTCARD, "smartcard-bas"),
    ("uzi-anna", "leeg", BLANK, "leeg"),
    ("smartcard-bas", "leeg", BLANK, "leeg"),
    ("leeg-anders", "leeg", AGAIN, "leeg"),
    ("smartcard-bas", "smartcard-anna", AGAIN, "smartcard-anna"),
    ("smartcard-bas", "smartcard-anna", NEW, "smartcard-anna"),
    ("leeg", None, OWN, "leeg"),
]


@pytest.mark.parametrize(("left", "right", "need", "found"), FOUND)
def test_the_card_that_fits_is_found_in_whichever_reader_and_nobody_is_asked(
    desk: Desk, left: str | None, right: str | None, need: Need, found: str
) -> None:
    put(desk, left, right)
    before = desk.files()
    with card_in(desk, ScriptedFace(), need) as card:
        reader = desk.left if card.seen.reader == "Links" else desk.right
        assert reader.inserted == found
        other = desk.right if reader is desk.left else desk.left
        if other.inserted:  # it was let go: anybody may use it meanwhile
            with PivReader(other).open_card():
                pass
    assert is_there(desk, need)
    assert desk.files() == before


WRONG: list[tuple[str | None, str | None, Need, str, list[str]]] = [
    ("uzi-bas", None, NEW, "wrong-card", ["Links", BAS, "900000102", "nieuwe kaart CWZJNVV9C"]),
    ("smartcard-bas", None, UZI, "wrong-card", ["Smartcard van", BAS, "900000102", "uw UZI-pas"]),
    (None, "uzi-anna", SMARTCARD, "wrong-card", ["Rechts", "UZI-pas van", ANNA, "uw ZORG-ID Smartcard"]),
    ("leeg", None, LOGIN, "wrong-card", ["lege kaart", "chipnummer 7"]),
    ("uzi-bas", None, BLANK, "card-without-serial", ["Links", BAS, "900000102"]),
    ("uzi-bas", "smartcard-bas", NEW, "no-card-fits", ["Links", "Rechts", "UZI-pas van", "Smartcard van"]),
    ("uzi-bas", "uzi-anna", BLANK, "no-card-fits", [ANNA, BAS, "900000101", "900000102", "een lege"]),
]


@pytest.mark.parametrize(("left", "right", "need", "code", "words"), WRONG)
def test_cards_that_do_not_fit_are_named_by_holder_and_number_and_left_as_they_are(
    desk: Desk, left: str | None, right: str | None, need: Need, code: str, words: list[str]
) -> None:
    put(desk, left, right)
    before = desk.files()
    with pytest.raises(WrongCard) as wrong, card_in(desk, ScriptedFace(), need):
        pass
    assert wrong.value.said.code == code
    text = sentence(wrong.value.said, Language.nl).text
    assert [word for word in words if word not in text] == []
    assert "{" not in sentence(wrong.value.said, Language.en).text
    assert not is_there(desk, need)
    assert desk.files() == before


@pytest.mark.parametrize("chosen", [0, 1])
def test_of_several_that_fit_the_person_chooses_and_the_other_is_not_touched(desk: Desk, chosen: int) -> None:
    put(desk, "uzi-anna", "uzi-bas")
    before = desk.files()
    face = ScriptedFace(chosen)
    with card_in(desk, face, UZI) as found:
        assert found.seen.holder == (ANNA, BAS)[chosen]
    (question,) = face.asked
    assert isinstance(question, ChooseCard)
    assert [(seen.reader, seen.holder, seen.number) for seen in question.cards] == [
        ("Links", ANNA, "900000101"),
        ("Rechts", BAS, "900000102"),
    ]
    assert desk.files() == before


def test_no_card_is_held_while_the_person_chooses(desk: Desk) -> None:
    put(desk, "uzi-anna", "uzi-bas")

    class Slow(ScriptedFace):
        def ask(self, question: Any) -> Any:
            with PivReader(desk.left).open_card(), PivReader(desk.right).open_card():
                return super().ask(question)

    with card_in(desk, Slow(1), UZI) as found:
        assert found.seen.holder == BAS


def test_a_chosen_card_that_was_swapped_meanwhile_is_not_used(desk: Desk) -> None:
    put(desk, "uzi-anna", "uzi-bas")
    before = desk.files()

    class Swapping(ScriptedFace):
        def ask(self, question: Any) -> Any:
            desk.left.insert("smartcard-bas")
            return super().ask(question)

    with pytest.raises(WrongCard) as wrong, card_in(desk, Swapping(0), UZI):
        pass
    assert wrong.value.said.code == "card-swapped"
    assert BAS in sentence(wrong.value.said, Language.nl).text
    assert desk.files() == before


def test_a_chosen_card_whose_reader_was_unplugged_is_asked_for_again(desk: Desk) -> None:
    put(desk, "uzi-anna", "uzi-bas")

    class Unplugging(ScriptedFace):
        def ask(self, question: Any) -> Any:
            desk.unplugged.add("Links")
            return super().ask(question)

    with pytest.raises(ReaderAbsent), card_in(desk, Unplugging(0), UZI):
        pass


def test_one_card_that_two_drivers_see_counts_once(desk: Desk) -> None:
    desk.right.insert("uzi-anna")
    twice = [PivReader(desk.right), PivReader(desk.right)]

    class Twice:
        def present(self) -> Sequence[PivReader]:
            return twice

        def wait(self, seconds: float) -> bool:
            raise AssertionError(seconds)

    with card_in(Twice(), ScriptedFace(), UZI) as found:  # the second driver finds it busy
        assert found.seen.holder == ANNA


def test_a_card_that_another_program_holds_stands_in_nobodys_way(desk: Desk) -> None:
    put(desk, "uzi-bas", "uzi-anna")
    with PivReader(desk.left).open_card(), card_in(desk, ScriptedFace(), UZI) as found:
        assert found.seen.holder == ANNA


def test_the_only_card_is_busy(desk: Desk) -> None:
    desk.left.insert("uzi-anna")
    with PivReader(desk.left).open_card(), pytest.raises(CardBusy), card_in(desk, ScriptedFace(), UZI):
        pass


def test_a_busy_card_beside_a_wrong_one_is_told_with_it(desk: Desk) -> None:
    put(desk, "uzi-bas", "smartcard-anna")
    with (
        PivReader(desk.left).open_card(),
        pytest.raises(WrongCard) as wrong,
        card_in(desk, ScriptedFace(), UZI),
    ):
        pass
    text = sentence(wrong.value.said, Language.nl).text
    assert "Paslezer Links: Een ander programma gebruikt de kaart." in text
    assert "In paslezer Rechts zit de ZORG-ID Smartcard van Anna de Vries" in text


NOWHERE: list[tuple[str, type[CardError]]] = [
    ("no service", ReaderServiceAbsent),
    ("no reader", ReaderAbsent),
    ("no card", ReaderEmpty),
]


@pytest.mark.parametrize(("trouble", "error"), NOWHERE)
def test_service_reader_and_card_that_are_not_there_are_told_apart(
    desk: Desk, trouble: str, error: type[CardError]
) -> None:
    desk.service_is_there = trouble != "no service"
    desk.unplugged = {"Links", "Rechts"} if trouble == "no reader" else set()
    with pytest.raises(error), card_in(desk, ScriptedFace(), LOGIN):
        pass
    assert not is_there(desk, LOGIN)


def test_a_look_sees_every_card_and_what_is_wrong_with_the_others(desk: Desk) -> None:
    put(desk, "uzi-anna", "leeg")
    before = desk.files()
    seen = look(desk)
    assert [(one.reader, one.kind) for one in seen.cards] == [
        ("Links", CardKind.uzi_card),
        ("Rechts", CardKind.blank),
    ]
    desk.folder.joinpath("leeg.card.json").write_text("nonsense")
    ((name, error),) = look(desk).troubles
    assert (name, type(error).__name__) == ("Rechts", "CardFileUnreadable")
    assert look(desk).cards == seen.cards[:1]
    assert {name for name in before if desk.files()[name] != before[name]} == {"leeg.card.json"}


@pytest.mark.parametrize(
    ("left", "right", "need"),
    list(itertools.product(["uzi-anna", "leeg"], ["smartcard-bas"], [LOGIN, BLANK])),
)
def test_looking_spends_no_try(desk: Desk, left: str, right: str, need: Need) -> None:
    put(desk, left, right)
    for _ in range(5):
        is_there(desk, need)
    for name in (left, right):
        state = desk.left.card_state(name)
        assert (state.pin.tries_left, state.puk.tries_left) == (3, 3)
