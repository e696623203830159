"""Graphs for tests: one side looking, both sides looking, anybody looking at anybody; with ties."""

import numpy as np
from hypothesis import strategies as st

from recsys.allocation.graph import CandidateGraph


def one_sided(
    n_viewers: int, n_candidates: int, rng: np.random.Generator, crowd: float = 0.5
) -> CandidateGraph:
    """Viewers first, candidates after them; the last of each are the most liked."""
    shape = (n_viewers, n_candidates)
    liked = np.arange(1, n_candidates + 1) / n_candidates
    likers = np.arange(1, n_viewers + 1)[:, None] / n_viewers
    p = (1 - crowd) * rng.random(shape) + crowd * liked
    q = (1 - crowd) * rng.random(shape) + crowd * likers
    i, j = np.divmod(np.arange(p.size), n_candidates)
    return CandidateGraph.of(i, n_viewers + j, p=p.ravel(), q=q.ravel(), n_people=n_viewers + n_candidates)


def both_sided(n: int, rng: np.random.Generator, crowd: float = 0.5) -> CandidateGraph:
    """`n` people a side, everybody looks at the other side."""
    one = one_sided(n, n, rng, crowd)
    i, j = one.viewer, one.candidate
    return CandidateGraph.of(
        np.r_[i, j], np.r_[j, i], p=np.r_[one.p, one.q], q=np.r_[one.q, one.p], n_people=2 * n
    )


def anybody(n: int, share: float, rng: np.random.Generator, levels: int = 4) -> CandidateGraph:
    """A random directed graph whose chances take few values, so that there are ties."""
    chance = rng.integers(1, levels + 1, (n, n)) / (levels + 1)
    edges = (rng.random((n, n)) < share) & ~np.eye(n, dtype=bool)
    i, j = np.nonzero(edges)
    return CandidateGraph.of(i, j, p=chance[i, j], q=chance[j, i], n_people=n)


@st.composite
def graphs(draw_outcomes: st.DrawFn) -> CandidateGraph:
    rng = np.random.default_rng(draw_outcomes(st.integers(0, 10_000)))
    return anybody(draw_outcomes(st.integers(2, 9)), draw_outcomes(st.floats(0.2, 1.0)), rng)
