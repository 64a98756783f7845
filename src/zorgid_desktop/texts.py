"""The app's own texts, in the language of the person."""

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from zorgid.kernel.sentences import Language, Sentence, Sentences
from zorgid_desktop.flow.asking import Said, Trouble


@cache
def catalogue() -> Sentences:
    """Return the texts of the app."""
    return Sentences.load([files("zorgid_desktop") / "sentences.toml"])


def sentence(trouble: Trouble, language: Language) -> Sentence:
    """Return what to show: the app's own text, or the platform's as it came."""
    if isinstance(trouble, Said):
        return catalogue().sentence(trouble.code, trouble.facts, language)
    return trouble.sentence


def language_of(variables: Mapping[str, str] = os.environ) -> Language:
    """Return English for a person whose system is English, Dutch for everyone else (ALL-1)."""
    wanted = variables.get("LC_ALL") or variables.get("LC_MESSAGES") or variables.get("LANG") or ""
    return Language.en if wanted.lower().startswith("en") else Language.nl
