"""One opened publication: mapped arrays, and the few questions a ranker asks of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.constraints.csr import Lists
from recsys.explain.reasons import Reasons
from recsys.ranking.live import Live
from recsys.ranking.served_ids import ServedIds
from recsys.ranking.served_stages import ServedStages, shows_nothing
from recsys.schema.catalogue import load_catalogue
from recsys.storage.manifest import Manifest

Rows = npt.NDArray[np.int32]


class Tonight(NamedTuple):
    """A viewer's list of the night: candidate rows, best first, and the propensity of each."""

    rows: Rows
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
    candidates: Rows
    propensity: npt.NDArray[np.float32]
    likes: Lists
    reasons: Reasons
    stages: ServedStages
    live: Live

    @classmethod
    def of(
        cls, manifest: Manifest, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]
    ) -> "Served":
        """Build from the arrays and meta that `write_serving` wrote."""
        from recsys.ranking.serving_files import section

        lists = section("lists", arrays)
        return cls(
            manifest=manifest,
            data_as_of=datetime.fromisoformat(meta["data_as_of"]),
            policy=meta["policy"],
            ids=ServedIds(arrays["ids"]),
            lists_indptr=lists["indptr"],
            candidates=lists["candidates"],
            propensity=lists["propensity"],
            likes=Lists(**section("likes", arrays)),
            reasons=Reasons.from_arrays(section("reasons", arrays), meta["reason_codes"]),
            stages=ServedStages(section("stages", arrays), meta["stage_names"]),
            live=Live.of(section("layout", arrays), arrays["prices"], meta["combiner"]),
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

    def liked(self, row: int) -> Rows:
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
