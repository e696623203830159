"""Who answers a first message within a week, judged by time, with what is learned day by day.

`python -m tests.benchmarks.replies [--resamples 100]`

Private messages at a university. Whoever is written to for the first time is the viewer; a reply within seven
days is a like, and its absence a pass that is known after those days. The first seven tenths of the messages
are learned from, the others judged: as known at the cut, and with `model.updated` daily, as a night does.
Beside them the rates of both people, counted at every event. Intervals are over people on both sides
(bootstrap, 95 %).
"""

import argparse
import heapq
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.data.events import Events
from recsys.evaluation import as_lists, compare
from recsys.interactions import Interactions
from recsys.models import CollaborativeModel
from tests.benchmarks.command import Result, run
from tests.datasets import data_folder

WEEK = 7 * 86_400
PAIR = ["viewer_id", "candidate_id"]
_USUAL = 5.0
"""Messages of nobody in particular that each person's rate begins with."""


def measure(args: argparse.Namespace) -> Result:
    """Read, score day by day, judge."""
    first = first_messages(read_messages())
    if args.people:
        some = np.unique(first[["who", "whom"]])[: args.people]
        first = first[first["who"].isin(some) & first["whom"].isin(some)].reset_index(drop=True)
    cut = int(0.7 * len(first))
    judged = first.iloc[cut:].reset_index(drop=True)
    log = Interactions.of(first, viewer="whom", candidate="who", outcome="answered", like=1, ts="known")
    pairs = log.to_internal(judged.rename(columns={"whom": "viewer_id", "who": "candidate_id"})[PAIR])
    rng = np.random.default_rng(args.seed)
    rates = event_by_event(first)[cut:]
    scores = {"random": rng.random(len(judged)), "rates, every event": rates} | _model(
        log, judged, pairs, args
    )
    truth = pairs.assign(label=judged["answered"].to_numpy())
    lists = {name: as_lists(pairs.assign(p_like=found), "p_like") for name, found in scores.items()}
    table = compare(
        lists, truth, against="rates, every event", k=(5,), probability="p_like", n_resamples=args.resamples
    )
    table = table[table["metric"].isin(["auc", "ece"])]
    summary = {
        f"{line.metric}_{line.model}".replace(", ", "_").replace(" ", "_"): line.value
        for line in table.itertuples()
    }
    columns = ["metric", "model", "value", "lo", "hi", "random", "more", "more_lo", "more_hi"]
    return Result(table[columns].to_dict("records"), {"messages": len(judged), **summary})


def read_messages() -> pd.DataFrame:
    """Return who wrote to whom when, in seconds."""
    file = data_folder() / "logs" / "college_messages.txt.gz"
    table = pd.read_csv(file, sep=" ", names=["who", "whom", "at"], comment="%")
    table = table.apply(pd.to_numeric, errors="coerce").dropna().astype("int64")
    return table[table["who"] != table["whom"]]


def first_messages(messages: pd.DataFrame) -> pd.DataFrame:
    """Return first messages to somebody who had not written: who, whom, at, answered, known; by time."""
    first = messages.groupby(["who", "whom"])["at"].min()
    table = first.reset_index()
    back = first.reindex(pd.MultiIndex.from_frame(table[["whom", "who"]])).to_numpy(np.float64)
    back = np.where(np.isnan(back), np.inf, back)
    table = table.assign(back=back)[back > table["at"].to_numpy()]
    answered = table["back"] - table["at"] <= WEEK
    known = np.where(answered, table["back"], table["at"] + WEEK).astype(np.int64)
    table = table.assign(answered=answered.astype(np.int64), known=known).drop(columns="back")
    return table.sort_values("at", kind="stable", ignore_index=True)


def event_by_event(first: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the chance of each reply by how often both people's earlier ones came, `(n,)`."""
    base = float(first["answered"].iloc[: int(0.7 * len(first))].mean())
    seen: list[Counter[int]] = [Counter() for _ in range(4)]
    open_: list[tuple[int, int, int, int]] = []
    found = []
    for line in first.itertuples():
        while open_ and open_[0][0] <= line.at:
            _, who, whom, yes = heapq.heappop(open_)
            for at, person in ((0, whom), (2, who)):
                seen[at][person] += yes
                seen[at + 1][person] += 1
        rates = [
            (seen[at][person] + _USUAL * base) / (seen[at + 1][person] + _USUAL)
            for at, person in ((0, line.whom), (2, line.who))
        ]
        logit = sum(np.log(rate / (1.0 - rate)) for rate in rates) - np.log(base / (1.0 - base))
        found.append(1.0 / (1.0 + np.exp(-logit)))
        heapq.heappush(open_, (line.known, line.who, line.whom, line.answered))
    return np.array(found)


def _model(
    log: Interactions, judged: pd.DataFrame, pairs: pd.DataFrame, args: argparse.Namespace
) -> dict[str, npt.NDArray[np.float64]]:
    known, day = log.events.frame, judged["at"].to_numpy() // 86_400
    start = pd.to_datetime(judged["at"].iloc[0], unit="s", utc=True)
    model = CollaborativeModel().fit(log.people, Events.of(known[known["ts"] < start]), rng=args.seed)
    daily = np.empty(len(judged))
    for today in np.unique(day):
        midnight = pd.to_datetime(max(today * 86_400, judged["at"].iloc[0]), unit="s", utc=True)
        updated = model.updated(log.people, Events.of(known[known["ts"] < midnight]))
        at = np.flatnonzero(day == today)
        daily[at] = updated.score_pairs(pairs.iloc[at])["p_like"]
    return {"at the cut": model.score_pairs(pairs)["p_like"].to_numpy(), "updated daily": daily}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--resamples", type=int, default=100, help="for intervals")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("replies", measure, about=str(__doc__), argv=argv, data="logs", arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
