"""The limits of attention of a night: who was reported credibly, and who likes nearly everybody."""

from typing import Final

import numpy as np
import pandas as pd

from recsys.allocation.attention import AttentionLimits
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.exclusions_and_tokens import persons
from recsys.data.events import CODED, Events
from recsys.data.exclusions import latest_decisions
from recsys.data.indiscriminate import likes_nearly_everybody
from recsys.data.population import Population
from recsys.data.tables import read_and_check
from recsys.data.times import MICROSECONDS_A_DAY
from recsys.moderation.credibility import PERSON, demotions
from recsys.pipeline.night import Night
from recsys.random import KeyedGenerator
from recsys.storage.sources import table_readers
from recsys.types import BoolArray, Float32Array

_OF_REPORTS: Final = (
    *("report", "end", "meet_feedback", "feeling_check", "money_request", "off_platform_request"),
    *("message", "terms_accepted", "verified", "erase"),
)
_DECISIONS: Final = ("like", "pass", "hide", "undo")


def attention_limits(night: Night, seed: int) -> AttentionLimits:
    """Return the limits of everybody of a night; what holds for one account holds for the person."""
    people = night.people
    events = with_reports(night.events_of_types(*_OF_REPORTS, columns=CODED), night.source, people.as_of)
    return AttentionLimits.of(
        demotion_share(people, events),
        indiscriminate(people, night.events_of_types(*_DECISIONS, columns=CODED)),
        KeyedGenerator(seed),
    )


def demotion_share(people: Population, events: Events) -> Float32Array:
    """Return the share of lists that may hold each person, `(n_people,)`; see `demotions`."""
    found = demotions(events, people.as_of)
    share = np.ones(len(people), np.float32)
    rows = people.ids.find(found[PERSON])
    factor = found["factor"].to_numpy(np.float32)
    share[rows[rows >= 0]] = factor[rows >= 0]
    person = persons(people)
    least = np.ones(len(people), np.float32)
    np.minimum.at(least, person, share)
    return least[person]


def with_reports(events: Events, source: str, as_of: pd.Timestamp) -> Events:
    """Return the events with the rows of the table of reports, where the source has one, as events."""
    readers = table_readers(source)
    if T.REPORTS not in readers:
        return events
    rows = read_and_check(T.REPORTS, readers[T.REPORTS], as_of=as_of).accepted
    if rows.empty:
        return events
    rows = rows.rename(columns={C.CATEGORY: C.DETAIL}).assign(**{C.TYPE: "report"})
    frame = events.frame
    columns = [
        name for name in (C.TS, C.ACTOR, C.TARGET, C.TYPE, C.DETAIL) if name in frame or not len(frame)
    ]
    plain = frame[columns].astype(dict.fromkeys((C.ACTOR, C.TARGET, C.TYPE, C.DETAIL), object))
    joined = pd.concat([plain, rows[columns]], ignore_index=True)
    return Events(joined.sort_values(C.TS, kind="stable").reset_index(drop=True))


def indiscriminate(people: Population, events: Events) -> BoolArray:
    """Say who likes nearly everybody, `(n_people,)` bool; see `likes_nearly_everybody`."""
    coded = events.until(people.as_of).coded
    decisions, n_people = latest_decisions(coded), len(people)
    row = people.ids.find(coded.people) if len(coded.people) else np.zeros(0, np.int32)
    rows = row[decisions.actor]
    known = rows >= 0
    likes = coded.are("like") & (row[coded.actor] >= 0)
    days = coded.ts[likes] // MICROSECONDS_A_DAY
    first = int(days.min(initial=0))
    n_days = int(days.max(initial=0)) - first + 1
    keys, counts = np.unique(row[coded.actor[likes]] * np.int64(n_days) + (days - first), return_counts=True)
    most_a_day = np.zeros(n_people, np.int64)
    np.maximum.at(most_a_day, keys // n_days, counts)
    return likes_nearly_everybody(
        np.bincount(rows[known & decisions.likes], minlength=n_people),
        np.bincount(rows[known], minlength=n_people),
        most_a_day,
    )
