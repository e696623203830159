"""Real interaction logs of the data folder, each cut into a past and what came later."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.features.shared_items import SharedItems
from recsys.interactions import Interactions
from tests.benchmarks.foreign_logs import Log
from tests.datasets import data_folder


def _file(name: str) -> Path:
    return data_folder() / "logs" / name


def trust_ratings(rng: np.random.Generator) -> Log:
    """Who trusts whom, -10 to 10; 1 and above is a like. A fifth of the pairs is held out."""
    table = pd.read_csv(_file("trust_ratings.csv.gz"), header=0, names=["who", "whom", "trust", "when"])
    log = Interactions.of(table, viewer="who", candidate="whom", outcome="trust", like=1, ts="when")
    past, later = log.split_pairs(0.8, rng)
    return Log(past, later.truth(), mutual=True)


def trust_by_time(_: np.random.Generator) -> Log:
    """The same; the last fifth by time is held out, and judged by what the other had said before, too."""
    table = pd.read_csv(_file("trust_ratings.csv.gz"), header=0, names=["who", "whom", "trust", "when"])
    log = Interactions.of(table, viewer="who", candidate="whom", outcome="trust", like=1, ts="when")
    past, later = log.split(0.8)
    truth = later.truth(new_to=past)
    return Log(past, truth, mutual=False, known=_said_before(log, truth))


def _said_before(log: Interactions, truth: pd.DataFrame) -> pd.DataFrame:
    """Return what candidates of `truth` said of the viewers no later than these of them."""
    events = log.events.frame
    said = events[events["type"].isin(["like", "pass"])].groupby(["actor", "target"], observed=True)
    first, last = said["ts"].min(), said["type"].last()
    own = pd.MultiIndex.from_frame(truth[["viewer_id", "candidate_id"]])
    back = pd.MultiIndex.from_frame(truth[["candidate_id", "viewer_id"]])
    before = (first.reindex(back).to_numpy() <= first.reindex(own).to_numpy()).astype(bool)
    found = truth[before][["candidate_id", "viewer_id"]].set_axis(["viewer_id", "candidate_id"], axis=1)
    return found.assign(label=(last.reindex(back).to_numpy()[before] == "like").astype(np.int64))


def certifications(rng: np.random.Generator) -> Log:
    """Who certifies whom as a developer; .8 and above is a like. A fifth of the pairs is held out."""
    table = pd.read_csv(_file("certifications.txt.gz"), sep=" ", header=0, names=["who", "whom", "level"])
    log = Interactions.of(table, viewer="who", candidate="whom", outcome="level", like=0.8)
    past, later = log.split_pairs(0.8, rng)
    return Log(past, later.truth(), mutual=True)


def residence_hall(rng: np.random.Generator) -> Log:
    """Residents rate friendship 1 to 5; 4 and above is a like. A fifth of the pairs is held out."""
    names = ["who", "whom", "rating"]
    table = pd.read_csv(_file("residence_hall.txt"), sep=" ", comment="%", usecols=[0, 1, 2], names=names)
    log = Interactions.of(table, viewer="who", candidate="whom", outcome="rating", like=4)
    past, later = log.split_pairs(0.8, rng)
    return Log(past, later.truth(), mutual=True)


def rated_films(rng: np.random.Generator) -> Log:
    """Users rate films; every rating is a like, and a quarter of each is held out."""
    table = pd.read_csv(_file("u.data"), sep="\t", header=None, names=["user", "film", "stars", "when"])
    table = table.apply(pd.to_numeric, errors="coerce").dropna().astype(int)
    log = Interactions.of(table[table["user"] > 0], viewer="user", candidate="film", sides=("user", "film"))
    past, later = log.split_pairs(0.75, rng)
    return Log(past, later.truth(), mutual=False)


def listeners(rng: np.random.Generator) -> Log:
    """Friendships of listeners, in both directions; a fifth of the pairs is held out."""
    table = pd.read_csv(_file("user_friends.dat"), sep="\t")
    log = Interactions.of(table, viewer="userID", candidate="friendID")
    past, later = log.split_pairs(0.8, rng)
    return Log(past, later.truth(), mutual=True)


def listeners_and_artists(rng: np.random.Generator) -> Log:
    """The same, and which artists each listened to how often, as a second table."""
    heard = pd.read_csv(_file("user_artists.dat"), sep="\t")
    heard = heard.rename(columns={"userID": "user_id"})
    block = SharedItems(heard, item="artistID", amount="weight")
    return replace(listeners(rng), blocks=(block,))


REAL_LOGS = {
    "trust_ratings": ("trust_ratings.csv.gz", trust_ratings),
    "trust_by_time": ("trust_ratings.csv.gz", trust_by_time),
    "certifications": ("certifications.txt.gz", certifications),
    "residence_hall": ("residence_hall.txt", residence_hall),
    "rated_films": ("u.data", rated_films),
    "listeners": ("user_friends.dat", listeners),
    "listeners_and_artists": ("user_artists.dat", listeners_and_artists),
}


def real_logs() -> Mapping[str, Callable[[np.random.Generator], Log]]:
    """Return the logs whose files are in the data folder, by name."""
    return {name: made for name, (file, made) in REAL_LOGS.items() if _file(file).is_file()}
