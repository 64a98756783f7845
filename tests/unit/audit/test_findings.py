"""Every finding can be told to people, in both languages."""

from importlib import resources
from uuid import UUID

import pytest

from zorgid.audit.findings import Finding, FindingCode
from zorgid.kernel.sentences import Language, Sentences

SENTENCES = Sentences.load([resources.files("zorgid.web").joinpath("sentences", "audit.toml")])

FACTS = {
    FindingCode.entry_changed: {"entry"},
    FindingCode.personal_fact_changed: {"entry"},
    FindingCode.entries_missing: {"seal", "count"},
    FindingCode.entries_added: {"seal", "count"},
    FindingCode.entries_replaced: {"seal"},
    FindingCode.seal_unreadable: {"place"},
    FindingCode.seal_not_ours: {"seal"},
    FindingCode.seals_lack_their_beginning: {"seal"},
    FindingCode.chain_broken: {"seal"},
    FindingCode.seals_cut: {"seal", "count"},
    FindingCode.seals_gone: {"count"},
    FindingCode.seals_ahead: {"seal"},
}


def test_every_finding_has_a_sentence_and_no_sentence_is_left_over() -> None:
    assert SENTENCES.codes() == {code.value for code in FindingCode} == {code.value for code in FACTS}


@pytest.mark.parametrize("code", FindingCode)
@pytest.mark.parametrize("language", Language)
def test_the_sentence_of_a_finding_needs_its_facts_only(code: FindingCode, language: Language) -> None:
    """ALL-1, ALL-2."""
    facts = {"seal": 7, "count": 2, "entry": UUID(int=1), "place": "seals-2026-06-15.jsonl:4"}
    finding = Finding(code, **{name: fact for name, fact in facts.items() if name in FACTS[code]})
    sentence = SENTENCES.sentence(code, finding.facts, language)
    assert sentence.text
    assert sentence.next_step
