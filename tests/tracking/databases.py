"""An empty tracking database that is made once for all tests: a fresh one costs seconds."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from recsys.tracking.mlflow_tracker import DATABASE, MlflowStore


@cache
def _fresh() -> bytes:
    folder = Path(mkdtemp())
    try:
        store = MlflowStore.at(folder)
        with store.errors_explained():
            store.client.search_experiments()
        return (folder / DATABASE).read_bytes()
    finally:
        shutil.rmtree(folder)


def put_database(folder: Path) -> Path:
    """Give a folder an empty tracking database; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATABASE).write_bytes(_fresh())
    return folder
