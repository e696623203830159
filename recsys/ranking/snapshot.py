"""A snapshot of one publication: the arrays serving reads, and the questions a ranker asks of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, Self
from zlib import crc32

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue, catalogue_from_json
from recsys.constraints.masks import mask_columns
from recsys.constraints.sparse_masks import CsrRows, mask_pairs
from recsys.data.csr import SparseRows
from recsys.data.id_spellings import SpellingIndex, one_meant
from recsys.data.proofs import ANY_TIER
from recsys.errors import InputError, explained
from recsys.messaging.reasons import Reasons
from recsys.models.directed import sigmoid
from recsys.models.reciprocal import combine
from recsys.ranking.recommend_circles import CircleLists
from recsys.ranking.snapshot_rows import LISTED, ArmRows, ListOfNight, ListRows, PairStageRows, shows_nothing
from recsys.ranking.viewer_filters import FilterColumns, Filters
from recsys.retrieval.external_query import ExternalQuery
from recsys.retrieval.index import TileIndex
from recsys.retrieval.memory_limit import COLUMNS, BlockShape
from recsys.retrieval.score_bounds import COMBINER_NUMBERS
from recsys.retrieval.shortlist import SearchTarget
from recsys.retrieval.tile_search import SearchRequest, Workspace, search_tile
from recsys.safety.keys import Keys
from recsys.safety.person_index import Accounts, NewcomerTokens, PersonIndex
from recsys.storage.dataclass_codec import ADDED_LATER
from recsys.storage.manifest import Manifest
from recsys.types import (
    BoolArray,
    BytesArray,
    Float64Array,
    Int8Array,
    Int32Array,
    UInt8Array,
)


def packed_ids(ids: Iterable[str]) -> BytesArray:
    """Return ascending ids as one array of bytes of equal width.

    Raises InputError for an id that is not ASCII: contracts let none through.
    """
    values = list(ids)
    if not all(value.isascii() and "\0" not in value for value in values):
        raise InputError(explained("ids must be plain ASCII", remedy="use letters, digits, _ and -"))
    return np.array([value.encode() for value in values], dtype=np.bytes_)


_LONGEST_NIGHT: Final = timedelta(hours=12)
"""How long before its publication a night reads its data at the earliest."""
_FEW: Final = 4
"""Ids that are found one by one more quickly than together."""


class SnapshotIds:
    """Ids of a publication; the row of an id is its place.

    >>> ids = SnapshotIds(packed_ids(["u1", "u2"]))
    >>> ids.find(["u2", "u9", "?", "a-much-longer-id"]), ids.at([1])
    ([1, -1, -1, -1], ['u2'])
    """

    def __init__(self, packed: BytesArray) -> None:
        self._packed = packed
        self._longest = packed.dtype.itemsize
        self._latest: tuple[object, int] = (None, -1)  # a call asks for its viewer again and again

    def __len__(self) -> int:
        return len(self._packed)

    def find(self, ids: Iterable[Any]) -> list[int]:
        """Return the row of each id, -1 for anything that is no id here."""
        packed, given = self._packed, list(ids)
        if len(given) < _FEW or not len(packed):
            return [self._row_of(one) for one in given]
        wanted = np.array(self._all_bytes(given), dtype=packed.dtype)
        at = np.minimum(packed.searchsorted(wanted), len(packed) - 1)
        return np.where(packed[at] == wanted, at, -1).tolist()

    def whom(self, given: str) -> str | None:
        """Return the one person whom an id means in any spelling, None for nobody and for more than one.

        An id that is nobody's as it stands is looked for among all of them; see `Spellings.whom`.

        >>> ids = SnapshotIds(packed_ids(["A1", "a1", "u1"]))
        >>> ids.whom(" U1"), ids.whom("a1 ."), ids.whom("u2")
        ('u1', 'a1', None)
        """
        found = [given] if given in self else self.at(self.meant(given))
        return one_meant(found, told_apart=self.are_told_apart)

    def meant(self, given: object) -> list[int]:
        """Return the rows of all whom an id may mean that is nobody's as it stands."""
        return self._spellings.rows(given, self.find)

    @property
    def are_told_apart(self) -> bool:
        """Whether ids that differ in spelling alone are of different people."""
        return self._spellings.are_told_apart

    @cached_property
    def _spellings(self) -> SpellingIndex:
        return SpellingIndex(self._packed)

    def __contains__(self, user_id: object) -> bool:
        return self.find([user_id])[0] >= 0

    def at(self, rows: Iterable[int]) -> list[str]:
        """Return the ids at `rows`."""
        wanted = list(rows)
        return [one.decode() for one in self._packed[wanted].tolist()] if wanted else []

    def _row_of(self, user_id: object) -> int:
        latest = self._latest
        if user_id is latest[0]:
            return latest[1]
        row = self._row(self._bytes_of(user_id))
        if type(user_id) is str:  # never changes, nor do the ids
            self._latest = (user_id, row)
        return row

    def _row(self, wanted: bytes) -> int:
        at = int(self._packed.searchsorted(np.array(wanted, dtype=self._packed.dtype)))
        return at if at < len(self._packed) and self._packed[at] == wanted else -1

    def _all_bytes(self, given: list[Any]) -> list[bytes]:
        """Return `_bytes_of` each, of ids as they should be in one go."""
        try:
            text = "\0".join(given)
        except TypeError:
            return [self._bytes_of(one) for one in given]
        sound = text.isascii() and text.count("\0") == len(given) - 1
        if sound:
            return [one if len(one) <= self._longest else b"" for one in text.encode().split(b"\0")]
        return [self._bytes_of(one) for one in given]

    def _bytes_of(self, user_id: object) -> bytes:
        """Return the bytes of an id; of what can be none here, some that no id has."""
        if (
            not isinstance(user_id, str)
            or not user_id.isascii()
            or "\0" in user_id
            or not len(user_id) <= self._longest
        ):
            return b""
        return user_id.encode()


