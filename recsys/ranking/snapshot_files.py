"""Files of a snapshot: written by the night, verified and mapped when a ranker opens them."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import catalogue_json, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.csr import SparseRows
from recsys.data.events import CodedEvents, Events
from recsys.data.ids import IdIndex
from recsys.data.pair_stages import PairStages, pair_stages
from recsys.data.population import Population
from recsys.errors import InputError, PublicationError, SafetyUnavailable, SourceError, explained
from recsys.memory import paused_collection
from recsys.messaging.reasons import MOST_REASONS, Reasons
from recsys.models.directed import Directed
from recsys.parallel import map_in_threads, n_threads
from recsys.ranking.recommend import likes_given
from recsys.ranking.recommend_circles import CircleLists
from recsys.ranking.snapshot import SNAPSHOT_SCHEMA, Snapshot, SnapshotData, packed_ids
from recsys.ranking.snapshot_erasure import without_people, without_reasons
from recsys.ranking.snapshot_rows import LISTED, NO_ARMS, ArmRows, ListRows, PairStageRows, shows_nothing
from recsys.ranking.viewer_filters import FilterColumns
from recsys.retrieval.index import TileIndex, build_index
from recsys.retrieval.top_k import TILE, warm_up_once
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.safety.fingerprints import Fingerprints, Naming
from recsys.safety.keys import read_keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.person_index import PersonIndex
from recsys.safety.store import SafetyStore, ask_safety
from recsys.storage.arrays import INDEX, load_arrays
from recsys.storage.dataclass_codec import dataclass_from_arrays, save_dataclass
from recsys.storage.manifest import Manifest, read_manifest, verify_files
from recsys.storage.publication import RUNS, SERVING, Publication, is_overtaken
from recsys.types import BoolArray, Float32Array, Float64Array


def pair_stages_of(events: Events | CodedEvents, people: Population, policy: Policy) -> PairStages:
    """Return how far the pairs of these people had come at their time, from the events up to then."""
    masks = (people.held, ~policy.compile(people).listed)
    held, unlisted = (people.ids.ids(mask.nonzero()[0]) for mask in masks)
    return pair_stages(events, people.as_of, held=held.tolist(), unlisted=unlisted.tolist())


def may_be_listed(stages: PairStages, ids: IdIndex) -> BoolArray:
    """Say who may be listed by what they did: accepted the terms and proved their age, `(n_people,)`."""
    at = stages.people.get_indexer(pd.Index(ids.values))
    may = np.zeros(len(ids), bool)
    may[at >= 0] = (stages.listed & ~stages.closed)[at[at >= 0]]
    return may


def stage_rows(stages: PairStages | None, ids: IdIndex) -> PairStageRows:
    """Return the pairs beyond `listed` as rows, both ways."""
    names = tuple(load_catalogue().stages.names)
    if stages is None:
        none = SparseRows.of(np.zeros(0, np.int64), np.zeros(0, np.int64), len(ids))
        return PairStageRows(names, none.indptr, none.indices, np.zeros(0, np.int8), np.zeros(0, np.int64))
    beyond = np.flatnonzero(stages.stage != names.index(LISTED))  # few of all
    low, high = np.divmod(stages.pair[beyond], max(len(stages.people), 1))
    place = ids.find(stages.people)
    a, b = place[low], place[high]
    shut = stages.closed[low] | stages.closed[high]
    kept = (a >= 0) & (b >= 0) & ~shut
    row, other = np.r_[a[kept], b[kept]], np.r_[b[kept], a[kept]]
    of_kept = beyond[kept]
    code, due = np.tile(stages.stage[of_kept], 2), stages.check_due[of_kept].ravel(order="F")
    order = np.lexsort((other, row))
    lists = SparseRows.of(row, other, len(ids))
    return PairStageRows(names, lists.indptr, lists.indices, code[order], due[order])


def with_looks(rows: PairStageRows, people: Population, policy: Policy) -> PairStageRows:
    """Return the stages with who may look at whom though their match keeps them out of each other's lists.

    That is by every other rule, and by everything else that is told of any account of the two persons.
    """
    viewer = np.repeat(np.arange(len(rows.indptr) - 1, dtype=np.int32), np.diff(rows.indptr))
    shut = np.array([shows_nothing(name) for name in rows.names], bool)
    looks = ~shut[rows.codes]
    unmatched = people.with_relations(people.relations.without_matches())
    looks[looks] = may_show_each(policy, unmatched, viewer[looks], rows.others[looks])
    return replace(rows, looks=looks)


class StagedPeople(NamedTuple):
    """What a snapshot takes of stages: who may be listed, `(n_people,)`, and the pairs beyond `listed`."""

    may_be_listed: BoolArray
    rows: PairStageRows

    @classmethod
    def of(cls, stages: PairStages, ids: IdIndex) -> "StagedPeople":
        """Read it of the stages of all pairs, most of whom are no further than `listed`."""
        return cls(may_be_listed(stages, ids), stage_rows(stages, ids))


class SnapshotParts(NamedTuple):
    """What of a snapshot does not depend on its lists, so that it can be made while these are judged."""

    layout: TileIndex
    separated: SparseRows
    likes: SparseRows
    reasons: Reasons
    stages: PairStageRows
    filters: FilterColumns
    circles: CircleLists

    @classmethod
    def of(
        cls,
        people: Population,
        policy: Policy,
        directed: Directed,
        stages: PairStages | StagedPeople | None = None,
    ) -> "SnapshotParts":
        """Make the parts; see `write_snapshot` for what they are made of.

        Raises InputError when the matrices are of other people.
        """
        if directed.ids != people.ids:
            raise InputError(explained("the matrices are of other people", remedy="apply the model to these"))
        compiled = policy.compile(people)
        staged = StagedPeople.of(stages, people.ids) if isinstance(stages, PairStages) else stages
        if staged is not None:
            compiled = replace(compiled, listed=compiled.listed & staged.may_be_listed)
        rows = stage_rows(None, people.ids) if staged is None else staged.rows
        circles = CircleLists.of(_Scored(directed), people, policy)
        return cls(
            separated=SparseRows(compiled.separated_indptr, compiled.separated_indices),
            likes=likes_given(people),
            reasons=Reasons.of(people),
            stages=with_looks(rows, people, policy),
            filters=FilterColumns.of(people),
            circles=circles,
            layout=build_index(directed, compiled, TILE),  # last: with the matrices it is the largest
        )


def write_snapshot(
    folder: Path,
    lists: pd.DataFrame,
    people: Population,
    policy: Policy,
    directed: Directed | SnapshotParts,
    *,
    stages: PairStages | StagedPeople | None = None,
    combiner: str = "product",
    prices: Float32Array | None = None,
    ledger: SafetyLedger | None = None,
    arms: ArmRows = NO_ARMS,
) -> None:
    """Write everything a `Ranker` reads to `folder`, as plain arrays.

    lists:    viewer_id, candidate_id, rank; a `propensity` column is kept, 1 without.
    directed: the two matrices of `people`, with which the lists were made, or what was made of them, of the
              same rules and stages, before.
    stages:   how far pairs have come, see `pair_stages_of`. Who has not accepted the terms or proved their
              age by an event is then served to nobody. None: nobody has a history.
    prices:   `(n_people,)`, what the attention of each person costs; none when None.
    arms:     the arm of an experiment that each viewer's list is of, rows of `people`.
    ledger:   the safety ledger in whose fingerprints persons are named; None for fingerprints of their own.

    Raises InputError when a list names somebody unknown or the matrices are of other people.
    """
    made = (
        directed
        if isinstance(directed, SnapshotParts)
        else SnapshotParts.of(people, policy, directed, stages)
    )
    data = SnapshotData(
        schema=SNAPSHOT_SCHEMA,
        policy=policy.version,
        combiner=combiner,
        data_as_of=people.as_of.isoformat(),
        ids=packed_ids(people.ids.values),
        lists=with_reasons(list_rows(lists, people.ids), made.reasons),
        likes=made.likes,
        layout=made.layout,
        prices=in_tile_order(np.zeros(len(people)) if prices is None else prices, made.layout),
        reasons=made.reasons,
        stages=made.stages,
        persons=PersonIndex.of(people.person_tokens, _namings(ledger)),
        arms=arms,
        filters=made.filters,
        separated=made.separated,
        circles=made.circles,
        catalogue=np.frombuffer(catalogue_json(people.catalogue), np.uint8),
        verification=policy.verification,
        proved=people.relations.proved,
    )
    save_dataclass(folder, data)


class _Scored(NamedTuple):
    """A scorer whose matrices are there."""

    matrices: Directed

    def directed(self, people: Population) -> Directed:
        """Return the matrices."""
        del people
        return self.matrices


def _namings(ledger: SafetyLedger | None) -> list[Fingerprints]:
    if ledger is not None:
        return ledger.begin().namings
    keys = read_keys()
    return [Fingerprints(Naming(keys.newest_id), keys)]


def in_tile_order(prices: npt.ArrayLike, layout: TileIndex) -> Float64Array:
    """Return the prices of listed people as a search reads them; none when nobody's attention costs."""
    listed = np.asarray(prices, np.float64)[layout.order]
    return listed if listed.any() else np.zeros(0)


