"""What a database serves is one publication, whole, whatever happens while the next one is loaded."""

import threading
import time

import adbc_driver_postgresql.dbapi
import pandas as pd
import psycopg
import pytest

from recsys.cli import app
from recsys.errors import BusyError, SourceError
from recsys.pipeline import postgres_served_lists as module
from recsys.pipeline.postgres_served_lists import MIGRATIONS, load_publication, served
from recsys.storage.postgres_tables import WRITER_LOCK
from recsys.storage.publication import read_publication
from tests.pipeline.small_night import Night, make_night


@pytest.fixture(scope="module")
def night() -> Night:
    return make_night()


@pytest.fixture
def publications(night, tmp_path):
    """Two publications, the older first, and their folder."""
    runs = [
        night.publish(tmp_path).run_id,
        night.publish(tmp_path, night.lists[night.lists["rank"] < 4]).run_id,
    ]
    return [read_publication(tmp_path, run_id=run) for run in runs]


def rows_served(address: str) -> pd.DataFrame:
    with psycopg.connect(address) as connection:
        cursor = connection.execute("SELECT viewer_id, candidate_id, reasons FROM recsys.recommendations")
        return pd.DataFrame(cursor.fetchall(), columns=["viewer_id", "candidate_id", "reasons"])


def expected(publication) -> dict[str, list[str]]:
    return publication.lists.groupby("viewer_id")["candidate_id"].agg(list).to_dict()


def shown(address: str) -> dict[str, list[str]]:
    return rows_served(address).set_index("viewer_id")["candidate_id"].to_dict()


def test_the_newest_publication_takes_the_place_of_the_old(postgres, publications):
    assert served(postgres) is None
    for publication in publications:
        result = load_publication(publication, postgres)
        assert result == served(postgres)
        assert result.run_id == publication.run_id
        assert result.suggestions == len(publication.lists)
        assert result.viewers == publication.lists["viewer_id"].nunique()
        assert shown(postgres) == expected(publication)


def test_one_row_answers_a_viewer(postgres, publications):
    load_publication(publications[0], postgres)
    with psycopg.connect(postgres) as connection:
        viewer = next(iter(expected(publications[0])))
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(
            "EXPLAIN SELECT candidate_id FROM recsys.recommendations WHERE viewer_id = %s", [viewer]
        ).fetchall()
    assert "Index" in plan[0][0]


def test_loading_twice_is_loading_once(postgres, publications):
    first, again = (load_publication(publications[0], postgres) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("moment", ["_copy", "_served"])
def test_a_killed_connection_loses_nothing(postgres, publications, monkeypatch, moment):
    """The server ends the connection in the middle of the load, or at its very end."""
    load_publication(publications[0], postgres)
    real = getattr(module, moment)

    def kill_then(cursor, *rest):
        found = real(cursor, *rest)
        with psycopg.connect(postgres, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return found

    monkeypatch.setattr(module, moment, kill_then)
    with pytest.raises(BusyError, match="the database is away"):
        load_publication(publications[1], postgres)
    monkeypatch.undo()
    assert served(postgres).run_id == publications[0].run_id
    assert shown(postgres) == expected(publications[0])
    assert load_publication(publications[1], postgres).run_id == publications[1].run_id


def test_readers_see_the_old_or_the_new_and_never_wait_for_an_answer_in_vain(postgres, publications):
    load_publication(publications[0], postgres)
    known = [expected(publication) for publication in publications]
    done, seen = threading.Event(), []

    def read():
        while not done.is_set():
            seen.append(shown(postgres))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(4):
        for publication in reversed(publications):
            load_publication(publication, postgres)
    time.sleep(0.05)
    done.set()
    reader.join()
    assert seen
    assert all(answer in known for answer in seen)


def test_two_writers_do_not_meet(postgres, publications):
    load_publication(publications[0], postgres)
    with adbc_driver_postgresql.dbapi.connect(postgres) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
        cursor.fetchall()
        with pytest.raises(BusyError, match="another process is loading"):
            load_publication(publications[1], postgres)
        other.rollback()
    assert served(postgres).run_id == publications[0].run_id


def test_a_database_of_an_older_version_is_brought_up(postgres, publications, monkeypatch):
    from recsys.pipeline import postgres_served_lists as migrations

    monkeypatch.setattr(migrations, "MIGRATIONS", MIGRATIONS[:1])
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE SCHEMA recsys")
        connection.execute("CREATE TABLE recsys.migrations (version integer PRIMARY KEY, at timestamptz)")
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("INSERT INTO recsys.migrations VALUES (1, now())")
    monkeypatch.undo()
    load_publication(publications[0], postgres)
    with psycopg.connect(postgres) as connection:
        versions = connection.execute("SELECT version FROM recsys.migrations ORDER BY version").fetchall()
    assert [version for (version,) in versions] == list(range(1, len(MIGRATIONS) + 1))


def test_a_database_of_a_newer_version_is_left_alone(postgres, publications):
    load_publication(publications[0], postgres)
    with psycopg.connect(postgres) as connection:
        connection.execute("INSERT INTO recsys.migrations (version) VALUES (999)")
    with pytest.raises(SourceError, match=r"newer than this package: got 999"):
        load_publication(publications[1], postgres)
    assert served(postgres).run_id == publications[0].run_id


def test_the_command_says_what_is_served(postgres, publications):
    from typer.testing import CliRunner

    folder = publications[0].folder.parents[1]
    done = CliRunner().invoke(app, ["export", postgres, "--published", str(folder)])
    assert done.exit_code == 0, done.output
    assert f"served: {publications[1].run_id}" in done.output
