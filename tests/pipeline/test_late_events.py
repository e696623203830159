from datetime import timedelta
from pathlib import Path

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.pipeline.night import count_late_events
from recsys.storage.publication import read_publication
from tests.pipeline.small_night import Night


def events(night: Night, *hours_before: float) -> Events:
    times = [night.people.as_of - timedelta(hours=hours) for hours in hours_before]
    return Events.of(
        pd.DataFrame(
            {C.ACTOR: "u00001", C.TARGET: "u00002", C.TYPE: "impression", C.TS: pd.to_datetime(times)}
        )
    )


def test_late_is_what_is_old_and_was_not_known(night: Night, tmp_path: Path) -> None:
    night.publish(tmp_path, events=2)
    on_time = events(night, 30, 2, -1, -5)  # two of before, two of the day after
    assert count_late_events(on_time, tmp_path) == 0
    assert count_late_events(events(night, 30, 20, 0, 2, -1), tmp_path) == 2


def test_nothing_is_late_before_the_first_night(night: Night, tmp_path: Path) -> None:
    assert count_late_events(events(night, 3), tmp_path) is None
    night.publish(tmp_path)
    assert count_late_events(events(night, 3), tmp_path) is None  # nobody counted


def test_an_event_that_was_removed_makes_no_negative_count(night: Night, tmp_path: Path) -> None:
    night.publish(tmp_path, events=9)
    assert count_late_events(events(night, 3), tmp_path) == 0


def test_the_watermark_moves_with_the_pointer_alone(night: Night, tmp_path: Path) -> None:
    night.publish(tmp_path, events=2)
    known = read_publication(tmp_path).manifest
    refused = night.publish(tmp_path, night.lists.iloc[:0], events=7)
    assert refused.exit_code == 20
    assert read_publication(tmp_path).manifest == known
    assert night.publish(tmp_path, events=7).published
    assert read_publication(tmp_path).manifest.events == 7
