"""A viewer who is not among the people laid out: somebody who joined since, or whose answers just changed."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.constraints.compiled import Compiled
from recsys.errors import InputError, explained
from recsys.retrieval.bounds import COMBINER_NUMBERS, Viewers, unit_of
from recsys.retrieval.index import Layout, refuse_too_large
from recsys.retrieval.masks import Words, mask_of, words_of
from recsys.retrieval.quantization import largest_of, margin_of, quantized, step_of
from recsys.retrieval.shortlist import COLUMNS, NO_PRICE, Chunks, Wanted
from recsys.retrieval.sparse_masks import Links, Sparse
from recsys.retrieval.tile_search import Workspace, best_of
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, UInt8Array

_ONE_ROW = Chunks(1, COLUMNS)
_FIRST = np.zeros(1, np.int32)


class Found(NamedTuple):
    """One list, best first: rows of people, and how each is scored, all `(n_found,)`."""

    rows: Int32Array
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    p_mutual: Float64Array


class Guest(NamedTuple):
    """A viewer as the kernels read one.

    words:  of the one viewer, with cell 0. reach: `(1, n_cells)`, from their cell to the layout's cells.
    viewer: taste and appeal, and near `(1, n_places)`, from their place to the layout's places.
    closed: positions that sparse rules keep from them, ascending.
    shown_by_suggestion: whether liked-only people who take suggestions may be shown to them.
    """

    words: Words
    reach: UInt8Array
    viewer: Viewers
    closed: Int32Array
    shown_by_suggestion: bool

    @classmethod
    def of(
        cls,
        layout: Layout,
        compiled: Compiled,
        *,
        taste: npt.ArrayLike,
        appeal: npt.ArrayLike,
        reach: npt.NDArray[np.uint8],
        near: npt.ArrayLike | None = None,
    ) -> Self:
        """Return the one person of `compiled` as a viewer of the people of `layout`.

        compiled: of one person, whose bits and groups are numbered as those of the layout.
        taste, appeal: `(n_factors,)`. reach: `(n_cells,)` uint8, from their cell to the layout's cells, as in
        `Compiled.cell_reach`. near: `(n_places,)` logits of nearness to the layout's places; None for none.

        They know nobody yet: nobody liked them and they are separated from nobody, so whoever blocked them
        belongs among the excluded.

        Raises InputError when shapes do not fit the layout or a factor is not a finite number.
        """
        people = layout.people
        n_factors, n_places = people.taste.shape[1], len(people.near)
        nearby = np.zeros((1, n_places), np.float32) if near is None else np.asarray(near, np.float32)[None]
        for name, got, wanted in (
            ("compiled", compiled.n_people, 1),
            ("traits", compiled.traits.shape[1] + compiled.traits.shape[1] % 2, len(layout.words.traits)),
            ("reach", len(reach), len(layout.reach)),
            ("near", nearby.shape[1], n_places),
        ):
            if got != wanted:
                raise InputError(
                    explained("a guest of another layout", where=name, got=f"{got}, not {wanted}")
                )
        likes, is_liked = _factors(taste, n_factors, "taste"), _factors(appeal, n_factors, "appeal")
        words = words_of(compiled, _FIRST, layout.packing)._replace(cell=_FIRST)
        largest = people.largest.copy()
        largest[2] = max(largest[2], float(np.abs(nearby).max(initial=0.0)))
        mine = largest_of(likes, is_liked, nearby)
        refuse_too_large(max(mine[0] * largest[1], mine[1] * largest[0]) + mine[2], "a guest")
        steps = np.array([step_of(likes), step_of(is_liked)])
        return cls(
            words=words,
            reach=np.ascontiguousarray(reach, np.uint8)[None],
            viewer=Viewers(
                position=np.full(1, -1, np.int32),
                taste=likes,
                appeal=is_liked,
                whole=quantized(likes, is_liked, steps),
                unit=unit_of(steps, people.steps),
                place=_FIRST,
                near=nearby,
                margin=margin_of(likes, is_liked, steps, largest, people.steps),
            ),
            closed=_closed(layout.sparse, compiled),
            shown_by_suggestion=bool(compiled.liked_only[0] & compiled.suggestible[0]),
        )

    def may_show(self, layout: Layout, rows: npt.ArrayLike) -> BoolArray:
        """Say which of the people at `rows` may be shown to the guest, by the kernels of the search."""
        at = layout.position[np.asarray(rows, np.int64)]
        shown = at >= 0
        columns = np.unique(at[shown])
        mask = np.empty((1, len(columns)), bool)
        mask_of(self.words, self.reach, layout.words, columns, mask)
        self._close(layout.sparse, self.closed, mask, columns)
        shown[shown] = mask[0, np.searchsorted(columns, at[shown])]
        return shown

    def best(
        self,
        layout: Layout,
        *,
        k: int,
        combiner: str = "product",
        exclude: npt.ArrayLike = (),
        price: Float64Array = NO_PRICE,
        dearest: float | None = None,
    ) -> Found:
        """Return the `k` best people who may be shown to the guest.

        exclude: rows left out. price: `(n_listed,)` in tile order, as in `Retriever.top_k`, none above
        `dearest`, which is looked up when not given.
        """
        left_out = layout.position[np.asarray(exclude, np.int64)]
        closed = np.union1d(self.closed, left_out[left_out >= 0]).astype(np.int32)
        most = float(price.max(initial=0.0)) if dearest is None else dearest
        wanted = Wanted(COMBINER_NUMBERS[combiner], max(1, min(k, len(layout.order))), price, most)

        def close(mask: BoolArray, columns: Int32Array) -> None:
            self._close(layout.sparse, closed, mask, columns)

        work = Workspace(_ONE_ROW, layout, wanted.k)
        found = best_of(layout, self.viewer, self.words, self.reach, close, wanted, work)
        n = found.length[0]
        rows = layout.order[found.position[0, :n]]
        return Found(rows, found.p_like[0, :n], found.p_liked_back[0, :n], found.score[0, :n])

    def _close(self, rules: Sparse, closed: Int32Array, mask: BoolArray, columns: Int32Array) -> None:
        """Shut in `mask` `(1, n_columns)` who is closed, and liked-only people."""
        if len(columns):
            here = closed[np.searchsorted(closed, columns[0]) : np.searchsorted(closed, columns[-1], "right")]
            mask[0, np.isin(columns, here, assume_unique=True)] = False
            suggested = rules.suggestible[columns] & self.shown_by_suggestion
            mask[0, rules.liked_only[columns] & ~suggested] = False


def _factors(given: npt.ArrayLike, n_factors: int, name: str) -> Float32Array:
    row = np.asarray(given, np.float32)
    wide = np.zeros((1, n_factors), np.float32)
    if row.ndim != 1 or len(row) > n_factors or not np.isfinite(row).all():
        got = f"shape {row.shape}, at most ({n_factors},) expected"
        raise InputError(explained("a guest's factors must be finite numbers", where=name, got=got))
    wide[0, : len(row)] = row
    return wide


def _closed(rules: Sparse, compiled: Compiled) -> Int32Array:
    """Return the people a guest's groups keep from them: own meets own or avoid, avoid meets own."""
    own, avoid = compiled.own.row(0), compiled.avoid.row(0)
    parts = [_linked(rules.owners, g) for g in (*own, *avoid)] + [_linked(rules.avoiders, g) for g in own]
    return np.unique(np.concatenate([np.empty(0, np.int32), *parts]))


def _linked(links: Links, of: int) -> Int32Array:
    """Return whom `of` is linked to; a group that nobody laid out knows is linked to nobody."""
    return (
        links.indices[links.indptr[of] : links.indptr[of + 1]]
        if of + 1 < len(links.indptr)
        else links.indices[:0]
    )
