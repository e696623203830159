"""Friends found among 99 others by what people listen to, where nobody's friendships are known.

`RECSYS_DATA=FOLDER python -m tests.benchmarks.friends_by_items`

Of each friendship one side is the viewer, and the friend stands among 99 people drawn evenly, none of them a
friend. NDCG at 10 over friendships: of nothing but `SharedItems`, with no friendship learned from, and with
those among the other half of the people learned from. Beside them random order and the plain cosine of the
same weights. Intervals are over people on both sides (bootstrap, 95 %).
"""

import argparse
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.shared_items import SharedItems
from recsys.interactions import Interactions
from recsys.models import ContentModel, HybridModel
from tests.benchmarks.command import Result, run
from tests.datasets import data_folder

BESIDE, MOST, RESAMPLES = 99, 6000, 500
Rows = npt.NDArray[np.int64]


def measure(args: argparse.Namespace) -> Result:
    """Draw, fit, score, count."""
    rng = np.random.default_rng(args.seed)
    logs = data_folder() / "logs"
    friends = pd.read_csv(logs / "user_friends.dat", sep="\t")
    if args.people:
        most = np.unique(friends["userID"])[: args.people]
        friends = friends[friends["userID"].isin(most) & friends["friendID"].isin(most)]
    heard = pd.read_csv(logs / "user_artists.dat", sep="\t").rename(columns={"userID": "user_id"})
    log = Interactions.of(friends, viewer="userID", candidate="friendID")
    events = log.events.frame
    people = Population.of_ids(log.people.ids.values, log.people.as_of)
    own, other = (people.ids.rows(events[name]).astype(np.int64) for name in ("actor", "target"))
    learned = rng.random(len(people)) < 0.5
    both = learned[own] & learned[other]
    judged = ~learned[own] & ~learned[other]
    pasts = {
        "no friendship": (np.zeros(len(own), bool), np.ones(len(own), bool), np.arange(len(people))),
        "of the other half": (both, judged, np.flatnonzero(~learned)),
    }
    rows, summary = [], {}
    for name, (past, held, among) in pasts.items():
        pairs = one_among_others(own, other, held, among, rng)
        found = _scored(people, Events.of(events[past]), heard, pairs, rng)
        for model, scores in found.items():
            value, lo, hi = _interval(ndcg_of_one(scores), pairs, len(people), rng)
            kept = {"learned from": name, "model": model, "ndcg10": value, "lo": lo, "hi": hi}
            rows.append(kept | {"friendships": len(pairs)})
            summary |= {f"{model}_{name}".replace(" ", "_"): value}
    return Result(rows, summary)


def one_among_others(
    own: Rows, other: Rows, held: npt.NDArray[np.bool_], among: Rows, rng: np.random.Generator
) -> Rows:
    """Return viewer, friend and the others beside, `(n_friendships, 2 + BESIDE)`; nobody twice."""
    friends = np.unique(np.concatenate([own * 2**32 + other, other * 2**32 + own]))
    at = np.flatnonzero(held)
    at = np.sort(rng.choice(at, min(len(at), MOST), replace=False))
    drawn = []
    for viewer, friend in zip(own[at], other[at], strict=True):
        strangers = among[(among != viewer) & ~np.isin(viewer * 2**32 + among, friends)]
        drawn.append([viewer, friend, *rng.choice(strangers, BESIDE, replace=False)])
    return np.array(drawn, np.int64)


def ndcg_of_one(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return NDCG at 10 of the first of each row, its rank among equal scores in their middle."""
    first, others = scores[:, :1], scores[:, 1:]
    rank = 1.0 + (others > first).sum(axis=1) + 0.5 * (others == first).sum(axis=1)
    return np.where(rank <= 10, 1.0 / np.log2(1.0 + rank), 0.0)


def _scored(
    people: Population, events: Events, heard: pd.DataFrame, pairs: Rows, rng: np.random.Generator
) -> dict[str, npt.NDArray[np.float64]]:
    shape = (len(pairs), 1 + BESIDE)
    i, j = np.repeat(pairs[:, 0], shape[1]), pairs[:, 1:].ravel()
    ids = people.ids
    frame = pd.DataFrame({"viewer_id": ids.ids(i), "candidate_id": ids.ids(j)})
    found = {
        "random": rng.random(len(i)),
        "cosine": cosines(heard, people, i, j),
    }
    for kind in (ContentModel, HybridModel):
        block = SharedItems(heard, item="artistID", amount="weight")
        model = kind(blocks=[block]).fit(people, events, rng=0)
        found[kind.name] = model.score_pairs(frame)["p_mutual"].to_numpy(np.float64)
    return {name: scores.reshape(shape) for name, scores in found.items()}


def cosines(heard: pd.DataFrame, people: Population, i: Rows, j: Rows) -> npt.NDArray[np.float64]:
    """Return the cosine of what two people listen to, log(1 + plays) times the log of rarity, aligned."""
    row = people.ids.find(heard["user_id"])
    heard, row = heard[row >= 0], row[row >= 0]
    column = pd.factorize(heard["artistID"])[0]
    plays = csr_array(
        (np.log1p(heard["weight"].to_numpy(np.float64)), (row, column)), shape=(len(people), column.max() + 1)
    )
    weighted = csr_array(plays.multiply(np.log(len(people) / np.bincount(column))))
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    unit = csr_array(weighted.multiply(1.0 / np.where(length > 0.0, length, 1.0)[:, None]))
    return np.asarray(unit[i].multiply(unit[j]).sum(axis=1)).ravel()


def _interval(
    values: npt.NDArray[np.float64], pairs: Rows, n_people: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    means = []
    for _ in range(RESAMPLES):
        times = rng.multinomial(n_people, np.full(n_people, 1.0 / n_people))
        weights = times[pairs[:, 0]] * times[pairs[:, 1]]
        means.append(weights @ values / max(weights.sum(), 1))
    return float(values.mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("friends_by_items", measure, about=str(__doc__), argv=argv, data="logs")


if __name__ == "__main__":
    sys.exit(main())
