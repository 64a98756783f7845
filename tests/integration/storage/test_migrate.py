from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from zorgid.storage.migrate import MigrationChanged, MigrationFailed, Step, migrate, pending, steps_in

pytestmark = pytest.mark.oldest_postgresql

FIRST = Step("0001_first.sql", "create table first (id int); insert into first values (1);")
SECOND = Step("0002_second.sql", "create table second (id int);")
BROKEN = Step("0003_broken.sql", "create table third (id int); insert into missing values (1);")
SLOW = Step("0001_slow.sql", "create table first (id int); select pg_sleep(0.2);")


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        return {name for (name,) in rows}


def test_each_step_is_carried_out_once(empty_url):
    assert migrate(empty_url, [FIRST]) == [FIRST.name]
    assert migrate(empty_url, [FIRST, SECOND]) == [SECOND.name]
    assert migrate(empty_url, [FIRST, SECOND]) == []
    assert {"first", "second"} <= tables(empty_url)


def test_a_broken_step_names_its_file_and_leaves_nothing_of_itself(empty_url):
    with pytest.raises(MigrationFailed, match=r"0003_broken\.sql"):
        migrate(empty_url, [FIRST, BROKEN])

    assert "first" in tables(empty_url)
    assert "third" not in tables(empty_url)
    assert pending(empty_url, [FIRST, BROKEN]) == [BROKEN.name]


def test_a_step_that_was_changed_afterwards_is_refused(empty_url):
    migrate(empty_url, [FIRST])

    with pytest.raises(MigrationChanged, match=r"0001_first\.sql"):
        migrate(empty_url, [Step(FIRST.name, FIRST.text + "-- later")])


def test_steps_of_a_newer_version_are_left_alone(empty_url):
    migrate(empty_url, [FIRST, SECOND])

    assert migrate(empty_url, [FIRST]) == []


def test_several_nodes_may_migrate_at_once(empty_url):
    with ThreadPoolExecutor(4) as nodes:
        answers = list(nodes.map(lambda _: migrate(empty_url, [SLOW]), range(4)))

    assert sorted(map(len, answers)) == [0, 0, 0, 1]


def test_a_database_that_was_never_migrated_lacks_every_step(empty_url):
    assert pending(empty_url, [FIRST, SECOND]) == [FIRST.name, SECOND.name]


@pytest.mark.parametrize("names", [["first.sql"], ["0001_a.sql", "0001_b.sql"]])
def test_a_step_without_a_number_of_its_own_is_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("select 1")

    with pytest.raises(MigrationFailed, match=names[-1]):
        steps_in(tmp_path)


def test_our_own_steps_bring_an_empty_database_up_to_date(empty_url):
    migrate(empty_url)

    assert pending(empty_url) == []
