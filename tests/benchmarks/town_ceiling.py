"""How much can be known of somebody after a few signals, and how much of it the hybrid knows.

`python -m tests.benchmarks.town_ceiling [--people N] [--seed S] [--json OUT]`

Beside content and the hybrid stands an ideal learner of a synthetic town. It knows what no learner can: the
form of the hidden taste, how it hangs together with the answers over all people, its spread around them,
and everybody else's part of it, exactly. Of each person it learns as the hybrid does, from their answers
and their looks alone. What it reaches is about what the evidence holds; the rest is known to nobody.

NDCG is expected: the mean over many draws of who would like whom from the hidden taste.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import Columns as C
from recsys.data.geography import pair_distances_km
from recsys.evaluation.ranking import Ndcg, TiedRanking
from recsys.evaluation.splits import INTERACTION_SLICES
from recsys.models.directed import pair_dots, sigmoid
from recsys.models.fold_in import fold_in_answers
from recsys.models.hybrid import HybridModel
from recsys.models.impressions import Impressions
from recsys.simulation.night_state import DirectedEvents
from recsys.simulation.settings import FunnelSettings
from tests.benchmarks.command import Result, run
from tests.benchmarks.town_after import TownAfter

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer]
PLACES = 10
_RIDGE = 30.0
_BELIEFS = 3


def measure(args: argparse.Namespace) -> Result:
    """Fit the hybrid, let the ideal learner learn the same, and judge both."""
    town = TownAfter.made(2_000 if args.people is None else args.people, np.random.default_rng(args.seed))
    model = HybridModel().fit(town.people, town.events, rng=np.random.default_rng(args.seed))
    i, j = (town.people.ids.rows(town.pairs[c]) for c in (C.VIEWER, C.CANDIDATE))
    content = model.content_.fitted if model.content_ is not None else model.fitted
    scores = {
        "random": np.random.default_rng(args.seed).random(len(i)),
        "content": _mutual(content, i, j),
        "hybrid": _mutual(model.fitted, i, j),
        "ideal learner": IdealLearner(town, _features(model, town)).mutual(i, j),
        "oracle": town.chance,
    }
    values = _expected_ndcg(town, scores, args.draws, np.random.default_rng(args.seed))
    return _judged(town, values, np.random.default_rng(args.seed), args.resamples)


class IdealLearner:
    """The posterior mode of each person's hidden rows given their answers and looks, others known."""

    def __init__(self, town: TownAfter, features: Floats) -> None:
        self.town = town
        truth, at = town.truth, town.at
        taste, appeal = truth.taste[at], truth.appeal[at]
        impressions = Impressions.from_events(town.people, town.events)
        funnel = FunnelSettings()
        i, j = impressions.viewers, impressions.candidates
        # of the answers to a like, a no is often left unsaid, so the yeses are that much more likely
        base = self._base(i, j) + (funnel.flattered - np.log(funnel.inbox_passes)) * impressions.is_reply
        self.taste, spread = _predicted(features, taste)
        self.appeal, spread_back = _predicted(features, appeal)
        given, received = impressions.grouped(len(at))
        prior, prior_back = self.taste, self.appeal
        for _ in range(_BELIEFS):
            impressions = impressions.e_step(sigmoid(base + pair_dots(self.taste, self.appeal, i, j)))
            offset, offset_back = (
                base + pair_dots(prior, appeal, i, j),
                base + pair_dots(taste, prior_back, i, j),
            )
            self.taste = prior + _moved(given, impressions, offset, appeal, spread)
            self.appeal = prior_back + _moved(received, impressions, offset_back, taste, spread_back)

    def mutual(self, i: Rows, j: Rows) -> Floats:
        """Return P(both like), for aligned rows."""
        base = self._base(i, j)
        like = sigmoid(base + pair_dots(self.taste, self.appeal, i, j))
        return np.asarray(like * sigmoid(base + pair_dots(self.taste, self.appeal, j, i)))

    def _base(self, i: Rows, j: Rows) -> Floats:
        truth, at = self.town.truth, self.town.at
        km = pair_distances_km(truth.places[at[i]], truth.places[at[j]])
        near = np.nan_to_num(np.exp(-km / truth.settings.nearness_km), nan=0.0)
        return np.asarray(truth.intercept + truth.settings.nearness * near, np.float64)


