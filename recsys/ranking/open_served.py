"""Opening a publication to serve from: everything is checked before anything is used."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from recsys.errors import PublicationError, SafetyUnavailable, SourceError, explained
from recsys.ranking.served import Served
from recsys.ranking.serving_files import SERVING_SCHEMA
from recsys.retrieval.warm import warm_up
from recsys.storage.arrays import INDEX, load_arrays
from recsys.storage.erasures import Erased, ErasureList
from recsys.storage.manifest import Manifest, read_manifest, verify_files
from recsys.storage.published import RUNS, SERVING
from recsys.storage.safety.store import SafetyStore

T = TypeVar("T")


def open_served(published: Path, run_id: str, safety: SafetyStore, *, policy: str | None = None) -> Served:
    """Open one run: verify its files, check what it is, map it, warm the kernels up.

    policy: the version the caller serves by; None takes the one the run was made with.

    Raises
    ------
    PublicationError
        When a file is missing or changed, when schema or policy are not the ones served by, or when it
        still names somebody who was erased.
    SafetyUnavailable
        When the safety store cannot say who was erased.
    """
    folder = published / RUNS / run_id
    manifest = read_manifest(folder)
    if manifest.run_id != run_id:
        raise _refused("the manifest is of another run", run_id)
    if f"{SERVING}/{INDEX}" not in manifest.files:
        raise _refused("a run holds nothing to serve from", run_id, remedy="publish again with this version")
    with ThreadPoolExecutor(1) as pool:  # hashing and loading kernels wait for different things
        verified = pool.submit(verify_files, folder, manifest, under=f"{SERVING}/")
        warm_up()
        verified.result()
    try:
        arrays, meta = load_arrays(folder / SERVING, mmap="c", verify=False)
    except SourceError as error:
        raise _refused("a run cannot be mapped", run_id) from error
    unlisted = [name for name in arrays if f"{SERVING}/{name}.npy" not in manifest.files]
    if unlisted:
        raise _refused("the manifest does not name every array", run_id)
    _check_meta(manifest, meta, policy)
    try:
        served = Served.of(manifest, arrays, meta)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _refused("a run lacks part of what serving needs", run_id) from error
    _check_erased(served, safety)
    _check_listed(served, ErasureList.of(published).now())
    _touch(served)
    return served


def _check_meta(manifest: Manifest, meta: dict[str, Any], policy: str | None) -> None:
    run_id = manifest.run_id
    if meta.get("serving") != SERVING_SCHEMA:
        remedy = f"this version serves schema {SERVING_SCHEMA}: publish again"
        raise _refused("a run has another schema", run_id, got=meta.get("serving"), remedy=remedy)
    for expected in (manifest.made_from.policy, policy):
        if expected is not None and meta.get("policy") != expected:
            raise _refused("a run was made under another policy", run_id, got=meta.get("policy"))
    if meta.get("data_as_of") != manifest.data_as_of:
        raise _refused("a run and its manifest tell two times", run_id, got=meta.get("data_as_of"))


def _check_erased(served: Served, safety: SafetyStore) -> None:
    """Refuse a run that still names an erased person, or whose watermark cannot be true."""
    watermark = served.manifest.erasure_watermark
    since = None if watermark is None else _time(watermark, served.run_id)
    if since is not None and since > _time(served.manifest.created_at, served.run_id):
        raise _refused("the erasure watermark of a run lies after the run", served.run_id)
    erased = answer(lambda: safety.erased_since(since))
    if any(row >= 0 for row in served.ids.find(erased)):
        raise _refused("a run still names somebody who was erased", served.run_id)


def _check_listed(served: Served, listed: Erased) -> None:
    """Refuse a run that names somebody in the list of erasures; one made since the latest is not searched."""
    if listed.watermark == served.manifest.erasure_watermark or not len(listed):
        return
    if listed.holds(served.ids.at(range(len(served.ids)))).any():
        raise _refused("a run still names somebody who was erased", served.run_id)


def answer(ask: Callable[[], T]) -> T:
    """Return what a safety store answers; whatever it raises becomes SafetyUnavailable."""
    try:
        return ask()
    except SafetyUnavailable:
        raise
    except Exception as error:  # a store of the caller's may raise anything
        what = explained("the safety store cannot answer", got=type(error).__name__)
        raise SafetyUnavailable(what) from None


def _time(text: str, run_id: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _refused("a time in the manifest is none", run_id, got=text) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _touch(served: Served) -> None:
    """Run one whole search, so that the first caller does not wait for it."""
    first: Iterable[int] = served.live.layout.order[:1].tolist()
    for row in first:
        served.live.may_show(row, served.live.best(row, 10))
        served.reason_codes(row, [row], served.stages.of(row, [row]))


def _refused(
    what: str, run_id: str, *, got: object = None, remedy: str = "what was served before stays"
) -> PublicationError:
    return PublicationError(explained(what, where=f"run {run_id}", got=got, remedy=remedy))
