"""Learns the numeric blocks from what people answered."""

import sys

from pipelines.stage import LogFields, run
from recsys.features.feature_map import FeatureMap
from recsys.pipeline.from_settings import blocks_from_settings
from recsys.pipeline.night import Night
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_outputs import write_features
from recsys.settings import Settings


def step(settings: Settings, paths: NightPaths) -> LogFields:
    night = Night.current(settings, paths)
    features = FeatureMap.fit(night.people, events=night.events, blocks=blocks_from_settings(settings.model))
    write_features(features, paths.features)
    return {"blocks": len(features.blocks), "columns": len(features.columns)}


def main() -> int:
    """Run this stage."""
    return run("features", step)


if __name__ == "__main__":
    sys.exit(main())
