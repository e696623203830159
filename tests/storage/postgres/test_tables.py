"""Tables come out of a database as they went in."""

import numpy as np
import pandas as pd
import psycopg
import pytest

from recsys.data.tables import check_table
from recsys.errors import BusyError, SourceError
from recsys.pipeline import postgres_served_lists
from recsys.safety.postgres_store import PostgresSafety
from recsys.storage.damaged_tables import readable_tables
from recsys.storage.load import load_sorted, load_tables, population_of
from recsys.storage.postgres_tables import transaction
from recsys.storage.source_snapshot import snapshot_source, take_snapshot
from recsys.storage.sources import read_tables
from recsys.storage.table_files import write_tables
from recsys.testing.people import make_tables


@pytest.fixture(scope="module")
def tables():
    return make_tables(40, np.random.default_rng(0))


def test_a_database_is_a_source_like_any_other(postgres, tables, tmp_path):
    write_tables(tables, postgres)
    read = read_tables(postgres)
    assert set(read) == set(tables)
    for name, table in tables.items():
        expected = check_table(name, table).accepted
        pd.testing.assert_frame_equal(check_table(name, read[name]).accepted, expected)

    take_snapshot(postgres, tmp_path / "tables")
    snapshot = load_tables(snapshot_source(postgres, tmp_path / "tables"))
    assert len(snapshot.quarantine) == 0
    assert snapshot.accepted["profiles"]["user_id"].tolist() == sorted(tables["profiles"]["user_id"])


def test_writing_again_replaces_what_was_there(postgres, tables):
    write_tables(tables, postgres)
    write_tables({"interests": tables["interests"].iloc[:0]}, postgres)
    assert len(read_tables(postgres)["interests"]) == 0
    assert len(read_tables(postgres)["profiles"]) == len(tables["profiles"])


def test_views_in_a_schema_of_their_own_are_enough(postgres, tables):
    write_tables(tables, postgres)
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE invoices (id integer)")
        connection.execute("CREATE SCHEMA for_matching")
        for name in tables:
            connection.execute(f"CREATE VIEW for_matching.{name} AS SELECT * FROM public.{name}")
    with pytest.raises(
        SourceError, match=r"unknown table in the database: got 'invoices'.*schema of their own"
    ):
        read_tables(postgres)
    joint = "&" if "?" in postgres else "?"
    read = read_tables(f"{postgres}{joint}options=-csearch_path%3Dfor_matching")
    assert set(read) == set(tables)


ROWS = "SELECT 'a' AS actor, 'b' AS target"
BESIDE = {
    "blocks.rows": ("CREATE SCHEMA blocks", f"CREATE TABLE blocks.rows AS {ROWS}"),
    "Blocks.data": ('CREATE SCHEMA "Blocks"', f'CREATE VIEW "Blocks".data AS {ROWS}'),
    "safe.blocks": ("CREATE SCHEMA safe", f"CREATE TABLE safe.blocks AS {ROWS}"),
    "safe.blocklist": ("CREATE SCHEMA safe", f"CREATE MATERIALIZED VIEW safe.blocklist AS {ROWS}"),
    "bans.list": ("CREATE SCHEMA bans", f"CREATE TABLE bans.list AS {ROWS}"),
    "blocks": (f"CREATE FUNCTION blocks() RETURNS SETOF record LANGUAGE sql AS $$ {ROWS} $$",),
    "safe.holds": (
        "CREATE SCHEMA safe",
        f"CREATE FUNCTION safe.holds() RETURNS TABLE (a text, b text) LANGUAGE sql AS $$ {ROWS} $$",
    ),
    "": (
        "CREATE SCHEMA app",
        "CREATE TABLE app.orders (id integer)",
        "CREATE FUNCTION blocks() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ),
}


@pytest.mark.parametrize("got", BESIDE)
def test_no_schema_or_function_that_may_be_a_table_is_passed_over(postgres, tables, tmp_path, got):
    """Seen to fail: `blocks.rows`, `safe.blocklist` and even `safe.blocks` restricted nobody, in silence."""
    write_tables({"profiles": tables["profiles"]}, postgres)
    with psycopg.connect(postgres) as connection:
        for statement in BESIDE[got]:
            connection.execute(statement)
    for look in (read_tables, lambda source: take_snapshot(source, tmp_path / "copy")):
        if got:
            with pytest.raises(SourceError, match=f"got '{got}'; make a view (blocks|holds) of it"):
                look(postgres)
        else:
            look(postgres)
    with psycopg.connect(postgres) as connection:
        for table in ("blocks", "holds"):
            connection.execute(f"CREATE VIEW {table} AS {ROWS} WHERE false")
    assert set(read_tables(postgres)) == {"profiles", "blocks", "holds"}


def test_what_a_safety_store_and_an_export_keep_in_the_database_is_no_table(postgres, tables):
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE SCHEMA night_source")
    joint = "&" if "?" in postgres else "?"
    source = f"{postgres}{joint}options=-csearch_path%3Dnight_source"
    write_tables({"profiles": tables["profiles"]}, source)
    PostgresSafety.create(postgres).close()
    with transaction(postgres) as cursor:
        postgres_served_lists.migrate(cursor)
    assert list(read_tables(source)) == ["profiles"]


def test_all_tables_are_of_one_moment(postgres, tables, monkeypatch):
    """Somebody leaves between the reading of two tables, and is in both or in neither."""
    from recsys.storage import postgres_tables as module

    write_tables(tables, postgres)
    gone = tables["profiles"]["user_id"].iloc[0]
    read_one = module._read

    def read_and_let_somebody_go(cursor, name):
        found = read_one(cursor, name)
        with psycopg.connect(postgres) as connection:
            connection.execute("DELETE FROM boundaries WHERE user_id = %s", [gone])
            connection.execute("DELETE FROM profiles WHERE user_id = %s", [gone])
        return found

    monkeypatch.setattr(module, "_read", read_and_let_somebody_go)
    read = read_tables(postgres)
    assert gone in set(read["profiles"]["user_id"])
    assert gone in set(read["boundaries"]["user_id"])
    assert gone not in set(read_tables(postgres)["profiles"]["user_id"])


def test_a_database_that_is_away_is_tried_again():
    with pytest.raises(BusyError, match="the database is away") as caught:
        read_tables("postgresql://nobody@127.0.0.1:1/none")
    assert caught.value.exit_code == 30


def as_reader(postgres, *statements):
    """Return the address of a role that may read `profiles`, after statements of the owner."""
    joint = "&" if "?" in postgres else "?"
    with psycopg.connect(postgres) as connection:
        connection.execute("DROP ROLE IF EXISTS reader_of_tests")
        connection.execute("CREATE ROLE reader_of_tests")
        connection.execute("GRANT USAGE ON SCHEMA public TO reader_of_tests")
        connection.execute("GRANT SELECT ON profiles TO reader_of_tests")
        for statement in statements:
            connection.execute(statement)
    return f"{postgres}{joint}options=-crole%3Dreader_of_tests"


BLOCKS = "CREATE {} blocks AS SELECT 'a' AS actor, 'b' AS target, now() AS ts"
GRANT = "GRANT SELECT ON blocks TO reader_of_tests"
POLICY = "CREATE POLICY own ON blocks FOR SELECT USING (actor = current_user)"


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([BLOCKS.format("TABLE")], "the database refused"),
        ([BLOCKS.format("VIEW")], "the database refused"),
        ([BLOCKS.format("MATERIALIZED VIEW")], "the database refused"),
        ([BLOCKS.format("MATERIALIZED VIEW"), GRANT], ""),
        ([BLOCKS.format("TABLE"), GRANT], ""),
        ([BLOCKS.format("TABLE"), GRANT, "ALTER TABLE blocks ENABLE ROW LEVEL SECURITY"], "row-level"),
        (
            [BLOCKS.format("TABLE"), GRANT, POLICY, "ALTER TABLE blocks ENABLE ROW LEVEL SECURITY"],
            "row-level",
        ),
    ],
)
def test_no_table_or_row_that_a_role_may_not_read_is_passed_over(
    postgres, tables, statements, told, tmp_path
):
    """Seen to fail: information_schema lists no such table or materialized view; policies hide rows."""
    write_tables({"profiles": tables["profiles"]}, postgres)
    address = as_reader(postgres, *statements)
    try:
        for look in (read_tables, lambda source: take_snapshot(source, tmp_path / "copy")):
            if told:
                with pytest.raises(SourceError, match=told):
                    look(address)
            else:
                look(address)
        if not told:
            assert len(read_tables(address)["blocks"]) == 1
    finally:
        with psycopg.connect(postgres) as connection:
            connection.execute("DROP OWNED BY reader_of_tests")
            connection.execute("DROP ROLE reader_of_tests")


