"""Folds over people: what is held out are persons, never single pairs."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recsys.models.labelled_pairs import LabelledPairs

Mask = npt.NDArray[np.bool_]


def people_folds(
    pairs: LabelledPairs, n_people: int, n_folds: int, rng: np.random.Generator
) -> Iterator[tuple[Mask, Mask]]:
    """Yield, for each fold of people, which pairs to train on and which to predict.

    A pair with anybody of the fold is predicted, the others are trained on: nobody of the fold is
    seen, and both directions of a pair are always on the same side. A fold without pairs to train on
    or to predict is left out.
    """
    fold = rng.permutation(n_people) % n_folds
    of_viewer, of_candidate = fold[pairs.viewers], fold[pairs.candidates]
    for number in range(n_folds):
        held = (of_viewer == number) | (of_candidate == number)
        if held.any() and not held.all():
            yield ~held, held
