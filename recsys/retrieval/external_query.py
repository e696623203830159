"""External queries: a viewer who is not in the index, such as somebody who joined since it was built."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.constraints.masks import RuleWords, mask_columns, take_people
from recsys.constraints.sparse_masks import PairRules
from recsys.errors import InputError, explained
from recsys.retrieval.index import TileIndex, refuse_too_large
from recsys.retrieval.memory_limit import COLUMNS, BlockShape
from recsys.retrieval.quantization import largest_of, margin_of, quantized, step_of
from recsys.retrieval.score_bounds import COMBINER_NUMBERS, ViewerFactors, unit_of
from recsys.retrieval.shortlist import NO_PRICE, SearchTarget
from recsys.retrieval.tile_search import Workspace, search_viewers
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, UInt32Array

_ONE_ROW = BlockShape(1, COLUMNS)
_FIRST = np.zeros(1, np.int32)


class ExternalList(NamedTuple):
    """The list of one external viewer, best first: rows of people and their scores, all `(n_found,)`."""

    rows: Int32Array
    p_like: Float32Array
    p_liked_back: Float32Array
    p_mutual: Float64Array


class ExternalQuery(NamedTuple):
    """An external viewer as the kernels read one.

    words: the rules of the one viewer, with cell 0. reach: `(1, n_cells)` uint8, from their cell to the cells
    of the index. viewer: taste and appeal, and near `(1, n_places)`, the logits from their place to the
    places of the index. is_listed: whether they may be shown anybody. takes_suggestions: whether liked-only
    people who take suggestions may be shown to them.
    """

    words: RuleWords
    reach: UInt32Array
    viewer: ViewerFactors
    is_listed: bool
    takes_suggestions: bool

    @classmethod
    def of(
        cls,
        index: TileIndex,
        compiled: Compiled,
        *,
        taste: npt.ArrayLike,
        appeal: npt.ArrayLike,
        near: npt.ArrayLike | None = None,
    ) -> Self:
        """Return the one person of `compiled` as a viewer of the people of `index`.

        compiled: of one person, whose bits are numbered as those of the index, with their reach to its cells
        (`ColdStartVocabulary.compile`). taste, appeal: `(n_factors,)`. near: `(n_places,)` logits of
        distance decay to the places of the index; None for none.

        Rules about single pairs are not known of them: whoever is separated from them, or meets their tokens,
        belongs among the excluded of a search.

        Raises InputError when shapes do not fit the index or a factor is not a finite number.
        """
        people = index.people
        n_factors, n_places = people.taste.shape[1], len(people.near)
        nearby = np.zeros((1, n_places), np.float32) if near is None else np.asarray(near, np.float32)[None]
        for name, got, expected in (
            ("compiled", compiled.n_people, 1),
            ("traits", compiled.traits.shape[1] + compiled.traits.shape[1] % 2, len(index.words.traits)),
            ("reach", compiled.cell_reach.shape[1], len(index.reach)),
            ("near", nearby.shape[1], n_places),
        ):
            if got != expected:
                raise InputError(
                    explained("a query for another index", where=name, got=f"{got}, not {expected}")
                )
        likes, is_liked = _factors(taste, n_factors, "taste"), _factors(appeal, n_factors, "appeal")
        return cls(
            words=compiled.words(_FIRST, index.packing)._replace(cell=_FIRST),
            reach=np.ascontiguousarray(compiled.cell_reach[compiled.cell[:1]], np.uint32),
            viewer=_viewer(index, likes, is_liked, nearby),
            is_listed=bool(compiled.listed[0]),
            takes_suggestions=bool(compiled.liked_only[0] & compiled.suggestible[0]),
        )

    @classmethod
    def of_member(cls, index: TileIndex, position: int, taste: npt.ArrayLike) -> Self:
        """Return a person of the index as an external viewer with another taste `(n_factors,)`.

        Rules about single pairs are not applied: recheck what is found by the masks of the index.
        """
        people, at = index.people, np.array([position], np.int32)
        words, place = take_people(index.words, at), people.place[position]
        likes = _factors(taste, people.taste.shape[1], "taste")
        near = np.ascontiguousarray(people.near[place : place + 1])
        return cls(
            words=words._replace(cell=_FIRST),
            reach=np.ascontiguousarray(index.reach[words.cell]),
            viewer=_viewer(index, likes, np.ascontiguousarray(people.appeal[position : position + 1]), near),
            is_listed=True,
            takes_suggestions=bool(index.sparse.suggestible[position] & index.sparse.liked_only[position]),
        )

    def may_show(self, index: TileIndex, rows: npt.ArrayLike) -> BoolArray:
        """Say which of the people at `rows` may be shown to the viewer, by the kernels of the search."""
        at = index.position[np.asarray(rows, np.int64)]
        shown = at >= 0
        columns = np.unique(at[shown])
        mask = np.empty((1, len(columns)), bool)
        mask_columns(self.words, _FIRST, self.reach, index.words, columns, mask)
        self._mask_pairs(index.sparse, _FIRST[:0], mask, columns)
        shown[shown] = mask[0, np.searchsorted(columns, at[shown])]
        return shown

    def fits(self, index: TileIndex) -> BoolArray:
        """Say whom of `index.order` the rules let meet the viewer, `(n_listed,)`, for both sides at once.

        Rules about single pairs, and who is shown to people they liked alone, are left to the caller.
        """
        columns = np.arange(len(index.order), dtype=np.int32)
        mask = np.empty((1, len(columns)), bool)
        mask_columns(self.words, _FIRST, self.reach, index.words, columns, mask)
        return mask[0] & self.is_listed

    def top_k(
        self,
        index: TileIndex,
        *,
        k: int,
        combiner: str = "product",
        exclude: npt.ArrayLike = (),
        price: Float64Array = NO_PRICE,
        highest_price: float | None = None,
    ) -> ExternalList:
        """Return the `k` best people who may be shown to the viewer.

        exclude: rows left out. price: `(n_listed,)` in tile order, as in `Retriever.top_k`, none above
        `highest_price`, which is looked up when not given.
        """
        left_out = index.position[np.asarray(exclude, np.int64)]
        excluded = np.unique(left_out[left_out >= 0]).astype(np.int32)
        most = float(price.max(initial=0.0)) if highest_price is None else highest_price
        wanted = SearchTarget(COMBINER_NUMBERS[combiner], max(1, min(k, len(index.order))), price, most)

        def close(mask: BoolArray, columns: Int32Array) -> None:
            self._mask_pairs(index.sparse, excluded, mask, columns)

        work = Workspace(_ONE_ROW, index, wanted.k)
        found = search_viewers(index, self.viewer, self.words, self.reach, close, wanted, work)
        n = found.length[0]
        rows = index.order[found.position[0, :n]]
        return ExternalList(rows, found.p_like[0, :n], found.p_liked_back[0, :n], found.score[0, :n])

    def _mask_pairs(
        self, rules: PairRules, excluded: Int32Array, mask: BoolArray, columns: Int32Array
    ) -> None:
        """Clear in `mask` `(1, n_columns)` the excluded positions and liked-only people."""
        if not self.is_listed:
            mask[:] = False
        elif len(columns):
            first, last = (
                np.searchsorted(excluded, columns[0]),
                np.searchsorted(excluded, columns[-1], "right"),
            )
            mask[0, np.isin(columns, excluded[first:last], assume_unique=True)] = False
            suggested = rules.suggestible[columns] & self.takes_suggestions
            mask[0, rules.liked_only[columns] & ~suggested] = False


def _viewer(
    index: TileIndex, likes: Float32Array, is_liked: Float32Array, near: Float32Array
) -> ViewerFactors:
    """Return the factors of one viewer, all `(1, n)`, as the kernels read them."""
    people = index.people
    largest = people.largest.copy()
    largest[2] = max(largest[2], float(np.abs(near).max(initial=0.0)))
    mine = largest_of(likes, is_liked, near)
    refuse_too_large(max(mine[0] * largest[1], mine[1] * largest[0]) + mine[2], "an external query")
    steps = np.array([step_of(likes), step_of(is_liked)])
    return ViewerFactors(
        position=np.full(1, -1, np.int32),
        taste=likes,
        appeal=is_liked,
        quantized=quantized(likes, is_liked, steps),
        unit=unit_of(steps, people.steps),
        place=_FIRST,
        near=near,
        margin=margin_of(likes, is_liked, steps, largest, people.steps),
    )


def _factors(given: npt.ArrayLike, n_factors: int, name: str) -> Float32Array:
    row = np.asarray(given, np.float32)
    wide = np.zeros((1, n_factors), np.float32)
    if row.ndim != 1 or len(row) > n_factors or not np.isfinite(row).all():
        got = f"shape {row.shape}, at most ({n_factors},) expected"
        raise InputError(explained("the factors of a query must be finite numbers", where=name, got=got))
    wide[0, : len(row)] = row
    return wide
