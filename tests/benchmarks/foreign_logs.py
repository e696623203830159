"""Logs as others keep them: stars, likes, yes and no; made up, except the speed dating."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.features.base import Block
from recsys.interactions import Interactions
from tests.datasets import data_folder

_FACTORS = 6


@dataclass(frozen=True)
class Log:
    """One log, what is learned from it and what judges it; `mutual`: whether both sides decide.

    blocks: of features from further tables, for the models that read any.
    known: viewer_id, candidate_id, label of what was said of a judged viewer by the candidate before.
    """

    past: Interactions
    truth: pd.DataFrame
    mutual: bool
    blocks: Sequence[Block] = ()
    known: pd.DataFrame | None = None


def films(n: int, rng: np.random.Generator) -> Log:
    """Users rate films from 1 to 5 stars; ids of both are numbers from 1; a few rows are broken."""
    users, titles = n, max(n // 3, 20)
    who, what = _looks(users, titles, 25, rng)
    stars = np.clip(np.round(3.3 + _liking(users, titles, rng)(who, what)), 1, 5)
    frame = pd.DataFrame({"user": who + 1, "film": what + 1, "stars": stars})
    frame["when"] = 1_100_000_000 + rng.integers(0, 10**7, len(frame))
    frame = pd.concat([frame, frame.sample(n=len(frame) // 50, random_state=rng).assign(stars=np.nan)])
    log = Interactions.of(
        frame, viewer="user", candidate="film", outcome="stars", like=4, ts="when", sides=("user", "film")
    )
    past, later = log.split(0.8)
    return Log(past, later.truth(new_to=past), mutual=False)


def dating(n: int, rng: np.random.Generator) -> Log:
    """Women and men rate each other from 1 to 10, without times, in ids with odd characters."""
    log = _ratings(n, rng)
    past, later = log.split_pairs(0.8, rng)
    return Log(past, later.truth(), mutual=True)


def likes(n: int, rng: np.random.Generator) -> Log:
    """The same with nothing but the likes kept to learn from; what judges holds the passes too."""
    past, later = _ratings(n, rng).split_pairs(0.8, rng)
    yes = past.truth().query("label == 1")
    alone = Interactions.of(yes, sides=_kinds(n), people=past.people.ids.ids(np.arange(len(past.people))))
    return Log(alone.with_sampled_negatives(4, rng), later.truth(), mutual=True)


def speed_dating(_: int, rng: np.random.Generator) -> Log:
    """551 people who met for four minutes and said yes or no; no answer of the forms is read."""
    met = pd.read_csv(data_folder() / "speed_dating" / "pairs.csv")
    women = met[["f", "m", "f_yes"]].set_axis(["who", "whom", "yes"], axis=1)
    men = met[["m", "f", "m_yes"]].set_axis(["who", "whom", "yes"], axis=1)
    kind = dict.fromkeys(met["f"], "woman") | dict.fromkeys(met["m"], "man")
    log = Interactions.of(pd.concat([women, men]), viewer="who", candidate="whom", outcome="yes", sides=kind)
    past, later = log.split_pairs(0.8, rng)
    return Log(past, later.truth(), mutual=True)


LOGS: Mapping[str, Callable[[int, np.random.Generator], Log]] = {
    "films": films,
    "dating": dating,
    "likes": likes,
    "speed_dating": speed_dating,
}


def _ratings(n: int, rng: np.random.Generator) -> Interactions:
    parts = []
    for own, other in (("♀", "♂"), ("♂", "♀")):
        who, whom = _looks(n // 2, n // 2, 40, rng)
        stars = np.clip(np.round(5.5 + 2.0 * _liking(n // 2, n // 2, rng)(who, whom)), 1, 10)
        parts.append({"who": _named(own, who), "whom": _named(other, whom), "stars": stars})
    frame = pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)
    return Interactions.of(frame, viewer="who", candidate="whom", outcome="stars", like=7, sides=_kinds(n))


def _named(kind: str, numbers: np.ndarray) -> np.ndarray:
    names = np.array([f"{kind} №{number}" for number in range(numbers.max() + 1)], dtype=object)
    return names[numbers]


def _kinds(n: int) -> dict[object, object]:
    return {f"{kind} №{number}": kind for kind in "♀♂" for number in range(n // 2)}


def _looks(n: int, m: int, each: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return who looked at whom: everybody at `each`, more often at those whom many look at."""
    draw = rng.pareto(2.0, m) + 0.2
    pairs = np.column_stack([np.repeat(np.arange(n), each), rng.choice(m, n * each, p=draw / draw.sum())])
    pairs = np.unique(pairs, axis=0)
    return pairs[:, 0], pairs[:, 1]


def _liking(n: int, m: int, rng: np.random.Generator) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    taste, appeal = rng.normal(size=(n, _FACTORS)), rng.normal(size=(m, _FACTORS))
    strict, loved = rng.normal(0.0, 0.5, n), rng.normal(0.0, 0.7, m)

    def liking(who: np.ndarray, whom: np.ndarray) -> np.ndarray:
        suits = (taste[who] * appeal[whom]).sum(axis=1) / np.sqrt(_FACTORS)
        return suits + strict[who] + loved[whom] + rng.normal(0.0, 0.7, len(who))

    return liking
