"""The list shows what lies in the readers, and is drawn anew when that changes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from tests.desktop.driving import LONGEST_SECONDS, press, read, until
from tests.desktop.examples import begun, cards_window, lists, seen_cards
from tests.unit.desktop.builders import HOLDER, a_blank_in, a_card_in, a_named_card

from cardkit.errors import ReaderServiceAbsent
from cardkit.readers import CardReader, Readers
from cardkit.virtual import VirtualReader, VirtualReaders
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.asking import CardKind, SeenCard
from zorgid_desktop.listing import ToldTray
from zorgid_desktop.windows.card_list import SOON, CardWatcher, Shown, Status, Turn, shown_now, status_of
from zorgid_desktop.windows.tray import TrayList
from zorgid_desktop.windows.words import Words

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("valid_until", "status"),
    [
        (None, None),
        (TODAY - timedelta(days=1), Status.expired),
        (TODAY, Status.soon),
        (TODAY + SOON, Status.soon),
        (TODAY + SOON + timedelta(days=1), Status.good),
    ],
)
def test_how_a_card_stands_follows_from_its_last_day(valid_until: date | None, status: Status | None) -> None:
    assert status_of(SeenCard("r", CardKind.other, valid_until=valid_until), TODAY) is status


@pytest.fixture
def reader(tmp_path: Path) -> VirtualReader:
    return a_card_in(tmp_path)


Watch = Callable[[Readers, Turn], list[Shown]]


@pytest.fixture
def watch(application: QApplication) -> Iterator[Watch]:
    """Let a watcher look at readers; what it tells, in order. At the end none looks any more."""
    watchers: list[CardWatcher] = []

    def begin(readers: Readers, turn: Turn) -> list[Shown]:
        told: list[Shown] = []
        watchers.append(CardWatcher(lambda: readers, turn))
        watchers[-1].changed.connect(told.append)
        watchers[-1].start()
        return told

    yield begin
    for watcher in watchers:
        watcher.stop()
        watcher._thread.join(LONGEST_SECONDS)
        assert not watcher._thread.is_alive()


@pytest.fixture
def seen(watch: Watch, reader: VirtualReader) -> list[Shown]:
    """What the watcher of the reader told."""
    return watch(VirtualReaders(reader), Turn())


def test_the_list_follows_the_cards(reader: VirtualReader, seen: list[Shown]) -> None:
    until(lambda: seen)
    assert [card.holder for card in seen[-1].cards] == [HOLDER]
    reader.remove()
    until(lambda: seen[-1].why_not == "cards-none")
    reader.insert("anna")
    until(lambda: seen[-1].cards)


def test_the_list_waits_while_a_flow_uses_a_card(
    application: QApplication, watch: Watch, reader: VirtualReader
) -> None:
    turn = Turn()
    with turn.lock:
        told = watch(VirtualReaders(reader), turn)
        with VirtualReaders(reader).present()[0].open_card():
            application.processEvents()
        assert told == []
    until(lambda: told)
    assert told[0].cards


class Workplace:
    """A computer with these readers, or without the service for them."""

    def __init__(self, readers: list[CardReader] | None) -> None:
        self._readers = readers

    def present(self) -> list[CardReader]:
        if self._readers is None:
            raise ReaderServiceAbsent
        return self._readers

    def wait(self, seconds: float) -> bool:
        return False


def test_service_and_reader_and_card_are_told_apart() -> None:
    assert shown_now(Workplace(None)).why_not == "cards-no-service"
    assert shown_now(Workplace([])).why_not == "cards-no-reader"


def test_a_card_that_another_program_used_is_looked_at_again(watch: Watch, reader: VirtualReader) -> None:
    """ALL-2: nobody has to move a card that is free again."""
    still = Workplace([*VirtualReaders(reader).present()])
    with VirtualReaders(reader).present()[0].open_card():
        told = watch(still, Turn())
        until(lambda: told)
        assert [said.code for _, said in told[-1].troubles] == ["card-busy"]
    until(lambda: told[-1].cards)


def test_the_buttons_of_a_card_are_for_that_card(application: QApplication) -> None:
    window = cards_window(Words(Language.nl), Shown(seen_cards()))
    begun(window)
    chosen: list[tuple[str, SeenCard]] = []
    window.list.chosen.connect(lambda act, seen: chosen.append((act, seen)))
    holder = seen_cards()[0].holder
    press(window, f"Pincode veranderen van de kaart van {holder}")
    press(window, f"Deblokkeer de kaart van {holder} met de pukcode")
    assert chosen == [("change-pin", seen_cards()[0]), ("unblock-pin", seen_cards()[0])]


def test_a_uzi_card_and_a_blank_one_have_no_buttons(application: QApplication) -> None:
    window = cards_window(Words(Language.nl), Shown(seen_cards()))
    assert [bool(panel.buttons) for panel in window.list.panels] == [True, False, False]


def test_each_card_says_what_it_is_and_a_blank_one_what_to_do_with_it(application: QApplication) -> None:
    """ALL-2."""
    window = begun(cards_window(Words(Language.nl), Shown(seen_cards())))
    titles = [panel.accessibleName().partition(".")[0] for panel in window.list.panels]
    holders = [card.holder for card in seen_cards()[:2]]
    assert titles == [
        f"ZORG-ID Smartcard van {holders[0]}",
        f"UZI-pas van {holders[1]}",
        "Lege kaart, nog van niemand",
    ]
    assert (
        read(window).count("Met uw UZI-pas maakt u er op de website van ZORG-ID uw eigen Smartcard van.") == 1
    )


def test_the_tray_says_of_each_card_what_it_is_also_when_that_changed(
    application: QApplication, tmp_path: Path
) -> None:
    """ALL-2: a blank card keeps its name when it has become somebody's."""
    reader = VirtualReader(tmp_path)
    a_named_card(reader, "leeg-1", "Sanne", "900000123", is_smartcard=True)
    made = reader.file("leeg-1").path
    kept = made.read_bytes()
    made.unlink()
    a_blank_in(tmp_path, "leeg-1")
    window = begun(cards_window(Words(Language.nl), lists()["cards-none"], ToldTray(reader)))
    (tray,) = window.findChildren(TrayList)
    assert tray.item(0).text().split("\n") == ["  leeg-1", "  Lege kaart, nog van niemand"]
    made.write_bytes(kept)
    window.list.show_cards(lists()["cards-none"])
    assert tray.item(0).text().split("\n") == [
        "  leeg-1 – Chipnummer 4242",
        "  ZORG-ID Smartcard van Sanne",
    ]
    made.write_text("{}")
    window.list.show_cards(lists()["cards-none"])
    assert "Deze virtuele kaart is beschadigd" in tray.item(0).text()