SNAPSHOT_SCHEMA: Final = 10
"""Rises when the meaning of a file changes; a ranker loads its own number alone."""


def _nobody_known() -> Int8Array:
    return np.zeros(0, np.int8)


@dataclass(frozen=True, eq=False)
class SnapshotData:
    """Everything stored of a snapshot.

    policy: the version of the rules; data_as_of: the time of the night, ISO 8601 in UTC.
    ids: ascending, bytes of equal width, see `packed_ids`. likes: whom each person had liked already; they
    are looked at by name, and offered no more. prices: `(n_listed,)` in tile order, what the attention of
    each person costs; empty for nothing. persons: which accounts are of one person. arms: of an experiment.
    filters: what a viewer may narrow a page by. separated: who is kept from whom, both ways, of unlisted
    people too.
    catalogue: the questions, interests and topics of its people, JSON as bytes; it is served with this one,
    whatever is installed. verification: the tier that its rules ask of everybody. proved: `(n_people,)` int8,
    up to which tier proofs count, see `StandingProofs.enough_for`; empty where an earlier version wrote it.
    """

    schema: int
    policy: str
    combiner: str
    data_as_of: str
    ids: BytesArray
    lists: ListRows
    likes: SparseRows
    layout: TileIndex
    prices: Float64Array
    reasons: Reasons
    stages: PairStageRows
    persons: PersonIndex
    arms: ArmRows
    filters: FilterColumns
    separated: SparseRows
    circles: CircleLists
    catalogue: UInt8Array
    verification: str = field(default="age", metadata=ADDED_LATER)
    proved: Int8Array = field(default_factory=_nobody_known, metadata=ADDED_LATER)


_ONE_ROW: Final = BlockShape(1, COLUMNS)