def list_rows(lists: pd.DataFrame, ids: IdIndex) -> ListRows:
    """Return a table of lists as rows of `ids`."""
    ordered = lists.sort_values([C.VIEWER, C.RANK], kind="stable")
    viewers, candidates = ids.rows(ordered[C.VIEWER]), ids.rows(ordered[C.CANDIDATE])
    indptr = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.bincount(viewers, minlength=len(ids)), out=indptr[1:])
    propensity = np.ones(0, np.float32)
    if C.PROPENSITY in ordered and not ordered[C.PROPENSITY].fillna(1.0).eq(1.0).all():
        propensity = ordered[C.PROPENSITY].fillna(1.0).to_numpy(np.float32)
    return ListRows(indptr, candidates, propensity, np.zeros((0, MOST_REASONS), np.int16))


_ENTRIES_AT_ONCE: Final = 1 << 16


def with_reasons(lists: ListRows, reasons: Reasons) -> ListRows:
    """Return lists with the reasons of each entry, as two people without a history may see them."""
    viewers = np.repeat(np.arange(len(lists.indptr) - 1, dtype=np.int32), np.diff(lists.indptr))
    if len(reasons.all_codes[0]) > np.iinfo(np.int16).max:
        return lists
    found = np.empty((len(viewers), MOST_REASONS), np.int16)

    def note(start: int) -> None:
        part = slice(start, start + _ENTRIES_AT_ONCE)
        mine = viewers[part]
        found[part] = reasons.numbers(mine, lists.candidates[part], [LISTED] * len(mine))

    map_in_threads(note, range(0, len(viewers), _ENTRIES_AT_ONCE), n_threads(len(viewers)))
    return replace(lists, reasons=found)


