"""The app's own texts, in the language of the person."""

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from zorgid.kernel.sentences import Language, Sentence, Sentences
from zorgid_desktop.flow.asking import Said, Trouble
from zorgid_desktop.plain import plain


@cache
def catalogue() -> Sentences:
    """Return the texts of the app."""
    return Sentences.load([files("zorgid_desktop") / "sentences.toml"])


def sentence(trouble: Trouble, language: Language) -> Sentence:
    """Return what to show: the app's own text, or the platform's, with the card it is about."""
    if isinstance(trouble, Said):
        facts = {name: _fact(value, language) for name, value in trouble.facts.items()}
        return catalogue().sentence(trouble.code, facts, language)
    text, next_step = plain(trouble.sentence.text), plain(trouble.sentence.next_step)
    if trouble.about is None:
        return Sentence(text, next_step)
    about = sentence(trouble.about, language).text
    return Sentence(f"{about} {text}", next_step)


def in_terminal(trouble: Trouble, language: Language) -> str:
    """Return a trouble as lines for whoever has no face before them yet."""
    said = sentence(trouble, language)
    return "\n".join(f"! {line}" for line in filter(None, (said.text, said.next_step)))


def _fact(value: object, language: Language) -> object:
    """Return a fact as it stands in a sentence; a text among the facts is said in the same language."""
    if isinstance(value, Said):
        return sentence(value, language).text
    if isinstance(value, tuple):
        return " ".join(str(_fact(one, language)) for one in value)
    return plain(value) if isinstance(value, str) else value


def language_of(variables: Mapping[str, str] = os.environ) -> Language:
    """Return English for a person whose system is English, Dutch for everyone else (ALL-1)."""
    wanted = variables.get("LC_ALL") or variables.get("LC_MESSAGES") or variables.get("LANG") or ""
    return Language.en if wanted.lower().startswith("en") else Language.nl
