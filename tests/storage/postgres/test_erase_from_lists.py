"""Who is erased leaves the lists a database serves in one transaction: their own and everybody else's."""

import psycopg
import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.errors import BusyError
from recsys.pipeline import postgres_served_lists as module
from recsys.pipeline.erasure import erase
from recsys.pipeline.postgres_served_lists import erase_from_served_lists, load_publication, served
from recsys.safety.erasure_list import ErasureList
from recsys.storage.publication import read_publication
from tests.pipeline.small_night import make_night


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder with one publication."""
    folder = tmp_path_factory.mktemp("published")
    make_night().publish(folder)
    return folder


@pytest.fixture
def publication(published, postgres):
    """The publication, loaded."""
    found = read_publication(published)
    load_publication(found, postgres)
    return found


def lists(address):
    """Everything that is served, `{viewer: [(candidate, p_like, p_mutual, reasons), ...]}`."""
    query = "SELECT viewer_id, candidate_id, p_like, p_mutual, reasons FROM recsys.recommendations"
    with psycopg.connect(address) as connection:
        return {row[0]: list(zip(*row[1:], strict=True)) for row in connection.execute(query)}


def without(before, gone):
    left = {
        viewer: [one for one in found if one[0] not in gone]
        for viewer, found in before.items()
        if viewer not in gone
    }
    return {viewer: found for viewer, found in left.items() if found}


@pytest.mark.parametrize("n_gone", [1, 3])
def test_they_are_in_no_list_and_everything_else_stays(postgres, publication, n_gone):
    before = lists(postgres)
    gone = list(before)[:n_gone]
    left = erase_from_served_lists(gone, postgres)
    assert lists(postgres) == without(before, gone)
    assert left.lists == n_gone
    assert left.shortened == sum(
        any(one[0] in gone for one in found) for viewer, found in before.items() if viewer not in gone
    )
    assert left.shortened > 0
    now = served(postgres)
    assert (now.viewers, now.suggestions) == (
        len(lists(postgres)),
        sum(len(found) for found in lists(postgres).values()),
    )


def test_a_list_that_held_nobody_else_goes(postgres, publication):
    viewer, found = next(iter(lists(postgres).items()))
    gone = [one[0] for one in found]
    erase_from_served_lists(gone, postgres)
    assert viewer not in lists(postgres)


def test_asking_twice_or_for_a_stranger_changes_nothing(postgres, publication):
    gone = next(iter(lists(postgres)))
    erase_from_served_lists([gone], postgres)
    before = lists(postgres)
    again = erase_from_served_lists([gone, "nobody'; DROP TABLE recsys.recommendations; --"], postgres)
    assert (again.lists, again.shortened) == (0, 0)
    assert lists(postgres) == before


def test_nothing_is_there_to_forget_in_an_empty_database(postgres):
    assert erase_from_served_lists(["u1"], postgres).lists == 0


def test_a_killed_connection_leaves_all_or_nothing(postgres, publication, monkeypatch):
    before = lists(postgres)
    real = module._without_gone

    def kill_then(*rest):
        with psycopg.connect(postgres, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return real(*rest)

    monkeypatch.setattr(module, "_without_gone", kill_then)
    gone = next(iter(before))
    with pytest.raises(BusyError, match="the database is away"):
        erase_from_served_lists([gone], postgres)
    assert lists(postgres) == before
    monkeypatch.undo()
    erase_from_served_lists([gone], postgres)
    assert lists(postgres) == without(before, [gone])


def test_loading_anew_does_not_bring_them_back(postgres, tmp_path):
    make_night().publish(tmp_path)
    publication = read_publication(tmp_path)
    load_publication(publication, postgres)
    before = lists(postgres)
    gone = next(iter(before))
    erase([gone], tmp_path)
    load_publication(publication, postgres, erased=ErasureList.of(tmp_path).now())
    assert lists(postgres) == without(before, [gone])


def test_the_command_reaches_the_database(postgres, tmp_path):
    make_night().publish(tmp_path)
    load_publication(read_publication(tmp_path), postgres)
    before = lists(postgres)
    gone = next(iter(before))
    asked = ["forget", gone, "--published", str(tmp_path), "--tracking", str(tmp_path / "none")]
    done = CliRunner().invoke(app, [*asked, "--served-from", postgres])
    assert done.exit_code == 0, done.output
    assert "database: 1 lists removed" in done.output
    assert lists(postgres) == without(before, [gone])
    again = CliRunner().invoke(app, ["export", postgres, "--published", str(tmp_path)])
    assert again.exit_code == 0, again.output
    assert lists(postgres) == without(before, [gone])
