"""What happened after a model learned: the outcomes it is judged by."""

from typing import Final, Literal

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.decisions import labels_of_looks
from recsys.data.events import Events
from recsys.data.ids import IdIndex, id_column
from recsys.data.labels import (
    LABEL,
    LOOKS,
    OUTCOME,
    directed_labels,
    warn_of_looks_without_places,
)
from recsys.data.population import Population
from recsys.data.unseen_pairs import UnseenPairs
from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.evaluation.market import mutual_labels
from recsys.evaluation.splits import temporal_split

_PAIR: Final = [C.VIEWER, C.CANDIDATE]
Outcome = Literal["mutual", "like"]
OUTCOMES: Final = {"mutual": C.P_MUTUAL, "like": C.P_LIKE}
"""What a pair may come to, with the probability that says so."""


@checked_arguments
def truth_after(events: Events, people: Population, *, outcome: Outcome = "mutual") -> pd.DataFrame:
    """Return what became of the pairs that met after `people.as_of`: viewer_id, candidate_id, label 1 or 0.

    A model fitted on the same people and events has seen nothing of it, since `fit` reads no event after
    `people.as_of`. Pairs about whom the viewer had decided before are left out.

    outcome: `mutual`: which became likes of both, `like`: which the viewer liked. `attrs["outcome"]` of the
    table says it, and `compare_models` judges the probability of that, P(both like | both look) or
    P(like | look). A log with impressions says who looked: pairs shown are there, and an answer that has not
    come counts as none; for `like`, of pairs shown at places without an answer as many as were looked at, as
    in `Interactions.truth`. Without impressions a look is a decision: the pairs are those that the viewer
    decided about, for `mutual` those that both did.

    Warns where impressions have no place: it is not known who looked then, so levels of a probability given a
    look cannot be judged, and orders can.

    Raises InputError when nothing happened afterwards, SettingsError for an unknown outcome.

    >>> import recsys
    >>> town = recsys.make_town(120, rng=7)
    >>> events = recsys.load_events(town.tables)
    >>> people = recsys.load_population(town.tables, as_of=events.moment(0.7), past=True)
    >>> truth_after(events, people)["label"].isin([0, 1]).all()
    np.True_
    """
    _known_outcome(outcome)
    after = people.as_of + pd.Timedelta(microseconds=1)
    if events.last is None or events.last < after:
        remedy = "read people as of an earlier time, such as as_of=events.moment(0.8)"
        raise InputError(explained("nothing happened after the people", got=people.as_of, remedy=remedy))
    later = events.frame[events.frame[C.TS] >= after]
    warn_of_looks_without_places(later, where="truth_after")
    past = events.until(people.as_of)
    answered, shown = answers_after(events, past, people.ids, after)
    if outcome == "like":
        looks = labels_of_looks(Events.of(later), rng=np.random.default_rng(0))
        truth = looks[[*_PAIR, LABEL]].merge(shown[_PAIR], on=_PAIR).astype({LABEL: "int64"})
    elif len(shown) > len(answered) or (events.frame[C.TYPE] == "impression").any():
        truth = mutual_outcomes(shown, directed_labels(events))
    else:
        truth = mutual_labels(directed_labels(events)[[*_PAIR, LABEL]]).merge(shown[_PAIR], on=_PAIR)
    if len(shown) and not len(truth):
        remedy = "give outcome='like' where one side decides"
        raise InputError(
            explained("no pair was decided about by both", got=f"{len(shown)} looks", remedy=remedy)
        )
    truth.attrs[OUTCOME] = outcome
    return truth


def outcome_of(truth: pd.DataFrame, asked: Outcome | None) -> Outcome:
    """Return what label 1 of a truth is: what was asked, else what the truth says, else `mutual`.

    Raises InputError where both are said and differ, SettingsError for an unknown outcome.

    >>> truth = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"], "label": [1]})
    >>> truth.attrs["outcome"] = "like"
    >>> outcome_of(truth, None)
    'like'
    """
    said = truth.attrs.get(OUTCOME)
    for one in (said, asked):
        if one is not None:
            _known_outcome(one)
    if asked is not None and said is not None and asked != said:
        labels = {"like": "likes of the viewer", "mutual": "likes of both"}
        remedy = f"leave outcome out, or give a truth of {labels[asked]}: truth_after(..., outcome='{asked}')"
        raise InputError(
            explained(f"the truth holds {labels[said]}", got=f"outcome='{asked}'", remedy=remedy)
        )
    if asked is None and said is None and _labels_differ_by_side(truth):
        what = "the truth does not say what its label is, and it is no match: it differs by side"
        remedy = "say outcome='like' (a table read from a file, or merged, has lost its attrs)"
        raise InputError(explained(what, where="truth", remedy=remedy))
    found: Outcome = asked or said or "mutual"
    return found


def _labels_differ_by_side(truth: pd.DataFrame) -> bool:
    """Say whether some two people stand in a truth both ways with two labels, so that it holds no matches."""
    if not {*_PAIR, LABEL} <= {*truth.columns}:
        return False
    back = truth[[*_PAIR, LABEL]].rename(columns=dict(zip(_PAIR, _PAIR[::-1], strict=True)))
    both = truth[[*_PAIR, LABEL]].merge(back, on=_PAIR, suffixes=("", "_back"))
    return bool((both[LABEL] != both[f"{LABEL}_back"]).any())


