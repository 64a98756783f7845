"""Every text of the windows is there in both languages, tells the same facts, and is used (ALL-1)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desktop.examples import messages, questions

import zorgid_desktop.windows
from zorgid.kernel.sentences import Language, Sentence
from zorgid_desktop.build import Flavour
from zorgid_desktop.flow.asking import CardKind, InsertCard, Said, Told, Wanted
from zorgid_desktop.texts import catalogue, sentence
from zorgid_desktop.windows.card_list import Status
from zorgid_desktop.windows.drawing import BETWEEN, LAST
from zorgid_desktop.windows.pictures import Picture
from zorgid_desktop.windows.screens.progress import STEPS
from zorgid_desktop.windows.words import LONG, Words, entries, facts_in

HOUSE = Path(zorgid_desktop.windows.__file__).parent
MADE_UP = {
    *(f"insert-{wanted}" for wanted in Wanted),
    *(f"insert-title-{wanted}" for wanted in Wanted),
    "insert-blank-card-again",
    *(f"picture-{which}" for which in Picture),
    *(f"kind-{kind}" for kind in CardKind),
    *(f"status-{status}" for status in Status),
    *(f"flavour-{flavour}" for flavour in Flavour),
    *(f"level-{level}" for level in ("low", "substantial", "high")),
    *(f"month-{month}" for month in range(1, 13)),
    *(f"{act}-of" for act in ("change-pin", "unblock-pin")),
}
"""Names that are put together while the app runs."""
OVERLAID = {name for name, entry in entries().items() if set(entry) == LONG}


def literals() -> Iterator[str]:
    for file in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_text_is_used_and_no_used_one_is_missing() -> None:
    used = set(literals()) | MADE_UP
    assert set(entries()) - used - OVERLAID == set()
    assert set(entries()) >= MADE_UP


@pytest.mark.parametrize("language", Language)
def test_who_keeps_the_computer_has_one_name(language: Language) -> None:
    codes = catalogue().codes()
    said = [sentence(Said(code, dict.fromkeys(catalogue().names_in(code), "")), language) for code in codes]
    texts = [Words(language).text(name, **dict.fromkeys(facts_in(name), "")) for name in entries()]
    for text in (*texts, *(part for one in said for part in (one.text, one.next_step))):
        assert not re.search(r"ICT|IT department", text)


def test_what_the_windows_word_otherwise_is_said_by_the_flow() -> None:
    assert OVERLAID
    assert catalogue().codes() >= OVERLAID
    for name in OVERLAID:
        assert facts_in(name) <= catalogue().names_in(name)


def test_every_message_with_a_screen_of_its_own_is_one_of_the_flow() -> None:
    assert {*LAST, *BETWEEN, *STEPS} <= catalogue().codes()


@pytest.mark.parametrize("name", sorted(entries()))
def test_both_languages_tell_the_same_facts(name: str) -> None:
    facts = {fact: f"<{fact}>" for fact in facts_in(name)}
    told = {language: Words(language).text(name, **facts) for language in Language}
    for text in told.values():
        assert text.strip()
        assert set(re.findall(r"<(\w+)>", text)) == (
            set(facts) if name not in OVERLAID else set(re.findall(r"<(\w+)>", told[Language.nl]))
        )


@pytest.mark.parametrize("name", sorted(entries()))
def test_a_key_is_marked_in_both_languages_or_in_neither(name: str) -> None:
    marked = {language: "&" in entries()[name][language] for language in Language}
    assert marked[Language.nl] == marked[Language.en]


def test_a_refusal_of_the_platform_keeps_its_words() -> None:
    words = Sentence("De kaart is gebruikt.", "Neem een andere.")
    assert Words(Language.en).sentence(Told("blank-card-used", words)) == words


def test_the_windows_send_nobody_to_a_terminal() -> None:
    for language in Language:
        sentences = [Words(language).sentence(Said("pin-blocked", {"holder": "x"}))]
        sentences += [Words(language).sentence(said) for said in messages().values()]
        assert not [one for one in sentences if "zorgid-desktop" in one.next_step + one.text]


@pytest.mark.parametrize("language", Language)
def test_a_card_that_is_asked_for_again_is_named(language: Language) -> None:
    words = Words(language)
    assert "5012" in words.asking_for(InsertCard(None, Wanted.blank_card, "5012"))
    assert "5012" in words.asking_for(InsertCard(None, Wanted.new_card, "5012"))
    assert questions(language)
