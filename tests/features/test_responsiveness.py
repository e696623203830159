from dataclasses import replace

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.events import Events
from recsys.features.responsiveness import Responsiveness
from recsys.testing.people import AS_OF, make_people
from tests.features.pairs import assert_is

KINDS = ("like", "pass", "message", "message", "impression")


def some_events(people, rng, n=600, days=120):
    ids = people.ids.ids(np.arange(len(people)))
    actor, target = rng.integers(0, len(ids), n), rng.integers(0, len(ids), n)
    kind = rng.choice(KINDS, n)
    lag = np.where(kind == "message", rng.exponential(20.0, n), np.nan)
    return pd.DataFrame(
        {
            C.ACTOR: ids[actor],
            C.TARGET: ids[np.where(actor == target, (target + 1) % len(ids), target)],
            C.TYPE: kind,
            C.TS: AS_OF - pd.to_timedelta(rng.uniform(0, days, n), unit="D"),
            C.REPLY_LAG_H: np.where(rng.random(n) < 0.2, np.nan, lag),
        }
    )


def plain_numbers(fitted, people, frame, row):
    """Speed, activity by events and by profile, from the events one at a time."""
    own = people.ids.ids([row])[0]
    today = people.as_of.normalize()
    lags, days, ever = [], set(), False
    for event in frame.to_dict("records"):
        if event[C.ACTOR] != own or event[C.TYPE] == "impression" or event[C.TS] >= today:
            continue
        ever = True
        day = event[C.TS].normalize()
        if day >= today - pd.Timedelta(days=90) and not np.isnan(event[C.REPLY_LAG_H]):
            lags.append(np.log(1 + event[C.REPLY_LAG_H]))
        if day >= today - pd.Timedelta(days=28):
            days.add(day)
    mean = (sum(lags) + 3 * fitted.usual_lag) / (len(lags) + 3)
    speed = np.tanh((fitted.usual_lag - mean) / fitted.lag_spread)
    active = (
        np.tanh((np.log(1 + len(days)) - fitted.usual_activity) / fitted.activity_spread) if ever else 0.0
    )
    word, words = people.word(C.ACTIVITY, row), ENUMERATIONS[C.ACTIVITY].words
    return speed, active, 0.0 if word is None else 1 - 2 * words.index(word) / (len(words) - 1)


def test_pair_scores_equal_the_definition():
    people = make_people(15, np.random.default_rng(7))
    frame = some_events(people, np.random.default_rng(8))
    block = Responsiveness().fit(people, events=Events.of(frame))
    numbers = [plain_numbers(block.fitted_, people, frame, row) for row in range(15)]
    assert_is(block, people, lambda i, j: sum(a * b for a, b in zip(numbers[i], numbers[j], strict=True)) / 3)


USUAL = ("usual_lag", "lag_spread", "usual_activity", "activity_spread")


def test_rows_as_of_a_time_use_no_later_event():
    """As of an earlier time, the rows are those of somebody who had only seen the past."""
    people = make_people(15, np.random.default_rng(7))
    frame = some_events(people, np.random.default_rng(8))
    then = AS_OF - pd.Timedelta(days=30)
    block = Responsiveness().fit(people, events=Events.of(frame))
    earlier = replace(people, as_of=then)
    seen = replace(
        Responsiveness().fit(people, events=Events.of(frame[frame[C.TS] <= then])).fitted_,
        **{name: getattr(block.fitted_, name) for name in USUAL},
    )
    np.testing.assert_array_equal(block.transform(earlier).preferences, seen.rows(earlier).preferences)
    assert not np.array_equal(block.transform(earlier).preferences, block.transform(people).preferences)


def test_events_after_the_fit_are_not_learned():
    people = make_people(15, np.random.default_rng(7))
    frame = some_events(people, np.random.default_rng(8))
    later = frame.assign(**{C.TS: AS_OF + pd.Timedelta(hours=1)})
    with_later = Responsiveness().fit(people, events=Events.of(pd.concat([frame, later], ignore_index=True)))
    without = Responsiveness().fit(people, events=Events.of(frame))
    assert all(getattr(with_later.fitted_, n) == getattr(without.fitted_, n) for n in USUAL)
    np.testing.assert_array_equal(
        with_later.transform(people).preferences, without.transform(people).preferences
    )


def test_people_with_short_reply_lags_score_high_together():
    people = make_people(3, np.random.default_rng(0), activity=None)
    ids = people.ids.ids(np.arange(len(people)))
    day = AS_OF - pd.Timedelta(days=2)
    frame = pd.DataFrame(
        [
            (ids[k], ids[(k + 1) % 3], "message", day, lag)
            for k, lag in enumerate([0.1, 0.1, 200.0])
            for _ in range(20)
        ],
        columns=[C.ACTOR, C.TARGET, C.TYPE, C.TS, C.REPLY_LAG_H],
    )
    rows = Responsiveness().fit(people, events=Events.of(frame)).transform(people)
    same, other = rows.pair_scores([0, 0], [1, 2])
    assert same > 0 > other
