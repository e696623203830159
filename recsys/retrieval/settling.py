"""Settling the short lists of a tile: exact scores, and the k best in order."""

from typing import Final

import numpy as np
from numba import njit

from recsys.retrieval.best import Best, Shortlists, Wanted
from recsys.retrieval.cutting import cut
from recsys.retrieval.ordering import in_order
from recsys.retrieval.scores import People, Values, Viewers, exact_logits, likes, scores
from recsys.retrieval.words import Positions

_NEAR_EACH_OTHER: Final = 512
"""People whose factors stay in the second-level cache while all rows are scored with them."""


@njit(nogil=True, cache=True)
def settle(lists: Shortlists, best: Best, viewers: Viewers, people: People, wanted: Wanted):  # type: ignore[no-untyped-def]  # noqa: D103
    # Writes the k best of each row to `best`; returns how many pairs were scored exactly.
    n_rows = len(lists.length)
    for r in range(n_rows):
        cut(lists, r, viewers.margin[r], wanted)
    widest = max(1, lists.length.max())
    x, y = np.empty((n_rows, widest)), np.empty((n_rows, widest))
    _exact_logits_of_all(lists.position, lists.length, viewers, people, x, y)
    p_, q_, score_, value_ = np.empty(widest), np.empty(widest), np.empty(widest), np.empty(widest)
    n_exact = 0
    for r in range(n_rows):
        n = lists.length[r]
        n_exact += n
        position = lists.position[r, :n]
        p, q, score, value = p_[:n], q_[:n], score_[:n], value_[:n]
        likes(x[r, :n], p)
        likes(y[r, :n], q)
        scores(wanted.how, x[r, :n], y[r, :n], score)
        for a in range(n):
            value[a] = score[a]
        if len(wanted.price):
            for a in range(n):
                value[a] -= wanted.price[position[a]] * p[a]
        order = in_order(value, people.row[position])
        best.length[r] = min(n, wanted.k)
        for a in range(best.length[r]):
            at = order[a]
            best.score[r, a], best.position[r, a] = score[at], position[at]
            best.p_like[r, a], best.p_liked_back[r, a] = p[at], q[at]
    return n_exact


@njit(nogil=True, cache=True)
def _exact_logits_of_all(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    position: Positions, length: Positions, viewers: Viewers, people: People, x: Values, y: Values
):
    # Goes over positions from low to high, a stretch of people at a time for all rows, so that the factors of
    # each are read once. Short lists are by position, or nearly; whatever their order, all are scored.
    taste, appeal, near, place = viewers.taste, viewers.appeal, viewers.near, viewers.place
    their_taste, their_appeal, their_place = people.taste, people.appeal, people.place
    done = np.zeros(len(length), np.int64)
    while True:
        lowest = len(their_place)
        for r in range(len(length)):
            if done[r] < length[r]:
                lowest = min(lowest, position[r, done[r]])
        if lowest == len(their_place):
            return
        for r in range(len(length)):
            first = last = done[r]
            while last < length[r] and position[r, last] < lowest + _NEAR_EACH_OTHER:
                last += 1
            if last > first:
                exact_logits(
                    taste[r],
                    appeal[r],
                    near[place[r]],
                    their_taste,
                    their_appeal,
                    their_place,
                    position[r, first:last],
                    x[r, first:last],
                    y[r, first:last],
                )
                done[r] = last
