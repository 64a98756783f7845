"""What a page of the workplace draws: the reader, the tray and the app, in the words of the app."""

from collections.abc import Callable, Sequence
from typing import Any

from zorgid.demo.workplace.answers import STEPS
from zorgid.demo.workplace.desk import Desk
from zorgid.demo.workplace.face import Seen
from zorgid.demo.workplace.tray import TEST_PIN, TrayCard, heaps, heaps_for
from zorgid.kernel.sentences import Language, Sentence
from zorgid_desktop.flow.asking import InsertCard, Trouble
from zorgid_desktop.texts import sentence


def words_for(language: Language) -> Callable[[Trouble], Sentence]:
    """Return what turns something that the app says into a sentence."""

    def said(what: Trouble) -> Sentence:
        return sentence(what, language)

    return said


def facts_of(desk: Desk, cards: Sequence[TrayCard]) -> dict[str, Any]:
    """Return what the template names of a desk; while a second link waits, its question comes first."""
    seen = desk.seen
    question = seen.asked.question if seen.asked and not desk.waiting else None
    wanted = question.wanted if isinstance(question, InsertCard) else None
    in_reader = next((card for card in cards if card.name == desk.reader.inserted), None)
    return {
        "seen": seen,
        "step": step_of(desk, seen),
        "question": question,
        "question_mark": desk.question_mark,
        "appearance": desk.appearance,
        "in_reader": in_reader,
        "in_reader_fits": in_reader is not None and in_reader.heap in heaps_for(wanted),
        "heaps": heaps([card for card in cards if card.name != desk.reader.inserted], wanted),
        "new_test_pin": TEST_PIN,
        "is_shared": desk.own_folder is None,  # then the Desktop App shows these very cards, by their names
    }


def step_of(desk: Desk, seen: Seen) -> str:
    """Return the name of the template that draws the app as it is now."""
    if desk.waiting:
        return "busy"
    if desk.run is None:
        return "idle"
    if seen.asked:
        return STEPS[type(seen.asked.question)]
    if seen.completion:
        return "completing"
    if seen.is_watching:
        return "watching"
    return "ended" if seen.is_ended else "working"
