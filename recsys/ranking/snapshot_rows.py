"""Rows of a snapshot: each person's list of the night, the stages of their pairs, the arm of their list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from recsys.catalogue.stages import CLOSED, UNLISTED
from recsys.storage.dataclass_codec import ADDED_LATER
from recsys.types import BoolArray, Float32Array, Int8Array, Int16Array, Int32Array, Int64Array

LISTED: Final = "listed"
"""The stage of two people who are listed and have no history."""


def _nobody() -> BoolArray:
    return np.zeros(0, bool)


@dataclass(frozen=True, eq=False)
class PairStageRows:
    """Stages of pairs beyond `listed`, as rows both ways; `names` are in the order of the codes.

    Person r has a stage with `others[indptr[r]:indptr[r + 1]]`, ascending; codes are aligned with others, and
    so are check_due: when r is due for a feeling check, in microseconds since 1970, and looks: whether r may
    look at the other because they are matched, where no other rule keeps the two apart. In a publication of
    before looks is empty: nobody may.
    """

    names: tuple[str, ...]
    indptr: Int64Array
    others: Int32Array
    codes: Int8Array
    check_due: Int64Array
    looks: BoolArray = field(default_factory=_nobody, metadata=ADDED_LATER)

    def beyond_listed(self, viewer: int) -> tuple[Int32Array, Int8Array]:
        """Return with whom a viewer has come beyond `listed`, and the code of each stage."""
        start, end = int(self.indptr[viewer]), int(self.indptr[viewer + 1])
        return self.others[start:end], self.codes[start:end]

    def checks_due(self, viewer: int, moment: int) -> list[int]:
        """Return about whom a viewer is due for a feeling check at a moment, in microseconds since 1970."""
        part = slice(int(self.indptr[viewer]), int(self.indptr[viewer + 1]))
        return self.others[part][self.check_due[part] <= moment].tolist()

    def matches(self, viewer: int) -> Int32Array:
        """Return at whom a viewer may look because they are matched, rows ascending."""
        part = slice(int(self.indptr[viewer]), int(self.indptr[viewer + 1]))
        return self.others[part][self.looks[part]] if len(self.looks) else self.others[:0]

    def are_matched(self, viewer: int, candidate: int) -> bool:
        """Say whether the candidate is one of `matches`; a row below 0 is nobody's."""
        found = self.matches(viewer) if viewer >= 0 else self.others[:0]
        at = int(found.searchsorted(candidate))
        return at < len(found) and int(found[at]) == candidate

    def all_matches(self) -> Int64Array:
        """Return every viewer and whom they may look at because they are matched, `(n_pairs, 2)` rows."""
        if not len(self.looks):
            return np.zeros((0, 2), np.int64)
        viewer = np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))
        return np.stack([viewer[self.looks], self.others[self.looks]], axis=1).astype(np.int64)

    def has(self, viewer: int) -> bool:
        """Say whether the viewer has a stage with anybody."""
        return bool(self.indptr[viewer] < self.indptr[viewer + 1])

    def of(self, viewer: int, candidates: Sequence[int]) -> list[str]:
        """Return the stage of the viewer with each candidate; both have to be listed people."""
        others, codes = self.beyond_listed(viewer)
        if not len(others):
            return [LISTED] * len(candidates)
        wanted = np.asarray(candidates)
        at = np.minimum(np.searchsorted(others, wanted), len(others) - 1)
        found = np.where(others[at] == wanted, codes[at], -1).tolist()
        return [self.names[code] if code >= 0 else LISTED for code in found]


def shows_nothing(stage: str) -> bool:
    """Say whether people at a stage are not shown to each other at all."""
    return stage in (UNLISTED, CLOSED)


class ListOfNight(NamedTuple):
    """A viewer's list of the night: candidate rows, best first, and the propensity of each."""

    rows: Int32Array
    propensity: Float32Array


@dataclass(frozen=True, eq=False)
class ListRows:
    """Lists of everybody: viewer r has `candidates[indptr[r]:indptr[r + 1]]`, best first.

    propensity is aligned with candidates, or empty when it is 1 throughout. reasons: `(n_entries, 3)` of two
    people without a history, as numbers among the codes of `Reasons`, -1 for none; or empty: then they are
    read when a page is built.
    """

    indptr: Int64Array
    candidates: Int32Array
    propensity: Float32Array
    reasons: Int16Array

    def of(self, row: int) -> ListOfNight:
        """Return the list of one viewer; -1, or somebody without one, has none."""
        if row < 0:
            return ListOfNight(self.candidates[:0], self.propensity[:0])
        part = slice(int(self.indptr[row]), int(self.indptr[row + 1]))
        rows = self.candidates[part]
        certain = not len(self.propensity)
        return ListOfNight(rows, np.ones(len(rows), np.float32) if certain else self.propensity[part])

    def reasons_of(self, row: int, candidates: Sequence[int]) -> Int16Array | None:
        """Return the reasons of one viewer's row and these candidates; None unless all stand in the list."""
        if not len(self.reasons):
            return None
        start, end = int(self.indptr[row]), int(self.indptr[row + 1])
        place = {other: at for at, other in enumerate(self.candidates[start:end].tolist(), start)}
        at = [place.get(other, -1) for other in candidates]
        return self.reasons[at] if min(at, default=-1) >= 0 else None


@dataclass(frozen=True, eq=False)
class ArmRows:
    """The arm of an experiment that each viewer's list is of.

    names: what a receipt carries, such as "nash:treatment". codes: `(n_people,)`, -1 for none, or empty.
    """

    names: tuple[str, ...]
    codes: Int8Array

    def of(self, row: int) -> str:
        """Return the name of a viewer's arm, empty for none."""
        code = int(self.codes[row]) if 0 <= row < len(self.codes) else -1
        return self.names[code] if code >= 0 else ""


NO_ARMS: Final = ArmRows((), np.zeros(0, np.int8))
