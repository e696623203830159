"""How real the synthetic town is: its rates and skew beside people who met for four minutes.

`python -m tests.benchmarks.town [--people N] [--json OUT]`; `--only-make` times the making alone.

In the town, members meet others whom the rules allow, fifteen each, and both say yes or no by the
hidden taste; then the same statistics are taken as of the speed-dating experiment (when its data is
there; aggregates only). What a service logs, such as replies and full inboxes, is read off the
events of the town's past.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.evaluation.market import gini
from recsys.simulation.settings import SPEED_DATING_TASTE, town_settings
from recsys.simulation.town import Town, make_town
from recsys.storage.load import load_population
from tests.benchmarks.command import Result, peak_mb, run
from tests.datasets import data_folder

MEETINGS = 15
"""Meetings a person, about as many as on an evening of the experiment."""


@dataclass(frozen=True, eq=False)
class Meetings:
    """Aligned meetings: two people (codes below `n`) and whether each said yes."""

    a: npt.NDArray[np.int64]
    b: npt.NDArray[np.int64]
    a_yes: npt.NDArray[np.bool_]
    b_yes: npt.NDArray[np.bool_]

    def statistics(self, fewest: int = 8) -> dict[str, float]:
        """Return rates, reciprocity and skew; who had fewer meetings than `fewest` has no rate.

        reciprocity: correlation of the two answers of a meeting (phi); 0 when they know nothing of each
        other. match_over_chance: matches over what independent answers of the same rates would give.
        received, given: Gini coefficient and deviation of people's rates, the chance of so few
        meetings included.
        """
        yes = np.concatenate([self.a_yes, self.b_yes])
        match = (self.a_yes & self.b_yes).mean()
        received = self._rates(np.concatenate([self.b, self.a]), yes, fewest)
        given = self._rates(np.concatenate([self.a, self.b]), yes, fewest)
        return {
            "meetings": float(len(self.a)),
            "yes_rate": float(yes.mean()),
            "match_rate": float(match),
            "match_over_chance": float(match / (self.a_yes.mean() * self.b_yes.mean())),
            "reciprocity": float(np.corrcoef(self.a_yes, self.b_yes)[0, 1]),
            "received_gini": gini(received),
            "received_sd": float(received.std()),
            "given_gini": gini(given),
            "given_sd": float(given.std()),
        }

    @staticmethod
    def _rates(
        who: npt.NDArray[np.int64], yes: npt.NDArray[np.bool_], fewest: int
    ) -> npt.NDArray[np.float64]:
        met, said = np.bincount(who), np.bincount(who, yes)
        return said[met >= fewest] / met[met >= fewest]


def meetings_in(town: Town, rng: np.random.Generator) -> Meetings:
    """Let listed people of the town meet others they may meet, at random."""
    people = load_population(town.tables, town.as_of)
    compiled = Policy.default().compile(people)
    listed = np.flatnonzero(compiled.listed)
    seen = []
    for start in range(0, len(listed), 512):
        rows = listed[start : start + 512]
        row, column = np.nonzero(compiled.may_meet_block(rows, listed))
        order = np.lexsort((rng.random(len(row)), row))
        row, column = row[order], column[order]
        place = np.arange(len(row)) - np.searchsorted(row, row)
        kept = place < MEETINGS // 2 + 1
        seen.append(np.sort(np.column_stack([rows[row[kept]], listed[column[kept]]]), axis=1))
    pairs = np.unique(np.concatenate(seen), axis=0)
    turned = rng.random(len(pairs)) < 0.5
    a, b = np.where(turned, pairs[:, 0], pairs[:, 1]), np.where(turned, pairs[:, 1], pairs[:, 0])
    ids = town.ids.rows(people.ids.values).astype(np.int64)
    a_yes = rng.random(len(a)) < town.truth.p_like(ids[a], ids[b])
    b_yes = rng.random(len(a)) < town.truth.p_like(ids[b], ids[a])
    return Meetings(a, b, a_yes, b_yes)


def meetings_at_speed_dating() -> Meetings:
    """Return the meetings of the experiment; a woman of one evening is one person."""
    pairs = pd.read_csv(data_folder() / "speed_dating" / "pairs.csv")
    women, _ = pd.factorize(pd.MultiIndex.from_frame(pairs[["wave", "f"]]))
    men, _ = pd.factorize(pd.MultiIndex.from_frame(pairs[["wave", "m"]]))
    return Meetings(
        women.astype(np.int64),
        (men + women.max() + 1).astype(np.int64),
        (pairs["f_yes"] == 1).to_numpy(),
        (pairs["m_yes"] == 1).to_numpy(),
    )


def logged(town: Town) -> dict[str, float]:
    """Return what the events of the past say: the top of lists, skew of likes, answers."""
    events = town.tables[T.EVENTS]
    likes = events[(events[C.TYPE] == "like") & (events[C.SURFACE] == "list")]
    shown = events[(events[C.TYPE] == "impression") & (events[C.POSITION] == 1)]
    at_top = _pairs(shown).isin(_pairs(likes))
    members = town.tables[T.PROFILES][C.USER].nunique()
    received = likes[C.TARGET].value_counts()
    counts = np.concatenate([received.to_numpy(), np.zeros(members - len(received))])
    top = np.sort(counts)[::-1][: max(1, members // 10)].sum() / counts.sum()
    return {
        "like_at_place_1": float(at_top.mean()),
        "likes_gini": gini(counts),
        "likes_to_top_tenth": float(top),
        **_answers(likes, _pairs(events[events[C.TYPE] == "like"])),
        "first_message_answered": _answered(events[events[C.TYPE] == "message"]),
    }


def _answers(likes: pd.DataFrame, every: pd.MultiIndex) -> dict[str, float]:
    """Return the share of likes that were returned: all, to the less liked half, to the most liked tenth."""
    back = likes[[C.TARGET, C.ACTOR]].set_axis([C.ACTOR, C.TARGET], axis=1)
    returned = _pairs(back).isin(every)
    load = likes[C.TARGET].map(likes[C.TARGET].value_counts()).to_numpy()
    return {
        "likes_returned": float(returned.mean()),
        "likes_returned_quiet": float(returned[load <= np.quantile(load, 0.5)].mean()),
        "likes_returned_busy": float(returned[load >= np.quantile(load, 0.9)].mean()),
    }


def _answered(messages: pd.DataFrame) -> float:
    """Return the share of talks in which both wrote."""
    wrote = messages[[C.ACTOR, C.TARGET]].drop_duplicates().to_numpy(object)
    pairs = pd.DataFrame(np.sort(wrote.astype(str), axis=1)).value_counts()
    return float((pairs == 2).mean())


def _pairs(events: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(events[[C.ACTOR, C.TARGET]])


def measure(args: argparse.Namespace) -> Result:
    """Make the town and compare."""
    begin, used = time.perf_counter(), time.process_time()
    n_people = args.people or 5000
    town = make_town(n_people, np.random.default_rng(args.seed))
    cost = {
        "people": n_people,
        "events": len(town.tables[T.EVENTS]),
        "make_seconds": time.perf_counter() - begin,
        "make_cpu_seconds": time.process_time() - used,
        "make_peak_mb": peak_mb(),
    }
    if args.only_make:
        return Result([cost], cost)
    ours = meetings_in(town, np.random.default_rng(args.seed + 1)).statistics()
    settings = town_settings({"taste": dict(SPEED_DATING_TASTE)})
    other = make_town(min(n_people, 2000), np.random.default_rng(args.seed), settings=settings)
    fitted = meetings_in(other, np.random.default_rng(args.seed + 1)).statistics()
    summary: dict[str, Any] = cost | ours | logged(town)
    summary |= {f"fitted_{name}": value for name, value in fitted.items()}
    theirs: Mapping[str, float] = {}
    if (data_folder() / "speed_dating").is_dir():
        theirs = meetings_at_speed_dating().statistics()
        summary |= {f"dating_{name}": value for name, value in theirs.items()}
    rows = [
        {"figure": name, "town": value, "fitted": fitted[name], "speed dating": theirs.get(name)}
        for name, value in ours.items()
    ]
    rows += [
        {"figure": name, "town": value, "fitted": None, "speed dating": None}
        for name, value in logged(town).items()
    ]
    return Result(rows, summary)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only-make", action="store_true", help="only time the making of the town")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "How real the synthetic town is, beside people who met for four minutes."
    return run("town", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
