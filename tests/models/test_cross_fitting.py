import numpy as np

from recsys.models.cross_fitting import people_folds
from recsys.models.training_data import LabelledPairs


def some_pairs(n_people, n_pairs, seed=0):
    rng = np.random.default_rng(seed)
    i, j = rng.integers(0, n_people, n_pairs), rng.integers(0, n_people, n_pairs)
    return LabelledPairs(
        i.astype(np.int32), j.astype(np.int32), rng.integers(0, 2, n_pairs) * 1.0, np.ones(n_pairs)
    )


def test_a_predicted_pair_has_a_person_of_the_held_out_fold():
    pairs = some_pairs(40, 500)
    folds = list(people_folds(pairs, 40, 4, np.random.default_rng(0)))
    assert len(folds) == 4
    for train, held in folds:
        assert (train ^ held).all()
        seen = set(pairs.viewers[train]) | set(pairs.candidates[train])
        assert all(
            a not in seen or b not in seen
            for a, b in zip(pairs.viewers[held], pairs.candidates[held], strict=True)
        )


def test_every_pair_is_predicted_in_some_fold():
    pairs = some_pairs(40, 500)
    held = sum(h.astype(int) for _, h in people_folds(pairs, 40, 4, np.random.default_rng(0)))
    assert held.min() >= 1
    assert held.max() <= 2


def test_folds_without_pairs_are_left_out():
    assert list(people_folds(some_pairs(40, 0), 40, 4, np.random.default_rng(0))) == []
    one = LabelledPairs(np.array([0], np.int32), np.array([1], np.int32), np.ones(1), np.ones(1))
    assert list(people_folds(one, 2, 4, np.random.default_rng(0))) == []
