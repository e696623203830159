"""The publication on disk: the pointer to the current run, its folder, and its lists."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.types import is_list

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.errors import PublicationError, SourceError, explained
from recsys.redaction import library_reason
from recsys.storage.atomic_write import write_atomically
from recsys.storage.manifest import Manifest, read_manifest, verify_files
from recsys.storage.parquet_frames import shared_codes

CURRENT: Final = "CURRENT"
OVERTAKEN_BY: Final = "OVERTAKEN_BY"
"""Names the latest run that a rollback went back from."""
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
CODED_COLUMNS: Final = tuple(name for name in LIST_COLUMNS if name != C.REASONS)
"""What is asked of all lists at once; reasons are for whoever reads a list."""


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
        """Every list: viewer_id, candidate_id, rank, p_like, p_liked_back, p_mutual, propensity, reasons.

        As the night left them, unfiltered, see `read_publication`.
        """
        return read_lists(self.folder / LISTS)


def read_lists(path: Path, columns: Sequence[str] = LIST_COLUMNS) -> pd.DataFrame:
    """Read some columns of a file of lists, in viewer and rank order; a missing propensity is 1.

    Raises SourceError when it cannot be read or lacks a column.
    """
    with source_error_unless_lists(path):
        there = _there(path, columns)
        lists = pq.read_table(path, columns=there, partitioning=None).to_pandas()
    return _with_propensity(lists, columns)


def read_coded_lists(path: Path, columns: Sequence[str] = CODED_COLUMNS) -> pd.DataFrame:
    """Read the same with ids as categories, ascending and the same in every column: each id is held once.

    Reasons, when they are asked for, stay the bytes they are until somebody looks at a row.
    Raises SourceError when it cannot be read or lacks a column.
    """
    with source_error_unless_lists(path):
        there = _there(path, columns)
        named = [name for name in there if name in (C.VIEWER, C.CANDIDATE)]
        with pq.ParquetFile(path, read_dictionary=named) as file:
            ids = _coded([file.read([name]).column(0) for name in named])
            rest = file.read([name for name in there if name not in named])
            lists = rest.to_pandas(types_mapper=lambda kind: pd.ArrowDtype(kind) if is_list(kind) else None)
        return _with_propensity(lists.assign(**dict(zip(named, ids, strict=True))), columns)


def _coded(columns: Sequence[pa.ChunkedArray]) -> list[pd.Categorical]:
    """Return columns of texts as categories: all texts of all columns."""
    texts, numbers = shared_codes(columns)
    every = pd.Index(texts, dtype=object)
    return [pd.Categorical.from_codes(column, categories=every) for column in numbers]


def _there(path: Path, columns: Sequence[str]) -> list[str]:
    known = pq.read_schema(path).names
    return [name for name in columns if name != C.PROPENSITY or name in known]


def _with_propensity(lists: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    missing = C.PROPENSITY in columns and C.PROPENSITY not in lists
    return (lists.assign(**{C.PROPENSITY: 1.0}) if missing else lists)[list(columns)]


@contextmanager
def source_error_unless_lists(path: Path) -> Iterator[None]:
    """Turn what reading a file raises when it holds no lists into SourceError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = library_reason(error)
        raise SourceError(
            explained(
                "not a file of lists", where=str(path), got=reason, remedy="make it with recsys recommend"
            )
        ) from error


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


def set_current_run(published: Path, run_id: str) -> None:
    """Swap the pointer: make `run_id` the current run, in one atomic write.

    The latest that was ever named is noted, see `is_overtaken`: of a later one before an earlier is named.
    """
    with suppress(PublicationError):
        before = current_run(published)
        if before is not None and run_id < before and not is_overtaken(published, before):
            write_atomically(published / OVERTAKEN_BY, f"{before}\n".encode())
    write_atomically(published / CURRENT, f"{RUNS}/{run_id}\n".encode())
    with suppress(PublicationError, OSError):  # it is served: a full disk here takes nothing back
        if not is_overtaken(published, run_id):  # whoever names an earlier one by hand notes nothing
            write_atomically(published / OVERTAKEN_BY, f"{run_id}\n".encode())


def mark_overtaken(published: Path, run_id: str) -> None:
    """Note that members may have taken back since what a run tells of them, until a later one is served."""
    if not is_overtaken(published, run_id):
        write_atomically(published / OVERTAKEN_BY, f"{run_id}~\n".encode())  # before the id of any later run


def is_overtaken(published: Path, run_id: str) -> bool:
    """Say whether a later run than this was served, or one was refused that told less; see `mark_overtaken`.

    Raises PublicationError when that cannot be read.
    """
    try:
        return run_id < (published / OVERTAKEN_BY).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise PublicationError(
            explained("cannot read which run was served last", where=str(published / OVERTAKEN_BY))
        ) from error


@checked_arguments
def read_publication(published: str | Path, *, run_id: str | None = None, verify: bool = True) -> Publication:
    """Open the publication that is served now, or the one of `run_id`, and check its files.

    Its lists are as the night left them, unfiltered: nothing that was blocked, held or erased since is left
    out. It is for reports and analysis; show people only what a `Ranker` gives.

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
