"""What a model is evaluated on: people, pairs and outcomes of the time after it learned.

`sampled_people` bounds a large service, `exposures_after` and `exploration_log` say what happened after the
training (and `recsys.evaluation.held_out` who answered), and the file of evaluated pairs keeps predictions
beside outcomes.
"""

from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.data.labels import LABEL
from recsys.data.population import Population
from recsys.errors import SourceError, explained
from recsys.evaluation.splits import INTERACTION_SLICES, count_interactions, interaction_slice, temporal_split
from recsys.models.impressions import Impressions
from recsys.redaction import library_reason
from recsys.storage.atomic_write import atomic_file
from recsys.storage.sources import Source, table_readers

LIKED: Final = "liked"
MUTUAL: Final = "mutual"
COLUMNS: Final = (C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_MUTUAL, LIKED, MUTUAL)
PAIR: Final = [C.VIEWER, C.CANDIDATE]


def evaluated_pairs(scored: pd.DataFrame, answered: pd.DataFrame, mutual: pd.DataFrame) -> pd.DataFrame:
    """Return predictions of pairs with outcomes `liked` and `mutual`, 1 or 0, missing where it is not known.

    `answered` and `mutual` hold viewer_id, candidate_id, label.

    >>> pair = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"]})
    >>> scored, yes = pair.assign(p_like=0.5, p_mutual=0.25), pair.assign(label=1.0)
    >>> evaluated_pairs(scored, yes, yes.iloc[:0])[["liked", "mutual"]].to_numpy().tolist()
    [[1.0, nan]]
    """
    pairs = scored[[C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_MUTUAL]]
    for name, known in ((LIKED, answered), (MUTUAL, mutual)):
        outcome = known[[C.VIEWER, C.CANDIDATE, LABEL]].rename(columns={LABEL: name})
        pairs = pairs.merge(outcome, on=[C.VIEWER, C.CANDIDATE], how="left")
    return pairs.astype({LIKED: "float64", MUTUAL: "float64"})


def write_evaluated_pairs(path: Path, pairs: pd.DataFrame | None) -> None:
    """Write evaluated pairs; a file without rows when nothing could be evaluated."""
    rows = pd.DataFrame(columns=list(COLUMNS)) if pairs is None else pairs[list(COLUMNS)]
    with atomic_file(path) as file:
        rows.to_parquet(file, index=False)


def read_evaluated_pairs(path: Path) -> pd.DataFrame:
    """Read what `write_evaluated_pairs` wrote.

    Raises SourceError when the file is not one.
    """
    try:
        return pd.read_parquet(path, columns=list(COLUMNS))
    except (OSError, ValueError) as error:
        reason = library_reason(error)
        raise SourceError(explained("not a file of evaluated pairs", where=str(path), got=reason)) from None


