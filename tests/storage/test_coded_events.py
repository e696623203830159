"""Events read as numbers say what the same events say as a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.data.events import CodedEvents, Events
from recsys.data.pair_stages import pair_stages
from recsys.errors import SourceError
from recsys.storage.parquet_frames import count_rows, read_coded_events, write_frame

PARTS = tuple(CodedEvents.__dataclass_fields__)


@pytest.fixture(scope="module")
def events() -> Events:
    return recsys.load_events(recsys.make_town(60, np.random.default_rng(7)).tables)


def assert_same(found: CodedEvents, expected: CodedEvents) -> None:
    for part in PARTS:
        one, other = getattr(found, part), getattr(expected, part)
        assert one.dtype == other.dtype, part
        assert pd.Series(one).equals(pd.Series(other)), part


def test_events_from_the_file_are_the_events_of_the_table(events: Events, tmp_path: Path) -> None:
    write_frame(tmp_path / "events", events.frame)
    assert len(set(events.frame["type"])) > 5
    assert_same(read_coded_events(tmp_path / "events"), events.coded)
    assert count_rows(tmp_path / "events") == len(events)


@pytest.mark.parametrize("ids", [{"a": "a", "b": "b", "c": "c"}, {"a": 7, "b": 30, "c": 4}])
def test_texts_and_whole_numbers_and_nobody(ids: dict[str, object], tmp_path: Path) -> None:
    who = {"actor": ["c", "b", "a"], "target": ["b", None, "c"]}
    named = {
        column: pd.Series([ids.get(one) for one in values], dtype=object) for column, values in who.items()
    }
    table = pd.DataFrame(named | {"type": "like", "count": [None, 3, 1]})
    events = Events.of(table)
    write_frame(tmp_path / "events", events.frame)
    assert_same(read_coded_events(tmp_path / "events"), events.coded)


def test_no_event_at_all(tmp_path: Path) -> None:
    write_frame(tmp_path / "events", Events.none().frame)
    assert_same(read_coded_events(tmp_path / "events"), Events.none().coded)


def test_a_time_in_between_keeps_what_was_known_then(events: Events) -> None:
    then = events.frame["ts"].iloc[len(events) // 2]
    expected = pair_stages(events.until(then))
    found = pair_stages(events.coded, then)
    pd.testing.assert_frame_equal(found.frame(), expected.frame())
    assert 0 < len(events.coded.until(then).ts) < len(events)
    assert len(events.coded.until(None).ts) == len(events)


def test_a_damaged_file_is_named(events: Events, tmp_path: Path) -> None:
    path = tmp_path / "events"
    write_frame(path, events.frame)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SourceError, match="not a file of events"):
        read_coded_events(path)
    with pytest.raises(SourceError, match="not a frame"):
        count_rows(path)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(SourceError, match="not a file of events"):
        read_coded_events(path)
