"""Wherever the app says something, it gives every fact that the text tells; the source itself is searched (ALL-2)."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import zorgid_desktop
from cardkit.errors import ModuleFlaw
from zorgid.protocol.context import Context
from zorgid.protocol.environments import EnvironmentRefused
from zorgid.protocol.errors import LinkMalformed
from zorgid_desktop.flow.asking import CardKind, Wanted
from zorgid_desktop.flow.cards import TROUBLES
from zorgid_desktop.flow.ending import STOPPED, STOPPED_ON
from zorgid_desktop.flow.login import COMPLETED, ENDED
from zorgid_desktop.texts import catalogue

SOURCE = Path(zorgid_desktop.__file__).parent
SAYING = {"Said", "_said"}
PASSED_ON = "terminal.py: code in _said"
"""The one place that passes on what others say, with the facts that they give."""

LINK_REFUSED = "ending.py: error.code in _about_link"
"""Passes on the facts of a refusal; tests/unit/desktop/test_environments.py says each of them."""

NOT_SPELT_OUT: dict[str, set[str]] = {
    PASSED_ON: set(),
    "ending.py: STOPPED_ON[errand] in _in_own_words": set(STOPPED_ON.values()),
    "ending.py: STOPPED in _in_own_words": {STOPPED},
    LINK_REFUSED: {LinkMalformed.code, *(kind.code for kind in EnvironmentRefused.__subclasses__())},
    "cards.py: code in unfit": {"pin-unfit", "pin-unfit-digits"},
    "cards.py: TROUBLES.get(type(error), 'card-trouble') in trouble_of": {*TROUBLES.values(), "card-trouble"},
    "cards.py: f'module-{error.flaw}' in trouble_of": {f"module-{flaw}" for flaw in ModuleFlaw},
    "login.py: COMPLETED.get(context.purpose, 'act-completed') in log_in": {
        *COMPLETED.values(),
        "act-completed",
    },
    "login.py: why in _await_completion": {why for why in ENDED.values() if why},
    "terminal.py: code in _insert_card": {f"ask-{wanted}" for wanted in Wanted} | {"ask-blank-card-again"},
    "seeing.py: 'smartcard-of' if seen.serial is None else 'smartcard-of-chip' in said_of_card": {
        "smartcard-of",
        "smartcard-of-chip",
    },
    "seeing.py: f'named-{seen.kind}' in said_by_name": {f"named-{kind}" for kind in CardKind},
    "seeing.py: 'listed-card' if seen.number is not None else 'listed-other' in said_in_list": {
        "listed-card",
        "listed-other",
    },
    "terminal.py: code in _ask_pin": {"ask-pin", "ask-pin-tries-unknown"},
    "terminal.py: code in _choose_pin": {"choose-pin", "choose-pin-digits"},
    "terminal.py: code in _show_context": {
        "context-login",
        "context-act",
        "context-origin",
        "context-organisation",
        "stop-hint",
    },
}
"""The places where a code is chosen while the app runs, with all that it can be there."""


@dataclass(frozen=True)
class Place:
    """One place in the source where something is said."""

    where: str
    codes: frozenset[str]
    facts: frozenset[str] | None
    """None where somebody else's facts are passed on."""


def places() -> Iterator[Place]:
    for file in sorted(SOURCE.rglob("*.py")):
        for function, call in calls_in(ast.parse(file.read_text(encoding="utf-8")), None):
            if name_of(call) in SAYING and call.args:
                yield place_of(file.name, function, call)


def calls_in(
    node: ast.AST, function: ast.FunctionDef | None
) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Every call, with the innermost function in which it stands."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield function, child
        yield from calls_in(child, child if isinstance(child, ast.FunctionDef) else function)


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def place_of(file: str, function: ast.FunctionDef | None, call: ast.Call) -> Place:
    assert function is not None
    code, facts = call.args[0], facts_of(function, call)
    if isinstance(code, ast.Constant):
        return Place(f"{file}: {code.value} in {function.name}", frozenset({code.value}), facts)
    where = f"{file}: {ast.unparse(code)} in {function.name}"
    return Place(where, frozenset(NOT_SPELT_OUT.get(where, {"not listed"})), facts)


def facts_of(function: ast.FunctionDef, call: ast.Call) -> frozenset[str] | None:
    """The names of the facts that go with a text: in a dictionary, by keyword, or both."""
    unpacked = [keyword.value for keyword in call.keywords if keyword.arg is None]
    names = [names_in(function, value) for value in [*call.args[1:], *unpacked]]
    if None in names:
        return None
    by_keyword = {keyword.arg for keyword in call.keywords if keyword.arg}
    return frozenset(by_keyword.union(*(each for each in names if each)))


def names_in(function: ast.FunctionDef, value: ast.expr) -> set[str] | None:
    if isinstance(value, ast.Dict):
        return {key.value for key in value.keys if isinstance(key, ast.Constant)}
    if ast.unparse(value) == "context.model_dump()":
        return set(Context.model_fields)
    assigned = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(value)
    ]
    return names_in(function, assigned[0]) if len(assigned) == 1 else None


PLACES = tuple(places())


def test_every_code_that_is_chosen_while_the_app_runs_is_listed_with_its_place() -> None:
    assert [place.where for place in PLACES if "not listed" in place.codes] == []
    assert set(NOT_SPELT_OUT) <= {place.where for place in PLACES}


def test_the_places_where_something_is_said_use_every_text_and_no_other() -> None:
    assert {code for place in PLACES for code in place.codes} == catalogue().codes()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.where)
def test_every_fact_that_a_text_tells_is_given(place: Place) -> None:
    if place.facts is None:
        assert place.where in {PASSED_ON, LINK_REFUSED}
        return
    missing = {code: catalogue().names_in(code) - place.facts for code in place.codes}
    assert {code: names for code, names in missing.items() if names} == {}
