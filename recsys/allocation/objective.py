"""The mean-field model of one graph: expected matches and their gradient, with buffers kept between calls."""

import copy
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recsys.allocation.config import AllocationConfig, MemberActivity
from recsys.allocation.graph import CandidateGraph, Inbox
from recsys.allocation.rounding import RankedEdges
from recsys.data.examination import Examination, examination_at, examination_slope
from recsys.kernels import kernel
from recsys.parallel import in_ranges
from recsys.types import Float32Array, Float64Array, Int32Array, Int64Array


class Exposed(NamedTuple):
    """What is exposed, in the order of inboxes.

    shown:  `(n_edges,)` float32, the exposure of each edge; most are in no list.
    chance: `(n_edges,)` float32, the probability that a like there is read, or would be.
    """

    shown: Float32Array
    chance: Float32Array

    @classmethod
    def nothing(cls, n_edges: int) -> "Exposed":
        """Return what is to be found."""
        return cls(np.empty(n_edges, np.float32), np.empty(n_edges, np.float32))


@kernel
def expected_matches(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    inbox: Inbox,
    exposed: Exposed,
    indptr: Int64Array,
    p: Float32Array,
    q: Float32Array,
    exposure: Float32Array,
    read: Float32Array,
    utility: Float64Array,
):
    """Write the expected matches of each person of a range into `utility` `(n_people,)`.

    p, q, exposure, read: `(n_edges,)`. Half the sum over people counts each pair once.
    """
    for j in range(start, stop):
        total = 0.0
        for e in range(indptr[j], indptr[j + 1]):
            if exposure[e] != 0.0:
                total += np.float64(p[e]) * q[e] * exposure[e] * read[e]
        for t in range(inbox.indptr[j], inbox.indptr[j + 1]):
            if exposed.shown[t] == 0.0:
                continue
            back, shown, chance = inbox.reverse[t], exposed.shown[t], exposed.chance[t]
            both = np.float64(inbox.p[t]) * inbox.q[t]
            total += both * shown * chance
            if back >= 0:
                shared = min(both, np.float64(p[back]) * q[back])
                total += shared * shown * exposure[back] * (1.0 - chance - read[back])
        utility[j] = total


def welfare(utility: Float64Array, fairness: float, epsilon: float) -> float:
    """Return the sum over people of `((u + eps) ** (1 - f) - eps ** (1 - f)) / (1 - f)`, log at f = 1.

    The family of A. B. Atkinson, Journal of Economic Theory 2 (1970) 244-263: 0 is the sum of
    matches, 1 is Nash welfare, the sum of their logarithms.

    >>> welfare(np.array([1.0, 3.0]), 0.0, 0.5)
    4.0
    """
    held = utility + epsilon
    if fairness == 1.0:
        return float(np.log(held / epsilon).sum())
    power = 1.0 - fairness
    return float(((held**power - epsilon**power) / power).sum())


def welfare_weights(utility: Float64Array, fairness: float, epsilon: float) -> Float64Array:
    """Return how much one more match of each person adds to `welfare`, scaled to a mean of 1.

    >>> welfare_weights(np.array([0.0, 1.0]), 1.0, 1.0).round(3).tolist()
    [1.333, 0.667]
    """
    if fairness == 0.0 or not len(utility):
        return np.ones(len(utility))
    weight = marginal_welfare(utility, fairness, epsilon)
    return weight / weight.mean()


def marginal_welfare(utility: Float64Array, fairness: float, epsilon: float) -> Float64Array:
    """Return how much one more match of each person adds to `welfare`, `(n_people,)`."""
    return np.asarray((utility + epsilon) ** -fairness)


def utility_of_marginal(marginal: Float64Array, fairness: float, epsilon: float) -> Float64Array:
    """Return the matches of people for whom one more adds so much to `welfare`; 0 for all at fairness 0.

    >>> utility_of_marginal(marginal_welfare(np.array([0.5, 2.0]), 0.5, 0.01), 0.5, 0.01).round(9).tolist()
    [0.5, 2.0]
    """
    if fairness == 0.0:
        return np.zeros(len(marginal))
    return np.asarray(marginal ** (-1.0 / fairness) - epsilon)


@kernel
def longest_inbox(indptr: npt.NDArray[np.int64], start: int, stop: int):  # type: ignore[no-untyped-def]
    """Return the length of the longest inbox of a range of people."""
    most = 0
    for j in range(start, stop):
        most = max(most, indptr[j + 1] - indptr[j])
    return most


