"""What single screens do beside asking: look once more, refuse to go on, print, save (CARD-8, CARD-11)."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget
from tests.desktop.driving import focused, press, read, shown, type_in
from tests.desktop.examples import (
    ADDRESS,
    CARD_NUMBER,
    HOLDER,
    MADE,
    PUK,
    TODAY,
    ExampleTray,
    begun,
    flow_window,
    seen_cards,
)

from cardkit.secrets import SMARTCARD_PIN, Puk
from zorgid.kernel.sentences import Language, Sentence
from zorgid_desktop.flow.asking import (
    AskBirthDate,
    AskPin,
    AskPuk,
    CardKind,
    ChooseCard,
    InsertCard,
    KeepPuk,
    Question,
    Said,
    SeenCard,
    StartOver,
    Told,
    Wanted,
)
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.drawing import SCREENS, Studio, last_screen_for, screen_between, screen_for
from zorgid_desktop.windows.flow_window import FlowWindow
from zorgid_desktop.windows.paper import Printed, draw_page, print_puk
from zorgid_desktop.windows.screens.done import MadeScreen, WatchingScreen, day_in
from zorgid_desktop.windows.screens.pin import SecretScreen
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.tray import TrayList
from zorgid_desktop.windows.words import Words

DUTCH = Words(Language.nl)


class Desk:
    """A window with one screen; what the person answers is kept."""

    def __init__(self, application: QApplication) -> None:
        self.once = OnceOnClipboard(application.clipboard(), lambda _, __: None)
        self.printed: list[str] = []
        self.outcome = Printed.sent
        self.tray: ExampleTray | None = None
        self.answers: list[object] = []
        self.cancelled: list[bool] = []

    def print(self, _: QWidget, __: Words, puk: Puk) -> Printed:
        self.printed.append(puk.text_to_show_once())
        return self.outcome

    @property
    def studio(self) -> Studio:
        return Studio(DUTCH, self.once, self.tray, self.print)

    def ask(self, question: Question[object]) -> FlowWindow:
        return self.show(screen_for(self.studio, question))

    def show(self, screen: Screen) -> FlowWindow:
        screen.answered.connect(self.answers.append)
        screen.cancelled.connect(lambda: self.cancelled.append(True))
        window = flow_window(self.studio, screen)
        screen.answered.disconnect(window.close)
        begun(window)
        return window


@pytest.fixture
def desk(application: QApplication) -> Desk:
    return Desk(application)


def test_every_kind_of_question_has_a_screen() -> None:
    assert set(SCREENS) == set(Question.__subclasses__())


HOSTILE = "<h1>Anna</h1><img src='file:///x'>\x1b[2J\r\N{RIGHT-TO-LEFT OVERRIDE}trebeR\x9b0m"
HOSTILE_CARD = SeenCard(HOSTILE, CardKind.other, HOSTILE, HOSTILE)


@pytest.mark.parametrize(
    "question",
    [
        AskPin(Told("x", Sentence(HOSTILE, HOSTILE)), None, HOSTILE, 3, SMARTCARD_PIN),
        AskPuk(None, HOSTILE, 3),
        AskBirthDate(None, HOSTILE, HOSTILE, TODAY),
        ChooseCard(None, (HOSTILE_CARD, HOSTILE_CARD)),
        InsertCard(Said("smartcard-of", {"holder": HOSTILE, "number": "1"}), Wanted.login_card),
    ],
    ids=lambda question: type(question).__name__,
)
def test_what_stands_on_a_card_or_comes_from_the_platform_is_text_and_steers_nothing(
    desk: Desk, question: Question[object]
) -> None:
    """CARD-11."""
    window = desk.ask(question)
    labels, choices = window.findChildren(QLabel), window.findChildren(QAbstractButton)
    shown = [one.text() for one in (*labels, *choices)]
    assert any("Anna" in text for text in shown)
    assert {one.textFormat() for one in labels if one.text()} == {Qt.TextFormat.PlainText}
    assert not [
        sign for text in shown for sign in text if unicodedata.category(sign)[0] == "C" and sign != "\n"
    ]


class HostileTray:
    """The imitation reader, with a card that says more than it should."""

    cards: ClassVar = ["leeg-1"]

    def told(self, _name: str) -> SeenCard:
        return HOSTILE_CARD

    def insert(self, name: str) -> None: ...

    def remove(self) -> None: ...


def test_what_stands_on_a_card_is_text_in_the_tray_too(application: QApplication) -> None:
    """CARD-11: Qt takes a tip for marks of its own when it looks like them."""
    tip = TrayList(Words(Language.nl), HostileTray()).item(0).toolTip()
    assert "Anna" in tip
    assert tip.startswith("<span>")
    assert "<h1>" not in tip
    assert "<img" not in tip


BIRTH_DATE = AskBirthDate(None, "mevrouw De Boer", "De Linde", TODAY)


def type_date(window: FlowWindow, *parts: str) -> None:
    for edit, part in zip(window.screen_now.edits, parts, strict=True):
        edit.clear()
        type_in(edit, part)
    press(window, "Verder")


@pytest.mark.parametrize("parts", [("31", "2", "1980"), ("", "", ""), ("1", "1", "80"), ("a", "b", "c")])
def test_a_day_that_is_none_is_refused_before_anybody_hears_of_it(desk: Desk, parts: tuple[str, ...]) -> None:
    window = desk.ask(BIRTH_DATE)
    for _ in range(2):
        type_date(window, *parts)
        assert "Dit is geen datum die wij kunnen lezen" in read(window)
        assert window.screen_now.edits[0].hasFocus()
    assert desk.answers == []


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (("15", "3", "2030"), "Deze datum is nog niet geweest"),
        (("16", "6", "2026"), "Deze datum is nog niet geweest"),
        (("31", "12", "1899"), "Deze datum is van vóór 1900"),
    ],
)
def test_a_day_on_which_nobody_here_was_born_is_refused_before_a_second_look(
    desk: Desk, parts: tuple[str, ...], why: str
) -> None:
    """CARD-1."""
    window = desk.ask(BIRTH_DATE)
    type_date(window, *parts)
    assert why in read(window)
    assert "U typte" not in read(window)
    assert window.screen_now.edits[0].hasFocus()
    assert desk.answers == []


def test_a_birth_date_is_looked_at_once_more_and_can_be_changed(desk: Desk) -> None:
    window = desk.ask(BIRTH_DATE)
    type_date(window, "3", "10", "1980")
    assert "U typte 3 oktober 1980." in read(window)
    press(window, "Nee, verander")
    assert "U typte" not in read(window)
    type_date(window, "3", "11", "1980")
    press(window, "Ja, dit klopt")
    assert desk.answers == ["03-11-1980"]


@pytest.mark.parametrize("holder", [HOLDER, "M&M de Vries"])
def test_a_pin_and_a_puk_are_asked_by_the_name_of_the_holder(desk: Desk, holder: str) -> None:
    """PIN-1: a PUK typed for another card costs that card a try."""
    for question, secret in (
        (AskPin(None, None, holder, 3, SMARTCARD_PIN), "Pincode"),
        (AskPuk(None, holder, 3), "Pukcode"),
    ):
        window = desk.ask(question)
        screen = window.screen_now
        assert isinstance(screen, SecretScreen)
        assert screen.edit.accessibleName() == f"{secret} van de kaart van {holder}"
        label = f"&{secret} van de kaart van {holder.replace('&', '&&')}"
        assert label in {one.text() for one in screen.findChildren(QLabel)}


def test_the_puk_must_be_kept_first(desk: Desk) -> None:
    window = desk.ask(KeepPuk(None, Puk(PUK)))
    press(window, "Verder")
    press(window, "Verder")
    assert desk.answers == []
    assert read(window).count("Bewaar eerst de pukcode") == 1
    assert window.screen_now.kept.hasFocus()
    press(window, "Ik heb de pukcode bewaard")
    press(window, "Verder")
    assert desk.answers == [True]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Printed.sent, "naar de printer gestuurd"),
        (Printed.no_printer, "Er is geen printer"),
        (Printed.cancelled, None),
    ],
)
def test_printing_says_how_it_ended(desk: Desk, outcome: Printed, said: str | None) -> None:
    desk.outcome = outcome
    window = desk.ask(KeepPuk(None, Puk(PUK)))
    before = read(window)
    press(window, "Druk af")
    assert desk.printed == ["4820 6173"]
    assert said in read(window) if said else read(window) == before


def test_a_computer_without_printer_prints_nothing_and_makes_no_file(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zorgid_desktop.windows.paper.QPrinterInfo.availablePrinterNames", list)
    assert print_puk(QWidget(), DUTCH, Puk(PUK)) is Printed.no_printer
    assert list(tmp_path.iterdir()) == []


def test_the_paper_is_filled(application: QApplication) -> None:
    paper = QImage(800, 1100, QImage.Format.Format_RGB32)
    paper.fill(0xFFFFFFFF)
    painter = QPainter(paper)
    draw_page(painter, QRectF(0, 0, 800, 1100), DUTCH, Puk(PUK))
    painter.end()
    dark = sum(paper.pixelColor(x, y).lightness() < 128 for x in range(0, 800, 3) for y in range(0, 1100, 3))
    assert dark > 300


def test_what_leaves_the_clipboard_is_said_while_the_puk_is_shown(
    desk: Desk, application: QApplication
) -> None:
    window = desk.ask(KeepPuk(None, Puk(PUK)))
    press(window, "Kopieer")
    assert "Na 60 seconden" in read(window)
    desk.once.wipe()
    assert "van het klembord gewist" in read(window)
    assert application.clipboard().text() == ""


def test_the_puk_is_off_the_screen_once_it_was_kept(desk: Desk) -> None:
    window = desk.ask(KeepPuk(None, Puk(PUK)))
    window.screen_now.forget()
    assert "4820" not in read(window)
    press(window, "Kopieer")
    assert desk.once._wiped is None


@pytest.mark.parametrize(("button", "answer"), [("Begin opnieuw", True), ("Stop nu", False)])
def test_starting_over_is_a_question_of_yes_and_no(desk: Desk, button: str, answer: bool) -> None:
    window = desk.ask(StartOver(Said("other-card"), CARD_NUMBER))
    press(window, button)
    assert desk.answers == [answer]


def test_a_card_is_chosen_among_several(desk: Desk) -> None:
    window = desk.ask(ChooseCard(None, seen_cards()))
    window.screen_now._choices.button(1).setChecked(True)
    press(window, "Verder")
    assert desk.answers == [1]


def test_a_choice_names_holder_kind_number_and_reader(desk: Desk) -> None:
    window = desk.ask(ChooseCard(None, seen_cards()))
    first = seen_cards()[0]
    text = window.screen_now._choices.button(0).text()
    assert all(part in text for part in (first.holder, first.number, first.reader, "ZORG-ID Smartcard"))


def test_cancelling_is_a_button_of_the_same_size(desk: Desk) -> None:
    window = desk.ask(InsertCard(None, Wanted.uzi_card))
    go_on, cancel = window.screen_now._in_row()
    assert go_on.size() == cancel.size()
    press(window, "Annuleer")
    assert desk.cancelled == [True]


def test_an_imitation_card_is_put_in_by_choosing_it(desk: Desk) -> None:
    put_in: list[str] = []
    desk.tray = ExampleTray()
    desk.tray.insert = put_in.append
    window = desk.ask(InsertCard(None, Wanted.uzi_card))
    window.screen_now._list.setCurrentRow(2)
    press(window, "Verder")
    assert put_in == ["uzi-assistente-linde"]
    assert desk.answers == [None]


def test_an_imitation_card_can_be_taken_out_after_a_login(desk: Desk) -> None:
    taken: list[bool] = []
    desk.tray = ExampleTray()
    desk.tray.remove = lambda: taken.append(True)
    screen = last_screen_for(desk.studio, Said("watching", {"reader": "x"}))
    assert isinstance(screen, WatchingScreen)
    press(desk.show(screen), "Haal de kaart eruit")
    assert taken == [True]


def test_who_is_told_to_leave_the_card_in_sees_it_in_the_reader(desk: Desk) -> None:
    """LOGIN-10: the drawing does what the words say."""
    window = desk.show(last_screen_for(desk.studio, Said("watching", {"reader": "x"})))
    assert "laat" in read(window).lower()
    drawings = [one for one in window.findChildren(QLabel) if not one.pixmap().isNull()]
    names = {one.accessibleName() for one in drawings}
    assert any("zit in de paslezer en blijft daar" in name for name in names)
    assert not any("gaat uit" in name for name in names)


Save = Callable[[Path | None], FlowWindow]


@pytest.fixture
def saved(desk: Desk) -> Save:
    def save(path: Path | None) -> FlowWindow:
        window = desk.show(MadeScreen(DUTCH, MADE, choose=lambda _, __, ___: path))
        press(window, "Herinnering opslaan…")
        return window

    return save


def test_the_reminder_is_saved_where_the_person_wants(saved: Save, tmp_path: Path) -> None:
    window = saved(tmp_path / "kaart.ics")
    assert "De herinnering is opgeslagen" in read(window)
    text = (tmp_path / "kaart.ics").read_bytes().decode()
    assert "DTSTART;VALUE=DATE:20290515\r\n" in text
    assert CARD_NUMBER in text


def test_a_place_that_cannot_be_written_is_said(saved: Save, tmp_path: Path) -> None:
    assert "Opslaan lukte niet" in read(saved(tmp_path / "no-folder" / "kaart.ics"))


def test_whoever_chooses_no_place_saves_nothing(saved: Save) -> None:
    assert "opgeslagen" not in read(saved(None))


def test_the_last_day_is_read_as_the_flow_writes_it() -> None:
    assert day_in("15-06-2029").isoformat() == "2029-06-15"


@pytest.mark.parametrize("tries_left", [3, 2, 1, None])
def test_the_tries_that_are_left_are_said_before_the_next_one(desk: Desk, tries_left: int | None) -> None:
    window = desk.ask(AskPin(None, None, "Sanne", tries_left, SMARTCARD_PIN))
    expected = {1: "laatste poging", None: "zegt niet hoeveel pogingen"}.get(
        tries_left, f"nog {tries_left} keer"
    )
    assert expected in read(window)
    assert expected in window.screen_now.edit.accessibleDescription()


def opened_by_app(desk: Desk, code: str) -> FlowWindow:
    return desk.show(screen_between(desk.studio, Said(code, {"address": ADDRESS})))


def test_the_address_to_go_on_with_can_be_copied(desk: Desk, application: QApplication) -> None:
    window = opened_by_app(desk, "open-in-browser")
    press(window, "Kopieer")
    assert application.clipboard().text() == ADDRESS
    desk.once.wipe()
    assert application.clipboard().text() == ""


def test_whoever_sees_no_browser_come_asks_for_the_address(desk: Desk, application: QApplication) -> None:
    """ALL-2, ALL-4: it holds a one-time code, so that nobody sees it who does not ask."""
    window = opened_by_app(desk, "browser-opened")
    assert shown(window, QLineEdit) == []
    press(window, "Browser komt niet? Toon het adres")
    (edit,) = shown(window, QLineEdit)
    assert edit.text() == ADDRESS
    assert "binnen een minuut" in read(window)
    assert focused() is window.screen_now.panel.copy
    press(window, "Kopieer")
    assert application.clipboard().text() == ADDRESS


@pytest.mark.parametrize("code", ["browser-opened", "open-in-browser"])
def test_the_address_leaves_screen_and_clipboard_when_the_page_goes(
    desk: Desk, application: QApplication, code: str
) -> None:
    """ALL-4."""
    window = opened_by_app(desk, code)
    screen = window.screen_now
    screen.panel.copy.click()
    window.close()
    assert screen.panel.address.text() == ""
    assert application.clipboard().text() == ""


def test_the_keys_that_copy_the_address_take_it_off_again_as_well(
    desk: Desk, application: QApplication
) -> None:
    """ALL-4."""
    window = opened_by_app(desk, "open-in-browser")
    edit = window.screen_now.panel.address
    edit.selectAll()
    assert not edit.hasSelectedText()
    QTest.keyClick(edit, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert application.clipboard().text() == ADDRESS
    desk.once.wipe()
    assert application.clipboard().text() == ""


def test_a_field_comes_in_sight_when_something_is_typed(desk: Desk) -> None:
    window = desk.ask(AskPin(Said("pin-wrong", {"tries_left": 1}), None, "Sanne", 1, SMARTCARD_PIN))
    window.resize(640, 330)
    QApplication.processEvents()
    edit = window.screen_now.edit
    view = window.screen_now._scroll.viewport()
    assert edit.mapTo(view, edit.rect().bottomLeft()).y() > view.height()
    type_in(edit, "1")
    assert 0 <= edit.mapTo(view, edit.rect().bottomLeft()).y() <= view.height()