@dataclass(frozen=True, eq=False)
class LiveSearch:
    """The search of one viewer at serving time: the kernels of the night over mapped arrays.

    prices: `(n_listed,)`, what the attention of each person costs, in tile order; empty for nothing.
    """

    layout: TileIndex
    prices: Float64Array
    highest_price: float
    combiner: str
    nobody: CsrRows

    @classmethod
    def of(cls, layout: TileIndex, prices: Float64Array, combiner: str) -> "LiveSearch":
        """Build from a layout."""
        nobody = CsrRows(np.zeros(len(layout.order) + 1, np.int64), np.zeros(0, np.int32))
        return cls(layout, prices, float(prices.max(initial=0.0)), combiner, nobody)

    def is_listed(self, row: int) -> bool:
        """Say whether the person at `row` is seen and sees at all; -1 is nobody."""
        return row >= 0 and bool(self.layout.position[row] >= 0)

    def is_liked_only(self, row: int) -> bool:
        """Say whether somebody listed is shown to people they liked alone."""
        return self.is_listed(row) and bool(self.layout.sparse.liked_only[self.layout.position[row]])

    def may_show(self, viewer: int, candidates: npt.ArrayLike, *, likes_viewer: bool = False) -> BoolArray:
        """Say which candidate rows may be shown to the viewer's row, by the compiled rules.

        likes_viewer: whether every candidate likes the viewer: then who shows themselves only to people they
        liked may be shown as well.
        """
        position = self.layout.position
        rows = np.asarray(candidates, np.int32)
        shown = np.zeros(len(rows), bool)
        at = position[rows] if len(rows) else rows
        order = at.argsort()
        listed = order[at[order] >= 0]
        if not self.is_listed(viewer) or not len(listed):
            return shown
        columns = at[listed]
        if np.count_nonzero(columns[1:] == columns[:-1]):  # the kernels take ascending columns, none twice
            columns = np.unique(columns)
        me = position[viewer : viewer + 1]
        mask = np.empty((1, len(columns)), bool)
        mask_columns(self.layout.words, me, self.layout.reach, self.layout.words, columns, mask)
        rules = self.layout.sparse
        if likes_viewer:
            rules = rules._replace(liked_only=np.zeros(len(rules.liked_only), bool))
        mask_pairs(mask, me, columns, rules, self.nobody)
        shown[listed] = mask[0] if len(columns) == len(listed) else mask[0, columns.searchsorted(at[listed])]
        return shown

    def best(self, viewer: int, k: int) -> Int32Array:
        """Return the rows of the `k` best people who may be shown to the viewer's row, best first.

        Best by the chance of a match less what the candidate's attention costs, `p_like * price`.
        """
        most = len(self.layout.order) - 1
        if not self.is_listed(viewer) or most < 1:
            return np.zeros(0, np.int32)
        wanted = SearchTarget(COMBINER_NUMBERS[self.combiner], min(k, most), self.prices, self.highest_price)
        me = self.layout.position[viewer : viewer + 1]
        work = Workspace(_ONE_ROW, self.layout, wanted.k)
        found = search_tile(self.layout, me, SearchRequest(wanted, self.nobody), work)
        return self.layout.order[found.position[0, : found.length[0]]]

    def kept_apart(self, viewer: int) -> Int32Array:
        """Return the rows of listed people whom rules about single pairs keep from the viewer's row."""
        if not self.is_listed(viewer):
            return np.zeros(0, np.int32)
        everybody = np.arange(len(self.layout.order), dtype=np.int32)
        mask, rules = np.ones((1, len(everybody)), bool), self.layout.sparse
        rules = rules._replace(liked_only=np.zeros(len(rules.liked_only), bool))
        me = self.layout.position[viewer : viewer + 1]
        mask_pairs(mask, me, everybody, rules, self.nobody)
        return self.layout.order[~mask[0]]

    def best_beside(self, viewer: int, k: int, excluded: npt.ArrayLike, taste: npt.ArrayLike) -> Int32Array:
        """Return the same by another taste of the viewer, without the rows `excluded`.

        Rules about single pairs are left to `may_show`.
        """
        if not self.is_listed(viewer):
            return np.zeros(0, np.int32)
        query = ExternalQuery.of_member(self.layout, int(self.layout.position[viewer]), taste)
        out = np.append(np.asarray(excluded, np.int64), viewer)
        price, most = self.prices, self.highest_price
        found = query.top_k(
            self.layout, k=k, combiner=self.combiner, exclude=out, price=price, highest_price=most
        )
        return found.rows

    def likes_back(self, viewer: int, candidates: npt.ArrayLike) -> Float64Array:
        """Return the chance that the viewer's row likes each listed candidate who is looked at, in [0, 1]."""
        people, position = self.layout.people, self.layout.position
        i, at = position[viewer], position[np.asarray(candidates, np.int64)]
        logits = people.appeal[at].astype(np.float64) @ people.taste[i].astype(np.float64)
        return np.asarray(sigmoid(logits + people.near[people.place[i], people.place[at]]), np.float64)

    def scores(self, viewer: int, candidates: npt.ArrayLike) -> Float64Array:
        """Return the score of each listed candidate for the viewer's row, as `best` has it."""
        people, position = self.layout.people, self.layout.position
        i, at = position[viewer], position[np.asarray(candidates, np.int64)]
        back = people.taste[at].astype(np.float64) @ people.appeal[i].astype(np.float64)
        back += people.near[people.place[at], people.place[i]]
        likes = self.likes_back(viewer, candidates)
        price = self.prices[at] if len(self.prices) else 0.0
        return np.asarray(combine(likes, sigmoid(back), self.combiner) - likes * price, np.float64)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One opened publication; any thread may read it."""

    manifest: Manifest
    data: SnapshotData
    ids: SnapshotIds
    live: LiveSearch

    @classmethod
    def of(cls, manifest: Manifest, data: SnapshotData) -> Self:
        """Build from the stored arrays."""
        live = LiveSearch.of(data.layout, data.prices, data.combiner)
        return cls(manifest, data, SnapshotIds(data.ids), live)

    @property
    def run_id(self) -> str:
        """The run that made it."""
        return self.manifest.run_id

    @cached_property
    def data_as_of(self) -> datetime:
        """The time of the data."""
        return datetime.fromisoformat(self.data.data_as_of)

    @cached_property
    def day_since(self) -> datetime:
        """The time from which on rows of the day are not known to the night.

        A night may be dated ahead of the clock; it knows nothing that came after its data were read.
        """
        published = datetime.fromisoformat(self.manifest.created_at)
        ahead = self.data_as_of > published
        return published - _LONGEST_NIGHT if ahead else self.data_as_of

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue it was made with."""
        return catalogue_from_json(self.data.catalogue.tobytes())

    @property
    def reasons(self) -> Reasons:
        """What reasons are read from."""
        return self.data.reasons

    @property
    def stages(self) -> PairStageRows:
        """How far pairs had come that night."""
        return self.data.stages

    def version_for(self, row: int) -> str:
        """Return the identity of the model, and of the arm of an experiment that a viewer's list is of."""
        arm, model = self.data.arms.of(row), self.manifest.made_from.model
        return f"{model}+{arm}" if arm else model

    def accounts(self, newcomers: NewcomerTokens, keys: Keys) -> Accounts:
        """Return the accounts of each person, of newcomers too.

        Raises SafetyUnavailable when the key with which persons were named is not among `keys`.
        """
        return Accounts(self.ids, self.data.persons, newcomers, keys, self.run_id)

    def are_one_person(self, row: int, other: int) -> bool:
        """Say whether the night knew two rows as accounts of one person; a row is one person with itself."""
        mine, theirs = self.data.persons.of_row[-1][[row, other]].tolist()
        return row == other or (mine == theirs and mine != 0)

    def list_of_night(self, row: int) -> ListOfNight:
        """Return the list the night made for one viewer; -1, or somebody without one, has none."""
        return self.data.lists.of(row)

    def liked(self, row: int) -> Int32Array:
        """Return the rows that one person had liked already; -1 is nobody and liked nobody."""
        return self.data.likes.row(row) if row >= 0 else self.data.likes.indices[:0]

    @cached_property
    def _likers(self) -> SparseRows:
        return self.data.likes.inverse(len(self.ids))

    def liked_by(self, row: int) -> Int32Array:
        """Return the rows of people who had liked one person; -1 is nobody."""
        return self._likers.row(row) if row >= 0 else self.data.likes.indices[:0]

    def fits(self, viewer: int, filters: Filters) -> BoolArray:
        """Say who fits a viewer's filters, `(n_people,)` bool."""
        interests = None
        if filters.interests:
            shared = self.reasons.interest
            at = [code for code, name in enumerate(shared.codes) if name[9:] in filters.interests]
            interests = np.asarray(shared.level[:, at].max(axis=1, initial=0) > 0, bool)
        return self.data.filters.fits(viewer, filters, interests, self.catalogue)

    def proved_up_to(self, row: int) -> int:
        """Return up to which tier the proofs of a person count who is here, as a position in `TIERS`."""
        return int(self.data.proved[row]) if len(self.data.proved) else ANY_TIER

    def decoy(self, user_id: str) -> int:
        """Return a listed row to work on instead of one that is not there, the same for the same id."""
        order = self.live.layout.order
        return int(order[crc32(user_id.encode("utf-8", "replace")) % len(order)]) if len(order) else 0

    def answered(self, question: str, accepted: Sequence[str]) -> BoolArray:
        """Say who gave one of the accepted answers in public, `(n_people,)`; nobody when it is not held."""
        answers = self.reasons.answer
        if f"answer:{question}" not in answers.codes:
            return np.zeros(len(self.ids), bool)
        options = list(self.catalogue.questions[question].answers)
        wanted = [options.index(word) + 1 for word in accepted if word in options]
        return np.isin(answers.option[:, answers.codes.index(f"answer:{question}")], wanted)

    def may_show(self, viewer: int, candidates: npt.ArrayLike, *, likes_viewer: bool = False) -> BoolArray:
        """Say which candidate rows the rules and the stage of the pair let the viewer's row see."""
        allowed = self.live.may_show(viewer, candidates, likes_viewer=likes_viewer)
        if viewer >= 0 and len(allowed) and self.stages.has(viewer):  # no and yes take the same time
            stages = self.stages.of(viewer, np.asarray(candidates).tolist())
            allowed &= ~np.array([shows_nothing(stage) for stage in stages])
        return allowed

    def may_look(self, viewer: int, candidate: int, *, likes_viewer: bool = False) -> bool:
        """Say whether the viewer's row may look at one row: as `may_show` says, or as they are matched.

        A match is in no list and no inbox; every other rule binds it as well.
        """
        shown = bool(self.may_show(viewer, [candidate], likes_viewer=likes_viewer)[0])
        matched = self.stages.are_matched(viewer, candidate)  # asked whatever is shown: the same work
        return shown or (matched and self.live.is_listed(viewer) and self.live.is_listed(candidate))

    def reason_codes(self, viewer: int, candidates: Sequence[int], stages: Sequence[str]) -> list[list[str]]:
        """Return why each candidate is shown to one viewer, as codes their stages may show."""
        if all(stage == LISTED for stage in stages):
            stored = self.data.lists.reasons_of(viewer, candidates)
            if stored is not None:
                names = self.reasons.all_codes[0]
                return [[names[one] for one in numbers if one >= 0] for numbers in stored.tolist()]
        rows = np.asarray(candidates, np.int32)
        return self.reasons.codes(np.full(len(rows), viewer, np.int32), rows, stages)
