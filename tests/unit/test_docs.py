"""The documentation says what the code does: names, settings, commands, refusals and links are held together."""

import argparse
import ast
import base64
import functools
import hashlib
import importlib
import json
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from zorgid.cli import parser
from zorgid.clients.registration import Registration
from zorgid.oidc.claims import PERSON_CLAIMS
from zorgid.oidc.metadata import metadata
from zorgid.settings import PREFIX, Settings
from zorgid.web.desktop.routes import routes as desktop_routes
from zorgid_desktop.cli import _parser as desktop_parser

HOUSE = Path(__file__).parents[2]
DOCS = HOUSE / "docs"
PAGES = sorted([*HOUSE.glob("*.md"), *DOCS.rglob("*.md")])

LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
PART = re.compile(r"\]\((?!https?:)([^)#]*)#([^)]+)\)")
DOTTED = re.compile(r"`((?:cardkit|zorgid|zorgid_desktop)(?:\.\w+)*)`")
TEST_NAME = re.compile(r"`(test_\w+)`")
DECISION = re.compile(r"`decisions/(\d{4})`")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generate() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "generate.py"))


def test_parts_that_follow_from_the_code_are_fresh(generate: dict[str, Any]) -> None:
    stale = [page.name for page in generate["pages"]() if generate["filled"](text_of(page)) != text_of(page)]
    assert not stale, "run `make docs`"


def test_every_refusal_has_its_line(generate: dict[str, Any]) -> None:
    page = text_of(DOCS / "refusals.md")
    assert [kind.code for kind in generate["all_refusals"]() if f"| `{kind.code}` |" not in page] == []


def test_every_setting_is_explained_to_the_operator() -> None:
    page = text_of(DOCS / "settings.md")
    assert [name for name in Settings.model_fields if f"`{PREFIX}{name.upper()}`" not in page] == []
    assert "settings.md" in text_of(DOCS / "operator.md")


def commands(of: argparse.ArgumentParser, so_far: str) -> Iterator[str]:
    groups = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield so_far
    for name, child in (item for group in groups for item in group.choices.items()):
        yield from commands(child, f"{so_far} {name}")


def test_every_command_is_explained_to_the_operator() -> None:
    page = text_of(DOCS / "operator.md")
    named = [*commands(parser(), "zorgid"), *commands(desktop_parser(), "zorgid-desktop")]
    assert len(named) > 8
    assert [command for command in named if f"`{command}" not in page] == []


def test_every_option_of_a_command_is_explained_to_the_operator() -> None:
    page = text_of(DOCS / "operator.md")
    options = {
        option
        for child in parsers_below(parser())
        for action in child._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help" and not option.startswith("--no-")
    }
    assert [option for option in sorted(options) if option not in page] == []


