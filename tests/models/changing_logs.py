"""Logs in which people come and leave, made up; and lists held against the likes that come later."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from recsys.interactions import Interactions
from recsys.models.directed import sigmoid

START = pd.Timestamp("2026-01-05", tz="UTC")


def openings(seed, n_applicants=360, n_jobs=90, days=90):
    """Return a log of applicants who look once, for a week, at jobs that are open for a month each.

    Employers answer three of four applications. Nothing that is known of an applicant's week tells of others.
    """
    rng = np.random.default_rng(seed)
    field, pay = rng.integers(0, 5, n_applicants + n_jobs), rng.normal(size=n_applicants + n_jobs)
    opened = rng.uniform(-25, days, n_jobs)
    rows = []
    for i, start in enumerate(rng.uniform(0, days, n_applicants)):
        for job in np.flatnonzero((opened < start + 5) & (start < opened + 30)):
            j = n_applicants + job
            if rng.random() < sigmoid(-3.5 + 3.0 * (field[i] == field[j]) + pay[j]):
                at = max(start, opened[job]) + 5 * rng.random()
                rows.append((f"a{i:03}", f"j{j:03}", "like", at))
                if rng.random() < 0.75:
                    answer = "like" if rng.random() < sigmoid(-1.0 + pay[i]) else "pass"
                    rows.append((f"j{j:03}", f"a{i:03}", answer, at + rng.exponential(5)))
    return _log(rows)


def newcomers_every_week(seed, n=450, weeks=20):
    """Return a log in which people come and leave, and whoever was liked is looked at the more."""
    rng = np.random.default_rng(seed)
    joined, stay = rng.integers(-6, weeks, n).clip(0), rng.geometric(0.1, n)
    appeal, yes, got, decided, rows = rng.normal(size=n), rng.normal(size=n), np.zeros(n), set(), []
    for week in range(weeks):
        here = np.flatnonzero((joined <= week) & (week < joined + stay))
        for i in here:
            others = here[here != i]
            seen = (1 + got[others]) * np.where(joined[others] == week, 3.0, 1.0)
            for j in rng.choice(others, min(rng.poisson(4), len(others)), replace=False, p=seen / seen.sum()):
                if (i, j) not in decided:
                    decided.add((i, j))
                    liked = rng.random() < sigmoid(-1.0 + 0.7 * yes[i] + appeal[j])
                    got[j] += liked
                    at = 7 * (week + rng.random())
                    rows.append((f"p{i:03}", f"p{j:03}", "like" if liked else "pass", at))
    return _log(rows)


def _log(rows):
    frame = pd.DataFrame(rows, columns=["viewer", "candidate", "outcome", "day"])
    frame["ts"] = START + frame["day"] * pd.Timedelta("1D")
    return Interactions.of(frame, viewer="viewer", candidate="candidate", outcome="outcome", ts="ts")


def later_likes(past: Interactions, later: Interactions) -> pd.Series:
    """Return whom each viewer likes later of those not met before; of openings, applicants alone."""
    wanted = later.truth(new_to=past).query("label == 1")
    return wanted[wanted["viewer_id"].str[0] != "j"].groupby("viewer_id")["candidate_id"].agg(set)


def most_liked(past: Interactions, share: float, viewers: Iterable[str], k: int = 10) -> pd.DataFrame:
    """Return lists of whom the last share of likes went to most, without those met before."""
    likes = past.events.frame.query("type == 'like'").sort_values("ts")
    popular = likes.tail(round(share * len(likes)))["target"].value_counts().index
    met = past.seen.groupby("viewer_id")["candidate_id"].agg(set)
    rows = [
        (viewer, other, rank)
        for viewer in viewers
        for rank, other in enumerate(
            [one for one in popular if one != viewer and one not in met.get(viewer, ())][:k], 1
        )
    ]
    return pd.DataFrame(rows, columns=["viewer_id", "candidate_id", "rank"])


def ndcg_of(lists: pd.DataFrame, likes: pd.Series) -> list[float]:
    """Return the NDCG at ten of each viewer's list."""
    own = lists.sort_values("rank").groupby("viewer_id")["candidate_id"].agg(list)
    found = []
    for viewer, liked in likes.items():
        hits = [place for place, other in enumerate(own.get(viewer, [])[:10]) if other in liked]
        gain = sum(1.0 / np.log2(place + 2.0) for place in hits)
        found.append(float(gain / sum(1.0 / np.log2(place + 2.0) for place in range(min(10, len(liked))))))
    return found
