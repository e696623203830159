"""Lists over several periods with a backlog of likes, beside the Dating Heuristic with whole profiles.

The setting is that of I. Rios and A. Torrico, "The Dating Heuristic: a provably strong matching algorithm for
dating platforms" (arXiv:2308.02584; Manufacturing & Service Operations Management 2026), of which abstract,
introduction and reviews were read: in each period everybody is shown K profiles, each of them once; a like
waits in the other's backlog until their list shows who sent it; two who like each other match. DH-int looks
one period ahead by an integer program. This is a form of our own: they fit chances to the log of a service;
here women like 27 % and men 57 % of whom they see, as they report, popular people more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from recsys.allocation import AllocationConfig, CandidateGraph, allocate_graph
from tests.benchmarks.allocation_graphs import su_market

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
PERIODS, PLACES = 4, 3
MEAN_LIKE = 0.27, 0.57
INBOX, WAITING = 1.0, 0.2
"""Chosen on six markets of 15 x 15, of other seeds than the benchmark's."""


@dataclass
class Backlog:
    """One side's state, `(n, m)`: the chance to like, who may still be shown, and who has liked already.

    last: whether this is the last period, in which a first like can no longer be answered.
    """

    like: Floats
    unseen: Flags
    waiting: Flags
    last: bool = False


Sides = tuple[Backlog, Backlog]
Way = Callable[[Sides], tuple[Flags, Flags]]


