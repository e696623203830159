"""A publication of a large synthetic community, made from factors and masks directly."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.catalogue.catalogue import catalogue_json, load_catalogue
from recsys.data.csr import SparseRows
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.messaging.reason_kinds import (
    ListenedTopics,
    NearbyCells,
    SharedAnswers,
    SharedCommunity,
    SharedInterests,
)
from recsys.messaging.reasons import Reasons
from recsys.ranking.recommend_circles import CircleLists
from recsys.ranking.snapshot import SNAPSHOT_SCHEMA, LiveSearch, SnapshotData, packed_ids
from recsys.ranking.snapshot_files import stage_rows, with_reasons
from recsys.ranking.snapshot_rows import NO_ARMS, ListRows
from recsys.ranking.viewer_filters import FilterColumns
from recsys.retrieval.index import TileIndex, build_index
from recsys.retrieval.top_k import TILE
from recsys.safety.fingerprints import Fingerprints, Naming
from recsys.safety.keys import Keys, read_keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.person_index import PersonIndex
from recsys.storage.dataclass_codec import save_dataclass
from recsys.storage.manifest import MadeFrom, Manifest, file_entry, write_manifest
from recsys.storage.publication import RUNS, SERVING, set_current_run
from tests.benchmarks.retrieval_cities import cities

AS_OF: Final = datetime(2026, 1, 5, 3, tzinfo=UTC)
LIST_LENGTH: Final = 20
POLICY: Final = "policy-synthetic"


class Community:
    """People in cities with factors, masks and what reasons read, ready to be published many times.

    viewers: rows whose lists are the true best `LIST_LENGTH`; the other lists hold anybody, which is as
    large on disk and is cut by the masks when it is served.
    """

    def __init__(self, n_people: int, rng: np.random.Generator, *, n_viewers: int = 1000) -> None:
        directed, compiled = cities(n_people, rng, 0.009)
        self.ids: IdIndex = directed.ids
        self.layout: TileIndex = build_index(directed, compiled, TILE)
        self.reasons = _reasons(directed.ids, rng)
        live = LiveSearch.of(self.layout, np.zeros(0), "product")
        codes = [rng.integers(0, words, n_people, dtype=np.int8) for words in (4, 6)]
        languages, cells = np.ones((n_people, 1), np.uint64), np.zeros(n_people, np.uint64)
        self.filters = FilterColumns(*codes, languages, cells)
        self.viewers = rng.choice(n_people, min(n_viewers, n_people), replace=False)
        lists = _lists(n_people, rng, {int(v): live.best(int(v), LIST_LENGTH) for v in self.viewers})
        self.lists = with_reasons(lists, self.reasons)

    def publish(self, published: Path, number: int, *, point: bool = True) -> str:
        """Write run `number` of these people, point to it if asked, and return its id."""
        run_id = f"20260105T{number // 3600:02}{number // 60 % 60:02}{number % 60:02}Z-{number:08x}"
        folder = published / RUNS / run_id
        folder.mkdir(parents=True)
        data = SnapshotData(
            schema=SNAPSHOT_SCHEMA,
            policy=POLICY,
            combiner="product",
            data_as_of=AS_OF.isoformat(),
            ids=packed_ids(self.ids.values),
            lists=self.lists,
            likes=SparseRows.of(np.empty(0, np.int32), np.empty(0, np.int32), len(self.ids)),
            layout=self.layout,
            prices=np.zeros(0),
            reasons=self.reasons,
            stages=stage_rows(None, self.ids),
            arms=NO_ARMS,
            persons=PersonIndex.of(np.full(len(self.ids), None, object), _namings(published)),
            filters=self.filters,
            separated=SparseRows.of(np.empty(0, np.int32), np.empty(0, np.int32), len(self.ids)),
            circles=CircleLists.none(len(self.ids)),
            catalogue=np.frombuffer(catalogue_json(load_catalogue()), np.uint8),
        )
        save_dataclass(folder / SERVING, data)
        files = {
            path.relative_to(folder).as_posix(): file_entry(path) for path in (folder / SERVING).iterdir()
        }
        made = MadeFrom(table_schema="s", model=f"m{number}", data="d", policy=POLICY, code="c", params="p")
        write_manifest(
            folder,
            Manifest(
                run_id=run_id,
                created_at=AS_OF.isoformat(),
                data_as_of=AS_OF.isoformat(),
                made_from=made,
                files=files,
            ),
        )
        if point:
            set_current_run(published, run_id)
        return run_id

    def point(self, published: Path, run_id: str) -> None:
        """Make a run the one that is served."""
        set_current_run(published, run_id)

    def remove(self, published: Path, run_id: str) -> None:
        """Remove a run from the disk; who serves it goes on."""
        shutil.rmtree(published / RUNS / run_id, ignore_errors=True)


def _namings(published: Path) -> list[Fingerprints]:
    """Return how persons are named: as the ledger does, where the service has a key."""
    if len(read_keys()):
        return SafetyLedger.of(published).begin().namings
    return [Fingerprints(Naming(), Keys())]


def _lists(n_people: int, rng: np.random.Generator, true: dict[int, npt.NDArray[np.int32]]) -> ListRows:
    candidates = rng.integers(0, n_people, (n_people, LIST_LENGTH), dtype=np.int32)
    lengths = np.full(n_people, LIST_LENGTH)
    for viewer, best in true.items():
        candidates[viewer, : len(best)], lengths[viewer] = best, len(best)
    filled = np.arange(LIST_LENGTH) < lengths[:, None]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return ListRows(indptr, candidates[filled], np.ones(0, np.float32), np.zeros((0, 3), np.int16))


def _reasons(ids: IdIndex, rng: np.random.Generator) -> Reasons:
    """Return reasons of people with about eight interests, three topics each way and ten answers."""
    n = len(ids)
    empty = Reasons.of(Population.of_ids(["nobody"], as_of="2026-01-05"))
    tags = tuple(f"interest:tag{number:03}" for number in range(120))

    def some(width: int, share: float, most: int) -> npt.NDArray[np.int8]:
        said = rng.integers(1, most + 1, (n, width), dtype=np.int8)
        return said * (rng.random((n, width), np.float32) < share)

    topics, questions = empty.listens.codes, empty.answer.codes
    member = (np.ones(n, np.int32), rng.integers(0, 500, n, dtype=np.int32), np.arange(n + 1, dtype=np.int32))
    return Reasons(
        interest=SharedInterests(tags, some(120, 8 / 120, 5)),
        listens=ListenedTopics(
            topics, some(len(topics), 3 / len(topics), 3), some(len(topics), 3 / len(topics), 3)
        ),
        answer=SharedAnswers(
            questions,
            some(len(questions), 0.25, 4),
            some(len(questions), 1.0, 4),
            np.ones(len(questions), bool),
        ),
        circle=SharedCommunity(sparse.csr_array(member, shape=(n, 500))),
        near=NearbyCells(
            rng.integers(0, 30, n, dtype=np.int32), rng.normal(size=(30, 3)), rng.random(n) < 0.5
        ),
    )