def _moved(evidence: Any, impressions: Impressions, offset: Floats, others: Floats, spread: Floats) -> Floats:
    """Return how far looks move everybody, whose prior has covariance `spread @ spread.T`."""
    found = fold_in_answers(
        np.zeros((len(others), spread.shape[1])),
        evidence,
        others @ spread,
        labels=impressions.labels,
        weights=impressions.looks,
        offset=offset,
        strength=1.0,
        steps=10,
    )
    return np.asarray(found @ spread.T, np.float64)


def _predicted(features: Floats, hidden: Floats) -> tuple[Floats, Floats]:
    """Return what a ridge on the others says of each person's hidden row, and the root of its errors."""
    inverse = np.linalg.inv(features.T @ features + _RIDGE * np.eye(features.shape[1]))
    fitted = features @ (inverse @ (features.T @ hidden))
    own = np.einsum("nf,fg,ng->n", features, inverse, features)
    error = (hidden - fitted) / (1.0 - own)[:, None]
    values, vectors = np.linalg.eigh(np.cov(error.T))
    kept = values > 1e-6 * values.max()
    return hidden - error, np.asarray(vectors[:, kept] * np.sqrt(values[kept]), np.float64)


def _features(model: HybridModel, town: TownAfter) -> Floats:
    """Return everything content reads of a person, `(n_people, n_columns)`, and a constant."""
    rows = model.content_.features_.concatenated(town.people)  # type: ignore[union-attr]
    return np.hstack([np.ones((len(town.people), 1)), rows.preferences, rows.attributes]).astype(np.float64)


def _mutual(directed: DirectedEvents, i: Rows, j: Rows) -> Floats:
    return np.asarray(directed.probabilities(i, j) * directed.probabilities(j, i), np.float64)


def _expected_ndcg(
    town: TownAfter, scores: Mapping[str, Floats], draws: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return the mean NDCG of each viewer over draws, `(n_viewers,)`, NaN where never defined."""
    viewer = town.pairs[C.VIEWER].to_numpy()
    once = np.ones(len(viewer), np.int64)
    found: dict[str, list[Floats]] = {name: [] for name in scores}
    for _ in range(draws):
        both = (rng.random(len(viewer)) < town.chance).astype(np.int64)
        for name, score in scores.items():
            values, defined = Ndcg(TiedRanking.of(viewer, both, score), PLACES).per_viewer(once)
            found[name].append(np.where(defined, values, np.nan))
    defined = ~np.isnan(found["oracle"])
    count = np.maximum(np.sum(defined, axis=0), 1)
    some = np.any(defined, axis=0)
    return {name: np.where(some, np.nansum(rows, axis=0) / count, np.nan) for name, rows in found.items()}


def _judged(town: TownAfter, values: dict[str, Floats], rng: np.random.Generator, resamples: int) -> Result:
    viewers = np.unique(town.pairs[C.VIEWER].to_numpy())
    part = town.slices.reindex(viewers).to_numpy()
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    for name in (*INTERACTION_SLICES, "all"):
        sample_without_replacement = np.flatnonzero(
            ((part == name) | (name == "all")) & ~np.isnan(values["oracle"])
        )
        if not len(sample_without_replacement):
            continue
        again = sample_without_replacement[
            rng.integers(0, len(sample_without_replacement), (resamples, len(sample_without_replacement)))
        ]
        for model, found in values.items():
            more = (
                found[sample_without_replacement].mean()
                / values["content"][sample_without_replacement].mean()
                - 1.0
            )
            drawn = found[again].mean(axis=1) / values["content"][again].mean(axis=1) - 1.0
            lo, hi = np.quantile(drawn, [0.025, 0.975])
            row = {
                "ndcg@10": found[sample_without_replacement].mean(),
                "over_content": more,
                "lo": lo,
                "hi": hi,
            }
            rows.append({"slice": name, "model": model, "viewers": len(sample_without_replacement), **row})
            key = f"{model.replace(' ', '_')}_{name.replace('-', '_').replace('>', 'over_')}"
            summary |= {f"{key}_ndcg10": row["ndcg@10"], f"{key}_over_content": more}
    return Result(rows, summary, ["Intervals: bootstrap over viewers, of the gain over content."])


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--draws", type=int, default=20, help="of who would like whom (default 20)")
    parser.add_argument("--resamples", type=int, default=200, help="of viewers, for the intervals")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "What can be known of people after a few signals, and how much of it the hybrid knows."
    return run("town_ceiling", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