def exposures_after(
    events: Events, shown: pd.DataFrame, people: Population, at: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """Return first exposures after `at` that were examined: viewer_id, candidate_id, label, ts.

    Every look decides anew, so a pair is judged by its first exposure alone, whatever came of later ones. Who
    answered has examined the place. Each place left unanswered stays with the probability that it
    was examined all the same (see `Impressions`), so that those that stay are a fair sample.
    """
    _, later = temporal_split(events.frame, at)
    impressions = Impressions.from_events(people, Events.of(_until_shown_again(later)))
    examined = rng.random(len(impressions)) < impressions.looks
    impressions = impressions.take(impressions.answered | examined)
    keys = [C.VIEWER, C.CANDIDATE]
    ids = {keys[0]: people.ids.ids(impressions.viewers), keys[1]: people.ids.ids(impressions.candidates)}
    # a place left unanswered and a reply out of the inbox later: the reply stands for the pair
    found = pd.DataFrame({**ids, LABEL: impressions.labels}).drop_duplicates(keys, keep="last")
    return found.merge(shown[[*keys, C.TS]], on=keys)


def _until_shown_again(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events of each directed pair before its second exposure, and all that name no pair."""
    again = events[events[C.TYPE] == "impression"]
    again = again[again.duplicated([C.ACTOR, C.TARGET])].drop_duplicates([C.ACTOR, C.TARGET])
    second = events[[C.ACTOR, C.TARGET]].merge(
        again[[C.ACTOR, C.TARGET, C.TS]], on=[C.ACTOR, C.TARGET], how="left"
    )[C.TS]
    kept = second.isna().to_numpy() | (events[C.TS].to_numpy() < second.to_numpy())
    return events[kept]


def first_and_replies(labels: pd.DataFrame, decided: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs whose candidate had not decided yet, and replies: the candidate had liked before."""
    keys = [C.VIEWER, C.CANDIDATE]
    back = decided.loc[decided[LABEL] > 0, [*keys, C.TS]].set_axis([keys[1], keys[0], "liked_at"], axis=1)
    labels = labels[[*keys, LABEL, C.TS]].merge(back, on=keys, how="left")
    is_reply = (labels["liked_at"] < labels[C.TS]).to_numpy(bool)
    return labels[~is_reply].reset_index(drop=True), labels[is_reply].reset_index(drop=True)


def evidence_slices(ids: IdIndex, decided: pd.DataFrame) -> pd.Series:
    """Return everybody's slice, by how many decisions they had made or received."""
    signals = count_interactions(ids.values, decided[C.VIEWER], decided[C.CANDIDATE])
    order = pd.CategoricalDtype(list(INTERACTION_SLICES), ordered=True)
    return pd.Series(interaction_slice(signals), index=ids.values, dtype=order).sort_values().astype(object)


def exploration_log(events: pd.DataFrame, after: pd.Timestamp, people: Population) -> pd.DataFrame:
    """Return pairs of exploration slots from a time on: viewer_id, candidate_id, propensity, each once.

    A slot is one of exploration when its impression was drawn with a known propensity below 1; certain
    slots say nothing about other lists. Only pairs among `people` are returned.
    """
    chance = pd.to_numeric(events[C.PROPENSITY], errors="coerce")
    drawn = (events[C.TYPE] == "impression") & (events[C.TS] >= after) & (chance > 0.0) & (chance < 1.0)
    shown = pd.DataFrame({C.VIEWER: events[C.ACTOR], C.CANDIDATE: events[C.TARGET], C.PROPENSITY: chance})[
        drawn
    ].drop_duplicates(PAIR, ignore_index=True)
    known = (people.ids.find(shown[C.VIEWER]) >= 0) & (people.ids.find(shown[C.CANDIDATE]) >= 0)
    return shown[known].reset_index(drop=True)


N_STRIPS: Final = 8
"""Strips of the map: several, so that no single town decides; few, so that neighbours stay together."""


def sampled_people(people: Population, most: int, rng: np.random.Generator) -> frozenset[str] | None:
    """Return the ids of about `most` people of whole neighbourhoods, None for everybody.

    People are put in the order of their cells, in which neighbours are close, and strips of it are
    taken at random. Whom they meet lives near them, so their past comes along nearly whole, and
    intervals of tens of thousands of people are narrow enough to tell models apart.
    """
    if len(people) <= most:
        return None
    along = np.argsort(people.cells, kind="stable")
    size = most // N_STRIPS
    # one start in each eighth of the map, far enough from its end
    eighths = np.linspace(0, len(people) - size, N_STRIPS + 1).astype(np.int64)
    starts = [int(rng.integers(low, max(high - size, low) + 1)) for low, high in pairwise(eighths)]
    taken = np.unique(np.concatenate([along[start : start + size] for start in starts]))
    return frozenset(people.ids.ids(taken))


def tables_among(source: Source, ids: frozenset[str]) -> dict[str, pd.DataFrame]:
    """Return the rows of every table of a source that name nobody else."""
    known = IdIndex(ids)
    return {name: _among(read(), known) for name, read in table_readers(source, among=ids).items()}


def events_among(events: Events, ids: frozenset[str]) -> Events:
    """Return what these people did alone and among themselves."""
    return Events(_among(events.frame, IdIndex(ids)))


def _among(frame: pd.DataFrame, known: IdIndex) -> pd.DataFrame:
    inside = np.ones(len(frame), bool)
    for column in (C.USER, C.ACTOR, C.TARGET):
        if column in frame:
            alone = frame[column].isna() if column == C.TARGET else False
            inside &= (known.find(frame[column]) >= 0) | np.asarray(alone)
    return frame[inside].reset_index(drop=True)
