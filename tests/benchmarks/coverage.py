"""How often intervals over people on both sides hold the truth, for every metric and for differences.

`python -m tests.benchmarks.coverage [--replicates 1000] [--json OUT]`

Markets are drawn anew from one population: everybody is shown some others and says yes or no by a taste of
the pair, an own strictness and the other's popularity. A model that knows the taste and one that knows half
of it are judged, both calibrated by construction, and one whose log odds are half as large again. The truth
is the mean over all markets drawn, for the calibration error the one of a sample of a million pairs.
`two-way` is what `recsys.evaluation` gives, `bootstrap` the pigeonhole bootstrap over the same pairs, on
every `--bootstrap-every`th market.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from recsys.data.examination import INVERSE_EXAMINATION
from recsys.evaluation.bootstrap import Interval, PairMetric, bootstrap
from recsys.evaluation.calibration import Ece
from recsys.evaluation.estimates import ListValue, estimate
from recsys.evaluation.probability import Auc, Brier, LogLoss
from recsys.evaluation.ranking import Ndcg, Precision, Recall, TiedRanking
from recsys.evaluation.registry import SHARE
from tests.benchmarks.command import Result, run

Floats = npt.NDArray[np.float64]
BASE, TASTE = -0.4, 0.8
CALIBRATED = ("all", "half")
MODELS = (*CALIBRATED, "bold")
DIFFERENCES = (("all", "half"), ("bold", "all"))
PLACES = 5


@dataclass(frozen=True)
class Scenario:
    """People, candidates shown to each, spread of people's effects, tail of who is shown (0: evenly)."""

    name: str
    people: int
    shown: int
    effects: float
    skew: float


SCENARIOS = (
    Scenario("plain", 200, 15, 0.4, 0.0),
    Scenario("popularity skew", 200, 15, 0.7, 1.5),
    Scenario("30 people", 30, 10, 0.4, 0.0),
)


@dataclass(frozen=True, eq=False)
class Market:
    """One draw: pairs, outcomes, and what each model says of each, `(n_pairs,)`."""

    viewer: npt.NDArray[np.int64]
    candidate: npt.NDArray[np.int64]
    truth: Floats
    said: dict[str, Floats]

    @classmethod
    def draw(cls, scenario: Scenario, rng: np.random.Generator) -> "Market":
        """Draw people and what they say of whom they are shown."""
        n, m = scenario.people, scenario.shown
        attraction = scenario.skew * rng.standard_normal(n) - np.log(-np.log(rng.random((n, n))))
        np.fill_diagonal(attraction, -np.inf)
        candidate = np.argpartition(-attraction, m, axis=1)[:, :m].reshape(-1)
        viewer = np.repeat(np.arange(n), m)
        known, other = (TASTE / np.sqrt(2.0) * rng.standard_normal(n * m) for _ in range(2))
        strict, popular = (scenario.effects * rng.standard_normal(n) for _ in range(2))
        wish = BASE + known + other + strict[viewer] + popular[candidate] + rng.standard_normal(n * m)
        spread = 1.0 + 2.0 * scenario.effects**2
        whole = (BASE + known + other) / np.sqrt(spread)
        half = (BASE + known) / np.sqrt(spread + TASTE**2 / 2.0)
        said = {"all": ndtr(whole), "half": ndtr(half), "bold": ndtr(1.5 * whole)}
        return cls(viewer, candidate, (wish > 0.0).astype(np.float64), said)

    def metrics(self) -> dict[str, PairMetric]:
        """Return every metric of every model, by model and name."""
        found: dict[str, PairMetric] = {}
        for model, p in self.said.items():
            ranked = TiedRanking.of(self.viewer, self.truth, p)
            found |= {
                f"{model} auc": Auc.of(self.truth, p),
                f"{model} brier": Brier.of(self.truth, p),
                f"{model} log_loss": LogLoss.of(self.truth, p),
                f"{model} ece": Ece.of(self.truth, p),
                f"{model} ndcg": Ndcg(ranked, PLACES),
                f"{model} precision": Precision(ranked, PLACES),
                f"{model} recall": Recall(ranked, PLACES),
                f"{model} matches": ListValue(self.viewer, self.looked_at(p) * self.truth),
            }
        return found

    def looked_at(self, p: Floats) -> Floats:
        """Return the chance of a look at each pair's place in the model's lists."""
        order = np.lexsort((-p, self.viewer))
        rank = np.empty(len(p), np.int64)
        rank[order] = np.arange(len(p)) - np.searchsorted(self.viewer, self.viewer[order]) + 1
        return INVERSE_EXAMINATION.at(rank)


