"""What the models are measured against: no order, a like age, like interests, plain regression."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.datasets.speed_dating import SpeedDating

Floats = npt.NDArray[np.float64]
RIDGE = 0.001
"""C of scikit-learn's logistic regression, left as it is: the baseline is untuned."""


def no_order(data: SpeedDating) -> Floats:
    """One score for all: equal scores share their places, so this is what random order reaches."""
    return np.zeros(len(data.pairs))


def like_age(data: SpeedDating) -> Floats:
    """Minus the difference of ages in years; the usual difference where an age is unknown."""
    age = data.traits.set_index("user_id")["age"]
    gap = np.abs(age[data.pairs["woman"]].to_numpy() - age[data.pairs["man"]].to_numpy())
    return -np.where(np.isnan(gap), np.nanmedian(gap), gap)


def like_interests(data: SpeedDating) -> Floats:
    """Cosine of the levels of interests, each person's own mean taken off."""
    levels = _levels(data)
    centred = levels.sub(levels.mean(axis="columns"), axis="index").reindex(data.wave.index).fillna(0.0)
    length = np.linalg.norm(centred, axis=1)
    unit = centred.div(np.where(length > 0, length, 1.0), axis="index")
    return np.asarray(
        (unit.loc[data.pairs["woman"]].to_numpy() * unit.loc[data.pairs["man"]].to_numpy()).sum(axis=1)
    )


def _levels(data: SpeedDating) -> pd.DataFrame:
    levels = data.tables["interests"].astype({"level": np.float64})
    return levels.pivot_table(index="user_id", columns="tag", values="level")


def form(data: SpeedDating) -> pd.DataFrame:
    """Return all answers by user_id, unknown ones at the median: numbers and levels of interests."""
    answers = data.traits.set_index("user_id").join(_levels(data))
    return answers.fillna(answers.median())


def plain_regression(data: SpeedDating, train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_]) -> Floats:
    """Logistic regression on both forms and their products, one a direction; P(yes) P(yes) of `test`."""
    answers = form(data)
    women = answers.loc[data.pairs["woman"]].to_numpy()
    men = answers.loc[data.pairs["man"]].to_numpy()
    learned = answers.loc[np.unique(data.pairs.loc[train, ["woman", "man"]])]
    mean, spread = learned.mean().to_numpy(), learned.std().to_numpy() + 1e-9
    pairs = np.hstack([women, men, (women - mean) * (men - mean) / spread**2])
    both_yes = np.ones(int(test.sum()))
    for said in ("woman_yes", "man_yes"):
        regression = make_pipeline(StandardScaler(), LogisticRegression(C=RIDGE, max_iter=1000))
        regression.fit(pairs[train], data.pairs.loc[train, said])
        both_yes *= regression.predict_proba(pairs[test])[:, 1]
    return both_yes