@kernel
def inbox_positions(inbox: Inbox, j: int, shown: Float32Array, likes: Float64Array, place: Float64Array):  # type: ignore[no-untyped-def]
    """Write the likes that arrive at j, in inbox order, and their places, `(longest_inbox,)` each.

    shown: `(n_edges,)` exposures in the order of inboxes.
    """
    first, n = inbox.indptr[j], inbox.indptr[j + 1] - inbox.indptr[j]
    for t in range(n):
        likes[t] = np.float64(inbox.p[first + t]) * shown[first + t]
    above, t = 0.0, 0
    while t < n:
        end, tied = t, 0.0
        while end < n and inbox.q[first + end] == inbox.q[first + t]:
            tied += likes[end]
            end += 1
        for u in range(t, end):
            place[u] = 1.0 + above + 0.5 * (tied - likes[u])
        above += tied
        t = end


@kernel
def read_probabilities(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    inbox: Inbox,
    exposed: Exposed,
    reads: Float32Array,
    kind: int,
    decay: float,
    exposure: Float32Array,
    read: Float32Array,
):
    """Write what is exposed to the people of a range, and the probability that a like there is read.

    exposure: `(n_edges,)` in the order of viewers; read: the same, of which those without a like stay as
    they are.
    """
    most = longest_inbox(inbox.indptr, start, stop)
    likes, place = np.empty(most), np.empty(most)
    for j in range(start, stop):
        for t in range(inbox.indptr[j], inbox.indptr[j + 1]):
            exposed.shown[t] = exposure[inbox.edge[t]]
        inbox_positions(inbox, j, exposed.shown, likes, place)
        first, last, chance = inbox.indptr[j], 0.0, np.float32(0.0)
        for t in range(inbox.indptr[j + 1] - first):
            if place[t] != last:  # equal from one like that arrives to the next
                last, chance = place[t], np.float32(reads[j] * examination_at(kind, decay, place[t]))
            exposed.chance[first + t] = chance
            if likes[t] != 0.0:
                read[inbox.edge[first + t]] = chance


@kernel
def gradient(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start: int,
    stop: int,
    inbox: Inbox,
    exposed: Exposed,
    p: Float32Array,
    q: Float32Array,
    viewer: Int32Array,
    weight: Float64Array,
    kind: int,
    decay: float,
    exposure: Float32Array,
    read: Float32Array,
    gain: Float32Array,
    load: Float64Array,
):
    """Write dF/dE of every edge to the people of a range, and the likes each of them expects.

    viewer: of every edge in inbox order, or nothing when everybody weighs 1. weight: `(n_people,)`, of a
    person's matches. exposure, read, gain: `(n_edges,)`; load: `(n_people,)`.
    """
    most = longest_inbox(inbox.indptr, start, stop)
    likes, place, harm = np.empty(most), np.empty(most), np.empty(most)
    worth = np.empty(most, np.float32)
    for j in range(start, stop):
        inbox_positions(inbox, j, exposed.shown, likes, place)
        first, n = inbox.indptr[j], inbox.indptr[j + 1] - inbox.indptr[j]
        arriving = 0.0
        for t in range(n):
            arriving += likes[t]
            at = first + t
            back = inbox.reverse[at]
            w = 1.0 if len(viewer) == 0 else 0.5 * (weight[j] + weight[viewer[at]])
            both = np.float64(inbox.p[at]) * inbox.q[at]
            chance = np.float64(exposed.chance[at])
            direct, by_read = both * chance, both
            if back >= 0 and exposure[back] != 0.0:
                shared, theirs = min(both, np.float64(p[back]) * q[back]), np.float64(exposure[back])
                direct += shared * theirs * (1.0 - chance - read[back])
                by_read -= shared * theirs
            worth[t] = w * direct
            harm[t] = 0.0
            if likes[t] != 0.0:
                harm[t] = w * by_read * exposed.shown[at] * examination_slope(kind, decay, place[t], chance)
        load[j] = arriving
        below, t = 0.0, n
        while t > 0:
            start_of_ties, tied = t, 0.0
            while start_of_ties > 0 and inbox.q[first + start_of_ties - 1] == inbox.q[first + t - 1]:
                start_of_ties -= 1
                tied += harm[start_of_ties]
            for u in range(start_of_ties, t):
                pushed = inbox.p[first + u] * (below + 0.5 * (tied - harm[u]))
                gain[inbox.edge[first + u]] = worth[u] + pushed
            below += tied
            t = start_of_ties


