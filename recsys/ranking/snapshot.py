"""One opened publication: mapped arrays, and the few questions a ranker asks of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.catalogue.loading import load_catalogue
from recsys.data.csr import SparseRows
from recsys.errors import PublicationError, SafetyUnavailable, SourceError, explained
from recsys.messaging.reasons import Reasons
from recsys.ranking.live_search import Live
from recsys.ranking.snapshot_files import SERVING_SCHEMA, ServedIds, ServedStages, shows_nothing
from recsys.retrieval.compilation import warm_up
from recsys.retrieval.index import Layout
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.safety.store import SafetyStore
from recsys.storage.arrays import INDEX, load_arrays
from recsys.storage.dataclass_codec import dataclass_from_arrays
from recsys.storage.manifest import Manifest, read_manifest, verify_files
from recsys.storage.publication import RUNS, SERVING
from recsys.types import Int32Array


class Tonight(NamedTuple):
    """A viewer's list of the night: candidate rows, best first, and the propensity of each."""

    rows: Int32Array
    propensity: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Served:
    """Everything mapped of one run; any thread may read it.

    lists_indptr: `(n_people + 1,)`; candidates: `(n_entries,)`; propensity: the same, or empty for 1.
    likes: whom each person had liked already; they are looked at by name, and offered no more.
    """

    manifest: Manifest
    data_as_of: datetime
    policy: str
    ids: ServedIds
    lists_indptr: npt.NDArray[np.int64]
    candidates: Int32Array
    propensity: npt.NDArray[np.float32]
    likes: SparseRows
    reasons: Reasons
    stages: ServedStages
    live: Live

    @classmethod
    def of(
        cls, manifest: Manifest, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]
    ) -> "Served":
        """Build from the arrays and meta that `write_serving` wrote."""
        from recsys.ranking.snapshot_files import section

        lists = section("lists", arrays)
        return cls(
            manifest=manifest,
            data_as_of=datetime.fromisoformat(meta["data_as_of"]),
            policy=meta["policy"],
            ids=ServedIds(arrays["ids"]),
            lists_indptr=lists["indptr"],
            candidates=lists["candidates"],
            propensity=lists["propensity"],
            likes=SparseRows(**section("likes", arrays)),
            reasons=Reasons.from_arrays(section("reasons", arrays), meta["reason_codes"]),
            stages=ServedStages(section("stages", arrays), meta["stage_names"]),
            live=Live.of(
                dataclass_from_arrays(Layout, arrays, {}, "layout"), arrays["prices"], meta["combiner"]
            ),
        )

    @property
    def run_id(self) -> str:
        """The run that made it."""
        return self.manifest.run_id

    def tonight(self, row: int) -> Tonight:
        """Return the list the night made for one viewer; -1, or somebody without one, has none."""
        if row < 0:
            return Tonight(self.candidates[:0], self.propensity[:0])
        part = slice(int(self.lists_indptr[row]), int(self.lists_indptr[row + 1]))
        rows = self.candidates[part]
        certain = not len(self.propensity)
        return Tonight(rows, np.ones(len(rows), np.float32) if certain else self.propensity[part])

    def liked(self, row: int) -> Int32Array:
        """Return the rows that one person had liked already; -1 is nobody and liked nobody."""
        return self.likes.row(row) if row >= 0 else self.likes.indices[:0]

    def somebody_for(self, viewer: int) -> int:
        """Return a row to look at instead of one that is not there."""
        rows = self.tonight(viewer).rows
        return int(rows[0]) if len(rows) else 0

    def answered(self, question: str, accepted: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Say who gave one of the accepted answers in public, `(n_people,)`; nobody when it is not held."""
        codes, options = self.reasons.codes_by_kind()["answer"], self.reasons.arrays()["answer.option"]
        if f"answer:{question}" not in codes:
            return np.zeros(len(self.ids), bool)
        answers = list(load_catalogue().questions[question].answers)
        wanted = [answers.index(word) + 1 for word in accepted if word in answers]
        return np.isin(options[:, codes.index(f"answer:{question}")], wanted)

    def may_show(self, viewer: int, candidates: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Say which candidate rows the rules and the stage of the pair let the viewer's row see."""
        allowed = self.live.may_show(viewer, candidates)
        if allowed.any():
            stages = self.stages.of(viewer, np.asarray(candidates).tolist())
            allowed &= ~np.array([shows_nothing(stage) for stage in stages])
        return allowed

    def reason_codes(self, viewer: int, candidates: Sequence[int], stages: Sequence[str]) -> list[list[str]]:
        """Return why each candidate is shown to one viewer, as codes their stages may show."""
        rows = np.asarray(candidates, np.int32)
        return self.reasons.codes(np.full(len(rows), viewer, np.int32), rows, stages)


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
    except (SourceError, KeyError, TypeError, ValueError, IndexError) as error:
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


def _check_listed(served: Served, listed: ErasedPeople) -> None:
    """Refuse a run that names somebody in the list of erasures; one made since the latest is not searched."""
    if listed.watermark == served.manifest.erasure_watermark or not len(listed):
        return
    if listed.among(served.ids.at(range(len(served.ids)))).any():
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
