"""Asks a PIN, under what it is for; or a PUK."""

from zorgid.kernel.sentences import Sentence
from zorgid.protocol.context import Context, Purpose
from zorgid_desktop.flow.asking import AskPin, AskPuk
from zorgid_desktop.windows.parts import (
    EnterPresses,
    Facts,
    Notice,
    Panel,
    SecretEdit,
    ShowTyped,
    describe,
    field,
    paragraph,
)
from zorgid_desktop.windows.screens.screen import Screen
from zorgid_desktop.windows.words import Words

LONGEST_PUK = 12


class ContextPanel(Panel):
    """What the PIN will confirm: who asks, for what, for whom, where, how sure."""

    def __init__(self, words: Words, context: Context) -> None:
        super().__init__("context")
        asks, what = asked_by(words, context)
        self.inside.addWidget(paragraph(asks))
        self.inside.addWidget(paragraph(what, "title"))
        facts = facts_of(words, context)
        self.inside.addWidget(Facts(facts))
        told = [f"{name}: {value}." for name, value in facts]
        self.spoken = " ".join([asks, what, *told])
        self.setAccessibleName(self.spoken)


def asked_by(words: Words, context: Context) -> tuple[str, str]:
    """Return who asks, and what the person says yes to."""
    if is_act(context):
        return words.text("context-asks-act", care_application=context.care_application), context.act or ""
    return words.text("context-asks-login"), context.care_application


def is_act(context: Context) -> bool:
    """Tell whether an act is confirmed, and no session begun."""
    return context.act is not None and context.purpose is not Purpose.login


def facts_of(words: Words, context: Context) -> list[tuple[str, str]]:
    """Return the other facts of a context, with their names."""
    facts = [(words.text("context-where"), context.origin)]
    if context.organisation is not None:
        facts.insert(0, (words.text("context-for"), context.organisation))
    if context.acr is not None:
        level = context.acr.rsplit("/", 1)[-1]
        shown = words.text(f"level-{level}") if words.has(f"level-{level}") else context.acr
        facts.append((words.text("context-level"), shown))
    return facts


class SecretScreen(Screen):
    """What asking a PIN and a PUK share: the tries, one field that says whose card it is, two buttons."""

    edit: SecretEdit

    def add_tries(self, tries_left: int | None, *, last: str, unknown: str) -> str:
        """Say how often it may be tried, the last time as a warning; returns what a screen reader says."""
        if tries_left == 1:
            warning = Notice(self.words.text("trouble-mark"), Sentence(self.words.text(last), ""), "warn")
            self.body.addWidget(warning)
            return warning.spoken
        name = unknown if tries_left is None else "tries-left"
        text = self.words.text(name, tries_left=tries_left)
        self.body.addWidget(paragraph(text))
        return text

    def add_secret(self, label: str, holder: str, hint: str, *, longest: int) -> None:
        """Add the field, with a label that has the holder's name in it."""
        self.edit = SecretEdit(longest=longest)
        self.body.addWidget(field(self.words.text(label, holder=holder.replace("&", "&&")), self.edit, hint))
        self.edit.setAccessibleName(self.words.text(label, holder=holder).replace("&", "", 1))
        self.body.addWidget(ShowTyped(self.words, self.edit))

    def end_with(self, name: str) -> None:
        """Add the buttons, and begin in the field."""
        self.finish()
        send = self.add_button(name, kind="main")
        send.clicked.connect(lambda: self.answer(self.edit.take()))
        EnterPresses(send, self.edit)
        self.add_cancel()
        self.keep_in_sight(self.edit)
        self.first = self.edit

    def forget(self) -> None:
        """Empty the field."""
        self.edit.take()


class PinScreen(SecretScreen):
    """One PIN; the tries that are left are said before it is typed."""

    def __init__(self, words: Words, question: AskPin) -> None:
        super().__init__(words, _title(words, question.context), trouble=question.trouble)
        rules = question.rules
        spoken = []
        if question.context is not None:
            panel = ContextPanel(words, question.context)
            self.body.addWidget(panel)
            self.body.addWidget(paragraph(words.text("context-doubt")))
            spoken = [panel.spoken, words.text("context-doubt")]
        length = "pin-length-digits" if rules.digits_only else "pin-length"
        hint = words.text(length, shortest=rules.shortest, longest=rules.longest)
        spoken.append(self.add_tries(question.tries_left, last="tries-last", unknown="tries-unknown"))
        self.add_secret("pin-of", question.holder, hint, longest=rules.longest)
        describe(self.edit, *spoken)
        self.end_with("pin-send")


def _title(words: Words, context: Context | None) -> str:
    if context is None:
        return words.text("pin-title")
    name = "pin-title-act" if is_act(context) else "pin-title-login"
    return words.text(name, care_application=context.care_application)


class PukScreen(SecretScreen):
    """The PUK of a card whose PIN is blocked."""

    def __init__(self, words: Words, question: AskPuk) -> None:
        super().__init__(words, words.text("ask-puk-title"), trouble=question.trouble)
        self.body.addWidget(paragraph(words.text("ask-puk-why")))
        spoken = self.add_tries(question.tries_left, last="puk-tries-last", unknown="puk-tries-unknown")
        self.add_secret("puk-of", question.holder, words.text("puk-length"), longest=LONGEST_PUK)
        describe(self.edit, spoken)
        self.end_with("go-on")
