"""The cold protocol: one wave is left out, and nobody of it was seen in fitting or in choosing.

The target is the mutual match. Everything is chosen inside the training waves, by folds over whole waves:
which numbers to bring, and the precision of what an answer says about one person alone. Choices that are
not clearly worse than the best are averaged, as the content model itself does with its precisions: so each is
fitted once on all training waves, and the mean of their logits judges the wave left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from recsys.evaluation import group_folds, leave_one_group_out
from recsys.models.calibration import fit_platt
from recsys.models.content import ContentConfig
from recsys.models.cross_fitting import not_clearly_worse
from recsys.models.directed import sigmoid
from tests.benchmarks.dating import baselines
from tests.benchmarks.dating.form import Evening, content, mutual

Floats = npt.NDArray[np.float64]

MARGINALS = (0.1, 0.3, 1.0, 3.0, 10.0)
RIDGE = 100.0
"""Precision of products of answers: the middle of what the model would choose from."""
INNER_FOLDS = 4
RANDOM, INTERESTS, AGE, REGRESSION = "random", "interest cosine", "-age gap", "logistic regression"
TABLES, CONTENT = "content, interests alone", "content"


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to make the content model: with or without the coded answers, and a marginal ridge."""

    coded: bool
    marginal: float

    def __str__(self) -> str:
        return f"marginal ridge {self.marginal:g}, {'with' if self.coded else 'without'} coded answers"

    def numbers(self, evening: Evening) -> pd.DataFrame:
        """Return the numbers this choice brings."""
        return evening.numbers if self.coded else evening.numbers[list(evening.data.traits.columns)]

    def config(self) -> ContentConfig:
        """Return the settings, with nothing left to choose inside; the model judged is the one chosen.

        There is no calibration: each wave's model would get a line of its own, which moves whole waves
        against each other in the pooled figures and orders nobody better.
        """
        return ContentConfig(
            ridge=(RIDGE,), marginal_ridge=(self.marginal,), max_factors=None, folds=1, calibrate=False
        )


CHOICES = tuple(Choice(coded, marginal) for coded in (False, True) for marginal in MARGINALS)


def cold_scores(evening: Evening, seed: int, *, progress: bool = True) -> tuple[dict[str, Floats], list[str]]:
    """Return the mutual score of each meeting by model, and everything that was chosen for some wave."""
    pairs = evening.data.pairs
    scores = {
        RANDOM: baselines.no_order(evening.data),
        INTERESTS: baselines.like_interests(evening.data),
        AGE: baselines.like_age(evening.data),
        REGRESSION: np.empty(len(pairs)),
        TABLES: np.empty(len(pairs)),
        CONTENT: np.empty(len(pairs)),
    }
    chosen = []
    folds = list(leave_one_group_out(pairs["wave"]))
    for fold in tqdm(folds, desc="waves left out", disable=not progress):
        test_waves, waves = (
            pairs.loc[fold.test, "wave"].unique(),
            sorted(pairs.loc[fold.train, "wave"].unique()),
        )
        people, events = evening.of_waves(waves)
        unseen, _ = evening.of_waves(test_waves)
        meetings = pairs[fold.test]
        choices = chosen_within(evening, waves, seed)
        models = [content(people, events, one.numbers(evening), one.config(), seed) for one in choices]
        tables = content(people, events, None, ContentConfig(max_factors=None), seed)
        scores[REGRESSION][fold.test] = baselines.plain_regression(evening.data, fold.train, fold.test)
        scores[TABLES][fold.test] = mutual([tables], unseen, meetings)
        scores[CONTENT][fold.test] = mutual(models, unseen, meetings)
        chosen.extend(map(str, choices))
    return scores, chosen


def chosen_within(evening: Evening, waves: Sequence[int], seed: int) -> list[Choice]:
    """Return the choices with no clearly greater log loss of matches over waves held out inside `waves`."""
    losses, group = [], np.empty(0, np.int64)
    for choice in CHOICES:
        held = list(_held_out(evening, waves, choice, seed))
        score, match, group = (np.concatenate(parts) for parts in zip(*held, strict=True))
        logits = np.log(score) - np.log1p(-score)
        p = sigmoid(fit_platt(logits, match).logits(logits))
        losses.append(-np.log(np.where(match > 0, p, 1.0 - p)))
    kept = not_clearly_worse(np.array(losses), group)
    return [choice for choice, keep in zip(CHOICES, kept, strict=True) if keep]


def _held_out(
    evening: Evening, waves: Sequence[int], choice: Choice, seed: int
) -> Iterator[tuple[Floats, Floats, npt.NDArray[np.int64]]]:
    """Yield score, match and wave of the meetings of each part of the waves, left out."""
    pairs = evening.data.pairs
    inside = pairs[pairs["wave"].isin(waves)]
    fold_of = group_folds(inside["wave"], min(INNER_FOLDS, len(waves)))
    for number in np.unique(fold_of):
        test = inside[fold_of == number]
        seen, events = evening.of_waves(inside.loc[fold_of != number, "wave"].unique())
        unseen, _ = evening.of_waves(test["wave"].unique())
        model = content(seen, events, choice.numbers(evening), choice.config(), seed)
        match, wave = test["match"].to_numpy(np.float64), test["wave"].to_numpy(np.int64)
        yield mutual([model], unseen, test), match, wave
