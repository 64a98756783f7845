"""What a terminal is given to read: lines that fit, addresses that stay whole, and words that are nobody's command."""

import re
from pathlib import Path

import pytest
from tests.unit.desktop.builders import HOLDER, PIN, PUK, Terminal, a_context, an_act

from cardkit.secrets import SMARTCARD_PIN, Puk
from zorgid.kernel.sentences import Language, Sentence
from zorgid_desktop.flow.asking import AskPin, AskPuk, KeepPuk, Question, Said, Told
from zorgid_desktop.terminal import NARROWEST
from zorgid_desktop.texts import catalogue

ACT = "U maakt een ZORG-ID Smartcard op uw eigen naam."
COLUMNS = [1, 2, 20, 40, 80, 200]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("language", list(Language))
def test_an_address_is_never_broken(
    columns: int, language: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    address = "http://localhost:8600/oauth/complete#AAECAwQFBgcICQoLDA0ODw." + "A-b_" * 10 + "xyz"
    terminal = Terminal(tmp_path, language=language)
    terminal.face.tell(Said("open-in-browser", {"address": address}))
    lines = "\n".join(terminal.shown).splitlines()
    assert [line.strip() for line in lines if "http" in line] == [address]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("code", sorted(catalogue().codes()))
def test_every_text_fits_the_terminal_and_loses_no_word(
    columns: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    facts = dict.fromkeys(catalogue().names_in(code), "FACT")
    terminal = Terminal(tmp_path)
    terminal.face.explain(Said(code, facts))
    lines = "\n".join(terminal.shown).splitlines()
    assert [line for line in lines if len(line) > max(columns - 1, NARROWEST) and len(line.split()) > 2] == []
    text = catalogue().sentence(code, facts, Language.nl)
    words = re.sub(r"(?m)^! ", "", "\n".join(terminal.shown)).split()
    assert words == f"{text.text} {text.next_step}".split()


def test_what_went_wrong_is_said_first_and_the_context_is_not_shown_again(tmp_path: Path) -> None:
    """PIN-1: the tries that are left are said before the next one."""
    terminal = Terminal(tmp_path, hidden=(PIN,))
    trouble = Said("pin-wrong", {"tries_left": 2})
    terminal.face.ask(AskPin(trouble, a_context(), HOLDER, 2, SMARTCARD_PIN))
    assert terminal.shown[1] == "! Deze pincode is niet goed. U kunt het nog 2 keer proberen."
    assert f"kaart van {HOLDER}." in "".join(terminal.shown[2:])
    assert terminal.hidden_prompts == ["Pincode (nog 2 keer): "]
    assert "Demo-HIS" not in terminal.screen


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("question", [AskPin(None, None, HOLDER, 3, SMARTCARD_PIN), AskPuk(None, HOLDER, 3)])
def test_a_pin_and_a_puk_are_asked_by_the_name_of_the_holder(
    tmp_path: Path, language: Language, question: Question[str]
) -> None:
    """PIN-1: a PUK typed for another card costs that card a try."""
    terminal = Terminal(tmp_path, hidden=(PUK,), language=language)
    terminal.face.ask(question)
    assert HOLDER in terminal.screen


@pytest.mark.parametrize("language", Language)
def test_what_is_confirmed_is_shown_before_the_pin_is_asked(tmp_path: Path, language: Language) -> None:
    """LOGIN-6; docs/desktop-protocol.md, chapter 3."""
    terminal = Terminal(tmp_path, hidden=(PIN,), language=language)
    shown = a_context(organisation="De Linde")
    terminal.face.ask(AskPin(None, shown, HOLDER, 3, SMARTCARD_PIN))
    before_pin = terminal.screen[: terminal.screen.index(HOLDER)]
    for part in ("Demo-HIS", "De Linde", "https://id.example"):
        assert part in before_pin


def test_a_login_is_shown_as_one_whatever_else_its_context_says(tmp_path: Path) -> None:
    """LOGIN-5: who asks, for whom, where, and how to stop."""
    terminal = Terminal(tmp_path, hidden=(PIN,))
    shown = a_context(organisation="De Linde", act="Iets anders")
    terminal.face.ask(AskPin(None, shown, HOLDER, 3, SMARTCARD_PIN))
    assert [line for line in terminal.shown if line][:6] == [
        "ZORG-ID vraagt u om in te loggen bij Demo-HIS.",
        "Klopt dat niet? Breek dan af.",
        "Het gaat om De Linde.",
        "Dit gebeurt op https://id.example.",
        "Met stop breekt u af, bij elke vraag.",
        f"\nTyp de pincode van de kaart van {HOLDER}.",
    ]


def test_an_act_is_shown_word_for_word(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, hidden=(PIN,))
    shown = an_act(ACT)
    terminal.face.ask(AskPin(None, shown, HOLDER, 3, SMARTCARD_PIN))
    assert ACT in " ".join(terminal.screen.split())


def test_tries_are_shown_where_the_card_tells_them(tmp_path: Path) -> None:
    """PIN-1."""
    for tries_left in (2, None):
        terminal = Terminal(tmp_path, hidden=(PIN,))
        terminal.face.ask(AskPin(None, None, HOLDER, tries_left, SMARTCARD_PIN))
        assert ("2" in terminal.screen) is (tries_left == 2)


def test_the_puk_is_shown_in_groups_of_four(tmp_path: Path) -> None:
    """CARD-8."""
    terminal = Terminal(tmp_path, "ja")
    terminal.face.ask(KeepPuk(None, Puk(PUK)))
    assert "1234 5678" in terminal.screen


def test_words_of_others_are_never_read_as_places_for_facts(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, hidden=(PIN,))
    told = Told("x", Sentence("Kaart {0} is al gebruikt.", "Neem {card_number}."))
    terminal.face.ask(AskPin(told, None, "{tries_left}", 3, SMARTCARD_PIN))
    for words in ("Kaart {0} is al gebruikt.", "Neem {card_number}.", "kaart van {tries_left}."):
        assert words in terminal.screen
    shown = a_context(care_application="{app_key}", organisation="{}")
    terminal = Terminal(tmp_path, hidden=(PIN,))
    terminal.face.ask(AskPin(None, shown, "{holder}", 3, SMARTCARD_PIN))
    for words in ("loggen bij {app_key}.", "Het gaat om {}.", "kaart van {holder}."):
        assert words in terminal.screen


def test_a_refusal_of_the_platform_is_shown_as_it_came(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.face.explain(
        Told("blank-card-used", Sentence("Deze kaart is gebruikt.", "Neem een andere kaart."))
    )
    assert "! Deze kaart is gebruikt." in terminal.screen
    assert "! Neem een andere kaart." in terminal.screen


def test_progress_is_told(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.face.tell(Said("card-reserved", {"card_number": "CWZJNVV9C"}))
    assert "CWZJNVV9C" in terminal.screen
