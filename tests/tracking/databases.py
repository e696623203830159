"""An empty tracking database, and folders that have a copy of it."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from recsys.tracking.mlflow_tracker import DATABASE, MlflowStore


def make_database(path: Path) -> None:
    """Write the file of an empty tracking database."""
    with TemporaryDirectory() as folder:
        store = MlflowStore.at(Path(folder))
        with store.errors_explained():
            store.client.search_experiments()
        shutil.copyfile(Path(folder) / DATABASE, path)


def put_database(folder: Path, database: Path) -> Path:
    """Give a folder its copy of an empty tracking database; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(database, folder / DATABASE)
    return folder
