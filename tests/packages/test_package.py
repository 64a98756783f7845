"""The Desktop App as it is packed: the built programs start by themselves, and a production build holds nothing of tests."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.browser.desk import desk
from tools.package.make import built_module, lay_out

from cardkit.virtual import VirtualReader, make_blank_card, make_uzi_like_card
from zorgid.protocol.environments import Environment, EnvironmentList, sign_environments
from zorgid_desktop import APP_VERSION
from zorgid_desktop.build import Flavour

HOUSE = Path(__file__).parents[2]
MAKE = HOUSE / "tools/package/make.py"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()


def signed_list(folder: Path, *ids: str) -> Path:
    now = datetime.now(UTC)
    listed = EnvironmentList(
        serial=1,
        valid_from=now - timedelta(days=1),
        valid_until=now + timedelta(days=1),
        environments=tuple(Environment(id=one, origin=f"https://{one}.example") for one in ids),
    )
    path = folder / "environments.json"
    path.write_text(sign_environments(listed, KEY.sign).model_dump_json())
    return path


def clean_variables(**others: str) -> dict[str, str]:
    """An environment without anything of this project in it."""
    return {"PATH": "/usr/bin:/bin", "LANG": "nl_NL.UTF-8", **others}


def test_the_packed_programs_start_and_show_cards(tmp_path: Path) -> None:
    """Built once, and run without Python, project or environment of this machine."""
    built = subprocess.run(
        [sys.executable, MAKE, "--to", tmp_path], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-3000:]
    folder = tmp_path / "zorgid-desktop-demo"
    assert 50 < sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6 < 300

    cards = tmp_path / "cards"
    reader = VirtualReader(cards)
    reader.add("leeg-1", make_blank_card(20_000_001))
    reader.add("uzi-niemand", make_uzi_like_card(10_000_001, {}, pin="123456"))

    def run(*words: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            [folder / "zorgid-desktop", *words],
            env=clean_variables(HOME=str(tmp_path)), cwd="/", capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    assert run("--version").strip() == f"{APP_VERSION} (demo)"
    rows = json.loads(run("--cards-folder", cards, "cards", "--json"))
    assert [row["name"] for row in rows] == ["leeg-1", "uzi-niemand"]
    assert "link van ZORG-ID" in run("--cards-folder", cards, "open", "--", "zorg-id:nothing", code=1)

    with desk(tmp_path / "home") as at:
        window = str(folder / "zorgid-desktop-window")
        at.run(folder / "zorgid-desktop", "--cards-folder", cards, "scheme", "register")
        launcher = (tmp_path / "home/data/applications/zorgid-desktop.desktop").read_text()
        assert f"Exec={window} --cards-folder {cards} open --window -- %u\n" in launcher
        with subprocess.Popen([window, "--cards-folder", cards, "window"], env=at.variables) as program:
            at.see("ZORG-ID")
            assert program.poll() is None
            program.terminate()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """What goes into a production build."""
    folder = tmp_path / "sources"
    lay_out(folder, Flavour.production, [PUBLIC], signed_list(tmp_path, "production", "acceptance"))
    return folder


def in_build(sources: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run something with the modules of a build, on a computer without a PC/SC service."""
    variables = clean_variables(
        PYTHONPATH=str(sources),
        HOME=str(sources),
        XDG_STATE_HOME=str(sources / "state"),
        PCSCLITE_CSOCK_NAME=str(sources / "none"),
    )
    return subprocess.run(
        [sys.executable, "-c", code], env=variables, cwd="/", capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "module", ["cardkit.virtual", "zorgid.demo", "zorgid.ca", "zorgid.settings", "zorgid.web"]
)
def test_a_production_build_lacks_cards_of_software_and_the_platform(sources: Path, module: str) -> None:
    done = in_build(sources, f"import zorgid_desktop.build, {module}")
    assert "ModuleNotFoundError" in done.stderr
    assert not (sources / module.replace(".", "/")).exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--version"], 0, f"{APP_VERSION} (production)"),
        (["--cards-folder", "x", "cards"], 2, "usage"),
        (["virtual-card", "x"], 2, "usage"),
    ],
)
def test_a_production_build_offers_nothing_for_tests(
    sources: Path, words: list[str], code: int, said: str
) -> None:
    done = in_build(sources, f"import sys; from zorgid_desktop.cli import main; sys.exit(main({words!r}))")
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr


def test_a_production_build_looks_at_the_readers_of_the_computer(sources: Path) -> None:
    """Without a PC/SC service it says so: nothing of ours takes the place of readers.

    The service of this computer would be that of another test, whose card would be in use for a moment.
    """
    code = "import sys; from zorgid_desktop.cli import main; sys.exit(main(['cards', '--json']))"
    done = in_build(sources, code)
    assert (done.returncode, done.stdout) == (1, "[]\n")
    assert "De dienst voor paslezers" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_production_build_finds_production_and_nothing_else(sources: Path) -> None:
    code = (
        "from zorgid_desktop.environments import *\n"
        "print(origin_of('production', {}))\n"
        "for other in ('demo', 'acceptance'):\n"
        "    try: print(origin_of(other, {'ZORGID_DESKTOP_DEMO_ORIGIN': 'http://localhost:1'}))\n"
        "    except EnvironmentUnknown: print('unknown')\n"
    )
    done = in_build(sources, code)
    assert done.stdout.split() == ["https://production.example", "unknown", "unknown"], done.stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--key", PUBLIC],
        ["--key", "00" * 32, "--environments", "LIST"],
        ["--key", PUBLIC, "--environments", "OTHER"],
        ["--key", "x", "--environments", "LIST"],
    ],
)
def test_a_build_that_could_not_find_its_platform_is_not_made(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "other").mkdir()
    lists = {
        "LIST": str(signed_list(tmp_path, "production")),
        "OTHER": str(signed_list(tmp_path / "other", "acceptance")),
    }
    done = subprocess.run(
        [sys.executable, MAKE, "--flavour", "production", "--to", tmp_path / "to", *(lists.get(one, one) for one in words)],
        capture_output=True, text=True, env={**os.environ}, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert not (tmp_path / "to").exists()


def test_a_module_that_is_not_as_expected_stops_the_packing() -> None:
    with pytest.raises(SystemExit):
        built_module("FLAVOUR = 'demo'\n", Flavour.production, [])
