"""Judges the model on what it could not know: what happened after it learned.

The last part of the events is set aside; people, answers and events are taken as of that moment, the
model of the settings and those beside it learn from them, and what followed judges them: who liked whom
among those who answered, and with whom it became mutual among those a viewer was shown.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.config import ModelSettings, Settings
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.data.labels import LABEL, LabelSettings, directed_labels
from recsys.data.population import Population
from recsys.evaluation.compare import compare
from recsys.evaluation.market import mutual_labels
from recsys.evaluation.probability import reliability_table
from recsys.evaluation.protocol import as_lists
from recsys.evaluation.registry import plugin_metric
from recsys.evaluation.splits import EVIDENCE, count_signals, evidence_slice, temporal_split
from recsys.models.base import Model
from recsys.models.behaviour import BehaviourModel
from recsys.models.hybrid import HybridModel
from recsys.models.impressions import Looks
from recsys.pipeline.evaluation_sample import (
    events_among,
    judged_pairs,
    judged_people,
    tables_among,
    write_judged,
)
from recsys.pipeline.from_settings import model_from_settings
from recsys.pipeline.night import Night
from recsys.pipeline.off_policy import SNIPS, explored, listed, snips_rows
from recsys.random import generator
from recsys.storage.load import LoadedTables, events_of, load_tables, population_of, with_events_only_sorted

Found = Mapping[str, Any]

LEARNED_SHARE: Final = 0.8
_MANY: Final = 1000
PLACES: Final = 10
MEASURES: Final = ("precision", "recall", "ndcg", "auc", "log_loss", "brier", "ece", SNIPS)


def judge(night: Night, *, pairs: Path | None = None) -> Found:
    """Return what the model of the night's settings foresaw, as plain values that JSON can hold.

    learned_before, judged_people, answered_after, shown_after say what was judged; `measures` and
    `reliability` are rows of tables. When nothing came after anything, `not_judged` says so instead.

    pairs: a file for what the model of the settings said of each pair it was judged on, see
    `judged_pairs`.
    """
    found = _judged(night, pairs)
    if pairs is not None and "not_judged" in found:
        write_judged(pairs, None)
    return found


def _judged(night: Night, pairs: Path | None) -> Found:
    kept = judged_people(night.people, night.settings.evaluate.people, generator(night.settings, "judged"))
    events = night.events if kept is None else events_among(night.events, kept)
    if kept is not None:
        night.let_go()  # of a large service, most of whom nobody is judged by
    decided = directed_labels(events)
    if decided[C.TS].nunique() < 2:
        return {"not_judged": "no decisions at two times, so nothing came after anything"}
    at = pd.Timestamp(decided[C.TS].sort_values().iloc[int(LEARNED_SHARE * len(decided))])
    earlier = with_events_only_sorted(
        load_tables(
            night.source if kept is None else tables_among(night.source, kept),
            at - pd.Timedelta(microseconds=1),
            past=True,
        )
    )
    return _judged_after(at, night, events, earlier, pairs)


def _judged_after(
    at: pd.Timestamp, night: Night, events: Events, earlier: LoadedTables, pairs: Path | None
) -> Found:
    settings = night.settings
    people, past = population_of(earlier), events_of(earlier)
    answered, shown = answers_after(events, past, people.ids, at)
    if answered.empty or answered[LABEL].nunique() < 2:
        return {"not_judged": f"too few answers of people known by {at}", "learned_before": at.isoformat()}
    lists: dict[str, pd.DataFrame] = {}
    would_show: dict[str, pd.Series] = {}
    of_looks: dict[str, bool] = {}
    by_chance = explored(events.frame, at, people)
    for name, model in _models(settings, people, past):
        scored = model.score_pairs(shown[[C.VIEWER, C.CANDIDATE]], people=people)
        answer = model.p_answer(scored[C.P_LIKE]) if isinstance(model, BehaviourModel) else scored[C.P_LIKE]
        lists[name] = as_lists(scored.assign(**{C.P_ANSWER: answer}))
        of_looks[name] = isinstance(model, BehaviourModel)
        would_show[name] = listed(model.directed(people), people, night.policy, by_chance, PLACES)
    own_metrics = {name: plugin_metric(name) for name in settings.evaluate.metrics}
    slices = _slices(people.ids, directed_labels(past))
    rng = generator(settings, "intervals")
    decided = directed_labels(events)
    mutual = _mutual(shown, decided)
    looked = looked_after(events, shown, people, at, generator(settings, "looks"))
    told = looked if of_looks[settings.model.name] else answered
    first, asked = _by_direction(told, decided)
    both = first[[C.VIEWER, C.CANDIDATE]].merge(mutual, on=[C.VIEWER, C.CANDIDATE])
    if pairs is not None:
        write_judged(pairs, judged_pairs(lists[settings.model.name], first, mutual))
    parts: list[pd.DataFrame] = [
        compare(
            lists, mutual, k=(PLACES,), probability="", slices=slices, metrics=own_metrics, rng=rng
        ).assign(target="mutual"),
        _of_same(
            compare(lists, first, k=(), probability=C.P_LIKE, slices=slices, rng=rng), of_looks, settings
        ).assign(target="like"),
    ]
    if len(both):
        chances = compare(lists, both, k=(), probability=C.P_MUTUAL, rng=rng).assign(target="mutual")
        chances = _of_same(chances, of_looks, settings)
        parts.append(chances[chances["metric"].isin(("auc", "ece"))])
    if len(by_chance):
        outcomes = {"like": answered, "mutual": mutual}
        parts.append(pd.DataFrame(snips_rows(by_chance, outcomes, would_show, rng)))
    measures = pd.concat(parts)
    wanted = measures["metric"].str.partition("@")[0].isin(MEASURES) | measures["metric"].isin(own_metrics)
    judged = measures[wanted]
    return {
        "learned_before": at.isoformat(),
        "judged_people": len(people),
        "answered_after": len(answered),
        "shown_after": len(shown),
        "measures": _records(judged),
        "reliability": _records(_reliability(lists[settings.model.name], first, asked, both)),
    }


def _of_same(measures: pd.DataFrame, of_looks: Mapping[str, bool], settings: Settings) -> pd.DataFrame:
    """Leave out how chances fit of models whose chances are of something else than the chosen model's.

    Models of behaviour state P(like | looks), the others P(like | answers): each order can be judged
    on either, the level only on its own.
    """
    own = of_looks[settings.model.name]
    other = measures["model"].isin([name for name, looks in of_looks.items() if looks != own])
    return measures[~(other & measures["metric"].isin(("log_loss", "brier", "ece")))]


def looked_after(
    events: Events, shown: pd.DataFrame, people: Population, at: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """Return pairs shown after `at` that were looked at: viewer_id, candidate_id, label, ts.

    Who answered has looked. Of the places left unanswered, each stays with the chance that it was
    looked at all the same (see `Looks`), so that what stays is a fair sample of looks.
    """
    _, later = temporal_split(events.frame, at)
    looks = Looks.from_events(people, Events.of(later))
    looks = looks.take(looks.answered | (rng.random(len(looks)) < looks.chances))
    keys = [C.VIEWER, C.CANDIDATE]
    ids = {keys[0]: people.ids.ids(looks.viewers), keys[1]: people.ids.ids(looks.candidates)}
    return pd.DataFrame({**ids, LABEL: looks.labels}).merge(shown[[*keys, C.TS]], on=keys)


def _by_direction(told: pd.DataFrame, decided: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the looks at people who had not said anything yet, and at people who had liked already."""
    keys = [C.VIEWER, C.CANDIDATE]
    back = decided.loc[decided[LABEL] > 0, [*keys, C.TS]].set_axis([keys[1], keys[0], "liked_at"], axis=1)
    told = told[[*keys, LABEL, C.TS]].merge(back, on=keys, how="left")
    asked = (told["liked_at"] < told[C.TS]).to_numpy(bool)
    return told[~asked].reset_index(drop=True), told[asked].reset_index(drop=True)


