"""The app watches the card of a login, and tells the platform when it is pulled (LOGIN-7, LOGIN-10)."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.desktop.builders import Desk, ScriptedFace, a_context, a_named_card, an_act

from cardkit.readers import PivReader
from zorgid.kernel.secrets import Secret
from zorgid.protocol.links import Browser, LaunchLink
from zorgid.protocol.messages import Problem, SessionReply, SessionState
from zorgid_desktop.flow import watching
from zorgid_desktop.flow.login import LoggedIn, Surroundings
from zorgid_desktop.flow.seeing import see
from zorgid_desktop.flow.watching import WatchEnd, watch_card, watches
from zorgid_desktop.server import PlatformRefused, PlatformUnreachable

LINK = LaunchLink("demo", Secret(bytes(range(16))), Browser.default)
ALIVE = SessionReply(state=SessionState.alive, ask_again_after_seconds=60)
ENDED = SessionReply(state=SessionState.ended, ask_again_after_seconds=60)


def refused(status: int) -> PlatformRefused:
    problem = Problem(
        type="", title="", status=status, code="x", detail="", next_step="", facts={}, reference=""
    )
    return PlatformRefused(problem)


class Platform:
    """Answers from two lists; the last answer of each is given again and again."""

    def __init__(self) -> None:
        self.states: list[Any] = [ALIVE]
        self.ends: list[Any] = [ENDED]
        self.asked: list[str] = []

    def call(self, path: str, message: Any, answer: Any) -> Any:
        assert message.handle == LINK.handle.text_for_wire()
        self.asked.append(path)
        answers = self.ends if path == "/session/end" else self.states
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(given, Exception):
            raise given
        return given


class Watch:
    """A login with Anna's UZI card in the left reader, about to be watched."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder)
        a_named_card(self.desk.left, "anna", "Anna de Vries", "900000101", serial=1)
        a_named_card(self.desk.left, "bas", "Bas Jansen", "900000102", serial=2)
        self.desk.left.insert("anna")
        with PivReader(self.desk.left).open_card() as card:
            self.card = see("Links", card).seen
        self.platform = Platform()
        self.face = ScriptedFace()
        self.before = self.desk.files()

    def run(self, *turns: Callable[[], None], is_stopped: Callable[[], bool] = lambda: False) -> WatchEnd:
        self.desk.turns = iter(turns)
        around = Surroundings(
            self.platform,  # type: ignore[arg-type]  # it answers as the platform does
            self.desk,
            lambda *_: None,
            lambda: datetime(2026, 6, 15, tzinfo=UTC),
        )
        logged_in = LoggedIn(a_context(), self.card)
        return watch_card(around, self.face, LINK, logged_in, is_stopped=is_stopped)

    @property
    def told(self) -> list[str]:
        return [said.code for said in self.face.told]


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def nothing() -> None:
    """Something moved elsewhere."""


def test_a_pulled_card_is_told_at_once(watch: Watch) -> None:
    assert watch.run(nothing, watch.desk.left.remove) is WatchEnd.card_out
    assert watch.platform.asked == ["/session", "/session/end"]
    assert watch.told == ["watching", "session-ended-by-pull"]


def test_another_card_in_its_place_is_a_pull_too(watch: Watch) -> None:
    """Quicker than anybody looks: this very card counts, and the other one is only read."""
    assert watch.run(lambda: watch.desk.left.insert("bas")) is WatchEnd.card_out
    assert watch.desk.files() == watch.before


def test_a_card_that_was_swapped_before_the_watch_began_is_noticed(watch: Watch) -> None:
    watch.desk.left.insert("bas")
    assert watch.run() is WatchEnd.card_out


def test_an_unplugged_reader_took_the_card_with_it(watch: Watch) -> None:
    assert watch.run(lambda: watch.desk.unplugged.add("Links")) is WatchEnd.card_out


def test_what_happens_in_another_reader_ends_nothing(watch: Watch) -> None:
    end = watch.run(
        lambda: watch.desk.right.insert("bas"),
        watch.desk.right.remove,
        lambda: watch.desk.unplugged.add("Rechts"),
        watch.desk.left.remove,
    )
    assert end is WatchEnd.card_out
    assert watch.platform.asked.count("/session/end") == 1


