"""A data folder of the demo serves one demo at a time, on the ports that it was made for."""

import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zorgid.demo.errors import DemoPortTaken, DemoRunsAlready, FolderOfOtherPorts
from zorgid.demo.folder import Start, alone, line_for_empty_demo, made_for_port, require_its_ports
from zorgid.demo.world import World, open_world
from zorgid.kernel.clock import system_clock
from zorgid.kernel.errors import Refusal
from zorgid.kernel.randomness import system_random
from zorgid.kernel.sentences import Language
from zorgid.pki.algorithms import KeyKind
from zorgid.settings import Settings
from zorgid.web.shell import load_sentences

HOLDER = """
import sys
from pathlib import Path
from zorgid.demo.folder import Start, alone
from zorgid.settings import Settings
with alone(Start(Settings(data_folder=Path(sys.argv[1])), is_once=False)):
    print("in", flush=True)
    sys.stdin.read()
"""


def on(port: int, folder: Path, **others: object) -> Settings:
    return Settings.model_validate(
        {
            "data_folder": folder,
            "listen_port": port,
            "origin": f"http://localhost:{port}",
            "pki_listen_port": port + 4,
            "pki_origin": f"http://127.0.0.1:{port + 4}",
            "card_key_kind": KeyKind.p256,
            **others,
        }
    )


def visit(settings: Settings) -> Start:
    return Start(settings, is_once=False)


def variables_in(line: str) -> dict[str, str]:
    """The settings that a line to copy gives its command."""
    return dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)


def test_a_second_demo_in_one_folder_is_refused_though_its_ports_are_its_own(tmp_path: Path) -> None:
    """ALL-2: it is told which demo runs, and gets a line that starts this one elsewhere."""
    folder = tmp_path / "var"
    with (
        alone(visit(on(8600, folder))),
        pytest.raises(DemoRunsAlready) as refused,
        alone(visit(on(8700, folder))),
    ):
        pass
    facts = refused.value.facts
    assert facts["origin"] == "http://localhost:8600"
    assert facts["process"].isdigit()
    given = variables_in(facts["elsewhere"])
    assert given["ZORGID_LISTEN_PORT"] == "8700"
    assert given["ZORGID_DATA_FOLDER"] == f"{tmp_path}/var-8700"


def test_a_second_demo_on_the_same_ports_is_shown_others(tmp_path: Path) -> None:
    settings = on(8600, tmp_path / "var")
    with alone(visit(settings)), pytest.raises(DemoRunsAlready) as refused, alone(visit(settings)):
        pass
    assert variables_in(refused.value.facts["elsewhere"]) == {
        "ZORGID_LISTEN_PORT": "8700",
        "ZORGID_ORIGIN": "http://localhost:8700",
        "ZORGID_PKI_LISTEN_PORT": "8704",
        "ZORGID_PKI_ORIGIN": "http://127.0.0.1:8704",
        "ZORGID_DATA_FOLDER": f"{tmp_path}/var-8700",
    }


def test_a_folder_is_free_again_when_its_demo_ends_however_it_ends(tmp_path: Path) -> None:
    settings = on(8600, tmp_path)
    with alone(visit(settings)):
        pass
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(DemoRunsAlready) as refused, alone(visit(settings)):
            pass
        assert refused.value.facts["process"] == str(other.pid)
        other.kill()
        other.wait()
        with alone(visit(settings)):
            pass


def test_the_main_job_by_itself_runs_beside_a_demo_but_not_beside_itself(tmp_path: Path) -> None:
    visitors, once = visit(on(8600, tmp_path)), Start(on(8700, tmp_path), is_once=True)
    with alone(visitors), alone(once), pytest.raises(DemoRunsAlready) as refused, alone(once):
        pass
    assert refused.value.facts["folder"] == tmp_path / "once"
    assert refused.value.facts["elsewhere"].endswith(" make demo-once")


