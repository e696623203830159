"""The benchmark of loads at a small size."""

import json

import pytest

from tests.benchmarks import postgres


def test_loads_are_counted_and_nothing_is_lost(tmp_path, postgres_server, monkeypatch):
    psycopg = pytest.importorskip("psycopg", reason="the extra pg is not installed")
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("DROP SCHEMA IF EXISTS recsys CASCADE")
    monkeypatch.setenv(postgres.VARIABLE, postgres_server)
    assert postgres.main(["--people", "300", "--cuts", "1", "--json", str(tmp_path / "out.json")]) == 0
    summary = json.loads((tmp_path / "out.json").read_text())["summary"]
    assert summary["pg_rows"] == 6000
    assert summary["pg_rows_per_s"] > 0
    assert summary["pg_lost"] == 0
