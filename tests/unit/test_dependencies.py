"""What the project is built on is pinned, explained, and comes from wherever the machine gets its packages."""

import re
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
LOCKS = ["development.txt", "server.txt", "interop.txt", "pcsc.txt"]
PINNED = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==\S+", re.MULTILINE)


def wanted(*extras: str) -> set[str]:
    """The names of the dependencies in pyproject.toml; of every extra when none is named."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    chosen = extras or tuple(project["optional-dependencies"])
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in chosen)]
    return {re.split(r"[\[><=~ ]", line)[0] for lines in lists for line in lines}


def pinned(lock: str) -> set[str]:
    return set(PINNED.findall((HERE / "requirements" / lock).read_text()))


@pytest.mark.parametrize(
    ("lock", "names"),
    [
        ("development.txt", wanted() - {"pyscard"}),
        ("pcsc.txt", {"pyscard"}),
        ("server.txt", wanted("server")),
    ],
)
def test_every_dependency_is_in_its_lock(lock, names):
    assert names - pinned(lock) == set(), "run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_in_a_lock_is_pinned_by_hash(lock):
    for block in re.split(r"\n(?=[a-z])", (HERE / "requirements" / lock).read_text()):
        if not block.startswith("#"):
            assert PINNED.match(block), block
            assert "--hash=sha256:" in block


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_address(lock):
    assert not re.search(r"://|--(extra-)?index|--find-links| @ ", (HERE / "requirements" / lock).read_text())


def test_every_dependency_is_explained():
    page = (HERE / "docs" / "dependencies.md").read_text()

    assert {name for name in wanted() | {"yubikey-manager"} if name not in page} == set()
