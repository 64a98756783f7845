"""Modules that are not there, are none, crash or hang: each a sentence, and this process lives on (ALL-2)."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.interop.tokens.tokens import SOFTHSM

from cardkit.errors import ModuleFlaw, ModuleUnusable
from cardkit.pkcs11 import probe
from cardkit.pkcs11.module import Module, module_at
from cardkit.pkcs11.places import Modules, named_modules
from cardkit.pkcs11.readers import Pkcs11Readers
from zorgid.kernel.sentences import Language
from zorgid_desktop.flow.cards import trouble_of
from zorgid_desktop.texts import sentence

SOURCES = {
    ModuleFlaw.crashed: "#include <stdlib.h>\nunsigned long C_GetFunctionList(void **list) { abort(); }",
    ModuleFlaw.mute: "#include <unistd.h>\nunsigned long C_GetFunctionList(void **list) { for (;;) pause(); }",
    ModuleFlaw.unfit: "unsigned long C_GetFunctionList(void **list) { return 5; }",
}


def built(folder: Path, source: str) -> str:
    file = folder / "module.c"
    file.write_text(source)
    module = folder / "module.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", module, file], check=True)
    return str(module)


@pytest.mark.parametrize("flaw", SOURCES)
def test_a_module_that_misbehaves_takes_nothing_with_it(
    flaw: ModuleFlaw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried in a process of its own first."""
    if flaw is ModuleFlaw.mute:
        monkeypatch.setattr(probe, "LONGEST_SECONDS", 3.0)
    path = built(tmp_path, SOURCES[flaw])
    with pytest.raises(ModuleUnusable) as told:
        Module(path).slots()
    assert (told.value.flaw, told.value.module) == (flaw, path)


def test_a_file_that_is_no_library_is_no_module(tmp_path: Path) -> None:
    path = tmp_path / "text.so"
    path.write_text("no library")
    with pytest.raises(ModuleUnusable) as told:
        Module(str(path)).slots()
    assert told.value.flaw is ModuleFlaw.unfit


def test_a_module_that_is_missing_is_looked_for_again(tmp_path: Path) -> None:
    """Whoever installs it meanwhile needs no restart."""
    path = tmp_path / "later.so"
    module = Module(str(path))
    for _ in range(2):
        with pytest.raises(ModuleUnusable) as told:
            module.slots()
        assert told.value.flaw is ModuleFlaw.missing
    path.write_text("no library")
    with pytest.raises(ModuleUnusable) as told:
        module.slots()
    assert told.value.flaw is ModuleFlaw.unfit


def test_a_module_is_never_looked_for_in_some_folder() -> None:
    """Only whole paths: a file in the folder of a download would do harm."""
    with pytest.raises(ModuleUnusable) as told:
        Module("libsofthsm2.so").slots()
    assert told.value.flaw is ModuleFlaw.not_whole


def test_the_other_modules_go_on(tmp_path: Path) -> None:
    """A broken module beside a good one: its cards are there, and the trouble is told."""
    crashing = built(tmp_path, SOURCES[ModuleFlaw.crashed])
    readers = Pkcs11Readers(Modules((crashing, SOFTHSM), are_named=True))
    code = (
        "import sys; from cardkit.pkcs11.places import Modules; from cardkit.pkcs11.readers import Pkcs11Readers\n"
        "from cardkit.pkcs11 import probe; probe.LONGEST_SECONDS = 120.0\n"
        "if __name__ == '__main__':\n"
        "    readers = Pkcs11Readers(Modules(tuple(sys.argv[1:]), are_named=True))\n"
        "    print(len(readers.present()), [str(one.flaw) for one in readers.troubles()])\n"
    )
    script = tmp_path / "look.py"
    script.write_text(code)
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    told = subprocess.run(
        [sys.executable, script, *readers.chosen.paths],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf")},
    )
    assert told.stdout == "1 ['crashed']\n", told.stderr


@pytest.mark.parametrize("flaw", list(ModuleFlaw))
def test_each_trouble_with_a_module_is_a_sentence_with_a_way_on(flaw: ModuleFlaw) -> None:
    """ALL-2."""
    said = trouble_of(ModuleUnusable(module="/lib/module.so", flaw=flaw))
    for language in Language:
        text = sentence(said, language)
        assert "/lib/module.so" in text.text
        assert text.next_step


def test_a_process_has_one_of_each_module() -> None:
    """Locks and holds are kept there; windows make readers anew each time they look."""
    chosen = named_modules(SOFTHSM)
    first, second = Pkcs11Readers(chosen), Pkcs11Readers(chosen)
    assert first._modules[0] is second._modules[0] is module_at(SOFTHSM)
    module_at.cache_clear()


def test_calls_into_a_module_are_made_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-pkcs11 does not tell modules that there are threads."""
    module = Module(SOFTHSM)
    monkeypatch.setattr(module, "_load", lambda: None)
    inside, seen = 0, []
    gate = threading.Barrier(4)

    def call() -> None:
        nonlocal inside
        gate.wait(60)
        for _ in range(200):
            with module.calling("C_Any"):
                inside += 1
                seen.append(inside)
                inside -= 1

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(seen) == {1}
