"""The windows of the Desktop App with example facts: for pictures, and for tests that look at each of them."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from PySide6.QtWidgets import QApplication, QWidget

from cardkit.secrets import NIST_PIN, SMARTCARD_PIN, Puk
from zorgid.kernel.sentences import Language, Sentence
from zorgid.protocol.context import Context, MeansUsed, Purpose, sha256_of_act
from zorgid_desktop.flow.asking import (
    AskBirthDate,
    AskPin,
    AskPuk,
    CardKind,
    ChooseCard,
    ChoosePin,
    InsertCard,
    KeepPuk,
    Question,
    Said,
    SeenCard,
    StartOver,
    Told,
    Wanted,
)
from zorgid_desktop.windows.about import AboutWindow
from zorgid_desktop.windows.card_list import Shown
from zorgid_desktop.windows.cards_window import CardsWindow
from zorgid_desktop.windows.clipboard import OnceOnClipboard
from zorgid_desktop.windows.drawing import Studio, last_screen_for, screen_between, screen_for
from zorgid_desktop.windows.face import WindowFace
from zorgid_desktop.windows.flow_window import FlowWindow
from zorgid_desktop.windows.screens.done import StoppedScreen
from zorgid_desktop.windows.screens.progress import BusyScreen, MakingScreen
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.tray import Tray
from zorgid_desktop.windows.words import Words

TODAY: Final = date(2026, 6, 15)
HOLDER: Final = "Sanne Fatima de Boer-van 't Hoff"
ORGANISATION: Final = "Huisartsenpraktijk De Linde"
CARD_NUMBER: Final = "5012 3456 7890"
READER: Final = "USB Smart Card Reader 00 00"
OTHER_READER: Final = "USB Smart Card Reader 01 00"
FULL_NAME: Final = "mevrouw S.F. de Boer-van 't Hoff"
MADE: Final = {"card_number": CARD_NUMBER, "valid_until": "15-06-2029", "organisation": ORGANISATION}
PUK: Final = "48206173"
ADDRESS: Final = "https://id.zorg-id.example/oauth/complete#AAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBB"


class NoReaders:
    """A workplace without readers: pictures need none."""

    def present(self) -> list[object]:
        """Return nothing."""
        return []

    def wait(self, seconds: float) -> bool:
        """Tell that nothing moved."""
        del seconds
        return False


class ExampleTray:
    """Three imitation cards, as the demo has; a Smartcard was made of the first."""

    cards: Final = ["leeg-1", "leeg-2", "uzi-assistente-linde"]

    def told(self, name: str) -> SeenCard:
        """Return what each of them is."""
        made, uzi, blank = seen_cards()
        return {"leeg-1": made, "leeg-2": blank}.get(name, uzi)

    def insert(self, name: str) -> None:
        """Do nothing with it."""

    def remove(self) -> None:
        """Do nothing with it."""


def a_context(language: Language, *, is_act: bool = False) -> Context:
    """Return what a card is asked to confirm."""
    acts = {Language.nl: "Een ZORG-ID Smartcard aanmaken", Language.en: "Making a ZORG-ID Smartcard"}
    act = acts[language] if is_act else None
    return Context(
        origin="https://id.zorg-id.example",
        care_application="ZORG Portaal" if is_act else "Demo-HIS",
        organisation=None if is_act else ORGANISATION,
        purpose=Purpose.make_card if is_act else Purpose.login,
        act=act,
        act_sha256=sha256_of_act(act) if act else None,
        acr="http://eidas.europa.eu/LoA/high",
        accepts=(MeansUsed.uzi_card,) if is_act else tuple(MeansUsed),
        expires_at=datetime(2026, 6, 15, 10, 5, tzinfo=UTC),
        app_key="6UoWwDCkLjV0J-pQG8c0THxbVhBcpR0AZDift1Yl5DM",
    )


def seen_cards() -> tuple[SeenCard, ...]:
    """Return cards as they lie in readers."""
    return (
        SeenCard(
            READER,
            CardKind.smartcard,
            "30000001",
            HOLDER,
            "900000123",
            date(2029, 6, 15),
            "a",
            can_log_in=True,
            issuer="ZORG-ID",
        ),
        SeenCard(
            OTHER_READER,
            CardKind.uzi_card,
            None,
            "Karel de Groot",
            "900000456",
            date(2026, 7, 20),
            "b",
            can_log_in=True,
            issuer="CIBG",
        ),
        SeenCard("Virtual PCD 00 01", CardKind.blank, "30000002", fingerprint="c"),
    )


REFUSED: Final = {
    Language.nl: Told(
        "blank-card-used",
        Sentence(
            "Kaart 5012 3456 7890 is al gebruikt.", "Neem een andere lege kaart uit de webwinkel van ZORG-ID."
        ),
    ),
    Language.en: Told(
        "blank-card-used",
        Sentence("Card 5012 3456 7890 has been used.", "Take another blank card from the ZORG-ID web shop."),
    ),
}


def questions(language: Language) -> Mapping[str, Question[object]]:
    """Return every kind of question, by the name of its picture."""
    wrong = Said("pin-wrong", {"tries_left": 1})
    return {
        "insert-login-card": InsertCard(None, Wanted.login_card),
        "insert-uzi-card-reader-empty": InsertCard(Said("reader-empty"), Wanted.uzi_card),
        "insert-blank-card": InsertCard(None, Wanted.blank_card),
        "insert-blank-card-refused": InsertCard(REFUSED[language], Wanted.blank_card, CARD_NUMBER),
        "insert-new-card": InsertCard(Said("card-gone"), Wanted.new_card, CARD_NUMBER),
        "choose-card": ChooseCard(None, seen_cards()[:2]),
        "pin-login": AskPin(None, a_context(language), HOLDER, 3, SMARTCARD_PIN),
        "pin-act-last-try": AskPin(wrong, a_context(language, is_act=True), HOLDER, 1, SMARTCARD_PIN),
        "pin-tries-unknown": AskPin(None, None, HOLDER, None, NIST_PIN),
        "birth-date": AskBirthDate(None, FULL_NAME, ORGANISATION, TODAY),
        "new-pin": ChoosePin(None, SMARTCARD_PIN, CARD_NUMBER),
        "new-pin-differ": ChoosePin(Said("pins-differ"), NIST_PIN, CARD_NUMBER),
        "keep-puk": KeepPuk(None, Puk(PUK)),
        "ask-puk": AskPuk(None, HOLDER, 3),
        "ask-puk-last-try": AskPuk(Said("puk-wrong", {"tries_left": 1}), HOLDER, 1),
        "start-over": StartOver(Said("pin-blocked-before-use", {"card_number": CARD_NUMBER}), CARD_NUMBER),
    }


def troubles(language: Language) -> Mapping[str, Said | Told]:
    """Return a few ends that nobody wants."""
    return {
        "stopped-refused": REFUSED[language],
        "stopped-pin-blocked": Said("pin-blocked", {"holder": HOLDER}),
        "stopped-cancelled": Said("cancelled-login"),
        "stopped-cancelled-making": Said("cancelled-making"),
        "stopped-cancelled-pin-change": Said("cancelled-pin-change"),
        "stopped-cancelled-unblocking": Said("cancelled-unblocking"),
        "stopped-unforeseen": Said("unforeseen", {"reference": "KeyError/making:210"}),
    }


def messages() -> Mapping[str, Said]:
    """Return the messages with which a flow ends well."""
    return {
        "done-card-made": Said("card-made", MADE),
        "done-pin-changed": Said("pin-changed"),
        "done-watching": Said("watching", {"reader": READER}),
        "done-session-ended": Said("session-ended-by-pull"),
        "done-session-not-told": Said("session-end-not-told"),
        "done-session-over": Said("session-over"),
    }


def lists() -> Mapping[str, Shown]:
    """Return what may lie in the readers."""
    return {
        "cards": Shown(seen_cards()),
        "cards-none": Shown(why_not="cards-none"),
        "cards-no-reader": Shown(why_not="cards-no-reader"),
        "cards-no-service": Shown(why_not="cards-no-service"),
        "cards-trouble": Shown(troubles=((READER, Said("card-not-recognised")),)),
    }


def making(studio: Studio) -> Screen:
    """Return the progress of a making, half-way."""
    screen = MakingScreen(studio.words, 0.0, lambda: 83.0)
    screen.show_step("step-certificates")
    return screen


def birth_date_check(studio: Studio) -> Screen:
    """Return the birth date as it is shown again."""
    screen = screen_for(studio, AskBirthDate(None, FULL_NAME, ORGANISATION, TODAY))
    for edit, typed in zip(screen.edits, ("31", "3", "1980"), strict=True):
        edit.setText(typed)
    screen._look_once_more()
    return screen


def browser_opened(studio: Studio, *, asks: bool = False) -> Screen:
    """Return the page of a browser that was opened, also for whoever asks for the address."""
    screen = screen_between(studio, Said("browser-opened", {"address": ADDRESS}))
    if asks:
        screen.ask.click()
    return screen


def flow_window(studio: Studio, screen: Screen) -> FlowWindow:
    """Return the window of a flow that shows a screen."""
    window = FlowWindow(studio, WindowFace(NoReaders()))
    window.show_last(screen)
    return window


def cards_window(words: Words, shown: Shown, tray: Tray | None = None) -> CardsWindow:
    """Return the list of cards."""
    window = CardsWindow(words, today=lambda: TODAY, hides=lambda: False, tray=tray)
    window.list.show_cards(shown)
    return window


def windows(language: Language) -> Mapping[str, Callable[[], QWidget]]:
    """Return what makes each window, by the name of its picture."""
    words = Words(language)
    clipboard = OnceOnClipboard(QApplication.clipboard())
    studio = Studio(words, clipboard)
    demo = Studio(words, clipboard, ExampleTray())
    made: dict[str, Callable[[], QWidget]] = {}
    for name, question in questions(language).items():
        made[name] = lambda question=question: flow_window(studio, screen_for(studio, question))
    for name, trouble in troubles(language).items():
        made[name] = lambda trouble=trouble: flow_window(studio, StoppedScreen(words, trouble))
    for name, said in messages().items():
        made[name] = lambda said=said: flow_window(studio, last_screen_for(studio, said))
    for name, shown in lists().items():
        made[name] = lambda shown=shown: cards_window(words, shown)
    made["insert-demo-tray"] = lambda: flow_window(demo, screen_for(demo, InsertCard(None, Wanted.uzi_card)))
    made["cards-demo-tray"] = lambda: cards_window(words, lists()["cards-none"], ExampleTray())
    made["birth-date-check"] = lambda: flow_window(studio, birth_date_check(studio))
    made["making"] = lambda: flow_window(studio, making(studio))
    made["busy-proved"] = lambda: flow_window(
        studio, BusyScreen(words, Said("proved", {"full_name": FULL_NAME}))
    )
    made["open-in-browser"] = lambda: flow_window(
        studio, screen_between(studio, Said("open-in-browser", {"address": ADDRESS}))
    )
    made["browser-opened"] = lambda: flow_window(studio, browser_opened(studio))
    made["browser-address"] = lambda: flow_window(studio, browser_opened(studio, asks=True))
    made["about"] = lambda: AboutWindow(words)
    return made


def begun(window: QWidget) -> QWidget:
    """Show a window as a person meets it, with the focus where it begins."""
    window.show()
    if isinstance(window, FlowWindow):
        assert window.screen_now is not None
        window.activateWindow()
        window.screen_now.begin()
    else:
        window.begin()
    for _ in range(3):
        QApplication.processEvents()
    return window
