"""The folder of seals keeps what it was given, whatever happens in the middle of a write."""

import multiprocessing
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from zorgid.audit.chain import Digest, Seal, next_seal
from zorgid.audit.places import FolderSeals, PlaceUnfit

START = datetime(2026, 6, 15, 23, 59, 58, tzinfo=UTC)


def a_chain(size: int) -> list[Seal]:
    chain: list[Seal] = []
    for number in range(size):
        chain.append(
            next_seal(
                chain[-1] if chain else None,
                Digest(),
                until_xact=number,
                now=START + timedelta(seconds=number),
                node="n",
                sign=lambda data: bytes(64),
            )
        )
    return chain


def kept(place: FolderSeals) -> list[str]:
    return [line.unverified_line for line in place.lines()]


def test_seals_are_kept_in_order_with_a_file_per_day(tmp_path: Path) -> None:
    chain = a_chain(4)
    place = FolderSeals(tmp_path / "seals")
    assert place.last_number() == 0
    place.append(chain[:1])
    place.append(chain[1:])
    assert kept(place) == [seal.line() for seal in chain]
    assert place.last_number() == 4
    names = sorted(file.name for file in (tmp_path / "seals").glob("seals-*"))
    assert names == ["seals-2026-06-15.jsonl", "seals-2026-06-16.jsonl"]


def test_the_folder_is_open_to_its_owner_only(tmp_path: Path) -> None:
    FolderSeals(tmp_path / "seals").append(a_chain(1))
    modes = [
        stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "seals", *(tmp_path / "seals").iterdir()]
    ]
    assert all(mode & 0o077 == 0 for mode in modes)


def test_a_seal_that_is_there_already_is_not_kept_twice(tmp_path: Path) -> None:
    chain = a_chain(3)
    place = FolderSeals(tmp_path)
    place.append(chain[:2])
    place.append(chain)
    assert kept(place) == [seal.line() for seal in chain]


def test_a_line_half_written_by_a_crash_is_written_again(tmp_path: Path) -> None:
    chain = a_chain(2)
    for size in range(len(chain[1].line()) + 1):
        place = FolderSeals(tmp_path / str(size))
        place.append(chain[:1])
        with next((tmp_path / str(size)).glob("seals-*")).open("a") as file:
            file.write(chain[1].line()[:size])
        assert place.last_number() == 1
        place.append(chain[1:])
        assert kept(place) == [seal.line() for seal in chain]


def test_a_file_left_empty_by_a_crash_does_not_hide_the_one_before(tmp_path: Path) -> None:
    place = FolderSeals(tmp_path)
    place.append(a_chain(1))
    (tmp_path / "seals-2026-06-16.jsonl").touch()
    assert place.last_number() == 1


def test_a_last_line_that_is_no_seal_is_refused(tmp_path: Path) -> None:
    place = FolderSeals(tmp_path)
    place.append(a_chain(1))
    with next(tmp_path.glob("seals-*")).open("a") as file:
        file.write("not a seal\n")
    with pytest.raises(PlaceUnfit):
        place.append(a_chain(2))


def append_all(folder: Path, chain: list[Seal]) -> None:
    for seal in chain:
        FolderSeals(folder).append([seal])


def test_two_nodes_may_share_a_folder(tmp_path: Path) -> None:
    chain = a_chain(40)
    context = multiprocessing.get_context("fork")
    nodes = [context.Process(target=append_all, args=(tmp_path, chain)) for _ in range(2)]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    assert kept(FolderSeals(tmp_path)) == [seal.line() for seal in chain]
