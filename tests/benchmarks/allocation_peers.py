"""Peers of the allocator, written from what their papers and programs say, on dense two-sided markets.

`social_welfare` follows the authors' program (bayoumi17m/SW-matching-markets). Of the others abstracts and
introductions alone were read, so that these are our forms of their ideas and not their programs:
exposure-constrained deferred acceptance (K. Sekiya et al., arXiv:2602.19689), retention (R. Kishimoto et al.,
"MRet", arXiv:2602.15752), alternating Frank-Wolfe for Nash welfare (Y. Tomita and T. Yokoyama,
arXiv:2409.00720), and the same by Sinkhorn's algorithm (the same authors, arXiv:2601.13609).
"""

import numpy as np
import numpy.typing as npt

from recsys.allocation import AllocationConfig, CandidateGraph
from recsys.allocation.frank_wolfe import take_step
from recsys.allocation.objective import MeanFieldModel
from recsys.allocation.rounding import RankedEdges, rank_edges
from recsys.data.examination import Decay, Examination

Floats = npt.NDArray[np.float64]


def social_welfare(
    graph: CandidateGraph,
    k: int,
    *,
    look: Decay = 1.0,
    inbox: Decay = 1.0,
    epochs: int = 300,
) -> RankedEdges:
    """Return the lists of Su, Bayoumi and Joachims' own Frank-Wolfe (WWW 2022), by exposure.

    It starts at uniform orders and steps by 1 / (t + 2) (`decay` in their program) until the
    expected matches move by less than 1e-3. A linear program gives them the direction; a sort gives the same.
    """
    model = MeanFieldModel(graph, AllocationConfig(k=k, look=look, inbox=inbox, steps=1))
    weights = Examination.of(look).position_weights(k)
    degree = np.diff(graph.indptr)
    spread = np.cumsum(np.append(0.0, weights))[np.minimum(degree, k)] / np.maximum(degree, 1)
    exposure = np.repeat(spread, degree).astype(np.float32)
    nothing, before = np.zeros(graph.n_people), -np.inf
    for epoch in range(epochs):
        utility = model.utilities(exposure)
        value = model.objective(utility)
        if abs(value - before) < 1e-3:
            break
        before = value
        gain = model.gain(exposure, utility).copy()
        take_step(model, gain, nothing, 1.0 / (epoch + 2), exposure)
    return rank_edges(graph, exposure, graph.p * graph.q, np.ones(graph.n_edges, bool), k=k)


def exposure_constrained_deferred_acceptance(
    graph: CandidateGraph, k: int, *, likes: float = 2.0, look: Decay = 1.0
) -> RankedEdges:
    """Return lists by deferred acceptance in which a receiver holds so many expected likes, not heads.

    Viewers propose down their order by p q; a receiver keeps the proposals of highest q whose expected likes,
    p times a mean chance to be looked at, stay within `likes`; who is let go proposes on.
    """
    both = graph.p.astype(np.float64) * graph.q
    chance = float(Examination.of(look).position_weights(k).mean())
    viewer, order = graph.viewer, np.lexsort((-both, graph.viewer))
    held: list[list[tuple[float, int]]] = [[] for _ in range(graph.n_people)]
    load = np.zeros(graph.n_people)
    kept = np.zeros(graph.n_people, np.int64)
    turn = graph.indptr[:-1].copy()
    waiting = [i for i in range(graph.n_people) if graph.indptr[i + 1] > graph.indptr[i]]
    accepted = np.zeros(graph.n_edges, bool)
    while waiting:
        i = waiting.pop()
        while kept[i] < k and turn[i] < graph.indptr[i + 1]:
            e = int(order[turn[i]])
            turn[i] += 1
            j = int(graph.candidate[e])
            held[j].append((float(graph.q[e]), e))
            load[j] += graph.p[e] * chance
            accepted[e], kept[i] = True, kept[i] + 1
            while load[j] > likes and len(held[j]) > 1:
                worst = min(range(len(held[j])), key=lambda at: held[j][at])
                _, gone = held[j].pop(worst)
                load[j] -= graph.p[gone] * chance
                accepted[gone] = False
                other = int(viewer[gone])
                kept[other] -= 1
                if other != i:
                    waiting.append(other)
    return rank_edges(graph, both.astype(np.float32), graph.p, accepted, k=k)


def retention(
    graph: CandidateGraph, k: int, *, look: Decay = 1.0, rounds: int = 3, rate: float = 1.0
) -> RankedEdges:
    """Return lists by what a match adds to the stay of both, place by place: 1 - exp(-rate matches) of each.

    A curve that rises less and less gives the next match to whom it keeps. Everybody has the same curve here:
    the paper learns one for each person from their past.
    """
    both = graph.p.astype(np.float64) * graph.q
    weights = Examination.of(look).position_weights(k)
    matches = np.zeros(graph.n_people)
    viewer, candidate = graph.viewer, graph.candidate
    lists = rank_edges(graph, both.astype(np.float32), graph.p, np.ones(graph.n_edges, bool), k=k)
    for _ in range(rounds):
        place = lists.exposure(weights, graph.n_edges).astype(np.float64)
        matches = np.bincount(viewer, both * place, graph.n_people) + np.bincount(
            candidate, both * place, graph.n_people
        )
        stays = np.exp(-rate * matches)
        gain = (both * (stays[viewer] + stays[candidate])).astype(np.float32)
        lists = rank_edges(graph, gain, graph.p, np.ones(graph.n_edges, bool), k=k)
    return lists