def errors(scenario: Scenario) -> dict[str, float]:
    """Return the calibration error of each model in the population."""
    rng = np.random.default_rng(1)
    large = Scenario(scenario.name, 1000, 100, scenario.effects, 0.0)
    found = dict.fromkeys(CALIBRATED, 0.0)
    parts = [Market.draw(large, rng) for _ in range(10)]
    said = np.concatenate([part.said["bold"] for part in parts])
    rate = np.concatenate([part.said["all"] for part in parts])
    return found | {"bold": error_of_known(rate, said)}


def error_of_known(rate: Floats, said: Floats) -> float:
    """Return the calibration error where the rate of each pair is known."""
    bins = Ece.of(np.zeros(len(said)), said).bins
    return float(np.abs(np.bincount(bins, rate - said)).sum() / len(said))


@dataclass(eq=False)
class Tally:
    """Values and intervals over the markets drawn."""

    values: list[float]
    limits: list[tuple[float, float]]

    def add(self, found: Interval) -> None:
        """Count one market."""
        self.values.append(found.value)
        self.limits.append((found.lo, found.hi))

    def coverage(self, truth: float) -> tuple[float, float]:
        """Return the share of intervals that hold the truth, and their width over that of the draws."""
        lo, hi = np.array(self.limits).T
        held = float(((lo <= truth) & (truth <= hi)).mean())
        return held, float((hi - lo).mean() / (2 * 1.96 * np.std(self.values)))


def covered(scenario: Scenario, args: argparse.Namespace) -> list[dict[str, object]]:
    """Return one row a metric or difference: coverage and width of both intervals."""
    rng = np.random.default_rng(args.seed)
    tallies: dict[str, dict[str, Tally]] = {}
    for number in range(args.replicates):
        market = Market.draw(scenario, rng)
        metrics = market.metrics()
        ranges = {name: None if name.split()[1] in ("log_loss", "matches") else SHARE for name in metrics}
        given = (metrics, market.viewer, market.candidate, scenario.people)
        ways = {"two-way": estimate(*given, rng=rng)}
        if number % args.bootstrap_every == 0:
            ways["bootstrap"] = bootstrap(*given, rng=rng, n_resamples=args.resamples)
        for way, found in ways.items():
            for name in metrics:
                tallies.setdefault(name, {}).setdefault(way, Tally([], [])).add(
                    found.within(name, ranges[name])
                )
            for first, second in DIFFERENCES:
                for metric in {name.split()[1] for name in metrics}:
                    more = found.difference(f"{first} {metric}", f"{second} {metric}")
                    name = f"{first}-{second} {metric}"
                    tallies.setdefault(name, {}).setdefault(way, Tally([], [])).add(more)
    known = errors(scenario)
    rows = []
    for name, by_way in sorted(tallies.items()):
        if not np.any(by_way["two-way"].values):
            continue  # two models that order pairs alike differ in nothing that ranks
        truth = _truth(name, by_way["two-way"], known)
        row: dict[str, object] = {"scenario": scenario.name, "metric": name, "truth": truth}
        for way, tally in by_way.items():
            row[way], row[f"{way} width"] = tally.coverage(truth)
        rows.append(row)
    return rows


def _truth(name: str, tally: Tally, known: dict[str, float]) -> float:
    models, metric = name.split()
    if metric != "ece":
        return float(np.mean(tally.values))
    first, _, second = models.partition("-")
    return known[first] - (known[second] if second else 0.0)


def measure(args: argparse.Namespace) -> Result:
    """Draw the markets of every scenario."""
    rows = [row for scenario in SCENARIOS for row in covered(scenario, args)]
    summary: dict[str, object] = {}
    for scenario in SCENARIOS:
        for way in ("two-way", "bootstrap"):
            found = [float(str(row[way])) for row in rows if row["scenario"] == scenario.name and way in row]
            summary |= {f"{scenario.name} {way} least": min(found), f"{scenario.name} {way} most": max(found)}
    return Result(rows, summary, (f"{args.replicates} markets a scenario; level .95",))


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replicates", type=int, default=1000, help="markets a scenario")
    parser.add_argument("--resamples", type=int, default=200, help="of people, for the bootstrap")
    parser.add_argument("--bootstrap-every", type=int, default=5, help="markets a bootstrap is drawn for")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    return run("coverage", measure, about=(__doc__ or "").split("\n")[0], argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
