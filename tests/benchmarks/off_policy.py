"""Off-policy estimates beside the truth: error of each, order of five policies, refusals without support.

`python -m tests.benchmarks.off_policy --json OUT` makes 200 logs at each of four sizes. A log holds one
night of lists drawn by chance with known propensities from a market whose likes and answers are known, and
some nights of lists that no lot decided, from which models of both and their calibration learn too. The
models lack a part of the truth: what a profile shows of both together, and what nobody sees of a pair. They
are fitted by cross-fitting over viewers. Values are matches a listed pair.

With `--kept DIR` each log is kept there when it is done, and what is there is not made again.

Beside them stands what no estimator has, `chances known`: of every pair that the lot showed the true chance
of a match instead of what came of it, self-normalised. Its error is that of who was shown.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from recsys.data.examination import Examination
from recsys.evaluation import off_policy
from recsys.evaluation.bootstrap import of_groups
from tests.benchmarks.command import Result, keep_argument, kept, run

SIZES = {"few": 60, "small": 120, "middle": 350, "large": 800}
CANDIDATES, PLACES, HISTORY, FIRST_CANDIDATE = 60, 10, 8, 1_000_000
LOOK = Examination.of(0.5)
PROFILE = ("seen_like", "seen_back")
POLICIES = ("mutual", "taste", "popular", "any", "opposite")
INTERVALS = ("ips", "snips", "dr", "switch_dr", "dips", "dpr")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who may be shown to whom, `(n_viewers, n_candidates)` each: true chances, and what profiles show.

    like: P(like | look); back: P(liked back | liked); seen_like, seen_back: scores of a content model.
    """

    like: Floats
    back: Floats
    seen_like: Floats
    seen_back: Floats

    @classmethod
    def drawn(cls, viewers: int, rng: np.random.Generator) -> "Pairs":
        """Draw a market: popular people, people who are hard to please, and what is known of neither."""
        shape = (viewers, CANDIDATES)
        popular, picky = rng.normal(0.0, 0.7, shape[1]), rng.normal(0.0, 0.7, shape[1])
        shown = rng.normal(size=(2, *shape))
        own = rng.normal(0.0, 0.5, (2, *shape))
        like = expit(-1.0 + popular[None, :] + 0.8 * shown[0] + 0.25 * shown[0] * shown[1] + own[0])
        back = expit(-1.2 - picky[None, :] + 0.8 * shown[1] + own[1])
        return cls(like, back, shown[0], shown[1])

    def lists(self, policy: str, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return the candidates of every list of a policy, `(n_viewers, PLACES)`, best first."""
        popular = self.like.mean(axis=0)[None, :] + np.zeros_like(self.like)
        score = {
            "taste": self.seen_like,
            "mutual": self.seen_like + self.seen_back,
            "popular": popular,
            "any": rng.random(self.like.shape),
            "opposite": -self.seen_like - self.seen_back,
        }[policy]
        return np.argsort(-score, axis=1, kind="stable")[:, :PLACES]


def _log(pairs: Pairs, rng: np.random.Generator) -> pd.DataFrame:
    """Show every pair with a chance that leans to what profiles show, in places by lot."""
    lean = np.exp(0.7 * pairs.seen_like)
    propensity = np.minimum(PLACES * lean / lean.sum(axis=1, keepdims=True), 0.9)
    viewer, candidate = np.nonzero(rng.random(propensity.shape) < propensity)
    order = np.lexsort((rng.random(len(viewer)), viewer))
    viewer, candidate = viewer[order], candidate[order]
    position = np.arange(len(viewer)) - np.searchsorted(viewer, viewer) + 1
    return _answered(pairs, viewer, candidate, position, propensity[viewer, candidate], rng)


def _history(pairs: Pairs, rng: np.random.Generator) -> pd.DataFrame:
    """Show lists in the order of what profiles show with much noise, on some nights: no lot is known."""
    nights = []
    for _ in range(HISTORY):
        score = pairs.seen_like + 2.0 * rng.normal(size=pairs.like.shape)
        chosen = np.argsort(-score, axis=1)[:, :PLACES]
        viewer = np.repeat(np.arange(len(chosen)), PLACES)
        place = np.tile(np.arange(1, PLACES + 1), len(chosen))
        nights.append(_answered(pairs, viewer, chosen.ravel(), place, np.ones(chosen.size), rng))
    return pd.concat(nights, ignore_index=True)


def _answered(
    pairs: Pairs,
    viewer: npt.NDArray[np.int64],
    candidate: npt.NDArray[np.int64],
    position: npt.NDArray[np.int64],
    propensity: Floats,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return impressions with what came of them."""
    looked = rng.random(len(viewer)) < LOOK.at(position)
    like = looked & (rng.random(len(viewer)) < pairs.like[viewer, candidate])
    match = like & (rng.random(len(viewer)) < pairs.back[viewer, candidate])
    return pd.DataFrame(
        {
            "viewer_id": viewer,
            "candidate_id": candidate + FIRST_CANDIDATE,
            "position": position,
            "propensity": propensity,
            "like": like.astype(int),
            "match": match.astype(int),
        }
    )


def _models(pairs: Pairs, log: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return predicted P(like | look) and P(back | like) of every pair, each viewer's by the others' log."""
    viewer, candidate = log["viewer_id"].to_numpy(), log["candidate_id"].to_numpy() - FIRST_CANDIDATE
    looked, liked = LOOK.at(log["position"].to_numpy()), (log["like"] == 1).to_numpy()
    matched = (log["match"] == 1).to_numpy()
    predicted = np.empty((2, *pairs.like.shape))
    for fold in range(2):
        rows = viewer % 2 != fold
        test = np.arange(len(pairs.like)) % 2 == fold
        for at, (seen, label, chosen, chance) in enumerate(
            (
                (pairs.seen_like, liked, rows, looked),
                (pairs.seen_back, matched, rows & liked, np.ones(len(log))),
            )
        ):
            predicted[at][test] = _fitted(
                seen, viewer[chosen], candidate[chosen], label[chosen], chance[chosen], seen[test]
            )
    return predicted[0], predicted[1]


def _fitted(
    seen: Floats,
    viewer: npt.NDArray[np.int64],
    candidate: npt.NDArray[np.int64],
    label: npt.NDArray[np.bool_],
    chance: Floats,
    wanted: Floats,
) -> Floats:
    """Return P(label | look) of all pairs of some viewers, `(n_viewers, n_candidates)`, by EM over the looks.

    chance: `(n,)` of a look. An answer that did not come was looked at with chance (1 - p) / (1 - chance p).
    """
    base = label.sum() / chance.sum()
    made = np.bincount(candidate, label, CANDIDATES) + 5.0 * base
    rate = np.clip(made / (np.bincount(candidate, chance, CANDIDATES) + 5.0), 1e-3, 1.0 - 1e-3)
    columns = np.column_stack([seen[viewer, candidate], logit(rate)[candidate]])
    weight = np.where(label, 1.0, chance)
    model = LogisticRegression(C=10.0)
    for _ in range(6 if (chance < 1.0).any() else 1):
        p = model.fit(columns, label, sample_weight=weight).predict_proba(columns)[:, 1]
        weight = np.where(label, 1.0, chance * (1.0 - p) / (1.0 - chance * p))
    every = np.column_stack([wanted.ravel(), np.tile(logit(rate), len(wanted))])
    return np.asarray(model.predict_proba(every)[:, 1]).reshape(wanted.shape)


def measure(args: argparse.Namespace) -> Result:
    """Make the logs and estimate every policy from each."""
    logs = args.logs if args.people is None else 3
    sizes = SIZES if args.people is None else {"small": args.people}
    rows, order = [], []
    for name, viewers in sizes.items():
        for at in range(logs):
            play = partial(_of_log, viewers, np.random.default_rng([args.seed, viewers, at]))
            found, right = kept(args.kept, f"{args.seed}-{viewers}-{at}", play)
            rows.append(found.assign(size=name, log=at))
            order += [{"size": name, "log": at, **one} for one in right]
    table = _summed(pd.concat(rows, ignore_index=True), pd.DataFrame(order), np.random.default_rng(args.seed))
    return Result(table.to_dict("records"), _summary(table) | {"logs": logs} | _without_support(args.seed))


def _of_log(viewers: int, rng: np.random.Generator) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    pairs = Pairs.drawn(viewers, rng)
    log = _log(pairs, rng)
    drawn = log
    log = pd.concat([log, _history(pairs, rng)], ignore_index=True)
    like, back = _models(pairs, log)
    night = np.append(np.zeros(len(drawn)), np.repeat(np.arange(1, HISTORY + 1), viewers * PLACES))
    log = log.assign(ts=pd.Timestamp("2026-03-02T20:00Z") - pd.to_timedelta(night, unit="D"))
    i, j = log["viewer_id"].to_numpy(), log["candidate_id"].to_numpy() - FIRST_CANDIDATE
    log = log.assign(p_like=like[i, j], p_liked_back=back[i, j])
    log = log.assign(seen_like=pairs.seen_like[i, j], seen_back=pairs.seen_back[i, j])
    found, true = [], {}
    for policy in POLICIES:
        chosen = pairs.lists(policy, rng)
        viewer = np.repeat(np.arange(viewers), PLACES)
        candidate, rank = chosen.ravel(), np.tile(np.arange(1, PLACES + 1), viewers)
        true[policy] = float((LOOK.at(rank) * (pairs.like * pairs.back)[viewer, candidate]).mean())
        lists = pd.DataFrame(
            {
                "viewer_id": viewer,
                "candidate_id": candidate + FIRST_CANDIDATE,
                "rank": rank,
                "p_like": like[viewer, candidate],
                "p_liked_back": back[viewer, candidate],
                "seen_like": pairs.seen_like[viewer, candidate],
                "seen_back": pairs.seen_back[viewer, candidate],
            }
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a part out of reach is counted below
            estimates = off_policy(log, lists, examination=LOOK, covariates=PROFILE)
            plain = off_policy(log, lists)
        plain = plain[plain["estimator"] == "snips"].assign(estimator="snips, places ignored")
        known = plain.assign(estimator="chances known", value=_of_chances(pairs, drawn, lists), lo=np.nan)
        both = pd.concat([estimates, plain, known], ignore_index=True)
        found.append(both.assign(policy=policy, true=true[policy]))
    table = pd.concat(found, ignore_index=True)
    right = []
    for name, part in table.groupby("estimator"):
        value = part.set_index("policy")["value"]
        ranks = value.rank().sub(pd.Series(true).rank()).abs()
        right.append(
            {
                "estimator": name,
                "right": bool((ranks == 0).all()),
                "best": value.idxmax() == max(true, key=true.get),
            }
        )
    return table, right


def _of_chances(pairs: Pairs, drawn: pd.DataFrame, lists: pd.DataFrame) -> float:
    """Return the value of lists by the true chances of the pairs that the lot showed."""
    both = drawn[["viewer_id", "candidate_id", "propensity"]].merge(lists, on=["viewer_id", "candidate_id"])
    i, j = both["viewer_id"].to_numpy(), both["candidate_id"].to_numpy() - FIRST_CANDIDATE
    weight = 1.0 / both["propensity"]
    worth = LOOK.at(both["rank"].to_numpy()) * (pairs.like * pairs.back)[i, j]
    return float((weight * worth).sum() / weight.sum())


def _summed(rows: pd.DataFrame, order: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = rows.assign(off=rows["value"] - rows["true"])
    table = []
    for (size, name), part in rows.groupby(["size", "estimator"], sort=False):
        squares = of_groups((part["off"] ** 2).groupby(part["log"]).mean(), rng=rng)
        inside = (part["lo"] <= part["true"]) & (part["true"] <= part["hi"])
        ordered = order[(order["size"] == size) & (order["estimator"] == name)]
        table.append(
            {
                "size": size,
                "estimator": name,
                "rmse": np.sqrt(squares.value),
                "rmse_lo": np.sqrt(max(squares.lo, 0.0)),
                "rmse_hi": np.sqrt(squares.hi),
                "bias": part["off"].mean(),
                "true": part["true"].mean(),
                "coverage": inside[part["lo"].notna()].mean(),
                "order_right": ordered["right"].mean(),
                "best_right": ordered["best"].mean(),
                "refused": part["value"].isna().mean(),
                "effective_size": part["effective_size"].mean(),
            }
        )
    return pd.DataFrame(table)


def _summary(table: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for size, part in table.groupby("size", sort=False):
        rmse = part.set_index("estimator")["rmse"]
        best = rmse.drop(["snips", "snips, places ignored", "ips", "chances known"]).idxmin()
        found |= {f"best_{size}": best, f"best_over_snips_{size}": float(rmse[best] / rmse["snips"])}
        rows = part.set_index("estimator")
        found |= {
            f"order_right_{size}_{name}": float(rows.loc[name, "order_right"])
            for name in ("snips", best, "dpr", "blend", "chances known")
        }
        found |= {f"coverage_{size}_{name}": float(rows.loc[name, "coverage"]) for name in INTERVALS}
    return found


def _without_support(seed: int, logs: int = 40) -> dict[str, Any]:
    """Return how often estimates are refused when the log could not have shown most of the lists."""
    refused = []
    for at in range(logs):
        rng = np.random.default_rng([seed, 7, at])
        pairs = Pairs.drawn(150, rng)
        log = _log(pairs, rng)
        log = log[log["candidate_id"] % 5 == 0]  # four candidates in five are never shown
        chosen = pairs.lists("any", rng)
        viewer = np.repeat(np.arange(150), PLACES)
        lists = pd.DataFrame(
            {
                "viewer_id": viewer,
                "candidate_id": chosen.ravel() + FIRST_CANDIDATE,
                "rank": np.tile(np.arange(1, 11), 150),
            }
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            refused.append(off_policy(log, lists)["value"].isna().all())
    return {"refused_without_support": float(np.mean(refused))}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--logs", type=int, default=200, help="logs of each size (default 200)")
    keep_argument(parser)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "Off-policy estimators beside the true value of five policies."
    return run("off_policy", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
