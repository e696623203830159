"""Several ways to make lists, judged on the same truths and the same luck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from recsys.allocation.deploy import Ranked
from recsys.allocation.examination import Decay
from recsys.allocation.graph import CandidateGraph
from recsys.allocation.judges.judge import judge
from recsys.allocation.presence import Presence

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_MOST = 1.0 - 1e-6
_EDGES_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Compared:
    """One way to make lists: means over the truths drawn, and what it gains over the reference.

    reached: share of people with an edge who have at least one match. gain: matches over those of the
    reference, less 1, with its 95 % interval over truths.
    """

    name: str
    matches: float
    reached: float
    gini: float
    gain: float
    gain_lo: float
    gain_hi: float


def compare(
    graph: CandidateGraph,
    lists: Mapping[str, Ranked],
    *,
    reference: str,
    rng: np.random.Generator,
    look: Decay = 1.0,
    inbox: Decay = 1.0,
    presence: Presence | None = None,
    error: float = 0.0,
    draws: int = 10,
    rounds: int = 5,
) -> Sequence[Compared]:
    """Judge `lists` by name on truths that lie around the chances of `graph`.

    error: the standard deviation of what the chances do not know of a pair, in logits; chances are
    taken as calibrated, so the mean of the truths is what they say. See `truth_around`.
    """
    there = graph.takes_part
    found = {name: np.empty((draws, 3)) for name in lists}
    for draw in range(draws):
        truth = truth_around(graph, error, rng)
        seed = int(rng.integers(0, 2**63))
        for name, ranked in lists.items():
            luck = np.random.default_rng(seed)
            said = judge(truth, ranked, look=look, inbox=inbox, presence=presence, rng=luck, rounds=rounds)
            found[name][draw] = said.matches, said.people_reached(there), said.exposure_gini(there)
        del truth  # before the next is drawn
    return [_summed(name, values, found[reference]) for name, values in found.items()]


def truth_around(graph: CandidateGraph, error: float, rng: np.random.Generator) -> CandidateGraph:
    """Return chances with `error` logits of spread whose mean is the chance given, one for each direction.

    A logit x becomes `x sqrt(1 + pi error^2 / 8) + error z`: the mean of its logistic is again that of x,
    up to the probit approximation (D. MacKay, Neural Computation 4 (1992) 720-736).
    """
    if error == 0.0:
        return graph
    p = _spread(graph.p, error, rng)
    q = _spread(graph.q, error, rng)
    _think_alike(graph.inbox.edge, graph.inbox.reverse, p, q)
    return CandidateGraph(graph.indptr, graph.candidate, p, q)


def _spread(chance: Floats, error: float, rng: np.random.Generator) -> Floats:
    found = np.empty(len(chance), np.float32)
    for start in range(0, len(chance), _EDGES_AT_ONCE):
        part = slice(start, start + _EDGES_AT_ONCE)
        safe = np.clip(chance[part].astype(np.float64), 1.0 - _MOST, _MOST)
        logit = np.log(safe / (1.0 - safe)) * np.sqrt(1.0 + np.pi * error**2 / 8.0)
        found[part] = 1.0 / (1.0 + np.exp(-logit - error * rng.standard_normal(len(safe))))
    return found


@njit(nogil=True, cache=True)
def _think_alike(edge: Ints, reverse: Ints, p: Floats, q: Floats):  # type: ignore[no-untyped-def]
    # What one thinks of the other is one number, whichever of the two looks.
    for t in range(len(edge)):
        if reverse[t] >= 0:
            q[edge[t]] = p[reverse[t]]


def _summed(name: str, values: Doubles, reference: Doubles) -> Compared:
    gain = values[:, 0] / np.maximum(reference[:, 0], 1e-12) - 1.0
    spread = 1.96 * float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    mean = float(gain.mean())
    matches, reached, gini = (float(value) for value in values.mean(axis=0))
    return Compared(name, matches, reached, gini, mean, mean - spread, mean + spread)
