"""Fits the model of the settings on what people answered and did."""

import sys

from pipelines.stage import LogFields, run
from recsys.pipeline.from_settings import model_from_settings
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_outputs import read_features
from recsys.random import generator
from recsys.settings import Settings


def step(settings: Settings, paths: NightPaths) -> LogFields:
    night = Night.current(settings, paths)
    features = read_features(paths.features)
    model = model_from_settings(settings.model, features)
    people, training_data = night.people, model.training_data(night.people, night.events)
    del night  # and with it the events: a large log does not stay beside what is learned from it
    model.fit_prepared(people, training_data, rng=generator(settings, "train"))
    model.save(paths.model)
    return {"model": model.name, "people": len(people), "factors": model.fitted.taste.shape[1]}


def main() -> int:
    """Run this stage."""
    return run("train", step)


if __name__ == "__main__":
    sys.exit(main())
