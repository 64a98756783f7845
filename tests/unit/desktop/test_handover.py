"""A second start hands its link to the first, within one user and one desktop session only (decision 0580)."""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from zorgid.protocol.links import LaunchLink, parse_link
from zorgid_desktop import handover
from zorgid_desktop.handover import (
    AlreadyRunning,
    Answer,
    HandoverPlace,
    Listening,
    PlaceUnsafe,
    hand_over,
    place_of,
)

HANDLE = "AAECAwQFBgcICQoLDA0ODw"
LINK = parse_link(f"zorg-id:auth?v=1&e=demo&h={HANDLE}&b=firefox")
STRANGER = 65534


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runtime folder with a short name: the name of a socket has room for 107 bytes."""
    folder = tmp_path_factory.mktemp("r")
    folder.chmod(0o700)
    return folder


@pytest.fixture
def place(runtime: Path) -> HandoverPlace:
    found = place_of({"XDG_RUNTIME_DIR": str(runtime), "DISPLAY": ":1"}, "linux")
    assert found is not None
    return found


class Desk:
    """The first program, as far as links go."""

    def __init__(self, answer: Answer = Answer.taken) -> None:
        self.answer = answer
        self.links: list[LaunchLink] = []

    def __call__(self, link: LaunchLink) -> Answer:
        self.links.append(link)
        return self.answer


@pytest.mark.parametrize("answer", [Answer.taken, Answer.busy])
def test_the_first_program_gets_the_link_and_says_what_it_does(place: HandoverPlace, answer: Answer) -> None:
    desk = Desk(answer)
    with Listening(place, desk):
        for count in (1, 2):
            assert hand_over(place, LINK) is answer
            assert desk.links == [LINK] * count
    assert hand_over(place, LINK) is None
    assert not place.socket_path.exists()


def test_without_a_first_program_there_is_none_to_give_it_to(place: HandoverPlace) -> None:
    assert hand_over(place, LINK) is None
    place.folder.mkdir(mode=0o700)
    assert hand_over(place, LINK) is None


def test_one_program_is_the_first_at_a_desk(place: HandoverPlace) -> None:
    with Listening(place, Desk()), pytest.raises(AlreadyRunning), Listening(place, Desk()):
        pass
    with Listening(place, Desk()):
        assert hand_over(place, LINK) is Answer.taken


def test_a_first_program_that_was_killed_is_in_nobodys_way(place: HandoverPlace, runtime: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from zorgid_desktop.handover import *\n"
        f"with Listening(HandoverPlace(Path({str(place.folder)!r}), {place.session!r}), lambda link: Answer.taken):\n"
        "    print('up', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as first:
        assert first.stdout
        assert first.stdout.readline() == b"up\n"
        assert hand_over(place, LINK) is Answer.taken
        first.kill()
    assert place.socket_path.exists()
    assert hand_over(place, LINK) is None
    with Listening(place, desk := Desk()):
        assert hand_over(place, LINK) is Answer.taken
    assert desk.links == [LINK]


def test_another_desktop_session_of_the_same_user_is_another_desk(runtime: Path) -> None:
    places = [
        place_of({"XDG_RUNTIME_DIR": str(runtime), **desk}, "linux")
        for desk in (
            {"DISPLAY": ":1"},
            {"DISPLAY": ":2"},
            {"WAYLAND_DISPLAY": "w-0"},
            {"XDG_SESSION_ID": "7"},
            {},
        )
    ]
    assert len({place.session for place in places if place}) == len(places)
    first, second = places[:2]
    assert first
    assert second
    with Listening(first, desk := Desk()):
        assert hand_over(second, LINK) is None
        tell(first, json.dumps({"session": second.session, "link": LINK.text()}).encode(), Answer.refused)
    assert desk.links == []


@pytest.mark.parametrize(
    ("variables", "platform"),
    [
        ({}, "linux"),
        ({"XDG_RUNTIME_DIR": ""}, "linux"),
        ({"XDG_RUNTIME_DIR": "run"}, "linux"),
        ({"XDG_RUNTIME_DIR": "/run"}, "win32"),
        ({"XDG_RUNTIME_DIR": "/run"}, "darwin"),
    ],
)
def test_where_there_is_no_safe_place_every_start_stands_by_itself(
    variables: dict[str, str], platform: str
) -> None:
    assert place_of(variables, platform) is None


NONSENSE = [
    b"", b"{", b"[]", b"null", b"7", b"\xff", b"[" * 900, b"x" * 1001, b'{"session": "x"}',
    b'{"session": "SESSION", "link": "zorg-id:auth?v=1"}', b'{"session": "SESSION", "link": 7}', b'{"session": "SESSION"}',
    b'{"session": "SESSION", "link": "https://evil.example/"}', f'{{"session": ["SESSION"], "link": "{LINK.text()}"}}'.encode(),
]  # fmt: skip


def tell(place: HandoverPlace, message: bytes, expected: Answer | None) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as line:
        line.connect(str(place.socket_path))
        with suppress(OSError):
            line.sendall(message)
            line.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(OSError):
            answer = line.recv(100)
    assert answer == (b"" if expected is None else expected.value.encode())


@pytest.mark.parametrize("message", NONSENSE)
def test_nonsense_is_refused_and_the_next_link_is_taken(place: HandoverPlace, message: bytes) -> None:
    with Listening(place, desk := Desk()):
        tell(place, message.replace(b"SESSION", place.session.encode()), Answer.refused)
        assert desk.links == []
        assert hand_over(place, LINK) is Answer.taken


def test_a_caller_that_says_nothing_is_in_nobodys_way_for_long(
    place: HandoverPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Listening(place, Desk()):
        with monkeypatch.context() as hasty, closing(socket.socket(socket.AF_UNIX)) as line:
            hasty.setattr(handover, "PATIENCE_SECONDS", 0.2)
            line.connect(str(place.socket_path))
            assert line.recv(100) == b""
        assert hand_over(place, LINK) is Answer.taken


# A socket that somebody put in the way


@contextmanager
def trap(path: Path) -> Iterator[list[bytes]]:
    """A socket that keeps whatever it is sent."""
    caught: list[bytes] = []
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(path))
        listening.listen()

        def keep() -> None:
            with suppress(OSError):
                line, _ = listening.accept()
                with line:
                    line.sendall(b"taken")
                    caught.append(line.recv(2000))

        thread = threading.Thread(target=keep, daemon=True)
        thread.start()
        yield caught
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def as_stranger(run: Callable[[], None]) -> None:
    """Run something as another user, in a process of its own."""

    def change() -> None:
        os.setgid(STRANGER)
        os.setuid(STRANGER)
        run()

    process = multiprocessing.get_context("fork").Process(target=change)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def owned_by_a_stranger(place: HandoverPlace) -> None:
    os.chown(place.socket_path, STRANGER, STRANGER)


def open_to_others(place: HandoverPlace) -> None:
    place.socket_path.chmod(0o666)


def folder_of_a_stranger(place: HandoverPlace) -> None:
    os.chown(place.folder, STRANGER, STRANGER)


def folder_open_to_others(place: HandoverPlace) -> None:
    place.folder.chmod(0o711)


def folder_elsewhere(place: HandoverPlace) -> None:
    moved = place.folder.with_name("elsewhere")
    place.folder.rename(moved)
    place.folder.symlink_to(moved)


def socket_elsewhere(place: HandoverPlace) -> None:
    moved = place.folder / "elsewhere"
    place.socket_path.rename(moved)
    place.socket_path.symlink_to(moved)


UNSAFE = [
    owned_by_a_stranger,
    open_to_others,
    folder_of_a_stranger,
    folder_open_to_others,
    folder_elsewhere,
    socket_elsewhere,
]


@pytest.mark.parametrize("make_unsafe", UNSAFE, ids=lambda one: one.__name__)
def test_a_socket_that_is_not_this_users_alone_gets_no_handle(
    place: HandoverPlace, make_unsafe: Callable[[HandoverPlace], None]
) -> None:
    place.folder.mkdir(mode=0o700)
    with trap(place.socket_path) as caught:
        place.socket_path.chmod(0o600)
        make_unsafe(place)
        with pytest.raises(PlaceUnsafe):
            hand_over(place, LINK)
    assert caught == []


def test_a_file_in_the_way_gets_no_handle(place: HandoverPlace) -> None:
    place.folder.mkdir(mode=0o700)
    place.socket_path.write_text("")
    place.socket_path.chmod(0o600)
    with pytest.raises(PlaceUnsafe):
        hand_over(place, LINK)
    assert place.socket_path.read_text() == ""


def test_a_process_of_another_user_behind_a_socket_of_ours_gets_no_handle(
    place: HandoverPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel says whose process listens, whatever the file says."""
    place.folder.mkdir(mode=0o700)
    monkeypatch.setattr(handover, "_user_of", lambda line: STRANGER)
    with trap(place.socket_path) as caught:
        place.socket_path.chmod(0o600)
        with pytest.raises(PlaceUnsafe):
            hand_over(place, LINK)
    assert caught in ([], [b""])


