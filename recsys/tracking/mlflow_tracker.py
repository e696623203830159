"""The tracker that keeps runs in MLflow."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from recsys.tracking.mlflow_store import MlflowStore, load_mlflow
from recsys.tracking.tracker import TrackedRun

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
        """Keep a table as `tables/NAME.csv`."""
        with self.store.asked():
            self.store.client.log_text(self.run_id, rows.to_csv(index=False), f"tables/{_named(name)}.csv")

    def file(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file or of a whole folder in a folder of the run."""
        log = self.store.client.log_artifacts if path.is_dir() else self.store.client.log_artifact
        with self.store.asked():
            log(self.run_id, str(path), folder or None)

    def _now(self) -> int:
        with self.store.asked():
            return int(self.store.client.get_run(self.run_id).info.start_time)

    def _batch(self, kind: str, values: list[Any]) -> None:
        with self.store.asked():
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
        with self.store.asked():
            started = self.store.client.create_run(experiment, tags=dict(tags), run_name=name)
        run_id = str(started.info.run_id)
        try:
            yield MlflowRun(self.store, run_id)
        except BaseException:
            with self.store.asked():
                self.store.client.set_terminated(run_id, status="FAILED")
            raise
        with self.store.asked():
            self.store.client.set_terminated(run_id, status="FINISHED")

    def remove_old(self, keep: int, *, needed: frozenset[str] = frozenset()) -> list[str]:
        """Remove all but the newest `keep` runs, with their files; return the ids of those removed.

        needed: ids of runs that stay however old they are.
        """
        experiment = self.store.experiment_id(self.experiment)
        removed = []
        with self.store.asked():
            runs = self.store.client.search_runs(
                [experiment], order_by=["attributes.start_time DESC"], max_results=50_000
            )
            for run in runs[keep:]:
                if run.info.run_id not in needed:
                    self.store.client.delete_run(run.info.run_id)
                    self.store.remove_files(run)
                    removed.append(str(run.info.run_id))
        return removed


def _named(name: str) -> str:
    """Return a name MLflow takes: `ndcg@10` becomes `ndcg_at_10`."""
    return _NOT_IN_NAMES.sub("_", name.replace("@", "_at_").replace(">", "over_"))