def served_snapshot(publication: Publication) -> Snapshot | None:
    """Return what a ranker serves of a verified publication; None when it holds nothing to serve from.

    Raises PublicationError when it was written by another version.
    """
    folder = publication.folder / SERVING
    if f"{SERVING}/{INDEX}" not in publication.manifest.files:
        return None
    arrays, meta = load_arrays(folder, mmap="c", verify=False)
    _check_scalars(publication.manifest, meta.get("scalars", {}), None)
    data = dataclass_from_arrays(SnapshotData, arrays, meta.get("scalars", {}))
    if is_overtaken(publication.folder.parent.parent, publication.run_id):
        data = without_reasons(data)
    return Snapshot.of(publication.manifest, data)


def open_snapshot(
    published: Path, run_id: str, safety: SafetyStore, *, policy: str | None = None
) -> Snapshot:
    """Open one run: verify its files, check what it is, map it, warm the kernels up.

    Whoever was erased since it was made is taken out of it in memory; the files stay until the next night.

    policy: the version the caller serves by; None takes the one the run was made with.

    Raises
    ------
    PublicationError
        When a file is missing or changed, or when schema or policy are not the ones served by.
    SafetyUnavailable
        When the safety store cannot say who was erased, or when the safety ledger, the list of erasures or
        the store is missing, replaced or older than the run.
    """
    with paused_collection():
        return _opened(published, run_id, safety, policy)


def _opened(published: Path, run_id: str, safety: SafetyStore, policy: str | None) -> Snapshot:
    folder = published / RUNS / run_id
    manifest = read_manifest(folder)
    if manifest.run_id != run_id:
        raise _refused("the manifest is of another run", run_id)
    if f"{SERVING}/{INDEX}" not in manifest.files:
        raise _refused("a run holds nothing to serve from", run_id, remedy="publish again with this version")
    with ThreadPoolExecutor(1) as pool:  # hashing and loading kernels wait for different things
        verified = pool.submit(verify_files, folder, manifest, under=f"{SERVING}/")
        warm_up_once()
        verified.result()
    try:
        arrays, meta = load_arrays(folder / SERVING, mmap="c", verify=False)
    except SourceError as error:
        raise _refused("a run cannot be mapped", run_id) from error
    unlisted = [name for name in arrays if f"{SERVING}/{name}.npy" not in manifest.files]
    if unlisted:
        raise _refused("the manifest does not name every array", run_id)
    scalars = meta.get("scalars", {})
    _check_scalars(manifest, scalars, policy)
    try:
        data = dataclass_from_arrays(SnapshotData, arrays, scalars)
        if is_overtaken(published, run_id):  # members may have taken back since what reasons are made of
            data = without_reasons(data)
        snapshot = Snapshot.of(manifest, data)
        _ = snapshot.data_as_of, snapshot.catalogue  # a time or a catalogue that is none is found now
    except (SourceError, KeyError, TypeError, ValueError, IndexError) as error:
        raise _refused("a run lacks part of what serving needs", run_id) from error
    _check_ledger(snapshot, SafetyLedger.of(published))
    if isinstance(safety, SafetyByPerson):
        safety.check(manifest.safety_watermark)
    gone = _erased_of_store(snapshot, safety) | _erased_of_list(snapshot, ErasureList.of(published).now())
    if gone.any():
        snapshot = Snapshot.of(manifest, without_people(snapshot.data, gone))
    _search_once(snapshot)
    return snapshot