@pytest.mark.parametrize(
    ("language", "words"), [(Language.nl, "niet is afgemaakt"), (Language.en, "not finished")]
)
def test_two_smartcards_of_one_holder_are_told_apart_by_their_chips(
    application: QApplication, language: Language, words: str
) -> None:
    """ALL-2: one of them may be a card whose making was broken off, which only the platform knows."""
    smartcard = seen_cards()[0]
    other = replace(smartcard, reader="Virtual PCD 00 01", serial="30000009", fingerprint="z")
    alone = begun(cards_window(Words(language), Shown((smartcard, *seen_cards()[1:]))))
    assert words not in read(alone)
    both = begun(cards_window(Words(language), Shown((smartcard, other))))
    assert words in read(both)
    assert words in both.list.spoken()
    chosen = [Words(language).card(seen) for seen in (smartcard, other)]
    assert [serial in text for serial, text in zip(("30000001", "30000009"), chosen, strict=True)] == [
        True
    ] * 2


@pytest.mark.parametrize("name", list(lists()))
def test_a_screen_reader_hears_what_the_list_shows(application: QApplication, name: str) -> None:
    window = begun(cards_window(Words(Language.nl), lists()[name]))
    spoken = window.list.spoken()
    for card in lists()[name].cards:
        assert (card.holder or card.serial or "?") in spoken
    assert lists()[name].cards or len(spoken) > len(window.list.title) + 20
    assert read(window)
