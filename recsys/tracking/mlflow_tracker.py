"""The tracker that keeps runs in MLflow."""

import logging
import math
import os
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

import pandas as pd

from recsys.data.quarantine import without_formulas
from recsys.errors import RecsysError, TrackingError, explained
from recsys.safety.erase_files import erase_from_artifacts
from recsys.safety.erasure_list import ErasedPeople
from recsys.tracking.tracker import TrackedRun

DATABASE: Final = "mlflow.db"
ARTIFACTS: Final = "artifacts"
_ENVIRONMENT: Final = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}
"""Set unless the environment says otherwise: a store that is away must not hold up a night."""


def load_mlflow() -> Any:
    """Import mlflow with its telemetry off."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with unwarned():
        import mlflow
        import mlflow.pyfunc
    return mlflow


@contextmanager
def unwarned() -> Iterator[None]:
    """Leave out the warnings of mlflow and its database about their own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        yield


@dataclass(frozen=True)
class MlflowStore:
    """Runs and models in one place: `address` of the database or server, `artifacts` for the files.

    artifacts: where files go, None to leave it to the server.
    """

    address: str
    artifacts: Path | None = None

    @classmethod
    def at(cls, place: str | Path) -> Self:
        """Return the store in a folder, or at an address such as http://tracking:5000.

        >>> MlflowStore.at("http://tracking:5000").address
        'http://tracking:5000'
        """
        if "://" in str(place):
            return cls(str(place))
        folder = Path(place).absolute()
        return cls(f"sqlite:///{folder / DATABASE}", folder / ARTIFACTS)

    @cached_property
    def client(self) -> Any:
        """The client of the store; the first one makes a new database, which takes some seconds."""
        with self.errors_explained():
            if self.artifacts is not None:
                self.artifacts.mkdir(parents=True, exist_ok=True)
            return load_mlflow().MlflowClient(tracking_uri=self.address, registry_uri=self.address)

    @contextmanager
    def errors_explained(self) -> Iterator[None]:
        """Run calls to mlflow: without its warnings, and with its errors as a TrackingError."""
        try:
            with unwarned():
                yield
        except RecsysError:
            raise
        except Exception as error:  # mlflow, its database and its network each raise their own kinds
            if not _is_from_store(error):
                raise
            got = str(error).partition("\n")[0] or type(error).__name__
            remedy = "see that it can be written to, or set tracking.enabled=false"
            raise TrackingError(
                explained("the tracking store did not answer", where=self.address, got=got, remedy=remedy)
            ) from error

    def experiment_id(self, name: str) -> str:
        """Return the id of an experiment; it is made when it is new.

        Raises TrackingError when the files of the store lie in another folder than the store.
        """
        with self.errors_explained():
            found = self.client.get_experiment_by_name(name)
            place = None if self.artifacts is None else (self.artifacts / name).as_uri()
            if found is None:
                return str(self.client.create_experiment(name, artifact_location=place))
            if found.lifecycle_stage != "active":
                self.client.restore_experiment(found.experiment_id)
        if place is not None and found.artifact_location != place:
            remedy = "move it back, or begin a new store by naming another in tracking.store"
            raise TrackingError(
                explained(
                    "the tracking store was moved", where=place, got=found.artifact_location, remedy=remedy
                )
            )
        return str(found.experiment_id)

    def remove_files(self, run: Any) -> None:
        """Remove the files of a run, when they lie in this store's own folder."""
        folder = self._own_folder(run)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def size(self, run: Any) -> int:
        """Return the bytes of the files of a run, 0 when they lie elsewhere."""
        folder = self._own_folder(run)
        files = [] if folder is None else [path for path in folder.rglob("*") if path.is_file()]
        return sum(path.stat().st_size for path in files)

    def _own_folder(self, run: Any) -> Path | None:
        parts = urlsplit(run.info.artifact_uri)
        folder = Path(unquote(parts.path))
        is_own = parts.scheme in {"", "file"} and self.artifacts is not None
        return folder.parent if is_own and self.artifacts in folder.parents else None


def _is_from_store(error: Exception) -> bool:
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError) or bool(modules & {"mlflow", "sqlalchemy", "requests", "alembic"})


_AT_ONCE: Final = 100
_LONGEST: Final = 6000
_NOT_IN_NAMES = re.compile(r"[^\w.\- /]")


