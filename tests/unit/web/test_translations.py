"""Every text has its English, every refusal its sentences (ALL-1, ALL-2)."""

import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2.ext import babel_extract

import zorgid
from zorgid.audit.findings import FindingCode
from zorgid.kernel.errors import Refusal
from zorgid.kernel.sentences import Sentences
from zorgid.web.templates import TextFolder, read_catalogues

PACKAGES = [package for package in ("zorgid.web", "zorgid.demo") if (files(package) / "templates").is_dir()]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def texts_of(package: str) -> Iterator[tuple[str, str]]:
    folder = Path(str(files(package) / "templates"))
    for template in sorted(folder.rglob("*.html")):
        with template.open("rb") as source:
            options = {"encoding": "utf-8", "silent": "false", "extensions": "jinja2.ext.do"}
            for _, _, message, _ in babel_extract(source, list(KEYWORDS), [], options):
                for text in [message] if isinstance(message, str) else message:
                    if text:
                        yield template.name, text


def test_every_text_of_every_page_has_its_english() -> None:
    """ALL-1."""
    folders = [TextFolder(package) for package in PACKAGES]
    catalogue = read_catalogues(file for folder in folders for file in folder.catalogues())
    texts = [pair for package in PACKAGES for pair in texts_of(package)]
    assert len(texts) > 20
    missing = [
        (name, text)
        for name, text in texts
        if text not in catalogue._catalog and (text, 0) not in catalogue._catalog
    ]
    assert not missing


def test_no_translation_is_left_over_from_a_text_that_is_gone() -> None:
    folders = [TextFolder(package) for package in PACKAGES]
    catalogue = read_catalogues(file for folder in folders for file in folder.catalogues())
    known = {text for package in PACKAGES for _, text in texts_of(package)}
    left_over = {key if isinstance(key, str) else key[0] for key in catalogue._catalog} - known - {""}
    assert not left_over


def test_values_in_a_text_are_the_same_in_both_languages() -> None:
    folders = [TextFolder(package) for package in PACKAGES]
    catalogue = read_catalogues(file for folder in folders for file in folder.catalogues())
    names = re.compile(r"%\((\w+)\)")
    differing = [
        key
        for key, text in catalogue._catalog.items()
        if isinstance(key, str) and key and set(names.findall(key)) != set(names.findall(text))
    ]
    assert not differing


def refusals() -> list[type[Refusal]]:
    for module in pkgutil.walk_packages(zorgid.__path__, "zorgid."):
        if module.name.endswith((".errors", ".limits")):
            importlib.import_module(module.name)
    found: list[type[Refusal]] = []
    waiting = [Refusal]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("zorgid."):
                found.append(kind)
    return found


def sentence_files() -> list[Path]:
    return sorted(Path(str(files("zorgid.web") / "sentences")).glob("*.toml"))


@pytest.mark.parametrize("kind", refusals(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_a_refusal_has_sentences_whose_facts_it_gives(kind: type[Refusal]) -> None:
    """ALL-2: what is wrong and what to do, from facts that the refusal carries."""
    sentences = Sentences.load(sentence_files())
    assert kind.code in sentences.codes(), f"{kind.code} has no sentence"
    given = {
        name
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
        if name != "self" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert sentences.names_in(kind.code) <= given


def test_no_sentence_is_left_over_from_a_refusal_that_is_gone() -> None:
    codes = {kind.code for kind in refusals()} | set(FindingCode)
    assert Sentences.load(sentence_files()).codes() - codes == set()


def test_sentences_stand_in_one_file_per_room() -> None:
    for file in sentence_files():
        assert tomllib.loads(file.read_text("utf-8")), file.name
