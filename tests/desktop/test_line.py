"""Links of later starts come to the window that is open: one login at a time, and the same one is shown again."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.desktop.driving import LONGEST_SECONDS, until

from zorgid.protocol.links import LaunchLink, parse_link
from zorgid_desktop import handover
from zorgid_desktop.handover import Answer, Listening, hand_over, place_of
from zorgid_desktop.windows.line import Line, listening, run_while_owed

LINKS = [parse_link(f"zorg-id:auth?v=1&e=demo&h=AAECAwQFBgcICQoLDA0OD{sign}&b=firefox") for sign in "wA"]


class Windows:
    """What the windows do with links, and in which thread they are asked."""

    def __init__(self) -> None:
        self.is_busy = self.fails = False
        self.followed: list[LaunchLink] = []
        self.forward = 0
        self.threads: set[threading.Thread] = set()

    def follow(self, link: LaunchLink) -> None:
        if self.fails:
            raise RuntimeError
        self.followed.append(link)
        self.threads.add(threading.current_thread())
        self.is_busy = True

    def come_forward(self) -> None:
        self.forward += 1
        self.threads.add(threading.current_thread())


@pytest.fixture
def windows() -> Windows:
    return Windows()


@pytest.fixture
def line(windows: Windows) -> Line:
    return Line(lambda: windows.is_busy, windows.follow, windows.come_forward)


def elsewhere(act: Callable[[], Answer | None]) -> Answer | None:
    """Do something in another thread, as the listener does, while the windows go on."""
    said: list[Answer | None] = []
    thread = threading.Thread(target=lambda: said.append(act()))
    thread.start()
    until(lambda: not thread.is_alive())
    return said[0]


def test_a_link_is_followed_in_the_thread_of_the_windows(line: Line, windows: Windows) -> None:
    assert elsewhere(lambda: line.on_link(LINKS[0])) is Answer.taken
    until(lambda: windows.followed)
    assert windows.followed == [LINKS[0]]
    assert windows.threads == {threading.current_thread()}


def test_the_same_login_comes_forward_and_another_waits(line: Line, windows: Windows) -> None:
    line.begin(LINKS[0])
    assert elsewhere(lambda: line.on_link(LINKS[0])) is Answer.taken
    assert elsewhere(lambda: line.on_link(LINKS[1])) is Answer.busy
    until(lambda: windows.forward)
    assert windows.followed == [LINKS[0]]
    windows.is_busy = False
    assert elsewhere(lambda: line.on_link(LINKS[1])) is Answer.taken
    until(lambda: len(windows.followed) == 2)
    assert windows.forward == 1


def test_of_two_links_at_once_one_is_followed(line: Line, windows: Windows) -> None:
    """The second comes before the window of the first is drawn."""
    assert [line.on_link(link) for link in LINKS] == [Answer.taken, Answer.busy]
    until(lambda: windows.followed)
    assert windows.followed == [LINKS[0]]


def test_a_window_that_cannot_be_drawn_is_in_no_later_links_way(
    line: Line, windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *facts: failed.append(facts[1]))
    windows.fails = True
    assert line.on_link(LINKS[0]) is Answer.taken
    until(lambda: failed)
    windows.fails = windows.is_busy = False
    assert line.on_link(LINKS[1]) is Answer.taken
    until(lambda: windows.followed)
    assert windows.followed == [LINKS[1]]


@pytest.fixture
def variables(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A desk of its own; on a busy computer a thread may have to wait for its turn."""
    monkeypatch.setattr(handover, "PATIENCE_SECONDS", LONGEST_SECONDS)
    folder = tmp_path_factory.mktemp("r")
    folder.chmod(0o700)
    return {"XDG_RUNTIME_DIR": str(folder), "DISPLAY": ":7"}


def test_a_second_start_reaches_the_window_by_the_socket(
    line: Line, windows: Windows, variables: dict[str, str]
) -> None:
    place = place_of(variables)
    assert place
    with listening(line, variables):
        assert elsewhere(lambda: hand_over(place, LINKS[0])) is Answer.taken
        until(lambda: windows.followed)
        assert elsewhere(lambda: hand_over(place, LINKS[1])) is Answer.busy
    assert hand_over(place, LINKS[0]) is None
    assert windows.followed == [LINKS[0]]


def test_a_link_that_comes_as_the_last_window_closes_is_shown_all_the_same(
    line: Line, windows: Windows, variables: dict[str, str]
) -> None:
    """Whoever gave it was told that it is shown, and has ended."""
    place, begun = place_of(variables), list[str]()
    assert place
    runs = [lambda: hand_over(place, LINKS[0]), lambda: until(lambda: windows.followed)]

    def run() -> None:
        runs.pop(0)()

    run_while_owed(line, variables, lambda: begun.append("list"), run)
    assert windows.followed == [LINKS[0]]
    assert begun == ["list"]
    assert not runs
    assert not line.is_owed()


def test_without_a_safe_place_the_windows_work_all_the_same(line: Line, variables: dict[str, str]) -> None:
    with listening(line, {}):
        pass
    place = place_of(variables)
    assert place
    with Listening(place, lambda _: Answer.busy), listening(line, variables):
        assert hand_over(place, LINKS[0]) is Answer.busy
    Path(variables["XDG_RUNTIME_DIR"], "zorg-id").chmod(0o777)
    with listening(line, variables):
        pass