@dataclass(frozen=True)
class MlflowRun:
    """A run under way in an MLflow store."""

    store: MlflowStore
    run_id: str

    def params(self, values: Mapping[str, object]) -> None:
        """Keep settings, by name."""
        entities = load_mlflow().entities
        self._batch("params", [entities.Param(_named(n), str(v)[:_LONGEST]) for n, v in values.items()])

    def metrics(self, values: Mapping[str, float]) -> None:
        """Keep numbers, by name; those that are not finite are left out."""
        entities = load_mlflow().entities
        now = self._now()
        known = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        self._batch("metrics", [entities.Metric(_named(n), v, now, 0) for n, v in known.items()])

    def table(self, name: str, rows: pd.DataFrame) -> None:
        """Keep a table as `tables/NAME.csv`; what would run in a spreadsheet is quoted."""
        with self.store.errors_explained():
            text = without_formulas(rows).to_csv(index=False)
            self.store.client.log_text(self.run_id, text, f"tables/{_named(name)}.csv")

    def file(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file or of a whole folder in a folder of the run."""
        log = self.store.client.log_artifacts if path.is_dir() else self.store.client.log_artifact
        with self.store.errors_explained():
            log(self.run_id, str(path), folder or None)

    def _now(self) -> int:
        with self.store.errors_explained():
            return int(self.store.client.get_run(self.run_id).info.start_time)

    def _batch(self, kind: str, values: list[Any]) -> None:
        with self.store.errors_explained():
            for start in range(0, len(values), _AT_ONCE):
                self.store.client.log_batch(self.run_id, **{kind: values[start : start + _AT_ONCE]})


@dataclass(frozen=True)
class MlflowTracker:
    """Keeps runs as one experiment of an MLflow store."""

    store: MlflowStore
    experiment: str

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[TrackedRun]:
        """Start a run; it is kept as failed when an error leaves the `with` block.

        Raises TrackingError when the store cannot be written to.
        """
        experiment = self.store.experiment_id(self.experiment)
        with self.store.errors_explained():
            started = self.store.client.create_run(experiment, tags=dict(tags), run_name=name)
        run_id = str(started.info.run_id)
        try:
            yield MlflowRun(self.store, run_id)
        except BaseException:
            with self.store.errors_explained():
                self.store.client.set_terminated(run_id, status="FAILED")
            raise
        with self.store.errors_explained():
            self.store.client.set_terminated(run_id, status="FINISHED")

    def remove_old(
        self, keep: int, *, needed: frozenset[str] = frozenset(), max_mb: float = math.inf
    ) -> list[str]:
        """Remove all but the newest `keep` runs, with their files; return the ids of those removed.

        needed: ids of runs that stay however old they are. max_mb: what the files of all runs in the store's
        own folder may take; the oldest go first, the newest and the needed stay.
        """
        experiment = self.store.experiment_id(self.experiment)
        removed = []
        with self.store.errors_explained():
            runs = self.store.client.search_runs(
                [experiment], order_by=["attributes.start_time DESC"], max_results=50_000
            )
            newest = {runs[0].info.run_id} if runs else set()
            left = max_mb * 2**20 - sum(self.store.size(run) for run in runs if run.info.run_id in needed)
            for at, run in enumerate(runs):
                if run.info.run_id in needed:
                    continue
                left -= self.store.size(run)
                if (at >= keep or left < 0) and run.info.run_id not in newest:
                    self.store.client.delete_run(run.info.run_id)
                    self.store.remove_files(run)
                    removed.append(str(run.info.run_id))
        return removed


def _named(name: str) -> str:
    """Return a name MLflow takes: `ndcg@10` becomes `ndcg_at_10`."""
    return _NOT_IN_NAMES.sub("_", name.replace("@", "_at_").replace(">", "over_"))


def erase_from_tracking(store: str | Path, erased: ErasedPeople) -> int:
    """Erase people from every file a store in a folder keeps; return how many files or models changed.

    The database holds settings and numbers alone, no ids. A server keeps its own files: there the pages and
    models of earlier nights have to be removed by whoever runs it.
    """
    artifacts = MlflowStore.at(store).artifacts
    if artifacts is None or not artifacts.is_dir() or not len(erased):
        return 0
    return erase_from_artifacts(artifacts, erased)