def matching_for_retention(
    graph: CandidateGraph, k: int, *, look: Decay = 1.0, rate: float = 1.0, seed: int = 0
) -> RankedEdges:
    """Return lists of viewers who arrive one after another, each by the stay that a match adds to both.

    What earlier viewers' lists are expected to bring is in the curve of later ones: 1 - exp(-rate matches).
    Since it rises less and less, a sort of each list is enough. Every curve is the same, see `retention`.
    """
    both = graph.p.astype(np.float64) * graph.q
    weights = Examination.of(look).position_weights(k)
    matches, gain = np.zeros(graph.n_people), np.zeros(graph.n_edges, np.float32)
    for i in np.random.default_rng(seed).permutation(graph.n_people):
        edges = slice(graph.indptr[i], graph.indptr[i + 1])
        other = graph.candidate[edges]
        stays = np.exp(-rate * matches[i]) + np.exp(-rate * matches[other])
        gain[edges] = both[edges] * stays
        order = np.argsort(-gain[edges], kind="stable")[:k]
        expected = both[edges][order] * weights[: len(order)]
        matches[i] += expected.sum()
        matches[other[order]] += expected
    return rank_edges(graph, gain, graph.p, np.ones(graph.n_edges, bool), k=k)


def retained(utility: Floats, rate: float = 1.0) -> float:
    """Return the share of people who stay, by the curve of `retention`, given expected matches."""
    return float((1.0 - np.exp(-rate * utility)).mean())


def effective_matches(
    graph: CandidateGraph, lists: RankedEdges, *, look: Decay = 1.0, attention: float = 2.0
) -> float:
    """Return expected matches of which those of an overloaded receiver count less, by load over attention."""
    place = lists.exposure(
        Examination.of(look).position_weights(int(lists.place.max(initial=1))), graph.n_edges
    )
    likes = np.bincount(graph.candidate, graph.p * place, graph.n_people)
    share = np.minimum(1.0, attention / np.maximum(likes, 1e-12))
    return float((graph.p.astype(np.float64) * graph.q * place * share[graph.candidate]).sum())


def alternating_nash(
    p_mutual: Floats, k: int, *, look: Decay = 1.0, rounds: int = 10, steps: int = 40
) -> tuple[Floats, Floats]:
    """Return the exposures of rows to columns and of columns to rows, Nash welfare raised side by side.

    p_mutual: `(n_rows, n_columns)` of every pair, both of whom must look. With the lists of one side held,
    the sum of log matches is concave in those of the other: Frank-Wolfe with an exact line search.
    """
    weights = Examination.of(look).position_weights(k)

    def best(gain: Floats) -> Floats:
        exposure = np.zeros_like(gain)
        order = np.argsort(-gain, axis=1, kind="stable")[:, :k]
        np.put_along_axis(exposure, order, weights[: order.shape[1]][None, :], axis=1)
        return exposure

    sides = [0.5 * (best(p) + weights.sum() / p.shape[1]) for p in (p_mutual, p_mutual.T)]
    for at in range(2 * rounds):
        side = at % 2
        worth = (p_mutual if side == 0 else p_mutual.T) * sides[1 - side].T
        for _ in range(steps):
            matches = worth * sides[side]
            own, other = (np.maximum(matches.sum(axis=axis), 1e-12) for axis in (1, 0))
            towards = best(worth * (1.0 / own[:, None] + 1.0 / other[None, :])) - sides[side]
            moved = worth * towards
            low, high = 0.0, 1.0
            for _ in range(25):
                step = (low + high) / 2.0
                slope = sum(
                    (moved.sum(axis=axis) / np.maximum(now + step * moved.sum(axis=axis), 1e-12)).sum()
                    for axis, now in ((1, own), (0, other))
                )
                low, high = (step, high) if slope > 0.0 else (low, step)
            sides[side] = sides[side] + low * towards
    return sides[0], sides[1]


def sinkhorn_nash(
    p_mutual: Floats, k: int, *, look: Decay = 1.0, rounds: int = 8, steps: int = 40, rate: float = 0.5
) -> tuple[Floats, Floats]:
    """Return the exposures of `alternating_nash`, by ascent whose every step ends at mixtures of orderings.

    Each list is a matrix of candidates by places whose rows and columns add up to 1: gradients multiply it,
    and Sinkhorn's algorithm brings it back (k must be the number of candidates of the longer side).
    """
    weights = Examination.of(look).position_weights(k).astype(np.float64)
    n_rows, n_columns = p_mutual.shape
    shapes = (n_rows, n_columns), (n_columns, n_rows)
    places = [np.full((*shape, shape[1]), 1.0 / shape[1]) for shape in shapes]
    sides = [place @ weights[: shape[1]] for place, shape in zip(places, shapes, strict=True)]
    for at in range(2 * rounds):
        side = at % 2
        worth = (p_mutual if side == 0 else p_mutual.T) * sides[1 - side].T
        for _ in range(steps):
            matches = worth * sides[side]
            own, other = (np.maximum(matches.sum(axis=axis), 1e-12) for axis in (1, 0))
            gain = worth * (1.0 / own[:, None] + 1.0 / other[None, :])
            gain *= rate / np.maximum(gain.max(axis=1, keepdims=True), 1e-12)
            place = places[side]
            place *= np.exp(gain[:, :, None] * weights[: place.shape[2]] * 4.0)
            for _ in range(8):
                place /= place.sum(axis=1, keepdims=True)
                place /= place.sum(axis=2, keepdims=True)
            sides[side] = place @ weights[: place.shape[2]]
    return sides[0], sides[1]