def drawn_market(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the chances of women to like men and of men to like women, `(n, n)` each."""
    p, q = su_market(n, 0.5, rng, n_rows=n)
    return tuple(
        np.minimum(one * mean / one.mean(), 1.0) for one, mean in zip((p, q.T), MEAN_LIKE, strict=True)
    )


def play(chances: tuple[Floats, Floats], way: Way, rng: np.random.Generator) -> int:
    """Return the matches of all periods; equal generators give each person the same likes, whoever asks."""
    likes = tuple(rng.random(one.shape) < one for one in chances)
    unseen = tuple(np.ones(one.shape, bool) for one in chances)
    liked = tuple(np.zeros(one.shape, bool) for one in chances)
    for period in range(PERIODS):
        sides = tuple(
            Backlog(chances[s], unseen[s], liked[1 - s].T & unseen[s], period == PERIODS - 1) for s in (0, 1)
        )
        for s, shown in enumerate(way(sides)):
            assert not (shown & ~unseen[s]).any()
            assert shown.sum(axis=1).max() <= PLACES
            unseen[s][shown] = False
            liked[s][shown & likes[s]] = True
    return int((liked[0] & liked[1].T).sum())


def _best(value: Floats, allowed: Flags) -> Flags:
    """Return the PLACES highest allowed values of each row."""
    shown = np.zeros(value.shape, bool)
    order = np.argsort(-np.where(allowed, value, -1.0), axis=1, kind="stable")[:, :PLACES]
    np.put_along_axis(shown, order, np.take_along_axis(allowed, order, axis=1), axis=1)
    return shown


def greedy(sides: Sides) -> tuple[Flags, Flags]:
    """Show whom a match is likeliest with: a like that waits needs one answer, all others two."""
    return tuple(
        _best(np.where(own.waiting, own.like, own.like * other.like.T), own.unseen)
        for own, other in (sides, sides[::-1])
    )


def heuristic(sides: Sides) -> tuple[Flags, Flags]:
    """Show what an integer program chooses that looks one period ahead.

    Variables of each side, a cell a pair: first looks and answers to the backlog, whole; then answers to the
    first looks of the other side and to what is left of the own backlog, both next period and in parts.
    """
    n, m = sides[0].like.shape
    worth, upper = [], []
    for own, other in (sides, sides[::-1]):
        worth += [np.zeros(n * m), *[own.like.ravel()] * 3]
        upper += [first_looks(own, other), own.waiting, first_looks(other, own).T & own.unseen]
        upper.append(own.waiting & (not own.last))
    matrix, limit = _limits(sides)
    found = optimize.milp(
        -np.concatenate(worth),
        constraints=optimize.LinearConstraint(matrix, -np.inf, limit),
        bounds=optimize.Bounds(0.0, np.concatenate([one.ravel() for one in upper]).astype(float)),
        integrality=np.repeat([1, 1, 0, 0, 1, 1, 0, 0], n * m),
        options={"mip_rel_gap": 2e-3, "time_limit": 20.0},
    )
    parts = np.round(found.x).astype(bool).reshape(8, n * m)
    return (parts[0] | parts[1]).reshape(n, m), (parts[4] | parts[5]).reshape(m, n)


def _limits(sides: Sides) -> tuple[sparse.csr_matrix, Floats]:
    """Return the rows `A x <= b` of `heuristic`.

    K places now; K expected looks next period; no more answers next period than likes that first looks are
    expected to bring; one answer to a like that waits; and one of two people looks first.
    """
    n, m = sides[0].like.shape
    cells, places = n * m, float(PLACES)
    eye, ones = sparse.identity(cells, format="csr"), np.ones(cells)
    # the cell of (i, j) on the other side, where it is (j, i)
    turned = [np.arange(cells).reshape(m, n).T.ravel(), np.arange(cells).reshape(n, m).T.ravel()]
    parts: list[tuple[dict[int, sparse.csr_matrix], Floats]] = [({0: eye, 4: eye[turned[0]]}, ones)]
    for s, own in enumerate(sides):
        at, rows = 4 * s, own.like.shape
        of_person = sparse.kron(sparse.identity(rows[0]), np.ones((1, rows[1])), format="csr")
        liked = sparse.diags(sides[1 - s].like.ravel()).tocsr()[turned[s]]
        parts += [
            ({at: of_person, at + 1: of_person}, np.full(rows[0], places)),
            ({at + 2: of_person, at + 3: of_person}, np.full(rows[0], places)),
            ({at + 2: eye, 4 * (1 - s): -liked}, np.zeros(cells)),
            ({at + 1: eye, at + 3: eye}, ones),
        ]
    blocks = [
        [part.get(column, sparse.csr_matrix((len(limit), cells))) for column in range(8)]
        for part, limit in parts
    ]
    return sparse.bmat(blocks, format="csr"), np.concatenate([limit for _, limit in parts])


def first_looks(own: Backlog, other: Backlog) -> Flags:
    """Return whom one side may see before the other has seen them; none in the last period."""
    return own.unseen & ~own.waiting & other.unseen.T & (not own.last)


def allocated(sides: Sides) -> tuple[Flags, Flags]:
    """Show what the allocator chooses; the last period is greedy, since no first like can be answered.

    A like that waits can be answered later as well: an answer now is worth WAITING of what it brings.
    """
    n, m = sides[0].like.shape
    if sides[0].last:
        return greedy(sides)
    viewer, candidate, p, q = [], [], [], []
    for s, (own, other) in enumerate((sides, sides[::-1])):
        i, j = np.nonzero(own.waiting | first_looks(own, other))
        viewer.append(i + s * n)
        candidate.append(j + (1 - s) * n)
        p.append(own.like[i, j])
        q.append(np.where(own.waiting[i, j], WAITING, other.like[j, i]))
    graph = CandidateGraph.of(
        np.concatenate(viewer),
        np.concatenate(candidate),
        p=np.concatenate(p).astype(np.float32),
        q=np.concatenate(q).astype(np.float32),
        n_people=n + m,
    )
    lists = allocate_graph(graph, AllocationConfig(k=PLACES, look=0.0, inbox=INBOX))
    shown = np.zeros((n, m), bool), np.zeros((m, n), bool)
    women = lists.viewer < n
    shown[0][lists.viewer[women], lists.candidate[women] - n] = True
    shown[1][lists.viewer[~women] - n, lists.candidate[~women]] = True
    return shown


WAYS: Mapping[str, Way] = {"greedy": greedy, "dh-int": heuristic, "allocator": allocated}