def decided_pairs(people: Population, events: Events, outcome: Outcome) -> pd.DataFrame:
    """Return the pairs of `people` that were decided about by their time: viewer_id, candidate_id, label.

    Where the log holds impressions, a look without an answer counts as no like, as it does in P(like | look);
    for `like`, of pairs shown at places without an answer as many as were looked at.

    Raises InputError when there is none, SettingsError for an unknown outcome.

    >>> likes = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": ["like", "pass"]})
    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> decided_pairs(people, Events.of(likes), "mutual")["label"].tolist()
    [0, 0]
    """
    _known_outcome(outcome)
    if outcome == "like":
        found = labels_of_looks(events, people.as_of, rng=np.random.default_rng(0))
    else:
        found = directed_labels(events, people.as_of, settings=LOOKS)
    labels = found[[*_PAIR, LABEL]]
    known = (people.ids.find(labels[C.VIEWER]) >= 0) & (people.ids.find(labels[C.CANDIDATE]) >= 0)
    labels = labels[known].astype({LABEL: "int64"}).reset_index(drop=True)
    truth = mutual_labels(labels) if outcome == "mutual" else labels
    if not len(truth):
        remedy = (
            "give outcome='like' where one side decides" if len(labels) else "check the ids of the events"
        )
        raise InputError(
            explained("no pair was decided about by both", got=f"{len(labels)} decisions", remedy=remedy)
        )
    return truth


def with_unseen_pairs(
    truth: pd.DataFrame, people: Population, events: Events, per_like: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the truth and, for each pair of it that worked, up to `per_like` unseen ones of its viewer.

    Unseen is who has no event with the viewer, in either direction; they are drawn evenly among those whom
    viewers of their kind decided about (see `UnseenPairs`), with the label 0. What is then judged is how
    well those who worked are told from strangers.

    Raises InputError for less than 0.

    >>> likes = pd.DataFrame({"actor": ["a", "a", "b"], "target": ["c", "d", "d"], "type": "like"})
    >>> people, events = Population.of_ids(["a", "b", "c", "d"], as_of="2026-01-05"), Events.of(likes)
    >>> truth = decided_pairs(people, events, "like")
    >>> with_unseen_pairs(truth, people, events, 9, np.random.default_rng(1)).tail(1).to_numpy().tolist()
    [['b', 'c', 0]]
    """
    if per_like < 0:
        remedy = "give how many unseen pairs to draw for each like, such as 4"
        raise InputError(explained("negatives_per_like is below 0", got=per_like, remedy=remedy))
    worked = truth[truth[LABEL] == 1]
    if not per_like or not len(worked):
        return truth
    i, j = (people.ids.find(truth[column]).astype(np.int64) for column in _PAIR)
    unseen = UnseenPairs.of(i, j)
    viewers, candidates = unseen.drawn_beside(people.ids.find(worked[C.VIEWER]), per_like, rng)
    a, b = (people.ids.find(events.frame[column]).astype(np.int64) for column in (C.ACTOR, C.TARGET))
    met = np.concatenate([a * len(people) + b, b * len(people) + a])[np.tile((a >= 0) & (b >= 0), 2)]
    fresh = ~np.isin(viewers * len(people) + candidates, met)
    drawn = [id_column(people.ids.ids(rows[fresh])) for rows in (viewers, candidates)]
    passed = pd.DataFrame(dict(zip(_PAIR, drawn, strict=True))).assign(**{LABEL: 0})
    return pd.concat([truth, passed], ignore_index=True)


def _known_outcome(outcome: str) -> None:
    if outcome not in OUTCOMES:
        remedy = did_you_mean(str(outcome), OUTCOMES)
        raise SettingsError(explained("unknown outcome", got=outcome, remedy=remedy))


def answers_after(
    events: Events, past: Events, known: IdIndex, at: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the answers given after `at`, and all pairs shown after it, between people known by then.

    Pairs about whom the viewer had answered before are in neither.
    """
    _, later = temporal_split(events.frame, at)
    before = directed_labels(past)[[C.VIEWER, C.CANDIDATE]]
    labels = directed_labels(Events.of(later), settings=LOOKS)
    labels = labels[(known.find(labels[C.VIEWER]) >= 0) & (known.find(labels[C.CANDIDATE]) >= 0)]
    new = labels.merge(before, on=[C.VIEWER, C.CANDIDATE], how="left", indicator=True)
    shown = new[new["_merge"] == "left_only"].drop(columns="_merge")
    answers = directed_labels(Events.of(later))[[C.VIEWER, C.CANDIDATE]]
    return shown.merge(answers, on=[C.VIEWER, C.CANDIDATE]), shown


def mutual_outcomes(shown: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Return which pairs shown became mutual; the other side may have liked long before."""
    keys = [C.VIEWER, C.CANDIDATE]
    known = pd.concat([shown[[*keys, LABEL]], decided[[*keys, LABEL]]]).drop_duplicates(keys)
    return mutual_labels(known, undecided_is_no=True).merge(shown[keys], on=keys)