def _reliability(
    said: pd.DataFrame, first: pd.DataFrame, asked: pd.DataFrame, both: pd.DataFrame
) -> pd.DataFrame:
    """Return reliability by direction: of first looks, of answers to a like, of matches after first looks."""
    tables = []
    for name, pairs, chance in (
        ("like", first, C.P_LIKE),
        ("back", asked, C.P_ANSWER),
        ("mutual", both, C.P_MUTUAL),
    ):
        known = pairs.merge(said, on=[C.VIEWER, C.CANDIDATE])
        n_bins = 10 if len(known) >= _MANY else 5
        table = reliability_table(known[LABEL], known[chance], n_bins=n_bins)
        tables.append(table.assign(direction=name))
    return pd.concat(tables, ignore_index=True)


def _models(settings: Settings, people: Population, past: Events) -> Iterator[tuple[str, Model]]:
    """Yield the model of the settings and those beside it, fitted; what is part of it is not fitted again."""
    chosen = _fitted(settings.model, settings, people, past)
    yield chosen.name, chosen
    parts = {"content": chosen.content_} if isinstance(chosen, HybridModel) else {}
    for name in settings.evaluate.beside:
        if name != chosen.name:
            beside = ModelSettings(name=name, blocks=settings.model.blocks)
            yield name, parts.get(name) or _fitted(beside, settings, people, past)


def _fitted(model: ModelSettings, settings: Settings, people: Population, past: Events) -> Model:
    return model_from_settings(model).fit(people, past, rng=generator(settings, f"evaluate {model.name}"))


def answers_after(
    events: Events, past: Events, known: IdIndex, at: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the answers given after `at`, and all pairs shown after it, between people known by then.

    Pairs about whom the viewer had answered before are in neither.
    """
    _, later = temporal_split(events.frame, at)
    before = directed_labels(past)[[C.VIEWER, C.CANDIDATE]]
    labels = directed_labels(Events.of(later), settings=LabelSettings(unanswered=True))
    labels = labels[(known.find(labels[C.VIEWER]) >= 0) & (known.find(labels[C.CANDIDATE]) >= 0)]
    new = labels.merge(before, on=[C.VIEWER, C.CANDIDATE], how="left", indicator=True)
    shown = new[new["_merge"] == "left_only"].drop(columns="_merge")
    answers = directed_labels(Events.of(later))[[C.VIEWER, C.CANDIDATE]]
    return shown.merge(answers, on=[C.VIEWER, C.CANDIDATE]), shown


def _mutual(shown: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Return with whom it became mutual, of the pairs shown; the other side may have said yes long before."""
    keys = [C.VIEWER, C.CANDIDATE]
    known = pd.concat([shown[[*keys, LABEL]], decided[[*keys, LABEL]]]).drop_duplicates(keys)
    return mutual_labels(known, undecided_is_no=True).merge(shown[keys], on=keys)


def _slices(ids: IdIndex, decided: pd.DataFrame) -> pd.Series:
    """Return everybody's slice, by how many decisions they had made or received."""
    signals = count_signals(ids.values, decided[C.VIEWER], decided[C.CANDIDATE])
    order = pd.CategoricalDtype(list(EVIDENCE), ordered=True)
    return pd.Series(evidence_slice(signals), index=ids.values, dtype=order).sort_values().astype(object)


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return rows as JSON values; what is no number becomes null."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]
