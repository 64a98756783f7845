"""Which driver speaks to which card, and where modules are looked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from cardkit.errors import (
    CardBusy,
    CardError,
    CardNotRecognised,
    ModuleFlaw,
    ModuleUnusable,
    ReaderServiceAbsent,
)
from cardkit.pkcs11.joined import JoinedReader, JoinedReaders
from cardkit.pkcs11.places import USUAL, Modules, named_modules, usual_modules
from zorgid_desktop.modules import MODULE_VARIABLE, modules_for

LONG_NAME = "A reader whose name is far longer than the sixty-four bytes of CK_SLOT_INFO 00 00"


@dataclass
class Slot:
    """A reader that opens what it is told to."""

    name: str
    holds: Any = "a card"
    is_full: bool = True
    opened: int = 0

    def has_card(self) -> bool:
        return self.is_full

    @contextmanager
    def open_card(self, pin_rules: object = None) -> Iterator[Any]:
        self.opened += 1
        if isinstance(self.holds, CardError):
            raise self.holds
        yield self.holds


@dataclass
class Pcsc:
    """A PC/SC service with these readers, or none."""

    readers: list[Slot] | None
    waits: list[bool] = field(default_factory=list)

    def present(self) -> list[Slot]:
        if self.readers is None:
            raise ReaderServiceAbsent
        return self.readers

    def wait(self, seconds: float) -> bool:
        return self.waits.pop(0) if self.waits else False


NAMED = Modules(("/lib/a.so",), are_named=True)
FOUND = Modules(("/lib/a.so",), are_named=False)
BROKEN = ModuleUnusable(module="/lib/a.so", flaw=ModuleFlaw.missing)


@dataclass
class Tokens:
    """Modules with these slots."""

    slots: list[Slot]
    chosen: Modules = NAMED
    flaws: list[ModuleUnusable] = field(default_factory=list)
    changes: list[bool] = field(default_factory=list)
    looks: int = 0

    def present(self) -> list[Slot]:
        self.looks += 1
        return self.slots

    def troubles(self) -> list[ModuleUnusable]:
        return self.flaws

    def at(self, place: str) -> list[Slot]:
        self.looks += 1
        return [slot for slot in self.slots if slot.name == place[:64].rstrip() and slot.is_full]

    def wait(self, seconds: float) -> bool:
        return self.changes.pop(0) if self.changes else False


def joined(pcsc: Pcsc, tokens: Tokens) -> JoinedReaders:
    return JoinedReaders(pcsc, tokens)  # type: ignore[arg-type]


def test_a_piv_card_is_spoken_to_in_piv_and_no_module_is_loaded() -> None:
    """One card, two ways to it: PIV goes first."""
    tokens = Tokens([Slot("Reader 1", "behind a module")], FOUND)
    (reader,) = joined(Pcsc([Slot("Reader 1", "in PIV")]), tokens).present()
    with reader.open_card() as card:
        assert card == "in PIV"
    assert tokens.looks == 0


@pytest.mark.parametrize("name", ["Reader 1", LONG_NAME])
@pytest.mark.parametrize("chosen", [FOUND, NAMED])
def test_a_card_that_is_not_piv_is_asked_for_behind_the_modules(name: str, chosen: Modules) -> None:
    """LOGIN-2: a UZI card is such a card. Slots have 64 bytes for the name of a reader."""
    tokens = Tokens([Slot("Reader 2"), Slot(name[:64].rstrip(), "behind a module")], chosen)
    readers = joined(Pcsc([Slot(name, CardNotRecognised())]), tokens).present()
    reader = readers[0]
    assert isinstance(reader, JoinedReader)
    assert (reader.name, reader.has_card()) == (name, True)
    with reader.open_card() as card:
        assert card == "behind a module"


def test_the_first_module_that_knows_the_card_has_it() -> None:
    """One that shows the slot and not the card is passed over."""
    tokens = Tokens([Slot("Reader 1", CardNotRecognised()), Slot("Reader 1", "behind the second module")])
    reader = joined(Pcsc([Slot("Reader 1", CardNotRecognised())]), tokens).present()[0]
    with reader.open_card() as card:
        assert card == "behind the second module"


def test_the_same_card_is_listed_once() -> None:
    tokens = Tokens([Slot("Reader 1"), Slot(LONG_NAME[:64].rstrip()), Slot("No reader at all")])
    readers = joined(Pcsc([Slot("Reader 1"), Slot(LONG_NAME)]), tokens).present()
    assert [reader.name for reader in readers] == ["Reader 1", LONG_NAME, "No reader at all"]


def test_modules_that_were_only_found_show_no_slots_of_their_own() -> None:
    """They are not loaded before a card needs them: start stays quick, and nothing foreign runs needlessly."""
    tokens = Tokens([Slot("No reader at all")], FOUND)
    assert [one.name for one in joined(Pcsc([Slot("Reader 1")]), tokens).present()] == ["Reader 1"]
    assert tokens.looks == 0


@pytest.mark.parametrize("error", [CardBusy(), ReaderServiceAbsent()])
def test_other_troubles_of_a_card_stay_what_they_are(error: CardError) -> None:
    """A module is no way round a card that somebody else holds."""
    tokens = Tokens([Slot("Reader 1", "behind a module")])
    reader = joined(Pcsc([Slot("Reader 1", error)]), tokens).present()[0]
    with pytest.raises(type(error)), reader.open_card():
        pass


def test_a_card_that_nobody_knows_is_said_to_be_that() -> None:
    reader = joined(Pcsc([Slot("Reader 1", CardNotRecognised())]), Tokens([], FOUND)).present()[0]
    with pytest.raises(CardNotRecognised), reader.open_card():
        pass


def test_a_named_module_that_is_broken_is_told_where_a_card_needs_it() -> None:
    """And not before: other cards do without it."""
    tokens = Tokens([], flaws=[BROKEN])
    readers = joined(Pcsc([Slot("Reader 1", CardNotRecognised()), Slot("Reader 2")]), tokens).present()
    with readers[1].open_card():
        pass
    with pytest.raises(ModuleUnusable), readers[0].open_card():
        pass


def test_without_any_reader_the_first_thing_to_mend_is_told() -> None:
    """ALL-2: three troubles told apart, and a broken setting before a missing service."""
    with pytest.raises(ModuleUnusable):
        joined(Pcsc(None), Tokens([], flaws=[BROKEN])).present()
    with pytest.raises(ModuleUnusable):
        joined(Pcsc([]), Tokens([], flaws=[BROKEN])).present()
    with pytest.raises(ReaderServiceAbsent):
        joined(Pcsc(None), Tokens([])).present()
    assert joined(Pcsc([]), Tokens([])).present() == []


def test_slots_of_a_module_do_without_a_service_of_readers() -> None:
    readers = joined(Pcsc(None), Tokens([Slot("SoftHSM slot")])).present()
    assert [reader.name for reader in readers] == ["SoftHSM slot"]


def test_a_change_of_either_kind_ends_the_waiting() -> None:
    assert joined(Pcsc([], waits=[True]), Tokens([])).wait(0)
    assert joined(Pcsc([]), Tokens([], changes=[True])).wait(0)
    assert joined(Pcsc([]), Tokens([], changes=[False, True])).wait(60)
    assert not joined(Pcsc([]), Tokens([])).wait(0)
    only_found = Tokens([], FOUND, changes=[True])
    assert not joined(Pcsc([]), only_found).wait(0)


def test_a_setting_names_modules_by_whole_paths_and_none_at_all() -> None:
    assert named_modules("/lib/a.so: /lib/b.so ::") == Modules(("/lib/a.so", "/lib/b.so"), are_named=True)
    assert modules_for({MODULE_VARIABLE: ""}) == Modules((), are_named=True)
    assert modules_for({MODULE_VARIABLE: "/lib/a.so"}).paths == ("/lib/a.so",)


@pytest.mark.parametrize(
    ("system", "file"),
    [("linux", "libaetpkss.so.3"), ("win32", "aetpkss1.dll"), ("darwin", "libaetpkss.dylib")],
)
def test_safesign_is_looked_for_first_then_opensc_then_ykcs11(system: str, file: str) -> None:
    """docs/card-modules.md: by their usual names on each system, at whole paths."""
    variables = {"SystemRoot": r"C:\Windows", "ProgramFiles": r"C:\Program Files"}
    found = usual_modules(system, variables, exists=lambda _: True).paths
    assert not usual_modules(system, variables, exists=lambda _: True).are_named
    assert file in found[0]
    kinds = [next(kind for kind in ("aetpkss", "opensc", "ykcs11") if kind in path.lower()) for path in found]
    assert kinds == sorted(kinds)
    assert all(path.startswith(("/", "C:\\")) for path in found)
    assert usual_modules(system, variables, exists=lambda _: False).paths == ()


def test_an_unknown_system_has_no_usual_modules() -> None:
    assert usual_modules("plan9", {}, exists=lambda _: True).paths == ()
    assert set(USUAL) == {"linux", "darwin", "win32"}


def test_without_a_setting_the_usual_modules_are_looked_for() -> None:
    assert not modules_for({}, "linux").are_named
