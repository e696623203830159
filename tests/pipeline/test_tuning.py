"""The search for settings sees nothing of what judges it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.errors import InputError, SettingsError
from recsys.pipeline.night import Night
from recsys.pipeline.tuning import TemporalSplit, tune
from recsys.settings import Settings
from recsys.simulation.town import make_town
from recsys.storage.load import load_events
from recsys.storage.table_files import write_tables


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = f"parquet:{tmp_path_factory.mktemp('town')}"
    write_tables(make_town(150, np.random.default_rng(4)).tables, place)
    return place


def test_the_two_cuts_leave_nothing_in_common(source: str) -> None:
    last = TemporalSplit.at(source, load_events(source), 0.8)
    first = TemporalSplit.at(source, last.past, 0.8)
    assert first.past.last < last.past.last
    later, earlier = (
        set(map(tuple, part.answers[[C.VIEWER, C.CANDIDATE]].to_numpy())) for part in (last, first)
    )
    assert earlier
    assert later
    assert not earlier & later
    assert last.past.frame[C.TS].max() > first.past.frame[C.TS].max()
    assert last.people.as_of >= last.past.last


def test_what_comes_last_decides_nothing(source: str) -> None:
    pytest.importorskip("optuna")
    settings = Settings(source=source, model={"name": "collaborative"})  # type: ignore[arg-type]
    events = load_events(source)
    cut = TemporalSplit.at(source, events, 0.8).past.last

    class Changed(Night):
        @property
        def events(self) -> Events:  # type: ignore[override]
            later = (events.frame[C.TS] > cut) & events.frame[C.TYPE].isin(["like", "pass"])
            said = events.frame[C.TYPE].mask(
                later, events.frame[C.TYPE].map({"like": "pass", "pass": "like"})
            )
            return Events.of(events.frame.assign(**{C.TYPE: said}))

    found, other = (tune(kind(settings, source), trials=4, n_resamples=5) for kind in (Night, Changed))
    assert len(found.trials) == 4
    pd.testing.assert_frame_equal(found.trials, other.trials)
    assert found.options == other.options
    assert not found.comparison.equals(other.comparison)
    assert found.trials["log_loss"].min() <= found.trials["log_loss"].iloc[0]
    assert set(found.comparison["model"]) == {"tuned", "usual"}


def test_a_model_without_settings_to_search_says_so(source: str) -> None:
    settings = Settings(source=source, model={"name": "random"})  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="nothing to tune: got 'random'"):
        tune(Night(settings, source))


def test_too_little_to_tune_on_says_so(source: str) -> None:
    with pytest.raises(InputError, match="too few decisions to tune on"):
        TemporalSplit.at(source, Events.none(), 0.8)


def test_the_command_writes_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("optuna")
    from pipelines import tune as command
    from tests.pipeline.nights import Folder

    folder = Folder(tmp_path)
    assert set(folder.run("people=150", stages=("settings", "simulate", "ingest", "validate")).values()) == {
        0
    }
    monkeypatch.chdir(tmp_path)
    assert command.main(["--trials", "2", "--set", "model.name=collaborative"]) == 0
    assert '"options"' in (tmp_path / "data/work/tuned.json").read_text()
