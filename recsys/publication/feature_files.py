"""Fitted feature blocks as files."""

from pathlib import Path

from recsys.features.feature_map import FeatureMap
from recsys.storage.arrays import load_arrays, save_arrays


def write_features(features: FeatureMap, folder: Path) -> None:
    """Write fitted blocks as plain arrays."""
    save_arrays(folder, features.arrays(), {"blocks": features.meta()})


def read_features(folder: Path) -> FeatureMap:
    """Read the fitted blocks that `write_features` wrote."""
    arrays, meta = load_arrays(folder)
    return FeatureMap.from_arrays(arrays, meta["blocks"])
