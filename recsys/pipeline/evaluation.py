"""Evaluation of the model of a night on what came after it learned.

The last part of the events is held out; people, answers and events are taken as of that moment, the
model of the settings and the baselines beside it learn from them, and what followed evaluates them: who
liked whom among those who answered, and which pairs became mutual among those a viewer was shown.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.labels import LABEL, directed_labels
from recsys.data.population import Population
from recsys.evaluation.calibration import reliability_table
from recsys.evaluation.compare import compare
from recsys.evaluation.held_out import answers_after, mutual_outcomes
from recsys.evaluation.protocol import as_lists
from recsys.evaluation.registry import plugin_metric
from recsys.models.base import Model
from recsys.models.hybrid import HybridModel
from recsys.models.impressions import Impressions
from recsys.pipeline.evaluation_data import (
    PAIR,
    evaluated_pairs,
    events_among,
    evidence_slices,
    exploration_log,
    exposures_after,
    first_and_replies,
    sampled_people,
    tables_among,
    write_evaluated_pairs,
)
from recsys.pipeline.from_settings import model_from_settings
from recsys.pipeline.night import Night
from recsys.pipeline.off_policy import OFF_POLICY, ListsOfModel, off_policy_rows
from recsys.pipeline.paths import NightPaths
from recsys.random import generator
from recsys.ranking.recommend import Recommender
from recsys.settings import ModelSettings, Settings
from recsys.storage.atomic_write import write_atomically
from recsys.storage.load import events_of, load_sorted, population_of

Evaluation = Mapping[str, Any]

LEARNED_SHARE: Final = 0.8
PLACES: Final = 10
METRICS: Final = ("precision", "recall", "ndcg", "auc", "log_loss", "brier", "ece", *OFF_POLICY)
_MANY: Final = 1000


def evaluate_night(night: Night, *, pairs: Path | None = None) -> Evaluation:
    """Return the evaluation of the model of the night's settings, as plain values that JSON can hold.

    learned_before, evaluated_people, answered_after, shown_after say on what; `measures` and
    `reliability` are rows of tables. When nothing came after anything, `not_evaluated` says so instead.

    pairs: a file for the predictions and outcomes of each pair, see `evaluated_pairs`.
    """
    found = _evaluation(night, pairs)
    if pairs is not None and "not_evaluated" in found:
        write_evaluated_pairs(pairs, None)
    return found


def _evaluation(night: Night, pairs: Path | None) -> Evaluation:
    sample = sampled_people(night.people, night.settings.evaluate.people, generator(night.settings, "judged"))
    events = night.events if sample is None else events_among(night.events, sample)
    if sample is not None:
        night.release()  # the people of a large service, most of whom are not in the sample
    decided = directed_labels(events)
    if decided[C.TS].nunique() < 2:
        return {"not_evaluated": "no decisions at two times, so nothing came after anything"}
    at = pd.Timestamp(decided[C.TS].sort_values().iloc[int(LEARNED_SHARE * len(decided))])
    people, past = _as_of(at, night, sample)
    return _evaluation_after(at, night, events, people, past, pairs)


def _as_of(at: pd.Timestamp, night: Night, sample: frozenset[str] | None) -> tuple[Population, Events]:
    """Return the people and events before a moment; the tables they were read from are freed."""
    earlier = load_sorted(
        night.source if sample is None else tables_among(night.source, sample),
        at - pd.Timedelta(microseconds=1),
        past=True,
        catalogue=night.catalogue,
    )
    return population_of(earlier), events_of(earlier)


def _evaluation_after(  # noqa: PLR0917
    at: pd.Timestamp,
    night: Night,
    events: Events,
    people: Population,
    past: Events,
    pairs: Path | None,
) -> Evaluation:
    settings = night.settings
    answered, shown = answers_after(events, past, people.ids, at)
    if answered.empty or answered[LABEL].nunique() < 2:
        return {
            "not_evaluated": f"too few answers of people known by {at}",
            "learned_before": at.isoformat(),
        }
    explored = exploration_log(events.frame, at, people)
    predictions = _Predictions.of(night, people, past, shown, explored)
    own = settings.model.name
    decided = directed_labels(events)
    mutual = mutual_outcomes(shown, decided)
    exposures = exposures_after(events, shown, people, at, generator(settings, "looks"))
    first, replies = first_and_replies(exposures, decided)
    both = first[PAIR].merge(mutual, on=PAIR)
    if pairs is not None:
        write_evaluated_pairs(pairs, evaluated_pairs(predictions.lists[own], first, mutual))
    outcomes = _Outcomes(answered, mutual, first, replies, both, explored)
    slices = evidence_slices(people.ids, directed_labels(past))
    return {
        "learned_before": at.isoformat(),
        "evaluated_people": len(people),
        "answered_after": len(answered),
        "shown_after": len(shown),
        "measures": _records(_measures(predictions, outcomes, slices, settings)),
        "reliability": _records(_reliability(predictions.lists[own], outcomes)),
    }


@dataclass(frozen=True, eq=False)
class _Outcomes:
    """What happened after the training: viewer_id, candidate_id, label in each table.

    answered: of those who answered; mutual: of all pairs shown; first, replies: see `first_and_replies`;
    both: which of `first` became mutual; explored: see `exploration_log`.
    """

    answered: pd.DataFrame
    mutual: pd.DataFrame
    first: pd.DataFrame
    replies: pd.DataFrame
    both: pd.DataFrame
    explored: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Predictions:
    """What each model predicted, by its name.

    lists: scored pairs; drawn: its own lists beside the exploration log.
    """

    lists: Mapping[str, pd.DataFrame]
    drawn: Mapping[str, ListsOfModel]

    @classmethod
    def of(
        cls, night: Night, people: Population, past: Events, shown: pd.DataFrame, explored: pd.DataFrame
    ) -> Self:
        """Fit the model of the settings and the baselines on the past, and predict the pairs shown."""
        lists, drawn = {}, {}
        allowed = Recommender(people, night.policy)
        for name, model in _models(night.settings, people, past):
            # of the people it was fitted on, combined as the lists of a night are
            scored = model.score_pairs(shown[PAIR], combiner="product")
            lists[name] = as_lists(scored)
            drawn[name] = ListsOfModel.of(model, allowed, explored, PLACES)
        return cls(lists, drawn)


def _measures(
    predictions: _Predictions, outcomes: _Outcomes, slices: pd.Series, settings: Settings
) -> pd.DataFrame:
    """Return every metric of every model: of the order of mutual pairs, of probabilities, off policy."""
    metrics = {name: plugin_metric(name) for name in settings.evaluate.metrics}
    lists, rng = predictions.lists, generator(settings, "intervals")
    order = compare(
        lists, outcomes.mutual, k=(PLACES,), probability="", slices=slices, metrics=metrics, rng=rng
    )
    like = compare(lists, outcomes.first, k=(), probability=C.P_LIKE, slices=slices, rng=rng)
    tables = [order.assign(target="mutual"), like.assign(target="like")]
    if len(outcomes.both):
        both = compare(lists, outcomes.both, k=(), probability=C.P_MUTUAL, rng=rng).assign(target="mutual")
        tables.append(both[both["metric"].isin(("auc", "ece"))])
    if len(outcomes.replies):
        own = {settings.model.name: lists[settings.model.name]}
        back = compare(own, outcomes.replies, k=(), probability=C.P_ANSWER, rng=rng)
        tables.append(back[back["metric"] == "ece"].assign(target="back"))
    if len(outcomes.explored):
        labels = {"like": outcomes.answered, "mutual": outcomes.mutual}
        tables.append(pd.DataFrame(off_policy_rows(outcomes.explored, labels, predictions.drawn, rng)))
    measures = pd.concat(tables)
    known = measures["metric"].str.partition("@")[0].isin(METRICS) | measures["metric"].isin(metrics)
    return measures[known]


def _reliability(predicted: pd.DataFrame, outcomes: _Outcomes) -> pd.DataFrame:
    """Return reliability by direction: of first exposures, of replies to a like, of matches."""
    tables = []
    for name, pairs, probability in (
        ("like", outcomes.first, C.P_LIKE),
        ("back", outcomes.replies, C.P_ANSWER),
        ("mutual", outcomes.both, C.P_MUTUAL),
    ):
        known = pairs.merge(predicted, on=PAIR)
        n_bins = 10 if len(known) >= _MANY else 5
        table = reliability_table(known[LABEL], known[probability], n_bins=n_bins)
        tables.append(table.assign(direction=name))
    return pd.concat(tables, ignore_index=True)


def _models(settings: Settings, people: Population, past: Events) -> Iterator[tuple[str, Model]]:
    """Yield the model of the settings and the baselines, fitted; a part of the first is not fitted again."""
    chosen = _fitted(settings.model, settings, people, past)
    yield chosen.name, chosen
    parts: dict[str, Model] = {}
    if isinstance(chosen, HybridModel) and chosen.content_ is not None:
        parts["content"] = chosen.content_.with_look_level(Impressions.from_events(people, past))
    for name in settings.evaluate.beside:
        if name != chosen.name:
            beside = ModelSettings(name=name, blocks=settings.model.blocks)
            yield name, parts.get(name) or _fitted(beside, settings, people, past)


def _fitted(model: ModelSettings, settings: Settings, people: Population, past: Events) -> Model:
    return model_from_settings(model).fit(people, past, rng=generator(settings, f"evaluate {model.name}"))


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return rows as JSON values; what is no number becomes null."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


_LIMITS = ("value", "lo", "hi", "random")
_PLOTTED = ("mutual ndcg@10", "mutual auc", "like auc")
_CALIBRATION = ("direction", "predicted", "observed", "lo", "hi", "pairs")


def write_evaluation(found: Mapping[str, Any], model: str, paths: NightPaths) -> None:
    """Write what `evaluate_night` returned, and what DVC shows of it; none of it names anybody.

    model: the name of the night's own model. An evaluation that says why it could not be made leaves metrics
    without a number and plots without a row.
    """
    write_atomically(paths.evaluation, json.dumps(found, indent=1, ensure_ascii=False).encode() + b"\n")
    metrics = own_metrics(found, model)
    write_atomically(paths.dvc_metrics, json.dumps(metrics, indent=1).encode() + b"\n")
    paths.dvc_plots.mkdir(exist_ok=True)
    for name, table in plot_tables(found).items():
        text = table.to_csv(index=False, lineterminator="\n")
        write_atomically(paths.dvc_plots / f"{name}.csv", text.encode())


def own_metrics(found: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return the metrics of one model for everybody: target -> metric -> value, lo, hi, random.

    >>> row = {"slice": "all", "model": "hybrid", "target": "like", "metric": "auc", "value": 0.7}
    >>> own_metrics({"evaluated_people": 9, "measures": [row]}, "hybrid")
    {'evaluated_people': 9, 'like': {'auc': {'value': 0.7}}}
    """
    metrics: dict[str, Any] = {
        name: found[name] for name in ("evaluated_people", "answered_after", "shown_after") if name in found
    }
    for row in _of_everybody(found):
        if row["model"] == model:
            limits = {name: row[name] for name in _LIMITS if row.get(name) is not None}
            metrics.setdefault(str(row["target"]), {})[str(row["metric"])] = limits
    return metrics


def plot_tables(found: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the tables of the plots: every model's metrics, and the calibration of the night's own.

    >>> {name: len(table) for name, table in plot_tables({"not_evaluated": "nothing"}).items()}
    {'models': 0, 'calibration': 0}
    """
    values = {
        (row["model"], f"{row['target']} {row['metric']}"): row["value"] for row in _of_everybody(found)
    }
    models = list(dict.fromkeys(model for model, _ in values))
    rows = [{"model": model, **{name: values.get((model, name)) for name in _PLOTTED}} for model in models]
    renamed = {"said": "predicted", "happened": "observed"}
    calibration = pd.DataFrame(found.get("reliability", [])).rename(columns=renamed)
    return {
        "models": pd.DataFrame(rows, columns=["model", *_PLOTTED]),
        "calibration": calibration.reindex(columns=list(_CALIBRATION)),
    }


def _of_everybody(found: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (row for row in found.get("measures", []) if row["slice"] == "all")
