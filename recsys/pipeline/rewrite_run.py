"""Rewriting an earlier publication without erased people, so that going back to it stays possible."""

import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from recsys.catalogue.columns import Columns as C
from recsys.errors import PublicationError, RecsysError, explained
from recsys.pipeline.list_files import copy_lists
from recsys.ranking.cold_start import StoredColdStart
from recsys.ranking.snapshot_erasure import erase_from_snapshot, without_tokens
from recsys.safety.erase_files import erase_from_arrays, may_hide_people
from recsys.safety.erasure_list import ErasedPeople
from recsys.safety.person_files import folder_names_erased
from recsys.storage.arrays import INDEX, load_arrays
from recsys.storage.atomic_write import replaced_folder
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.storage.manifest import MANIFEST, file_entry, read_manifest, write_manifest
from recsys.storage.publication import LISTS, NEWCOMERS, SERVING


def rewrite_run(folder: Path, erased: ErasedPeople) -> bool:
    """Replace a run by one that names nobody erased; say whether that could be done.

    Ids in the arrays become placeholders and the person's own rows are emptied; lists close up. A run that
    cannot be read, still names somebody afterwards, or holds what a plugin may know people by, stays as it
    was: the caller removes it.
    """
    aside, old = folder.with_name(f".{folder.name}"), folder.with_name(f".{folder.name}.old")
    try:
        with replaced_folder(folder, new=aside, old=old) as copy:
            _erase_from(copy, erased)
    except (RecsysError, OSError, ValueError, KeyError, TypeError):
        return False
    shutil.rmtree(old)
    return True


def _erase_from(run: Path, erased: ErasedPeople) -> None:
    """Rewrite a run; raise PublicationError where it may name somebody all the same."""
    may_hide = _plugin_may_hide_people(run)
    if not may_hide:
        _rewrite(run, erased)
    if may_hide or folder_names_erased(run, erased):
        raise PublicationError(explained("a run may name somebody erased", where=run.name))


def _plugin_may_hide_people(run: Path) -> bool:
    model, serving = run / NEWCOMERS / "model", run / SERVING
    if not (model / INDEX).is_file():
        return False
    known = load_arrays(serving)[0] if (serving / INDEX).is_file() else {}
    return may_hide_people(model, n_people=len(known["ids"]) if "ids" in known else None)


def _rewrite(run: Path, erased: ErasedPeople) -> None:
    manifest = read_manifest(run)
    before = run / f".{LISTS}"
    (run / LISTS).rename(before)
    copy_lists(before, run / LISTS, without=_named(before, erased))
    before.unlink()
    if (run / SERVING / INDEX).is_file():
        gone = erase_from_snapshot(run / SERVING, erased)
        if (run / NEWCOMERS / INDEX).is_file():
            stored = load_dataclass(StoredColdStart, run / NEWCOMERS, mmap=False)
            vocabulary = without_tokens(stored.vocabulary, gone)
            save_dataclass(run / NEWCOMERS, replace(stored, vocabulary=vocabulary))
            erase_from_arrays(run / NEWCOMERS / "model", erased)
    names = sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    rows = pq.read_metadata(run / LISTS).num_rows
    files = {
        name: file_entry(run / name, rows=rows if name == LISTS else None)
        for name in names
        if name != MANIFEST
    }
    write_manifest(run, manifest.model_copy(update={"files": files}))


def _named(path: Path, erased: ErasedPeople) -> list[str]:
    table = pq.read_table(path, columns=[C.VIEWER, C.CANDIDATE], partitioning=None)
    ids = sorted({one for name in table.column_names for one in table[name].unique().to_pylist()})
    return [one for one, is_gone in zip(ids, erased.among(ids), strict=True) if is_gone]
