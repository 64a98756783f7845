"""Every refusal of this room has a sentence in both languages that uses its facts and no others (ALL-2)."""

import inspect
from datetime import UTC, datetime
from importlib import resources

import pytest

from zorgid.kernel.errors import Refusal
from zorgid.kernel.sentences import Language, Sentences
from zorgid.pki import errors

SENTENCES = Sentences.load([resources.files("zorgid.web").joinpath("sentences/pki.toml")])
REFUSALS = {
    refusal.code: refusal
    for _, refusal in inspect.getmembers(errors, inspect.isclass)
    if issubclass(refusal, Refusal) and refusal is not Refusal
}
MOMENTS = {"valid_until", "valid_from", "revoked_at", "this_update"}


def facts_of(refusal: type[Refusal]) -> dict[str, object]:
    names = [name for name in inspect.signature(refusal.__init__).parameters if name not in {"self", "facts"}]
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return {name: at if name in MOMENTS else "x" for name in names}


def test_every_refusal_has_a_sentence_and_every_sentence_a_refusal():
    assert set(REFUSALS) == SENTENCES.codes()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", REFUSALS)
def test_the_sentence_can_be_said_with_the_facts_of_the_refusal(code: str, language: Language):
    sentence = SENTENCES.sentence(code, facts_of(REFUSALS[code]), language)

    assert sentence.text
    assert sentence.next_step
