"""Answers become numbers: blocks of two aligned rows a person.

`FeatureMap` and everything under `applied` need numpy alone; the blocks are scikit-learn
transformers and are loaded when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.features.block import Block
    from recsys.features.defaults import default_blocks
    from recsys.features.feature_map import FeatureMap
    from recsys.features.numeric import Numeric
    from recsys.features.rows import BlockRows


_HOMES = {
    "Block": "recsys.features.block",
    "BlockRows": "recsys.features.rows",
    "FeatureMap": "recsys.features.feature_map",
    "Numeric": "recsys.features.numeric",
    "default_blocks": "recsys.features.defaults",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'recsys.features' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


__all__ = [
    "Block",
    "BlockRows",
    "FeatureMap",
    "Numeric",
    "default_blocks",
]
