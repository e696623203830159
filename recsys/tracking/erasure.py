"""The tracking store without the people who asked to be erased."""

from pathlib import Path

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.pipeline.evaluation_sample import read_judged, write_judged
from recsys.safety.erase_tables import file_names, forget_in_arrays, names_erased
from recsys.safety.erasure_list import Erased
from recsys.storage.arrays import INDEX
from recsys.tracking.mlflow_tracker import MlflowStore

_JUDGED = "judged.parquet"


def forget_tracked(store: str | Path, erased: Erased) -> int:
    """Take erased people out of every file a store in a folder keeps; return how many files changed.

    Judged pairs lose their rows, models the id and the person's own rows, pages about a night go as a
    whole. The database holds settings and numbers alone, no ids. A server keeps its own files: there the
    pages and models of earlier nights have to be removed by whoever runs it.
    """
    artifacts = MlflowStore.at(store).artifacts
    if artifacts is None or not artifacts.is_dir() or not len(erased):
        return 0
    changed = 0
    for index in sorted(artifacts.rglob(INDEX)):
        if names_erased(index.parent, erased):
            changed += forget_in_arrays(index.parent, erased)
    for path in sorted(artifacts.rglob(_JUDGED)):
        changed += _without_rows(path, erased)
    for path in names_erased(artifacts, erased):
        path.unlink()
        changed += 1
    return changed


def _without_rows(path: Path, erased: Erased) -> bool:
    if not file_names(path, erased):
        return False
    pairs = read_judged(path)
    gone = pd.Series(False, index=pairs.index)
    for column in (C.VIEWER, C.CANDIDATE):
        gone |= erased.holds_prints(pairs[column]) | erased.holds(pairs[column])
    write_judged(path, pairs[~gone])
    return True
