"""What a night leaves for alarms, and the examples that read it."""

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from recsys.batch.night import old_data
from recsys.batch.prometheus_file import write_metrics
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_log import append_line
from recsys.settings import BudgetSettings, Settings
from tests.pipeline.imports import ROOT

EXAMPLES = ROOT / "docs" / "examples"
NOW = datetime(2026, 1, 6, 4, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path: Path) -> NightPaths:
    """Return the work folder of a night on an own source, with a table that was refused for the most part."""
    paths = NightPaths(tmp_path)
    settings = Settings(source="parquet:members")
    paths.settings.write_text(settings.as_yaml())
    write_validation(paths, "2026-01-05T18:00:00+00:00", {"profiles": (990, 10), "blocks": (20, 60)})
    append_line(paths.log, {"stage": "validate", "exit_code": 0, "rows": {"profiles": 1000, "blocks": 80}})
    append_line(paths.log, {"stage": "allocate", "exit_code": 0, "people": 900, "rows": 1800, "seconds": 2.5})
    return paths


def write_validation(paths: NightPaths, as_of: str, tables: dict[str, tuple[int, int]]) -> None:
    rows = [{"table": name, "accepted": a, "quarantined": q} for name, (a, q) in tables.items()]
    paths.validation.write_text(json.dumps({"as_of": as_of, "tables": rows}))


def samples(paths: NightPaths) -> dict[tuple[str, str], float]:
    return {
        (sample.name.removeprefix("recsys_night_"), next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(paths.metrics.read_text())
        for sample in family.samples
    }


def test_prometheus_reads_what_a_night_measured(paths: NightPaths) -> None:
    write_metrics(paths, 10, begun=NOW - timedelta(minutes=5), now=NOW)
    found = samples(paths)
    assert found["exit_code", ""] == 10
    assert found["duration_seconds", ""] == 300
    assert found["people_listed", ""] == 900
    assert found["refused_share", "blocks"] == 0.75
    assert found["stage_seconds", "allocate"] == 2.5
    assert found["end_timestamp_seconds", ""] - found["data_timestamp_seconds", ""] == 10 * 3600


def test_every_region_has_its_people_seconds_and_memory(paths: NightPaths) -> None:
    of = [{"people": 70.0, "seconds": 1.5, "peak_mb": 2.0}, {"people": 60.0, "seconds": 1.0, "peak_mb": 3.0}]
    append_line(paths.log, {"stage": "allocate", "exit_code": 0, "people": 130, "by_region": of})
    write_metrics(paths, 0, begun=NOW, now=NOW)
    found = samples(paths)
    assert [found["region_people", number] for number in "12"] == [70, 60]
    assert [found["region_seconds", number] for number in "12"] == [1.5, 1.0]
    assert [found["region_peak_bytes", number] for number in "12"] == [2 << 20, 3 << 20]


def test_a_night_that_was_cut_short_has_metrics_all_the_same(tmp_path: Path) -> None:
    paths = NightPaths(tmp_path)
    write_metrics(paths, 40, begun=NOW, now=NOW)
    assert samples(paths)["exit_code", ""] == 40


def test_rules_ask_for_metrics_that_are_written(paths: NightPaths) -> None:
    rules = yaml.safe_load((EXAMPLES / "night_alerts.yaml").read_text())
    asked = {
        name
        for group in rules["groups"]
        for rule in group["rules"]
        for name in re.findall(r"recsys_night_(\w+)", rule["expr"])
    }
    append_line(paths.log, {"stage": "train", "exit_code": 0, "seconds": 1.0, "peak_mb": 500})
    write_metrics(paths, 0, begun=NOW, now=NOW)
    assert asked <= {name for name, _ in samples(paths)}
    assert len(asked) >= 6


def test_a_night_on_old_data_says_so(paths: NightPaths) -> None:
    assert old_data(paths, NOW) == ""
    assert old_data(paths, NOW + timedelta(hours=40)) == "; the data are 50 hours old"
    paths.settings.write_text(Settings(source="parquet:members", as_of="2026-01-05T18:00:00Z").as_yaml())
    assert old_data(paths, NOW + timedelta(hours=40)) == ""


@pytest.mark.parametrize("data_hours", [1.0, 36.0, 1000.0])
def test_data_that_no_worker_serves_are_told_whatever_is_set(paths: NightPaths, data_hours: float) -> None:
    """Seen to fail: with 1,000 hours a night was green whose publication no worker opened."""
    settings = Settings(source="parquet:members", budget=BudgetSettings(data_hours=data_hours))
    paths.settings.write_text(settings.as_yaml())
    told = [old_data(paths, NOW + timedelta(hours=hours)) for hours in (150, 159, 500)]
    assert [bool(one) for one in told] == [data_hours < 160, True, True]
    assert ["seven" in one or "7 days" in one for one in told] == [False, True, True]


def test_the_town_is_never_old(paths: NightPaths) -> None:
    paths.settings.write_text(Settings().as_yaml())
    assert old_data(paths, NOW + timedelta(days=300)) == ""


def test_a_cluster_takes_the_job() -> None:
    job = yaml.safe_load((EXAMPLES / "cronjob.yaml").read_text())
    spec = job["spec"]["jobTemplate"]["spec"]
    [container] = spec["template"]["spec"]["containers"]
    codes = [code for rule in spec["podFailurePolicy"]["rules"] for code in rule["onExitCodes"]["values"]]
    assert sorted(codes) == [1, 20, 30, 40]
    assert container["name"] == spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["containerName"]
    assert "recsys night --home" in container["command"][-1]


@pytest.mark.parametrize("name", ["airflow_night.py", "dagster_night.py"])
def test_a_scheduler_calls_the_night_and_knows_its_codes(name: str) -> None:
    tree = ast.parse((EXAMPLES / name).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.List)]
    commands = [[item.value for item in node.elts if isinstance(item, ast.Constant)] for node in calls]
    assert ["/srv/recsys/venv/bin/recsys", "night", "--home"] in commands
    assert "DONE, TRY_AGAIN = ((0, 10), 30)" in ast.unparse(tree)
