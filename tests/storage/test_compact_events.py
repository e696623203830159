"""Events read back from their files say the same as those that were written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data import Events, directed_labels
from recsys.errors import SourceError
from recsys.simulation.town import make_town
from recsys.storage.load import load_events
from recsys.storage.parquet_frames import read_compact_events, write_frame


@pytest.fixture(scope="module")
def events() -> Events:
    return load_events(make_town(120, np.random.default_rng(7)).tables)


def test_people_types_times_and_numbers_stay(events: Events, tmp_path: Path) -> None:
    write_frame(tmp_path / "events", events.compact().frame)
    again = read_compact_events(tmp_path / "events")
    for name in (C.ACTOR, C.TARGET, C.TYPE, C.DETAIL):
        was, found = events.frame[name].astype(object), again.frame[name].astype(object)
        assert was.where(was.notna(), None).tolist() == found.where(found.notna(), None).tolist()
    for name in (C.TS, C.POSITION, C.PROPENSITY, C.COUNT, C.REPLY_LAG_H):
        pd.testing.assert_series_equal(again.frame[name], events.frame[name])


@pytest.mark.parametrize("part", [slice(None), slice(0, 200), slice(0, 0)])
def test_categories_are_coded_as_texts_are(events: Events, tmp_path: Path, part: slice) -> None:
    write_frame(tmp_path / "events", events.compact().frame)
    texts = Events(events.frame.iloc[part].reset_index(drop=True))
    words = Events(read_compact_events(tmp_path / "events").frame.iloc[part].reset_index(drop=True))
    for name in ("people", "actor", "target", "type", "ts", "count"):
        was, found = getattr(texts.coded, name), getattr(words.coded, name)
        assert was.dtype == found.dtype
        np.testing.assert_array_equal(found, was)
    pd.testing.assert_frame_equal(directed_labels(words), directed_labels(texts))


def test_somebody_erased_leaves_no_row(events: Events, tmp_path: Path) -> None:
    gone = str(events.frame[C.ACTOR].iloc[0])
    erased = pd.DataFrame({C.ACTOR: [gone], C.TARGET: [None], C.TYPE: ["erase"], C.TS: [events.last]})
    log = Events.of(pd.concat([events.frame, erased.assign(event_id="~")], ignore_index=True))
    write_frame(tmp_path / "events", log.compact().frame)
    left = read_compact_events(tmp_path / "events").without_erased()
    assert len(left) == len(log.without_erased()) < len(log)
    assert gone not in left.coded.people
    np.testing.assert_array_equal(left.coded.target, log.without_erased().coded.target)


def test_nothing_that_happened_reads_back(tmp_path: Path) -> None:
    write_frame(tmp_path / "events", Events.none().compact().frame)
    assert len(read_compact_events(tmp_path / "events")) == 0


def test_a_cut_or_missing_file_is_refused(events: Events, tmp_path: Path) -> None:
    path = tmp_path / "events"
    write_frame(path, events.compact().frame)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SourceError, match="not a file of events"):
        read_compact_events(path)
    path.unlink()
    with pytest.raises(SourceError, match="not a file of events"):
        read_compact_events(path)


def test_texts_read_back_as_categories_too(events: Events, tmp_path: Path) -> None:
    write_frame(tmp_path / "events", events.frame)
    found = read_compact_events(tmp_path / "events").frame
    pd.testing.assert_frame_equal(found, events.compact().frame, check_categorical=False)
