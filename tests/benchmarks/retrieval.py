"""Exact mutual lists beside other ways to them, on the same people in the same run.

`python -m tests.benchmarks.retrieval --people 100000 --eligible 0.009`

People are synthetic, in thirty clustered cities, with 128 factors. Everything is timed in one thread, in
processor time, so that other work on the machine weighs less; only ratios within one run mean anything.
Peers answer a sample of viewers and are scaled to a viewer; ours answers whole tiles of people.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from recsys.constraints.compiled import Compiled
from recsys.models.directed import Directed
from recsys.retrieval import MutualLists, Retriever, warm_up
from tests.benchmarks.command import Result, peak_mb, run
from tests.benchmarks.retrieval_cities import WISHES, cities, eligible_share
from tests.benchmarks.retrieval_peers import BOTH_WAYS, GRAPHS, ONE_WAY, Answer, Question, one_way, recall
from tests.benchmarks.retrieval_steps import STEPS, Steps, sgemm_per_second, timed_steps

PACKAGES = {"implicit": "implicit", "faiss flat": "faiss", "faiss hnsw": "faiss", "hnswlib": "hnswlib"}


def measure(args: argparse.Namespace) -> Result:
    """Run ours, the peers, and the series of sizes."""
    first_call = warm_up()
    n_people = args.people or 25_000
    directed, compiled = cities(n_people, np.random.default_rng(args.seed), args.eligible)
    rng = np.random.default_rng(args.seed + 1)
    eligible = eligible_share(compiled, rng)
    with threadpool_limits(1):
        retriever, layout_s = _laid_out(directed, compiled, args.memory_mb)
        ours = _Ours(retriever, args, rng)
        summary: dict[str, Any] = {
            "people": n_people,
            "eligible": eligible,
            "k": args.k,
            "first_call_s": first_call,
            "layout_s": layout_s,
            **ours.figures(n_people, eligible),
        }
        rows = [{"way": "ours", "us_per_viewer": ours.per_viewer * 1e6, "recall": 1.0, "prepare_s": layout_s}]
        if args.peers:
            question = _question(directed, compiled, args, rng)
            mine = ours.lists_of(question)
            rows += list(_peers(question, mine, ours.per_viewer, args))
            summary |= _ratios(rows, ours.per_viewer, mine, question)
        if args.live:
            summary |= _live(retriever, args, rng)
        del retriever, ours, directed, compiled
        growth = list(_growth(args, rng)) if args.growth else []
    rows += [{"way": f"ours, {row['people']} people", **row} for row in growth]
    summary["ns_per_eligible_pair"] = [row["ns_per_eligible_pair"] for row in growth] or [
        summary.pop("ns_per_pair")
    ]
    summary["peak_mb"] = peak_mb()
    return Result(rows, summary, [f"First call, which compiles or reads the cache: {first_call:.1f} s."])


def _laid_out(directed: Directed, compiled: Compiled, memory_mb: float | None) -> tuple[Retriever, float]:
    start = time.process_time()
    retriever = Retriever(directed, compiled, memory_mb=memory_mb)
    return retriever, time.process_time() - start


class _Ours:
    """One search of whole tiles, and its clocks."""

    def __init__(self, retriever: Retriever, args: argparse.Namespace, rng: np.random.Generator) -> None:
        self._retriever, self._args = retriever, args
        viewers = _whole_tiles(retriever, args.viewers, rng)
        retriever.top_k(viewers[:10], k=args.k)
        wall, start = time.perf_counter(), time.process_time()
        with timed_steps() as self.steps:
            self.lists: MutualLists = retriever.top_k(
                viewers, k=args.k, workers=args.workers, processes=args.processes
            )
        self.wall = time.perf_counter() - wall
        # The clock of this process does not see what others do.
        self.cpu = self.wall * args.workers if args.processes else time.process_time() - start
        self.n_viewers = len(self.lists)
        self.per_viewer = self.cpu / self.n_viewers

    def figures(self, n_people: int, eligible: float) -> dict[str, Any]:
        """Return the summary of this search; by step and by peak product only when in one thread."""
        pairs = self.n_viewers * eligible * n_people
        found = {
            "viewers": self.n_viewers,
            "seconds": self.per_viewer * n_people,
            "wall_s": self.wall,
            "cpu_s": self.cpu,
            "pairs_per_s": self.n_viewers * n_people / self.cpu,
            "ns_per_pair": self.cpu / pairs * 1e9,
            "mean_length": float(self.lists.lengths.mean()),
        }
        return found | _by_step(self.steps, self.cpu)

    def lists_of(self, question: Question) -> list[Any]:
        """Return our lists of the sampled viewers."""
        found = self._retriever.top_k(question.viewers, k=self._args.k)
        return np.split(found.candidates, found.indptr[1:-1])


def _by_step(steps: Steps, total: float) -> dict[str, Any]:
    if not steps.operations:
        return {}
    best = sgemm_per_second()
    product = steps.operations / steps.product_seconds()
    found = {f"share: {name}": steps.seconds[step] / total for step, name in STEPS.items()}
    found |= {"share: the rest": 1.0 - sum(found.values())}
    return {
        "sgemm_gflops": best / 1e9,
        "gemm_fraction": product / best,
        "gemm_fraction_overall": steps.operations / total / best,
        **found,
    }


def _whole_tiles(retriever: Retriever, n_viewers: int | None, rng: np.random.Generator) -> Any:
    order, starts = retriever._index.order, retriever._index.starts
    if n_viewers is None or n_viewers >= len(order):
        return np.sort(order)
    tiles = rng.permutation(len(starts) - 1)[: max(1, n_viewers // retriever._tile)]
    return np.concatenate([order[starts[t] : starts[t + 1]] for t in tiles])


def _question(
    directed: Directed, compiled: Compiled, args: argparse.Namespace, rng: np.random.Generator
) -> Question:
    n = compiled.n_people
    viewers = np.sort(rng.choice(n, min(args.peer_viewers, n), replace=False))
    return Question(directed, compiled, viewers, compiled.may_show_block(viewers, np.arange(n)), args.k)


def _peers(
    question: Question, mine: Sequence[Any], ours: float, args: argparse.Namespace
) -> Iterator[Mapping[str, Any]]:
    """Yield a row for each peer; what is not installed or not asked for says so."""
    right = list(one_way(question))
    for name, peer in {**BOTH_WAYS, **ONE_WAY, **GRAPHS}.items():
        if name in PACKAGES and find_spec(PACKAGES[name]) is None:
            yield {"way": name, "note": "not installed"}
        elif name in GRAPHS and not args.graphs:
            yield {"way": name, "note": "left out; --graphs builds it"}
        else:
            found: Answer = peer(question)
            per_viewer = found.answer / len(question.viewers)
            yield {
                "way": name,
                "us_per_viewer": per_viewer * 1e6,
                "times_ours": per_viewer / ours,
                "recall": recall(found.lists, mine if name in BOTH_WAYS else right),
                "prepare_s": found.prepare,
                "note": f"{len(question.viewers)} viewers, {'both ways' if name in BOTH_WAYS else 'one way'}",
            }


def _ratios(
    rows: Sequence[Mapping[str, Any]], ours: float, mine: Sequence[Any], question: Question
) -> dict[str, Any]:
    by_way = {row["way"]: row.get("us_per_viewer", np.nan) * 1e-6 / ours for row in rows}
    return {
        "exact": _exact(mine, question),
        "vs_naive": by_way["pandas"],
        "vs_numpy": min(by_way["numpy"], by_way["numpy blocks"]),
        "vs_implicit": by_way["implicit"],
        "vs_faiss": by_way["faiss flat"],
    }


def _exact(mine: Sequence[Any], question: Question) -> bool:
    """Say whether a plain float64 ranking of everybody who may be shown gives the same lists."""
    for at, viewer in enumerate(question.viewers):
        rows = np.flatnonzero(question.shown[at])
        viewers = np.full(len(rows), viewer)
        score = question.directed.probabilities(viewers, rows) * question.directed.probabilities(
            rows, viewers
        )
        if mine[at].tolist() != rows[np.lexsort((rows, -score))][: question.k].tolist():
            return False
    return True


def _live(retriever: Retriever, args: argparse.Namespace, rng: np.random.Generator) -> dict[str, Any]:
    """Return milliseconds to answer one viewer at a time, k = 20."""
    viewers = rng.choice(retriever._index.order, min(500, len(retriever._index.order)), replace=False)
    took, busy = [], []
    for viewer in viewers:
        start, cpu = time.perf_counter(), time.process_time()
        retriever.top_k([viewer], k=20)
        took.append(time.perf_counter() - start)
        busy.append(time.process_time() - cpu)
    named = {"live": took, "live_cpu": busy}
    return {
        f"{name}_p{q}_ms": float(np.percentile(values, q) * 1e3)
        for name, values in named.items()
        for q in (50, 99)
    }


def _growth(args: argparse.Namespace, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield time per eligible pair at several sizes of the same cities."""
    for n_people in args.growth:
        directed, compiled = cities(n_people, np.random.default_rng(args.seed), args.eligible)
        eligible = eligible_share(compiled, rng)
        retriever, layout_s = _laid_out(directed, compiled, None)
        ours = _Ours(retriever, args, rng)
        yield {
            "people": n_people,
            "eligible": eligible,
            "us_per_viewer": ours.per_viewer * 1e6,
            "ns_per_eligible_pair": ours.per_viewer / (eligible * n_people) * 1e9,
            "prepare_s": layout_s,
        }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--eligible", type=float, choices=sorted(WISHES), default=0.009, help="share of pairs"
    )
    parser.add_argument("--k", type=int, default=100, help="length of lists (default 100)")
    parser.add_argument("--viewers", type=int, help="for ours, whole tiles of them (default everybody)")
    parser.add_argument("--peer-viewers", type=int, default=100, help="for each peer (default 100)")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument(
        "--graphs", action=argparse.BooleanOptionalAction, default=False, help="graph indexes"
    )
    parser.add_argument("--live", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--growth", type=int, nargs="*", default=[], metavar="N", help="sizes to compare")
    parser.add_argument("--workers", type=int, default=1, help="ratios to peers mean one (default 1)")
    parser.add_argument("--processes", action="store_true", help="workers are processes")
    parser.add_argument("--memory-mb", type=float, help="most that the search may take")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "Exact mutual top-k beside pandas, numpy, implicit, faiss and hnswlib."
    return run("retrieval", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
