"""Where MLflow keeps things, and the one place that loads it: quiet, and talking to nobody else."""

import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

from recsys.errors import RecsysError, TrackingError, explained

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
        with self.asked():
            if self.artifacts is not None:
                self.artifacts.mkdir(parents=True, exist_ok=True)
            return load_mlflow().MlflowClient(tracking_uri=self.address, registry_uri=self.address)

    @contextmanager
    def asked(self) -> Iterator[None]:
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
        with self.asked():
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
        parts = urlsplit(run.info.artifact_uri)
        folder = Path(unquote(parts.path))
        if parts.scheme in {"", "file"} and self.artifacts is not None and self.artifacts in folder.parents:
            shutil.rmtree(folder.parent, ignore_errors=True)


def _is_from_store(error: Exception) -> bool:
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError) or bool(modules & {"mlflow", "sqlalchemy", "requests", "alembic"})
