"""Everything the app can say has its sentence, and nothing has a sentence that is never said (ALL-1, ALL-2)."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import zorgid_desktop
from cardkit.errors import ModuleFlaw
from zorgid.kernel.sentences import Language, Sentence
from zorgid.protocol.environments import EnvironmentRefused
from zorgid.protocol.errors import LinkMalformed
from zorgid_desktop.flow.asking import CardKind, Said, Told, Wanted
from zorgid_desktop.flow.cards import TROUBLES
from zorgid_desktop.flow.ending import STOPPED_ON
from zorgid_desktop.flow.login import COMPLETED, ENDED
from zorgid_desktop.server import PlatformUnreachable
from zorgid_desktop.texts import catalogue, language_of, sentence

HOUSE = Path(zorgid_desktop.__file__).parent
SPEAKERS = {"Said", "_said"}
CODES_IN_TABLES = {
    *TROUBLES.values(),
    *(code for code in ENDED.values() if code),
    *STOPPED_ON.values(),
    *COMPLETED.values(),
    *(f"named-{kind}" for kind in CardKind),
    *(f"module-{flaw}" for flaw in ModuleFlaw),
    *(f"ask-{wanted}" for wanted in Wanted),
    "ask-blank-card-again",
    PlatformUnreachable.code,
    *(kind.code for kind in EnvironmentRefused.__subclasses__()),
    LinkMalformed.code,
}
ONLY_IN_WINDOWS = set(tomllib.loads((HOUSE / "windows/windows.toml").read_text(encoding="utf-8")))
"""Headings and buttons; tests/desktop/test_window_texts.py looks at those."""
FACTS = {name for code in catalogue().codes() for name in catalogue().names_in(code)}


def literals(node: ast.AST) -> Iterator[str]:
    yield from (
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


def codes_in(source: str) -> Iterator[str]:
    """Every text that is handed to a speaker, or kept in a variable named code or codes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in SPEAKERS and node.args:
                yield from literals(node.args[0])
        if isinstance(node, ast.Assign) and any(
            getattr(to, "id", "") in {"code", "codes"} for to in node.targets
        ):
            yield from literals(node.value)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "insert" and len(node.args) > 1:
            yield from literals(node.args[1])


def said() -> set[str]:
    found = {code for file in HOUSE.rglob("*.py") for code in codes_in(file.read_text(encoding="utf-8"))}
    return {code for code in found if "-" in code or code in catalogue().codes()} | CODES_IN_TABLES


def test_the_search_finds_what_the_app_says() -> None:
    assert {
        "pin-wrong",
        "card-made",
        "logged-in",
        "proof-completed",
        "pin-unfit-digits",
        "choose-pin",
    } <= said()


def test_everything_that_is_said_has_its_sentence() -> None:
    assert said() - {"ask-", "-again", "module-", "named-"} - ONLY_IN_WINDOWS - catalogue().codes() == set()


def handed_over(source: str) -> Iterator[tuple[str, set[str]]]:
    """Every code that is said together with its facts, both written out on the spot."""
    for node in ast.walk(ast.parse(source)):
        if not (
            isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Said" and len(node.args) == 2
        ):
            continue
        code, facts = node.args
        if isinstance(code, ast.Constant) and isinstance(facts, ast.Dict):
            yield str(code.value), {name for key in facts.keys if key for name in literals(key)}


def test_every_sentence_gets_the_facts_that_it_tells() -> None:
    found = [pair for file in HOUSE.rglob("*.py") for pair in handed_over(file.read_text(encoding="utf-8"))]
    assert len(found) > 5
    assert [code for code, facts in found if not catalogue().names_in(code) <= facts] == []


def test_no_sentence_is_never_said() -> None:
    assert catalogue().codes() - said() == set()


@pytest.mark.parametrize("code", sorted(catalogue().codes()))
def test_every_sentence_can_be_said_in_both_languages(code: str) -> None:
    facts = {name: f"<{name}>" for name in FACTS}
    spoken = {language: catalogue().sentence(code, facts, language) for language in Language}
    assert all(one.text for one in spoken.values())
    assert spoken[Language.nl].text != spoken[Language.en].text
    assert bool(spoken[Language.nl].next_step) == bool(spoken[Language.en].next_step)


@pytest.mark.parametrize("code", sorted(catalogue().codes()))
def test_both_languages_tell_the_same_facts(code: str) -> None:
    marked = {name: f"<{name}>" for name in FACTS}
    told = []
    for language in Language:
        one = catalogue().sentence(code, marked, language)
        told.append({name for name in FACTS if f"<{name}>" in one.text + one.next_step})
    assert told[0] == told[1] == catalogue().names_in(code)


def test_a_refusal_of_the_platform_is_shown_in_its_own_words() -> None:
    words = Sentence("De kaart is gebruikt.", "Neem een andere.")
    for language in Language:
        assert sentence(Told("blank-card-used", words), language) == words


def test_the_apps_own_words_follow_the_language() -> None:
    said_it = Said("pin-wrong", {"tries_left": 2})
    assert "pincode" in sentence(said_it, Language.nl).text
    assert "PIN" in sentence(said_it, Language.en).text
    assert all("2" in sentence(said_it, language).text for language in Language)


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, Language.nl),
        ({"LANG": "nl_NL.UTF-8"}, Language.nl),
        ({"LANG": "C.UTF-8"}, Language.nl),
        ({"LANG": "de_DE.UTF-8"}, Language.nl),
        ({"LANG": "en_GB.UTF-8"}, Language.en),
        ({"LANG": "nl_NL.UTF-8", "LC_ALL": "en_US.UTF-8"}, Language.en),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "nl_NL.UTF-8"}, Language.nl),
        ({"LANG": "en_US.UTF-8", "LC_ALL": ""}, Language.en),
    ],
)
def test_dutch_is_spoken_to_everybody_but_the_english(variables: dict[str, str], language: Language) -> None:
    assert language_of(variables) is language
