"""Sixty thousand real profiles: do all rules hold, how long does it take, how much memory.

`python -m tests.benchmarks.okcupid`

Tables are checked by their contracts, the default policy is compiled, everybody listed gets 20 people,
every pair is checked by the plain form of the policy and again by pandas alone. Nobody here ever said
yes to anybody, so the content model works from its documented weights.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.models.content import ContentModel
from recsys.ranking.recommend import DROPPED, recommend
from recsys.storage.load import load_tables, population_of
from tests.benchmarks.command import Result, peak_mb, run
from tests.benchmarks.recheck import violations
from tests.datasets import okcupid

AS_OF = "2012-07-02"
LENGTH = 20


def measure(args: argparse.Namespace) -> Result:
    """Run the night and check it."""
    rng = np.random.default_rng(args.seed)
    raw = okcupid.load(rng, args.people)
    clock = _Clock()
    tables = load_tables(raw, AS_OF)
    clock.lap("validate")
    people = population_of(tables)
    policy = Policy.default()
    listed = int(policy.compile(people).listed.sum())
    clock.lap("people, policy")
    model = ContentModel().fit(people, Events.none(), rng=rng)
    clock.lap("features, model")
    lists = recommend(model, people, policy, k=LENGTH, progress=args.progress)
    clock.lap("recommend")
    rows = people.ids.rows(lists[C.VIEWER]), people.ids.rows(lists[C.CANDIDATE])
    plain = int((~policy.may_show(people, *rows)).sum())
    clock.lap("plain recheck")
    seconds, peak = clock.total, peak_mb()
    broken = violations(lists, raw[T.PROFILES], raw[T.BOUNDARIES])
    clock.lap("pandas recheck")
    lengths = lists.groupby(C.VIEWER).size()
    summary: dict[str, Any] = {
        "people": len(people),
        "quarantined": len(tables.quarantine),
        "listed": listed,
        "with_list": len(lengths),
        "pairs": len(lists),
        "mean_length": len(lists) / max(listed, 1),
        "violations": int(broken.sum()) + plain + int(lists.attrs[DROPPED]),
        "seconds": seconds,
        "peak_mb": peak,
        "seconds_pandas_recheck": clock.total - seconds,
    }
    counts = "\n".join(f"  {rule:14} {count}" for rule, count in broken.items())
    notes = [f"Violations found by pandas alone, over {len(lists):,} pairs:\n{counts}"]
    return Result(clock.rows, summary, notes)


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self.rows.append({"stage": stage, "seconds": now - self._last, "peak_mb": peak_mb()})
        self._last = now

    @property
    def total(self) -> float:
        """Seconds of all stages."""
        return float(sum(row["seconds"] for row in self.rows))


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "A whole night on the OkCupid profiles, checked twice."
    return run("okcupid", measure, about=about, argv=argv, data="okcupid", arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
