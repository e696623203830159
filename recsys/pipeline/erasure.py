"""Erasure of people: the list, the publications that name them, and the work folder of the next night."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, PublicationError, explained
from recsys.pipeline.lock import LOCK
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.retention import remove_run, run_folders
from recsys.pipeline.rewrite_run import rewrite_run
from recsys.ranking.publication_filter import published_accounts
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.erase_files import folder_lists_erased
from recsys.safety.erased_names import redaction
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.safety.keys import read_keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.person_files import folder_names_erased
from recsys.safety.store import (
    MemorySafety,
    SafetyStore,
    StoreNamingPeople,
    StoreWithErasedIds,
    StoreWithNames,
    ask_safety,
)
from recsys.storage.atomic_write import write_atomically
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import RUNS, current_run

_KEPT: Final = ("settings.yaml", "log.jsonl", LOCK)
"""Files of the work folder that hold no ids; without its lock a second night could begin."""


@dataclass(frozen=True)
class Erasure:
    """The outcome of an erasure.

    new: people who were not in the list yet; rewritten: earlier publications that named somebody erased and
    now do not; removed: those that could not be rewritten, and refused runs; still_named: whether the current
    publication names somebody, filtered until the next night.
    """

    new: int
    rewritten: tuple[str, ...]
    removed: tuple[str, ...]
    still_named: bool


def safety_by_person(safety: SafetyStore | SafetyByPerson, published: Path) -> SafetyByPerson:
    """Return a store asked by person, with the list of erasures and the safety ledger beside publications."""
    if isinstance(safety, SafetyByPerson):
        return safety
    return SafetyByPerson(safety, ErasureList.of(published), SafetyLedger.of(published))


def erase(
    ids: Iterable[str],
    published: str | Path,
    *,
    at: datetime | None = None,
    safety: SafetyStore | None = None,
) -> Erasure:
    """Put people on the list of erasures and take them out of every publication but the one served.

    From then on no ranker shows them, and the next night leaves them out of everything. What protects others
    from them, a ban, a hold, who blocked them, stays in the safety ledger under the fingerprint of their
    person, and nothing else.

    safety: a store to erase them from as well, after what it holds about them is noted there.

    Raises PublicationError when the list cannot be read, SafetyUnavailable when list, ledger or store cannot
    be trusted.
    """
    published, people = Path(published), list(ids)
    erasures = ErasureList.of(published)
    store = _take_out(people, published, MemorySafety() if safety is None else safety, erasures, at)
    new = erasures.add(people, at)
    store.drop_listed(people)
    rewritten, removed = rewrite_runs_naming_erased(published, erasures.now())
    named = current_run_names_erased(published, erasures.now())
    return Erasure(new, tuple(rewritten), tuple(removed), still_named=named)


def _take_out(
    people: Sequence[str], published: Path, safety: SafetyStore, erasures: ErasureList, at: datetime | None
) -> SafetyByPerson:
    """Erase people from a store, after what it holds about them is noted in the ledger; return the store."""
    ledger, current = SafetyLedger.of(published), _current(published)
    store = SafetyByPerson(safety, erasures, ledger)
    if current is not None and people:
        store.accounts = published_accounts(published / RUNS / current, ledger.keys)
    for user_id in people:
        store.suppress(user_id)
        store.store.erase(user_id, at)
    return store


def erase_listed(safety: SafetyStore, published: str | Path) -> int:
    """Erase from a store whomever it names of the list of erasures, as `erase` does; return how many.

    Ids of anybody of the list go from names in tables of the day as well, see `redaction`.

    An `erase` event of the source, or an erasure without this store, tells the list alone. Where somebody
    may come back under the same person, ask while what is served still knows whose account it was.

    Raises PublicationError or SafetyUnavailable when list, ledger or store cannot be read.
    """
    published, erasures = Path(published), ErasureList.of(published)
    erased = erasures.now()
    if not isinstance(safety, StoreNamingPeople) or not len(erased):
        return 0
    named = sorted(ask_safety(safety.named_people))
    gone = [one for one, is_listed in zip(named, erased.among(named), strict=True) if is_listed]
    if gone:
        _take_out(gone, published, safety, erasures, None).drop_listed(gone)
    if isinstance(safety, StoreWithNames):
        ask_safety(partial(safety.redact_names, redaction(erased)))
    return len(gone)


def require_published_folder(published: Path) -> None:
    """Raise PublicationError when there is no such folder: a misspelt one would erase nobody."""
    if not published.is_dir():
        remedy = "name the folder of publications with --published"
        raise PublicationError(explained("no such folder", got=str(published), remedy=remedy))


def require_not_erased(user_id: str, published: Path) -> None:
    """Raise InputError for somebody who was erased: what is left of them goes with the next night."""
    if ErasureList.of(published).now().among([user_id])[0]:
        remedy = "what files still hold of them goes with the next night; only a keyed hash of the id is kept"
        raise InputError(explained("this person was erased", got=user_id, remedy=remedy))


def drop_applied_erasures(safety: SafetyStore, published: str | Path, run: str | None = None) -> int:
    """Drop the ids of erased people from a store once what is served was made without them; return how many.

    Until then a store of several machines needs them in clear, to be compared with what is served. Afterwards
    the list of erasures, which holds keyed hashes, keeps them out. Who is not in the list stays.

    run: the publication that every worker serves, by default the current one.

    Raises PublicationError or SafetyUnavailable when list or store cannot be read.
    """
    run = run or _current(Path(published))
    if not isinstance(safety, StoreWithErasedIds) or run is None:
        return 0
    applied = read_manifest(Path(published) / RUNS / run).erasure_watermark
    if applied is None:
        return 0
    listed = ErasureList.of(published).now()
    ids = sorted(ask_safety(partial(safety.erased_since, None)))
    known = [one for one in ids if (asked := listed.moment_of(one)) is not None and asked <= applied]
    if known:
        ask_safety(partial(safety.drop_erased, known))
    return len(known)


def ids_found_nowhere(ids: Iterable[str], folders: Iterable[Path]) -> list[str]:
    """Return the ids that are nobody's in the files of these folders, so that a misspelt one is noticed."""
    existing = [folder for folder in folders if folder.is_dir()]
    keys = read_keys()
    lists = {user_id: ErasedPeople.of(user_id, keys) for user_id in ids}
    return [
        user_id
        for user_id, one in lists.items()
        if not any(folder_lists_erased(folder, one) for folder in existing)
    ]