def test_ids_of_the_type_uuid_are_texts(postgres, tables, tmp_path):
    write_tables({"profiles": tables["profiles"]}, postgres)
    one, two = "0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d-0000-4000-8000-000000000002"
    with psycopg.connect(postgres) as connection:
        connection.execute(
            f"CREATE TABLE blocks AS SELECT '{one}'::uuid AS actor, '{two}'::uuid AS target, now() AS ts"
        )
    take_snapshot(postgres, tmp_path / "tables")
    for source in (postgres, snapshot_source(postgres, tmp_path / "tables")):
        blocks = load_tables(source).accepted["blocks"]
        assert blocks[["actor", "target"]].to_numpy().tolist() == [[one, two]]


@pytest.mark.filterwarnings("ignore:rows are dated after the clock")
@pytest.mark.parametrize("when", ["infinity", "-infinity", "9999-12-31 23:59:59+00", "294276-12-31 00:00+00"])
def test_a_time_without_an_end_restricts_and_ends_no_night(postgres, tables, when):
    users = tables["profiles"]["user_id"].tolist()
    blocks = pd.DataFrame(
        {"actor": [users[0]], "target": [users[1]], "ts": [pd.Timestamp("2026-01-02", tz="UTC")]}
    )
    write_tables(tables | {"blocks": blocks}, postgres)
    with psycopg.connect(postgres) as connection:
        connection.execute("UPDATE blocks SET ts = %s", [when])
    people = population_of(load_sorted(postgres, None))
    pairs = [frozenset(people.ids.ids(pair).tolist()) for pair in people.relations.excluded]
    assert frozenset(users[:2]) in pairs


@pytest.mark.parametrize(
    "beside",
    [
        "CREATE TABLE notes AS SELECT 1 AS x",
        "DROP TABLE interests; CREATE VIEW interests AS SELECT 1 / (x - x) AS tag FROM (SELECT 1 AS x) AS y",
        "CREATE MATERIALIZED VIEW of_members AS SELECT 1 AS x",
    ],
)
def test_what_can_be_read_beside_a_wrong_table_is_read(postgres, tables, beside):
    """Seen to fail: one wrong table took all tables of the database along, and what they restrict."""
    write_tables(tables, postgres)
    with psycopg.connect(postgres) as connection:
        connection.execute(beside)
    found = readable_tables(postgres)
    assert set(found) - {"interests"} == set(tables) - {"interests"}
    assert found["holds"]["user_id"].tolist() == tables["holds"]["user_id"].tolist()