def snapshot_without_reasons(snapshot: Snapshot) -> Snapshot:
    """Return what is served of a publication while a later one counts: nobody is told what they share."""
    found = Snapshot.of(snapshot.manifest, without_reasons(snapshot.data))
    _search_once(found)
    return found


def _check_scalars(manifest: Manifest, scalars: dict[str, Any], policy: str | None) -> None:
    run_id = manifest.run_id
    if scalars.get("schema") != SNAPSHOT_SCHEMA:
        remedy = f"this version serves schema {SNAPSHOT_SCHEMA}: publish again"
        raise _refused("a run has another schema", run_id, got=scalars.get("schema"), remedy=remedy)
    for expected in (manifest.made_from.policy, policy):
        if expected is not None and scalars.get("policy") != expected:
            raise _refused("a run was made under another policy", run_id, got=scalars.get("policy"))
    if scalars.get("data_as_of") != manifest.data_as_of:
        raise _refused("a run and its manifest tell two times", run_id, got=scalars.get("data_as_of"))


def _check_ledger(snapshot: Snapshot, ledger: SafetyLedger) -> None:
    """Refuse a run whose ledger is gone, older or replaced, or that names persons otherwise than it does."""
    ledger.require(snapshot.manifest.safety_watermark)
    known = {one.naming for one in ledger.now().namings}
    if known and not known.issuperset(snapshot.data.persons.namings):
        remedy = "publish again, with the ledger of these publications"
        raise _refused("a run names persons otherwise than the ledger", snapshot.run_id, remedy=remedy)


def _erased_of_store(snapshot: Snapshot, safety: SafetyStore) -> BoolArray:
    """Say who was erased from the store since, `(n_people,)`; refuse a watermark that cannot be true."""
    watermark = snapshot.manifest.erasure_watermark
    since = None if watermark is None else _time(watermark, snapshot.run_id)
    if since is not None and since > _time(snapshot.manifest.created_at, snapshot.run_id):
        raise _refused("the erasure watermark of a run lies after the run", snapshot.run_id)
    rows = np.asarray(snapshot.ids.find(ask_safety(lambda: safety.erased_since(since))), np.int64)
    gone = np.zeros(len(snapshot.ids), bool)
    gone[rows[rows >= 0]] = True
    return gone


def _erased_of_list(snapshot: Snapshot, listed: ErasedPeople) -> BoolArray:
    """Say who is in the list of erasures, `(n_people,)`; a run made since the latest is not searched."""
    applied = snapshot.manifest.erasure_watermark
    if (listed.watermark or "") < (applied or ""):
        remedy = "restore it from a backup"
        what = "the list of erasures is missing or older than a run"
        raise SafetyUnavailable(explained(what, where=f"run {snapshot.run_id}", remedy=remedy))
    if listed.watermark == applied or not len(listed):
        return np.zeros(len(snapshot.ids), bool)
    return listed.among(snapshot.ids.at(range(len(snapshot.ids))))


def _time(text: str, run_id: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _refused("a time in the manifest is none", run_id, got=text) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _search_once(snapshot: Snapshot) -> None:
    """Run one whole search, so that the first caller does not wait for it."""
    first: Iterable[int] = snapshot.live.layout.order[:1].tolist()
    for row in first:
        snapshot.live.may_show(row, snapshot.live.best(row, 10))
        snapshot.reason_codes(row, [row], snapshot.stages.of(row, [row]))


def _refused(
    what: str, run_id: str, *, got: object = None, remedy: str = "what was served before stays"
) -> PublicationError:
    return PublicationError(explained(what, where=f"run {run_id}", got=got, remedy=remedy))
