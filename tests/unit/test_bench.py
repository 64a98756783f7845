"""The bench hangs together: every measure has its part of a page, and pages hold nothing but what was taken."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from bench import __main__ as program
from bench import goals, page, results, tables
from bench.__main__ import MEASURES
from bench.plots import bars
from bench.results import OURS, Spread, keep, kept, ratios
from bench.turns import in_turns
from bench.wire import dechunked, whole


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_has_its_function_and_its_part_of_a_page(measure: str) -> None:
    module, _, function = MEASURES[measure].function.partition(".")
    assert callable(getattr(importlib.import_module(f"bench.measures.{module}"), function))
    assert measure in page.OF_ONE_MEASURE
    assert measure in marked()


def test_every_marked_part_of_a_page_is_made_by_somebody() -> None:
    assert marked() == page.OF_ONE_MEASURE.keys() | page.OF_ALL.keys()


def marked() -> set[str]:
    return {name for one in page.PAGES for _, name, _ in page.MARKED.findall(one.read_text(encoding="utf-8"))}


def test_pages_and_plots_are_made_of_the_figures_that_were_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures that were filled in by hand would differ."""
    monkeypatch.setattr(tables, "DOCS", tmp_path)
    for one in page.PAGES:
        text = one.read_text(encoding="utf-8")
        assert page.filled(text) == text
    drawn = {plot.name: plot.read_text(encoding="utf-8") for plot in tmp_path.glob("*.svg")}
    beside = {plot.name: plot.read_text(encoding="utf-8") for plot in page.DOCS.glob("performance-*.svg")}
    assert drawn == beside


def test_every_goal_is_measured() -> None:
    assert {goal.measure for goal in goals.GOALS} <= MEASURES.keys()


@pytest.mark.parametrize(
    ("is_least", "found", "is_reached"),
    [(True, 2.0, True), (True, 1.99, False), (False, 2.0, True), (False, 2.01, False)],
)
def test_a_goal_is_reached_at_its_aim(is_least: bool, found: float, is_reached: bool) -> None:
    goal = goals.Goal("a goal", "token", lambda _: found, 2.0, is_least=is_least)
    assert goal.is_reached(found) is is_reached


@dataclass(frozen=True)
class Server:
    name: str


def test_servers_are_asked_there_and_back_again_and_the_first_round_does_not_count() -> None:
    asked = []

    def ask(one: Server, number: int) -> dict[str, float]:
        asked.append(one.name)
        return {"rate": number}

    told = in_turns([Server("ours"), Server("peer")], 2, ask)
    assert asked == ["peer", "ours", "ours", "peer", "peer", "ours"]
    assert told == {"ours": [{"rate": 1}, {"rate": 2}], "peer": [{"rate": 1}, {"rate": 2}]}


def test_a_ratio_is_that_of_each_round_apart() -> None:
    """A busy round slows both, and moves no ratio."""
    told = {
        OURS: [{"rate": 10.0}, {"rate": 1.0}, {"rate": 20.0}],
        "peer": [{"rate": 5.0}, {"rate": 0.5}, {"rate": 10.0}],
    }
    assert ratios(told) == {"peer": Spread(2, 2, 2)}


def test_a_ratio_that_moved_too_far_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "TAKEN", tmp_path)
    for ratio in (1.0, 1.3):
        keep("token", {}, {"peer": Spread(ratio, ratio, ratio), "steady": Spread(2, 2, 2)})

    again = kept("token")
    assert again is not None
    assert again["before"] == {"peer": 1.0, "steady": 2}
    assert goals.moved() == ["token: peer was 1.00, is 1.30"]
    assert "| token: peer | 1.00 | 1.30 | 30% |" in goals.repeated()


def test_a_measure_that_does_not_hold_ends_the_run_loudly_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_runs: int) -> None:
        raise AssertionError("two with one code")

    ran: list[int] = []
    modules = {"token": SimpleNamespace(run=broken), "login": SimpleNamespace(run=ran.append)}
    monkeypatch.setattr(program, "MEASURES", {name: program.Measure(f"{name}.run") for name in modules})
    imports = SimpleNamespace(import_module=lambda name: modules[name.rpartition(".")[2]])
    monkeypatch.setattr(program, "importlib", imports)
    held = {name: program.measured(name, 3) for name in modules}
    assert held == {"token": False, "login": True}
    assert ran == [3]
    assert "two with one code" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="FAILED, and gave no figures: token"):
        program.require_all(["token"])


def test_an_answer_is_whole_when_all_of_its_body_is_there() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    assert whole(head[:-1]) is None
    assert whole(head + b"abc") is None
    answer = whole(head + b"abcd")
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"abcd")


def test_an_answer_in_chunks_is_put_together() -> None:
    assert dechunked(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n") == b"abcde"


def test_a_plot_has_a_bar_for_each_value_and_says_it_in_words() -> None:
    drawn = ET.fromstring(bars("rates", {"ours & theirs": Spread(2, 1, 3), "peer": Spread(1, 1, 1)}))
    title = drawn.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "rates - ours & theirs: 2; peer: 1"
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == 3
