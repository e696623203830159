"""A store for each test."""

from pathlib import Path

import pytest

from recsys.tracking.mlflow_tracker import MlflowStore
from tests.tracking.databases import put_database


@pytest.fixture
def place(tmp_path: Path, tracking_database: Path) -> Path:
    return put_database(tmp_path / "tracking", tracking_database)


@pytest.fixture
def store(place: Path) -> MlflowStore:
    return MlflowStore.at(place)
