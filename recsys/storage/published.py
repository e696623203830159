"""The publication a backend reads: a pointer file, a run folder, a manifest that proves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import PublicationError, SourceError, explained
from recsys.schema.columns import Columns as C
from recsys.storage.durable import write_durably
from recsys.storage.manifest import Manifest, read_manifest, verify_files

CURRENT: Final = "CURRENT"
RUNS: Final = "runs"
LISTS: Final = "recommendations.parquet"
SERVING: Final = "serving"
"""The folder of a run that a backend maps, see `recsys.ranking`."""
NEWCOMERS: Final = "newcomers"
"""The folder of a run with what folding in one more person needs; opened when the first one asks."""
LIST_COLUMNS: Final = (
    C.VIEWER,
    C.CANDIDATE,
    C.RANK,
    C.P_LIKE,
    C.P_LIKED_BACK,
    C.P_MUTUAL,
    C.PROPENSITY,
    C.REASONS,
)


@dataclass(frozen=True)
class Publication:
    """One complete, verified run folder."""

    folder: Path
    manifest: Manifest

    def __repr__(self) -> str:
        rows = self.manifest.files[LISTS].rows or 0
        return f"Publication({self.run_id}, {rows:,} rows, data as of {self.manifest.data_as_of})"

    def _repr_html_(self) -> str:
        """Show the run and what it was made from."""
        made = pd.Series(self.manifest.made_from.model_dump(), name="identity").to_frame().to_html()
        return f"<p>{escape(repr(self))}</p>{made}"

    @property
    def run_id(self) -> str:
        """The run that made it."""
        return self.manifest.run_id

    @cached_property
    def lists(self) -> pd.DataFrame:
        """Every list: viewer_id, candidate_id, rank, p_like, p_liked_back, p_mutual, propensity, reasons."""
        return read_lists(self.folder / LISTS)


def read_lists(path: Path, columns: Sequence[str] = LIST_COLUMNS) -> pd.DataFrame:
    """Read some columns of a file of lists, in viewer and rank order; a missing propensity is 1.

    Raises SourceError when it cannot be read or lacks a column.
    """
    try:
        there = [name for name in columns if name != C.PROPENSITY or name in pq.read_schema(path).names]
        lists = pq.read_table(path, columns=there, partitioning=None).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(
            explained(
                "not a file of lists", where=str(path), got=reason, remedy="make it with recsys recommend"
            )
        ) from error
    return lists if len(there) == len(columns) else lists.assign(**{C.PROPENSITY: 1.0})[list(columns)]


def current_run(published: str | Path) -> str | None:
    """Return the run the pointer names, None when nothing was ever published.

    Raises PublicationError when the pointer names no run folder.
    """
    path = Path(published) / CURRENT
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        remedy = "publish again"
        raise PublicationError(
            explained("cannot read the pointer", where=str(path), got=str(error), remedy=remedy)
        ) from error
    folder, _, run_id = text.strip().partition("/")
    if folder != RUNS or not run_id or "/" in run_id or run_id.startswith("."):
        raise PublicationError(explained("the pointer names no run", where=str(path), got=text))
    return run_id


def point_to(published: Path, run_id: str) -> None:
    """Make `run_id` the publication that is served, in one step."""
    write_durably(published / CURRENT, f"{RUNS}/{run_id}\n".encode())


def read_publication(published: str | Path, *, run_id: str | None = None, verify: bool = True) -> Publication:
    """Open the publication that is served now, or the one of `run_id`, and check its files.

    Raises PublicationError when there is none, or when a file does not match the manifest.

    >>> read_publication("nowhere")
    Traceback (most recent call last):
    recsys.errors.PublicationError: nothing is published in nowhere; publish first: make nightly
    """
    published = Path(published)
    run_id = run_id or current_run(published)
    if run_id is None:
        remedy = "publish first: make nightly"
        raise PublicationError(explained("nothing is published", where=str(published), remedy=remedy))
    folder = published / RUNS / run_id
    manifest = read_manifest(folder)
    if manifest.run_id != run_id:
        raise PublicationError(
            explained("the manifest is of another run", where=str(folder), got=manifest.run_id)
        )
    if verify:
        verify_files(folder, manifest)
    return Publication(folder, manifest)
