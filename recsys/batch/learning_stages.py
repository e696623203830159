"""The stages that learn: feature blocks, the model, and how well it foresees what it could not know."""

from dataclasses import replace
from typing import Any

from recsys.batch.stage_order import LogFields
from recsys.data.population import Population
from recsys.features.feature_map import FeatureMap
from recsys.memory import return_freed_memory
from recsys.models.base import Model
from recsys.models.hybrid import HybridModel
from recsys.models.training_data import BehaviourData
from recsys.pipeline.evaluation import evaluate_night, write_evaluation
from recsys.pipeline.from_settings import blocks_from_settings, model_from_settings
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_outputs import read_features, write_features
from recsys.random import generator
from recsys.settings import Settings


def fit_features(settings: Settings, paths: NightPaths) -> LogFields:
    """Learn the numeric blocks from what people answered."""
    night = Night.current(settings, paths)
    features = FeatureMap.fit(night.people, events=night.events, blocks=blocks_from_settings(settings.model))
    write_features(features, paths.features)
    return {"blocks": len(features.blocks), "columns": len(features.columns)}


def train(settings: Settings, paths: NightPaths) -> LogFields:
    """Fit the model of the settings on what people answered and did."""
    night = Night.current(settings, paths)
    model = model_from_settings(settings.model, read_features(paths.features))
    people, training_data = _learned_from(model, night)
    del night  # and with it the events: a large log does not stay beside what is learned from it
    return_freed_memory()
    model.fit_prepared(people, training_data, rng=generator(settings, "train"))
    model.save(paths.model)
    return {"model": model.name, "people": len(people), "factors": model.fitted.taste.shape[1]}


def _learned_from(model: Model, night: Night) -> tuple[Population, Any]:
    """Return people and training data.

    Of the hybrid people come without their tables, and with the rows that are made from these: tables are in
    memory neither beside the events nor beside what is learned. Another model may read whatever people hold.
    """
    if type(model) is not HybridModel:
        return night.people, model.training_data(night.people, night.events)
    people = night.people_without_tables()
    data: BehaviourData = model.training_data(people, night.events)
    night.release()
    data.set_aside()
    return_freed_memory()
    if data.content is not None:
        data = replace(data, content=data.content.with_rows_of(night.people))
    return people, data


def evaluate(settings: Settings, paths: NightPaths) -> LogFields:
    """Evaluate the model on what happened after it learned."""
    found = evaluate_night(Night.current(settings, paths), pairs=paths.evaluated_pairs)
    write_evaluation(found, settings.model.name, paths)
    return {key: value for key, value in found.items() if not isinstance(value, list)}
