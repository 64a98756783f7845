"""What was broken off halfway does not lead set-up astray: it installs into this folder's environment or not at all."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that has nothing to install."""
    shutil.copytree(TOOLS, tmp_path / "tools")
    (tmp_path / "requirements").mkdir()
    for name in ("requirements/development.txt", "requirements/interop.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    return tmp_path


def set_up(clone: Path) -> None:
    """Run set-up without a network; it ends where the project itself would be installed."""
    python = str(Path(sys.base_prefix) / "bin" / "python3")
    variables = {**os.environ, "PIP_NO_INDEX": "1", "PYTHON": python}
    subprocess.run([clone / "tools" / "set-up"], env=variables, capture_output=True, check=False, timeout=300)


def fingerprint(clone: Path) -> str:
    """What set-up writes when it is done, for this folder."""
    names = ("requirements/development.txt", "requirements/interop.txt", "pyproject.toml", "tools/set-up")
    facts = f"{clone}\n".encode() + b"".join((clone / name).read_bytes() for name in names)
    return f"{hashlib.sha256(facts).hexdigest()}  -\n"


def prefix_of(clone: Path) -> Path:
    asked = [clone / ".venv" / "bin" / "python", "-c", "import sys; print(sys.prefix)"]
    return Path(subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout.strip())


def test_an_environment_that_was_half_removed_is_made_anew(clone: Path) -> None:
    """Without its `pyvenv.cfg` its Python is the computer's own, and everything would be installed there."""
    programs = clone / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    (programs / "activate").write_text(f"VIRTUAL_ENV={clone}/.venv\n")
    assert prefix_of(clone) == Path(sys.base_prefix)
    set_up(clone)
    assert prefix_of(clone) == clone / ".venv"


def test_a_mark_of_set_up_alone_is_no_environment(clone: Path) -> None:
    """A removal that was broken off may leave it for last."""
    set_up(clone)
    (clone / ".venv" / ".set-up").write_text(fingerprint(clone))
    (clone / ".venv" / "pyvenv.cfg").unlink()
    set_up(clone)
    assert prefix_of(clone) == clone / ".venv"


def test_an_environment_of_another_folder_is_made_anew(clone: Path) -> None:
    """A copied folder brings one whose programs start in the folder it came from."""
    set_up(clone)
    (clone / ".venv" / "bin" / "activate").write_text("VIRTUAL_ENV=/elsewhere/.venv\n")
    set_up(clone)
    assert f"{clone}/.venv" in (clone / ".venv" / "bin" / "activate").read_text()


@pytest.mark.parametrize("line", ["VIRTUAL_ENV={}", 'VIRTUAL_ENV="{}"', "    export VIRTUAL_ENV='{}'"])
def test_a_whole_environment_is_kept(clone: Path, line: str) -> None:
    """As Python 3.11 to 3.14 write where it is."""
    set_up(clone)
    (clone / ".venv" / "bin" / "activate").write_text(line.format(clone / ".venv") + "\n")
    mark = clone / ".venv" / "mark"
    mark.touch()
    set_up(clone)
    assert mark.exists()


def test_what_is_taken_away_is_gone_as_a_whole(clone: Path) -> None:
    """Also what an earlier removal left when it was broken off."""
    for name in (".venv", ".venv.leaving"):
        (clone / name).mkdir()
        (clone / name / "file").touch()
    for again in range(2):
        if again:
            (clone / ".venv").symlink_to("/nonexistent")
        subprocess.run([clone / "tools" / "take-away", clone / ".venv"], check=True, timeout=60)
        assert {one.name for one in clone.iterdir()} == {"tools", "requirements", "pyproject.toml"}