def test_a_folder_goes_with_the_ports_that_its_cards_were_made_for(tmp_path: Path) -> None:
    """Both ways out are shown: its own ports, and a folder for these."""
    folder = tmp_path / "var"
    assert made_for_port(folder) is None
    require_its_ports(visit(on(8700, folder)))
    made = on(8600, folder)
    open_world(made, clock=system_clock, random=system_random, folder=folder)
    require_its_ports(visit(made))
    with pytest.raises(FolderOfOtherPorts) as refused:
        require_its_ports(visit(on(8700, folder)))
    facts = refused.value.facts
    assert (facts["made_for"], facts["asked"]) == (8600, 8700)
    there, elsewhere = variables_in(facts["there"]), variables_in(facts["elsewhere"])
    assert (there["ZORGID_ORIGIN"], there["ZORGID_DATA_FOLDER"]) == ("http://localhost:8600", str(folder))
    assert (elsewhere["ZORGID_ORIGIN"], elsewhere["ZORGID_DATA_FOLDER"]) == (
        "http://localhost:8700",
        f"{folder}-8700",
    )


def test_a_demo_and_the_main_job_that_start_together_make_one_register(tmp_path: Path) -> None:
    """Each on its own ports and with its own cards; the keys of the register are shared, and kept."""

    def open_on(port: int) -> World:
        there, settings = tmp_path / str(port), on(port, tmp_path)
        return open_world(settings, clock=system_clock, random=system_random, folder=there, kept_in=tmp_path)

    with ThreadPoolExecutor() as threads:
        one, other = threads.map(open_on, (8600, 8700))
    for first, second in zip(one.register.cards, other.register.cards, strict=True):
        keys = [card.authentication.certificate.public_key() for card in (first, second)]
        assert keys[0] == keys[1], first.label


@pytest.mark.parametrize(
    ("folder", "beside"),
    [("var", "var-8700"), ("var-8600", "var-8700"), ("a b/var", "a b/var-8700"), ("2026", "2026-8700")],
)
def test_the_folder_that_is_proposed_stands_beside_the_present_one(folder: str, beside: str) -> None:
    start = visit(on(8600, Path(folder)))
    assert variables_in(start.elsewhere)["ZORGID_DATA_FOLDER"] == beside


def test_ports_that_are_proposed_exist_and_a_proxy_keeps_its_own(tmp_path: Path) -> None:
    given = variables_in(visit(on(65_500, tmp_path, origin="http://localhost")).elsewhere)
    assert given["ZORGID_LISTEN_PORT"] == "65400"
    assert given["ZORGID_ORIGIN"] == "http://localhost"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "refusal",
    [
        DemoRunsAlready(folder=Path("var"), process="4711", origin="http://localhost:8600", elsewhere="LINE"),
        FolderOfOtherPorts(folder=Path("var"), made_for=8600, asked=8700, there="THERE", elsewhere="LINE"),
        DemoPortTaken(port=8600, elsewhere="LINE"),
    ],
    ids=lambda refusal: getattr(refusal, "code", ""),
)
def test_every_refusal_shows_lines_to_copy_by_themselves(refusal: Refusal, language: Language) -> None:
    """ALL-1, ALL-2."""
    said = load_sentences().sentence(refusal.code, refusal.facts, language)
    assert "8600" in said.text
    assert "  LINE" in said.next_step.splitlines()


def test_the_line_for_an_empty_demo_is_the_one_of_the_readme_and_fits_other_ports() -> None:
    """ALL-2: a test person whose first birth date was a wrong one is helped by it."""
    usual = line_for_empty_demo(on(8600, Path("var")))
    readme = Path(__file__).parents[3] / "README.md"
    assert f"`{usual}`" in readme.read_text(encoding="utf-8")
    elsewhere = line_for_empty_demo(on(8700, Path("var")))
    assert elsewhere is not None
    assert elsewhere.startswith("rm -rf -- var && ZORGID_LISTEN_PORT=8700 ")
    assert variables_in(elsewhere)["ZORGID_DATA_FOLDER"] == "var"


@pytest.mark.parametrize("folder", ["/", ".", "..", "/srv/zorgid", "a b/var-8700", "-rf", "/home/sanne/var"])
def test_no_page_says_to_throw_a_folder_of_somebodys_own_away(folder: str) -> None:
    assert line_for_empty_demo(on(8600, Path(folder))) is None


def test_no_line_is_shown_that_would_not_empty_the_demo() -> None:
    """A server of somebody's own keeps the data, and where others visit too nothing is thrown away."""
    assert line_for_empty_demo(on(8600, Path("var"), database_url="postgresql:///zorgid")) is None
    acceptance = on(8600, Path("var")).model_copy(update={"environment": "acceptance"})
    assert line_for_empty_demo(acceptance) is None
