"""Real public data as our tables, by the mappings beside this file. The data may be absent."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.mapping import Mapping as MappingFolder
from recsys.mapping import map_tables

VARIABLE = "RECSYS_DATA"
"""Environment variable with the folder of data sets; without it, `../shared/data` of the repository."""


def data_folder() -> Path:
    """Return the folder that holds the data sets, there or not."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    return Path(os.environ.get(VARIABLE) or beside)


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test, with the reason, where a data set is absent."""
    reason = f"the {name} data are not in the data folder (set {VARIABLE})"
    return pytest.mark.skipif(not (data_folder() / name).is_dir(), reason=reason)


@lru_cache(maxsize=3)
def mapped_tables(name: str) -> Mapping[str, pd.DataFrame]:
    """Return what the mapping of a data set gives."""
    mapping = MappingFolder.read(Path(__file__).parent / "mappings" / name)
    source = str(data_folder() / mapping.settings.source)
    tables = map_tables(
        replace(mapping, settings=mapping.settings.model_copy(update={"source": source}))
    ).tables
    return {name: table.map(_as_list) for name, table in tables.items()}


def _as_list(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else value
