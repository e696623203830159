"""Real public data as our tables. The data lie beside the project and may be absent."""

import os
from pathlib import Path

import pytest

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
