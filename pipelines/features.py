"""Learns the numeric blocks from what people answered."""

import sys

from pipelines.stage import Facts, run
from recsys.config import Settings
from recsys.features.feature_map import FeatureMap
from recsys.publication.chosen_blocks import chosen_blocks
from recsys.publication.feature_files import write_features
from recsys.publication.night import Night
from recsys.publication.work import WorkFolder


def step(settings: Settings, work: WorkFolder) -> Facts:
    night = Night.under_way(settings, work)
    features = FeatureMap.fit(night.people, events=night.events, blocks=chosen_blocks(settings.model))
    write_features(features, work.features)
    return {"blocks": len(features.blocks), "columns": len(features.columns)}


def main() -> int:
    """Run this stage."""
    return run("features", step)


if __name__ == "__main__":
    sys.exit(main())