def test_a_card_that_another_program_uses_is_still_there(watch: Watch) -> None:
    with PivReader(watch.desk.left).open_card():
        ends = iter([False, False, True])
        assert watch.run(nothing, nothing, is_stopped=lambda: next(ends)) is WatchEnd.stopped
    assert "/session/end" not in watch.platform.asked


def test_the_service_may_be_away_for_a_moment_but_not_for_long(watch: Watch) -> None:
    def service(is_there: bool) -> Callable[[], None]:
        return lambda: setattr(watch.desk, "service_is_there", is_there)

    turns = [service(False), nothing, service(True), nothing, service(False), nothing, nothing]
    assert watch.run(*turns) is WatchEnd.card_out
    assert list(watch.desk.turns) == []


@pytest.mark.parametrize(
    ("is_back", "end"),
    [(True, WatchEnd.stopped), (False, WatchEnd.card_out)],
    ids=["for a moment", "for good"],
)
def test_a_service_that_goes_away_in_the_middle_of_a_look_is_no_pull_yet(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, is_back: bool, end: WatchEnd
) -> None:
    """A reader without its service sees no card, and the readers were counted just before."""

    def goes_away() -> bool:
        watch.desk.service_is_there = False
        monkeypatch.undo()
        return False

    def comes_back() -> None:
        watch.desk.service_is_there = is_back

    monkeypatch.setattr(watch.desk.left, "has_card", goes_away)
    stops = iter([False, False, False, True])
    turns = [comes_back, nothing, nothing]
    assert watch.run(*turns, is_stopped=lambda: next(stops)) is end
    assert watch.platform.asked.count("/session/end") == (0 if is_back else 1)


def test_a_session_that_ended_otherwise_ends_the_watch(watch: Watch) -> None:
    watch.platform.states = [ENDED]
    assert watch.run() is WatchEnd.session_ended
    assert watch.told == ["watching", "session-over"]
    assert "/session/end" not in watch.platform.asked


def test_the_platform_is_asked_no_more_often_than_it_says(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])

    def pass_by(seconds: float) -> Callable[[], None]:
        return lambda: now.__setitem__(0, now[0] + seconds)

    watch.platform.states = [ALIVE, ALIVE, ENDED]
    assert watch.run(pass_by(59), pass_by(1), pass_by(59), pass_by(2)) is WatchEnd.session_ended
    assert watch.platform.asked == ["/session"] * 3


@pytest.mark.parametrize("answer", [PlatformUnreachable(), refused(429), refused(500), refused(503)])
def test_a_platform_that_is_away_for_a_moment_ends_no_watch(watch: Watch, answer: Exception) -> None:
    watch.platform.states = [answer]
    assert watch.run(watch.desk.left.remove) is WatchEnd.card_out


def test_a_session_that_the_platform_does_not_know_any_more_ends_the_watch(watch: Watch) -> None:
    watch.platform.states = [refused(404)]
    assert watch.run() is WatchEnd.session_ended


@pytest.mark.parametrize("answer", [PlatformUnreachable(), refused(429), refused(500)])
def test_a_pull_is_told_until_the_platform_hears_and_the_person_knows_meanwhile(
    watch: Watch, answer: Exception
) -> None:
    watch.platform.ends = [answer, answer, ENDED]
    watch.desk.left.remove()
    assert watch.run(nothing, lambda: watch.desk.left.insert("anna")) is WatchEnd.card_out
    assert watch.told == ["watching", "session-end-not-told", "session-ended-by-pull"]
    assert watch.platform.asked == ["/session/end"] * 3


def test_an_app_that_is_closed_before_the_platform_heard_says_so(watch: Watch) -> None:
    watch.platform.ends = [PlatformUnreachable()]
    watch.desk.left.remove()
    ends = iter([False, False, True])
    assert watch.run(nothing, is_stopped=lambda: next(ends)) is WatchEnd.not_told


def test_closing_the_app_leaves_the_session_as_it_is(watch: Watch) -> None:
    assert watch.run(is_stopped=lambda: True) is WatchEnd.stopped
    assert watch.platform.asked == []


def test_only_a_login_is_watched(watch: Watch) -> None:
    assert watches(LoggedIn(a_context(), watch.card))
    assert not watches(LoggedIn(an_act(), watch.card))


def test_watching_changes_no_card_and_spends_no_try(watch: Watch) -> None:
    watch.run(*[nothing] * 20, watch.desk.left.remove)
    assert watch.desk.files() == watch.before