class _Memory:
    """What a model works in: the inbox of its graph, and buffers of 20 bytes an edge.

    viewer: `(n_edges,)` int32, of every edge in inbox order; nothing when everybody weighs 1.
    """

    def __init__(self, graph: CandidateGraph, config: AllocationConfig) -> None:
        self.inbox = graph.build_inbox(config.workers)
        self.viewer = graph.viewer[self.inbox.edge] if config.fairness > 0.0 else np.zeros(0, np.int32)
        self.exposed = Exposed.nothing(graph.n_edges)
        self.read = np.zeros(graph.n_edges, np.float32)  # of edges that were exposed
        self.gain = np.empty(graph.n_edges, np.float32)


class MeanFieldModel:
    """What exposures `(n_edges,)` float32 bring to everybody.

    A call overwrites what the call before it returned, unless `release` came between.
    """

    def __init__(
        self, graph: CandidateGraph, config: AllocationConfig, activity: MemberActivity | None = None
    ) -> None:
        self.graph, self.config = graph, config
        self.activity = activity or MemberActivity.always(graph.n_people)
        self.position_weights = Examination.of(config.look).position_weights(config.k)
        self._reading = Examination.of(config.inbox, where="inbox")
        self._memory: _Memory | None = None
        self.load = np.zeros(graph.n_people)

    def release(self) -> None:
        """Free what the model works in, five times the memory of its edges; the next call makes it again."""
        self._memory = None
        self.graph.release_inbox()

    def unweighted(self) -> Self:
        """Return the model that weighs everybody's matches alike; it works in the memory of this one."""
        self._works_in()
        other = copy.copy(self)
        other.config = self.config.changed(fairness=0.0)
        return other

    def _works_in(self) -> _Memory:
        if self._memory is None:
            self._memory = _Memory(self.graph, self.config)
        return self._memory

    def utilities(self, exposure: Float32Array) -> Float64Array:
        """Return everybody's expected matches, `(n_people,)`; half their sum is the matches."""
        self._examine(exposure)
        graph, memory, found = self.graph, self._works_in(), np.empty(self.graph.n_people)

        def part(start: int, stop: int) -> None:
            edges = graph.indptr, graph.p, graph.q
            own = memory.inbox, memory.exposed
            expected_matches(start, stop, *own, *edges, exposure, memory.read, found)

        in_ranges(part, memory.inbox.indptr, self.config.workers)
        return found

    def objective(self, utility: Float64Array) -> float:
        """Return the welfare of everybody's matches at the fairness of the settings."""
        return welfare(utility, self.config.fairness, self.config.epsilon)

    def gain(self, exposure: Float32Array, utility: Float64Array) -> Float32Array:
        """Return what more exposure of each edge is worth, `(n_edges,)`; `load` holds the likes received.

        utility: what `utilities(exposure)` of this model returned just before, or another weighing of people.
        """
        graph, memory, how = self.graph, self._works_in(), self._reading
        weight = welfare_weights(utility, self.config.fairness, self.config.epsilon)

        def part(start: int, stop: int) -> None:
            gradient(
                start,
                stop,
                memory.inbox,
                memory.exposed,
                graph.p,
                graph.q,
                memory.viewer,
                weight,
                how.kind,
                how.decay,
                exposure,
                memory.read,
                memory.gain,
                self.load,
            )

        in_ranges(part, memory.inbox.indptr, self.config.workers)
        return memory.gain

    def exposure_of(self, ranked: RankedEdges) -> Float32Array:
        """Return the exposure of every edge in lists, `(n_edges,)` float32."""
        found = ranked.exposure(self.position_weights, self.graph.n_edges)
        found[ranked.edge] *= np.repeat(self.activity.opens, np.diff(ranked.indptr))
        return found

    def _examine(self, exposure: Float32Array) -> None:
        memory, how = self._works_in(), self._reading

        def part(start: int, stop: int) -> None:
            reading = self.activity.reads, how.kind, how.decay
            read_probabilities(start, stop, memory.inbox, memory.exposed, *reading, exposure, memory.read)

        in_ranges(part, memory.inbox.indptr, self.config.workers)