def rewrite_runs_naming_erased(published: Path, erased: ErasedPeople) -> tuple[list[str], list[str]]:
    """Rewrite every publication that names somebody erased, except the one served now.

    Returns the runs that were rewritten, and those removed: refused ones, and what could not be rewritten.
    """
    current = _current(published)
    rewritten, removed = [], []
    for folder in run_folders(published):
        if folder.name == current or not run_names_erased(folder, erased):
            continue
        if folder.parent.name == RUNS and rewrite_run(folder, erased):
            rewritten.append(folder.name)
        else:
            remove_run(folder)
            removed.append(folder.name)
    return rewritten, removed


def current_run_names_erased(published: Path, erased: ErasedPeople) -> bool:
    """Say whether what is served now names somebody erased."""
    current = _current(published)
    folders = [folder for folder in run_folders(published) if folder.name == current]
    return any(run_names_erased(folder, erased) for folder in folders)


def run_names_erased(folder: Path, erased: ErasedPeople) -> bool:
    """Say whether a run names somebody erased; one made since the latest erasure is not searched."""
    if not len(erased):
        return False
    try:
        watermark = read_manifest(folder).erasure_watermark
    except PublicationError:
        watermark = None
    return watermark != erased.watermark and folder_names_erased(folder, erased)


def clear_work_naming_erased(paths: NightPaths, erased: ErasedPeople) -> bool:
    """Remove what an earlier night left, when it names somebody erased since; say whether it did.

    Every stage then makes its files anew, from tables without them.
    """
    if erased.watermark == _applied(paths) or not folder_names_erased(paths.root, erased):
        return False
    for path in paths.root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in _KEPT:
            path.unlink()
    return True


def note_erasures_applied(
    paths: NightPaths, erased: ErasedPeople, rows: Mapping[str, Mapping[str, int]], of_nobody: int = 0
) -> None:
    """Note the watermark of the erasures that the tables of the night applied, and how many rows went.

    rows: by table, see `counted_erased`.

    of_nobody: see `erase_and_count`.
    """
    counts = {table: dict(of) for table, of in rows.items()}
    noted = {"watermark": erased.watermark, "rows": counts, "of_nobody": of_nobody}
    write_atomically(paths.erased, json.dumps(noted, sort_keys=True).encode() + b"\n")


def erased_rows(paths: NightPaths) -> dict[str, dict[str, int]]:
    """Return what counts of each table of the night went because they named somebody erased."""
    return {str(table): dict(of) for table, of in _noted(paths).get("rows", {}).items()}


def erased_nobody(paths: NightPaths) -> int:
    """Return how many erasures of the night named nobody, see `erase_and_count`."""
    return int(_noted(paths).get("of_nobody", 0))


def _applied(paths: NightPaths) -> str | None:
    return _noted(paths).get("watermark")


def _noted(paths: NightPaths) -> dict[str, Any]:
    try:
        found = json.loads(paths.erased.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _current(published: Path) -> str | None:
    try:
        return current_run(published)
    except PublicationError:
        return None


def neighbourhood_files(named: str | None, data: Path) -> list[Path]:
    """Return every file of neighbourhoods: what the settings name, and those of earlier experiments.

    data: the folder of a home's data, where files of the columns of one may lie that no settings name now.
    """
    import pyarrow.parquet as pq

    beside = [file for file in sorted(data.glob("*.parquet")) if file.is_file()]
    of_earlier = [file for file in beside if {*pq.read_schema(file).names} == {C.USER, "neighbourhood"}]
    of_settings = [Path(named)] if named and Path(named).is_file() else []
    return list({file.resolve(): file for file in (*of_earlier, *of_settings)}.values())
