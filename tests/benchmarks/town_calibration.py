"""Whether chances of a like given a look are right on pairs that towns really showed.

`python -m tests.benchmarks.town_calibration [--people N] [--towns T]`

Models learn from all but the last days of several towns and are judged on the pairs that were shown for the
first time then, by the chance that the town's hidden taste gives a look at each. Intervals are over towns.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.evaluation.bootstrap import of_groups
from recsys.evaluation.market import LABEL
from recsys.models import (
    LFRR,
    ContentModel,
    CrossedEffects,
    HybridModel,
    OneSidedALS,
    PopularityModel,
    RandomModel,
)
from recsys.models.base import Model
from recsys.simulation.town import make_town
from recsys.storage.load import load_events, load_population
from tests.benchmarks.command import Result, keep_argument, kept, run
from tests.benchmarks.coverage import error_of_known

MODELS: Sequence[type[Model]] = (
    RandomModel,
    PopularityModel,
    CrossedEffects,
    OneSidedALS,
    LFRR,
    ContentModel,
    HybridModel,
)
JUDGED = 0.2
"""Share of the events, the latest, of which new pairs are judged."""


def measure(args: argparse.Namespace) -> Result:
    """Measure every model on each town."""
    n_people = args.people or 1500
    towns: list[dict[str, Mapping[str, float]]] = [
        kept(args.kept, f"{n_people}_{seed}", lambda seed=seed: _errors(n_people, seed))
        for seed in range(args.seed, args.seed + args.towns)
    ]
    rng = np.random.default_rng(args.seed)
    rows = []
    for name in towns[0]:
        error = of_groups([town[name]["error"] for town in towns], rng=rng)
        said, true = (float(np.mean([town[name][key] for town in towns])) for key in ("said", "true"))
        values = {"value": error.value, "lo": error.lo, "hi": error.hi, "said": said, "true": true}
        rows.append({"model": name, "metric": "ece", **values})
    summary = {
        f"{row['model']}_ece{end}": row[key] for row in rows for end, key in (("", "value"), ("_hi", "hi"))
    }
    pairs = sum(int(town["random"]["pairs"]) for town in towns)
    return Result(rows, {"towns": args.towns, "pairs": pairs, **summary})


def _errors(n_people: int, seed: int) -> dict[str, Mapping[str, float]]:
    """Return for each model its error on new pairs that were shown, and the mean chances said and true."""
    town = make_town(n_people, np.random.default_rng(seed))
    people, events = load_population(town.tables), load_events(town.tables)
    cut = events.frame[C.TS].quantile(1.0 - JUDGED)
    shown = _new_pairs(events.frame, cut)
    shown = shown[people.ids.find(shown[C.VIEWER]) >= 0]
    shown = shown[people.ids.find(shown[C.CANDIDATE]) >= 0]
    rows = (town.ids.rows(shown[column]).astype(np.int64) for column in (C.VIEWER, C.CANDIDATE))
    true: npt.NDArray[np.float64] = town.truth.p_like(*rows)
    past = Events.of(events.frame[events.frame[C.TS] < cut])
    found: dict[str, Mapping[str, float]] = {}
    for kind in MODELS:
        model = kind().fit(people, past, rng=seed)
        said = model.score_pairs(shown)[C.P_LIKE].to_numpy()
        found[kind.name] = {
            "error": error_of_known(true, said),
            "said": float(said.mean()),
            "true": float(true.mean()),
            "pairs": float(len(said)),
        }
    return found


def _new_pairs(frame: pd.DataFrame, cut: pd.Timestamp) -> pd.DataFrame:
    """Return who was shown whom from `cut` on, where nothing happened between the two before."""
    pairs = frame[[C.ACTOR, C.TARGET, C.TS, C.TYPE]].rename(
        columns={C.ACTOR: C.VIEWER, C.TARGET: C.CANDIDATE}
    )
    there = pairs[C.TS] < cut
    before = pairs[there]
    known = pd.concat(
        [
            before[[C.VIEWER, C.CANDIDATE]],
            before.rename(columns={C.VIEWER: C.CANDIDATE, C.CANDIDATE: C.VIEWER})[[C.VIEWER, C.CANDIDATE]],
        ]
    )
    shown = pairs[~there & (pairs[C.TYPE] == "impression")][[C.VIEWER, C.CANDIDATE]].drop_duplicates()
    both = shown.merge(known.drop_duplicates().assign(**{LABEL: 1}), on=[C.VIEWER, C.CANDIDATE], how="left")
    return both.loc[both[LABEL].isna(), [C.VIEWER, C.CANDIDATE]].reset_index(drop=True)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--towns", type=int, default=8, help="towns, of seeds one after another")
    keep_argument(parser)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("town_calibration", measure, about=str(__doc__), argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
