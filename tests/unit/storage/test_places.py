"""Where the data of the embedded PostgreSQL stand when its user may not enter the folder."""

import os

import pytest

from zorgid.storage import places
from zorgid.storage.places import DataAreGone, FolderIsACopy, home_of
from zorgid.storage.processes import nobody_works_in, workers_in, works_in
from zorgid.storage.server_user import ServerUser


class ShutOut(ServerUser):
    """A user of its own that may not enter any folder."""

    def may_run(self, path):
        return False


@pytest.fixture
def shared(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "SHARED", tmp_path / "shared")
    return tmp_path / "shared"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "first"
    folder.mkdir()
    return folder


OURSELVES = ServerUser("we", os.geteuid(), os.getegid(), is_ourselves=True)
SHUT_OUT = ShutOut("postgres", 4242, 4242, is_ourselves=False)


def test_data_stand_in_the_folder_when_the_user_may_enter_it(folder, shared):
    assert home_of(folder, OURSELVES) == folder
    assert not shared.exists()


def test_a_user_that_is_shut_out_gets_a_place_elsewhere_and_keeps_it(folder, shared):
    home = home_of(folder, SHUT_OUT)

    assert home.parent == shared
    assert home_of(folder, SHUT_OUT) == home


@pytest.mark.parametrize("umask", [0o077, 0o022])
def test_the_place_elsewhere_can_be_entered_whatever_the_umask(folder, shared, umask):
    before = os.umask(umask)
    try:
        home = home_of(folder, SHUT_OUT)
    finally:
        os.umask(before)

    assert {path.stat().st_mode & 0o777 for path in (home, shared)} == {0o755}


def test_data_go_with_a_folder_that_is_moved(folder, shared):
    home = home_of(folder, SHUT_OUT)
    moved = folder.rename(folder.with_name("second"))

    assert home_of(moved, SHUT_OUT) == home


def test_a_copied_folder_is_refused_rather_than_that_two_share_their_data(folder, shared):
    home_of(folder, SHUT_OUT)
    copied = folder.with_name("second")
    copied.mkdir()
    (copied / "elsewhere").write_text((folder / "elsewhere").read_text())

    with pytest.raises(FolderIsACopy, match=r"second is a copy of .*first"):
        home_of(copied, SHUT_OUT)


def test_a_folder_whose_data_are_gone_says_so(folder, shared):
    (home_of(folder, SHUT_OUT) / "belongs-to").unlink()

    with pytest.raises(DataAreGone, match=r"remove .* to begin with an empty database"):
        home_of(folder, SHUT_OUT)


def test_processes_are_known_by_the_folder_they_work_in(folder):
    here = os.path.realpath(".")

    assert works_in(os.getpid(), here)
    assert os.getpid() in workers_in(here)
    assert not works_in(os.getpid(), folder)
    assert nobody_works_in(folder, 0)
    assert not nobody_works_in(here, 0)