def test_the_kernel_tells_whose_process_is_at_the_other_side(runtime: Path) -> None:
    """A stranger's process is known as such at both ends of a real socket."""
    path = (
        f"\0{runtime}/meeting"  # a name that is in no folder: a stranger may not enter the one of the tests
    )
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(path)
        listening.listen()
        listening.settimeout(60)

        def call() -> None:
            with closing(socket.socket(socket.AF_UNIX)) as line:
                line.connect(path)
                assert handover._user_of(line) == 0
                line.recv(1)

        caller = threading.Thread(target=as_stranger, args=(call,))
        caller.start()
        line, _ = listening.accept()
        with line:
            assert handover._user_of(line) == STRANGER
        caller.join()


def test_a_stranger_who_reaches_the_socket_is_not_heard(
    place: HandoverPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Listening(place, desk := Desk()):
        monkeypatch.setattr(handover, "_user_of", lambda line: STRANGER)
        tell(place, json.dumps({"session": place.session, "link": LINK.text()}).encode(), None)
    assert desk.links == []


def test_nobody_else_may_even_enter_the_folder(place: HandoverPlace) -> None:
    with Listening(place, Desk()):
        assert place.folder.stat().st_mode & 0o777 == 0o700
        assert place.socket_path.stat().st_mode & 0o777 == 0o600
        assert place.lock_path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "make_unsafe",
    [folder_of_a_stranger, folder_open_to_others, folder_elsewhere],
    ids=lambda one: one.__name__,
)
def test_the_first_program_listens_in_no_unsafe_folder(
    place: HandoverPlace, make_unsafe: Callable[[HandoverPlace], None]
) -> None:
    place.folder.mkdir(mode=0o700)
    make_unsafe(place)
    with pytest.raises(PlaceUnsafe), Listening(place, Desk()):
        pass
    assert list(place.folder.iterdir()) == []


def test_nothing_of_a_link_stays_behind(place: HandoverPlace, caplog: pytest.LogCaptureFixture) -> None:
    """ALL-4: no file, no log line, no text of an error holds the handle."""
    with Listening(place, Desk()):
        hand_over(place, LINK)
        held = [path.read_bytes() for path in place.folder.iterdir() if path.is_file()]
    assert all(HANDLE.encode() not in content for content in held)
    assert HANDLE not in caplog.text
