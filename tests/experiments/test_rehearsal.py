"""Rehearsals: nights really played, impressions that carry the arm, and what is true beside what is read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import recsys
from recsys.allocation.config import AllocationConfig
from recsys.cli import app
from recsys.config import ExperimentSettings
from recsys.errors import InputError
from recsys.experiments import Rehearsal, analyse, assign, outcomes, rehearse
from recsys.experiments.assignment import design_mark

DESIGN = ExperimentSettings(
    name="naive-1",
    unit="person",
    starts="2026-01-05",
    nights=3,
    mature_nights=1,
    ended={"liked": "2026-01-07"},
    arms={"today": {"share": 0.5}, "liked": {"share": 0.5, "order": "naive"}},
)


@pytest.fixture(scope="module")
def rehearsal() -> Rehearsal:
    town = recsys.make_town(60, np.random.default_rng(3), nights_ahead=4)
    return rehearse(town, DESIGN, config=AllocationConfig(k=3, steps=3), seed=1)


def test_a_rehearsal_is_read_as_a_service_is(rehearsal: Rehearsal) -> None:
    """Its log is of the experiment that the settings name: another start is refused as in a service."""
    town = rehearsal.town
    found = outcomes(recsys.load_events(town.tables), DESIGN, now=town.as_of)
    who = assign(DESIGN, town.ids.values)
    assert found.nights[-1] == DESIGN.nights - 1
    result = analyse(DESIGN, who, found)
    assert result.effects["decisive"].any()
    with pytest.raises(InputError, match="naive-1"):
        analyse(DESIGN.changed(name="other"), who, found)


def test_impressions_carry_the_arm_until_it_is_ended(rehearsal: Rehearsal) -> None:
    events = rehearsal.town.tables["events"]
    shown = events[(events["type"] == "impression") & (events["ts"] >= pd.Timestamp("2026-01-05T03:00Z"))]
    arm = shown["actor"].map(assign(DESIGN, rehearsal.town.ids.values).set_index("user_id")["arm"])
    early = shown["ts"] < pd.Timestamp("2026-01-07T03:00Z")
    name = f"rehearsal+naive-1.{design_mark(DESIGN)}:"
    assert (shown["model_version"] == name + arm)[early].all()
    assert set(arm[early]) == {"today", "liked"}
    running = shown["ts"] < pd.Timestamp("2026-01-08T03:00Z")
    assert (shown.loc[~early & running, "model_version"] == f"{name}today").all()
    assert (shown.loc[~running, "model_version"] == "rehearsal").all()
    assert (~running).any()


def test_what_is_true_is_told_of_every_arm_and_a_town_of_another_day_is_refused(rehearsal: Rehearsal) -> None:
    assert rehearsal.effect("today") == 0.0
    assert list(rehearsal.matches) == ["today", "liked"]
    with pytest.raises(InputError, match="make the town as of 2026-02-02"):
        rehearse(rehearsal.town, DESIGN.changed(starts="2026-02-02", ended={}))


def test_a_rehearsal_leaves_tables_that_are_there_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members' tables once stood where somebody rehearsed."""
    monkeypatch.chdir(tmp_path)
    arms = "{a: {share: 0.5}, b: {share: 0.5, order: naive}}"
    one = f"{{name: x, unit: person, starts: 2026-03-02, nights: 1, mature_nights: 0, arms: {arms}}}"
    text = f"experiment: {one}\n"
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "members").mkdir()
    table = tmp_path / "members" / "profiles.parquet"
    table.write_bytes(b"theirs")
    command = ["experiment", "rehearse", "--people", "40", "--out", "parquet:members"]
    for before in (command, ["simulate", "--people", "40", "--out", "parquet:members"]):
        found = CliRunner().invoke(app, before)
        assert found.exit_code == 40
        assert "tables are there already in members" in found.output
        assert table.read_bytes() == b"theirs"
    assert CliRunner().invoke(app, [*command, "--replace"]).exit_code == 0
    assert table.read_bytes() != b"theirs"


def test_a_rehearsal_leaves_a_file_of_neighbourhoods_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An experiment on members may run by it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "who.parquet").write_bytes(b"theirs")
    arms = "{a: {share: 0.5}, b: {share: 0.5, order: naive}}"
    text = (
        f"experiment: {{name: x, starts: 2026-03-02, nights: 2, neighbourhoods: who.parquet, arms: {arms}}}\n"
    )
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    found = CliRunner().invoke(app, ["experiment", "rehearse", "--people", "40"])
    assert found.exit_code != 0
    assert (tmp_path / "who.parquet").read_bytes() == b"theirs"
    assert not (tmp_path / "rehearsal").exists()