def parsers_below(of: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield of
    for group in (action for action in of._actions if isinstance(action, argparse._SubParsersAction)):
        for child in group.choices.values():
            yield from parsers_below(child)


def test_every_dependency_has_a_line_that_says_why() -> None:
    project = tomllib.loads(text_of(HOUSE / "pyproject.toml"))["project"]
    asked = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    asked += [
        line for line in text_of(HOUSE / "requirements/interop.in").splitlines() if line and line[0] != "#"
    ]
    names = {re.split(r"[<>=\[ ;]", one)[0] for one in asked}
    page = text_of(DOCS / "dependencies.md")
    assert [
        name
        for name in sorted(names)
        if not re.search(rf"^\|.*\b{re.escape(name)}\b.*\|", page, re.MULTILINE)
    ] == []


def test_what_the_tests_use_from_debian_has_a_line() -> None:
    lines = text_of(HOUSE / "requirements/debian.txt").splitlines()
    packages = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    page = text_of(DOCS / "dependencies.md")
    assert [name for name in packages if name not in page] == []


def test_the_rooms_stand_in_the_architecture_in_the_order_of_their_imports() -> None:
    contracts = tomllib.loads(text_of(HOUSE / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    listed = re.findall(r"^\| `(zorgid\.\w+)` \|", text_of(DOCS / "architecture.md"), re.MULTILINE)
    assert listed == list(reversed(layers))


def test_every_package_of_the_house_is_in_the_architecture() -> None:
    page = text_of(DOCS / "architecture.md")
    parts = [
        ".".join(path.parent.relative_to(HOUSE / "src").parts)
        for path in (HOUSE / "src").glob("*/__init__.py")
    ]
    parts += [f"zorgid.{path.parent.name}" for path in (HOUSE / "src/zorgid").glob("*/__init__.py")]
    parts += [f"zorgid.{path.stem}" for path in (HOUSE / "src/zorgid").glob("[a-z]*.py")]
    assert [part for part in sorted(parts) if f"`{part}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_name_of_the_code_that_a_page_uses_exists(page: Path) -> None:
    unknown = [name for name in DOTTED.findall(text_of(page)) if not exists(name)]
    assert unknown == []


@functools.cache
def exists(dotted: str) -> bool:
    parts = dotted.split(".")
    thing: Any = importlib.import_module(parts[0])
    for depth, part in enumerate(parts[1:], start=2):
        if isinstance(thing, ModuleType) and not hasattr(thing, part):
            try:
                importlib.import_module(".".join(parts[:depth]))
            except ModuleNotFoundError:
                return False
        if not hasattr(thing, part):
            return False
        thing = getattr(thing, part)
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(text_of(page)) if not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_part_of_a_page_leads_to_its_heading(page: Path) -> None:
    broken = [
        f"{link}#{part}"
        for link, part in PART.findall(text_of(page))
        if part not in parts_of(page.parent / link if link else page)
    ]
    assert broken == []


@functools.cache
def parts_of(page: Path) -> frozenset[str]:
    """The names of a page's headings in a link: small letters, dashes for spaces, no other signs."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)


@functools.cache
def all_tests() -> frozenset[str]:
    return frozenset(
        node.name
        for file in (HOUSE / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(text_of(file)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_test_that_the_pages_lean_on_exists() -> None:
    named = {name for page in PAGES for name in TEST_NAME.findall(text_of(page))}
    assert named
    assert sorted(named - all_tests()) == []


def test_every_requirement_that_is_named_is_explained() -> None:
    number = re.compile(r"\b(?:ORG|ROLE|CARD|PIN|LIFE|MOB|LOGIN|SHOP|NOTE|INFO|SUP|AUD|ALL)-[0-9]+\b")
    files = [file for part in ("src", "tests") for file in (HOUSE / part).rglob("*.py")]
    named = {found for file in (*files, *PAGES) for found in number.findall(text_of(file))}
    explained = set(re.findall(r"^\| ([A-Z]+-[0-9]+) \|", text_of(DOCS / "requirements.md"), re.MULTILINE))
    assert sorted(named - explained) == []


def test_every_decision_is_in_the_list_of_decisions() -> None:
    page = text_of(DOCS / "decisions/README.md")
    files = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
    assert [name for name in files if f"]({name})" not in page] == []
    known = {name[:4] for name in files}
    assert {number for page in PAGES for number in DECISION.findall(text_of(page))} <= known


def test_every_make_target_is_explained_to_who_works_on_the_code() -> None:
    targets = re.findall(r"^([a-z0-9-]+):.*## ", text_of(HOUSE / "Makefile"), re.MULTILINE)
    page = text_of(HOUSE / "CONTRIBUTING.md") + text_of(HOUSE / "README.md")
    assert [name for name in targets if f"make {name}" not in page] == []


def test_the_example_of_the_desktop_protocol_follows_from_its_description() -> None:
    """Computed here with hashes and JSON alone, as somebody would who has nothing but the page."""
    page = text_of(DOCS / "desktop-protocol.md")
    given = dict(re.findall(r"^([a-z].*):\n\n    (.+)$", page.partition("## Example")[2], re.MULTILINE))
    handle = base64.urlsafe_b64decode(given["handle"] + "==")
    context = given["canonical context"]
    assert json.dumps(json.loads(context), sort_keys=True, separators=(",", ":")) == context
    shown = hashlib.sha256(context.encode() + handle).digest()
    nonce = base64.b64encode(hashlib.sha256(base64.b64decode(given["challenge"]) + shown).digest())
    assert nonce.decode() == given["nonce"]
    origin = json.loads(context)["origin"].encode()
    signed = hashlib.sha256(origin).hexdigest() + hashlib.sha256(nonce).hexdigest()
    assert given["what an ES256 or RS256 key signs (hexadecimal)"] == signed
    request = json.loads(given["what the app key signs for it, as request 3 to /desktop/v1/cancel"])
    assert request["body"] == hashlib.sha256(given["body of a request"].encode()).hexdigest()


def test_every_address_of_the_app_is_in_the_desktop_protocol() -> None:
    page = text_of(DOCS / "desktop-protocol.md")
    paths = [route.path.removeprefix("/desktop/v1") for route in desktop_routes()]
    short = [path.removeprefix("/issuance") for path in paths]
    assert [path for path in short if f"/desktop/v1{path}" not in page and f"| `{path}` |" not in page] == []


def test_suppliers_read_which_fields_a_registration_cannot_leave_out() -> None:
    told = text_of(DOCS / "supplier.md").partition(" must be in it")[0].rpartition(". ")[2]
    required = {name for name, field in Registration.model_fields.items() if field.is_required()}
    assert set(re.findall(r"`(\w+)`", told)) == required


def test_suppliers_read_of_every_address_claim_and_ability() -> None:
    page = text_of(DOCS / "supplier.md")
    said = metadata("https://zorg-id.example/oauth")
    addresses = [value for name, value in said.items() if name.endswith(("_endpoint", "_uri"))]
    abilities = [
        value
        for name, values in said.items()
        if isinstance(values, list) and not name.startswith(("claim", "ui_locales", "display"))
        for value in values
    ]
    assert [
        address for address in addresses if address.removeprefix("https://zorg-id.example") not in page
    ] == []
    assert [word for word in [*PERSON_CLAIMS, *abilities] if f"`{word}`" not in page] == []
