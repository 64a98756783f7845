"""The bench hangs together: every measure runs by name and has its part of the page (docs/performance.md)."""

import importlib
from xml.etree import ElementTree as ET

import pytest
from bench.__main__ import MEASURES
from bench.page import MARKED, PAGE, PARTS
from bench.plots import bars
from bench.results import Spread
from bench.wire import dechunked, whole


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_has_its_function_and_its_part_of_the_page(measure: str) -> None:
    module, _, function = MEASURES[measure].partition(".")
    assert callable(getattr(importlib.import_module(f"bench.measures.{module}"), function))
    assert measure in PARTS
    assert measure in {name for _, name, _ in MARKED.findall(PAGE.read_text(encoding="utf-8"))}


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
