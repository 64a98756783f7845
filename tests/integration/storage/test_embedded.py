"""The embedded PostgreSQL as several processes see it, also when they are killed (ALL-3)."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from zorgid.storage.embedded import SUPERUSER, EmbeddedPostgres, FolderOfAnotherMajor, FolderOfAnotherUser
from zorgid.storage.processes import workers_in

DEBIANS = Path("/usr/lib/postgresql/15/bin")

USER_OF_THE_FOLDER = """
import sys
from pathlib import Path
from zorgid.storage.embedded import EmbeddedPostgres

with EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"}) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def folder(quick_place):
    folder = Path(tempfile.mkdtemp(prefix="zorgid-embedded-", dir=quick_place))
    folder.chmod(0o755)
    yield folder
    if folder.exists():
        world = EmbeddedPostgres(folder)
        world.start()
        world.discard()


@pytest.fixture
def hasty(folder):
    return EmbeddedPostgres(folder, settings={"fsync": "off"})


@pytest.fixture
def start_user(folder):
    """Start another process that uses the folder; it ends when it reads a line."""
    started = []

    def start():
        user = subprocess.Popen(
            [sys.executable, "-c", USER_OF_THE_FOLDER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "src"},
        )
        started.append(user)
        assert user.stdout.readline().startswith("postgresql://")
        return user

    yield start
    for user in started:
        user.kill()
        user.communicate()


def end(user) -> None:
    user.communicate("\n", timeout=60)
    assert user.returncode == 0


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def write(url: str, text: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table if not exists note (text text)")
        connection.execute("insert into note values (%s)", (text,))


def notes(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [text for (text,) in connection.execute("select text from note order by text")]


def shown(url: str, *names: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [connection.execute("select current_setting(%s)", (name,)).fetchone()[0] for name in names]


def test_the_server_is_durable_speaks_utf8_and_utc_and_listens_to_this_machine_only(folder):
    with EmbeddedPostgres(folder) as url:
        assert shown(url, "fsync", "synchronous_commit", "full_page_writes") == ["on", "on", "on"]
        assert shown(url, "server_encoding", "timezone", "listen_addresses") == ["UTF8", "UTC", ""]


def test_the_platform_is_no_superuser(hasty):
    with hasty as url:
        assert shown(url, "is_superuser") == ["off"]


def test_only_the_user_that_started_it_may_come_in(hasty):
    with hasty, pytest.raises(psycopg.OperationalError, match="eer authentication failed"):
        psycopg.connect(hasty.url(role="somebody"))


def test_the_log_of_the_server_tells_no_statement_and_no_value(hasty):
    with hasty as url, psycopg.connect(url) as connection:
        connection.execute("create table code (code text primary key)")
        connection.execute("insert into code values ('S3CRET')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into code values ('S3CRET')")
        log = (hasty.data.parent / "run" / "log").read_text()

    assert "code_pkey" in log
    assert "S3CRET" not in log


def test_data_are_there_after_a_restart(hasty):
    with hasty as url:
        write(url, "kept")
    assert hasty.process_id is None

    with hasty as url:
        assert notes(url) == ["kept"]


def test_a_second_process_joins_the_server_and_the_last_one_stops_it(hasty, start_user):
    first = start_user()
    second = start_user()
    with hasty as url:
        server = hasty.process_id
        end(first)
        write(url, "still there")
        assert hasty.process_id == server
    assert hasty.process_id == server

    end(second)

    assert hasty.process_id is None


def test_a_server_that_a_killed_process_left_behind_is_used_again_and_stopped(hasty, start_user):
    left = start_user()
    kill(left.pid)
    left.wait()

    with hasty as url:
        write(url, "joined")
    assert hasty.process_id is None


def test_a_killed_server_recovers_at_the_next_start(hasty):
    url = hasty.start()
    write(url, "committed")
    kill(hasty.process_id)
    hasty.stop()

    with hasty as url:
        assert notes(url) == ["committed"]


def test_a_server_killed_with_all_its_processes_recovers_too(hasty):
    url = hasty.start()
    write(url, "committed")
    for process in workers_in(hasty.data):
        with suppress(ProcessLookupError):  # some end by themselves when the first is gone
            kill(process)
    hasty.stop()

    with hasty as url:
        assert notes(url) == ["committed"]


def test_a_server_that_was_killed_under_a_living_user_is_started_by_the_next(hasty, start_user):
    start_user()
    with hasty:
        kill(hasty.process_id)

        start_user()

        write(hasty.url(), "again")


async def test_works_go_on_after_the_server_was_killed_and_started_again(hasty, clock, random_source, origin):
    from zorgid.storage.database import Database

    database = await Database.open(hasty.start(), clock=clock, random=random_source)
    kill(hasty.process_id)
    hasty.stop()
    hasty.start()

    async with database.work(origin) as work:
        await work.connection.execute("select 1")
    await database.close()
    hasty.stop()


def test_a_pid_file_that_names_somebody_elses_process_does_not_stop_the_start(hasty):
    with hasty:
        pass
    (hasty.data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{hasty.data}\n0\n5432\n/nowhere\n\n0 0\nready\n"
    )

    with hasty as url:
        write(url, "started")


def test_a_folder_whose_making_was_broken_off_is_made_anew(hasty, folder):
    (folder / "data.unfinished").mkdir()
    (folder / "data.unfinished" / "PG_VERSION").write_text("18\n")

    with hasty as url:
        write(url, "made")


def test_a_folder_of_another_major_version_is_refused_with_the_way_to_upgrade(hasty):
    with hasty:
        version = (hasty.data / "PG_VERSION").read_text()
    (hasty.data / "PG_VERSION").write_text("13\n")

    with pytest.raises(FolderOfAnotherMajor, match=r"made by PostgreSQL 13.*To upgrade"):
        hasty.start()
    (hasty.data / "PG_VERSION").write_text(version)


def test_rights_of_folders_that_are_not_ours_never_change(tmp_path):
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    tmp_path.chmod(0o700)
    world = EmbeddedPostgres(closed / "deep" / "postgres", settings={"fsync": "off"})

    write(world.start(), "works")

    assert closed.stat().st_mode & 0o777 == 0o700
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    world.discard()


def test_a_path_too_long_for_a_socket_is_no_obstacle(folder):
    world = EmbeddedPostgres(folder / ("long" * 20) / ("longer" * 20), settings={"fsync": "off"})

    with world as url:
        write(url, "works")
        assert world.process_id


def test_a_discarded_world_leaves_nothing(folder):
    world = EmbeddedPostgres(folder, settings={"fsync": "off"})
    world.start()

    world.discard()

    assert not folder.exists()


@pytest.mark.skipif(
    not DEBIANS.exists(), reason="Debian's postgresql-15 is not installed; make test installs it"
)
def test_debians_postgresql_15_serves_the_same_database(folder):
    from zorgid.storage.binaries import Binaries
    from zorgid.storage.migrate import migrate, our_steps

    world = EmbeddedPostgres(folder, binaries=Binaries.in_folder(DEBIANS), settings={"fsync": "off"})
    url = world.start()

    assert len(migrate(url)) == len(our_steps())
    assert shown(world.url(SUPERUSER, SUPERUSER), "server_version")[0].startswith("15.")
    world.discard()


def test_a_folder_whose_data_belong_to_another_user_is_refused(hasty):
    with hasty:
        owner = hasty.data.stat().st_uid
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to somebody else; the build server is root")
    os.chown(hasty.data, 65534, -1)

    with pytest.raises(FolderOfAnotherUser, match="belongs to another user"):
        hasty.start()
    os.chown(hasty.data, owner, -1)
