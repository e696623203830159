import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.evaluation import group_folds, leave_one_group_out, mutual_labels, pair_folds, temporal_split

pairs_of_people = st.lists(
    st.tuples(st.integers(0, 6), st.integers(7, 12)), min_size=4, max_size=40, unique=True
)


class TestPairFolds:
    @given(pairs_of_people, st.integers(0, 99))
    def test_both_directions_share_a_fold(self, pairs, seed):
        a, b = np.array(pairs).T
        folds = pair_folds(np.r_[a, b], np.r_[b, a], 3, rng=np.random.default_rng(seed))
        assert np.array_equal(folds[: len(a)], folds[len(a) :])

    @given(pairs_of_people, st.integers(0, 99))
    def test_folds_are_of_equal_size(self, pairs, seed):
        a, b = np.array(pairs).T
        sizes = np.bincount(pair_folds(a, b, 4, rng=np.random.default_rng(seed)), minlength=4)
        assert sizes.max() - sizes.min() <= 1

    def test_more_folds_than_pairs(self):
        with pytest.raises(InputError, match="cannot deal pairs"):
            pair_folds(["a"], ["b"], 2, rng=np.random.default_rng(0))


class TestGroups:
    @given(st.lists(st.integers(0, 9), min_size=4, max_size=60).filter(lambda g: len(set(g)) > 3))
    def test_a_group_is_never_divided(self, groups):
        folds = group_folds(groups, 3)
        assert {len({f for f, g in zip(folds, groups, strict=True) if g == group}) for group in groups} == {1}
        assert set(folds) == {0, 1, 2}

    def test_each_group_is_judged_once_and_never_learned_from(self):
        groups = np.array([3, 1, 2, 1])
        folds = list(leave_one_group_out(groups))
        assert np.array_equal(sum(fold.test.astype(int) for fold in folds), np.ones(4))
        for fold in folds:
            assert not (set(groups[fold.train]) & set(groups[fold.test]))

    def test_one_group_leaves_nothing_to_learn(self):
        with pytest.raises(InputError, match="nothing is left"):
            list(leave_one_group_out([1, 1]))


class TestTemporal:
    def test_the_moment_itself_is_after(self):
        ts = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"], utc=True)
        before, after = temporal_split(pd.DataFrame({"ts": ts}), "2026-01-02")
        assert (len(before), len(after)) == (1, 2)

    def test_an_empty_side(self):
        ts = pd.to_datetime(["2026-01-01"], utc=True)
        with pytest.raises(InputError, match="split inside the time"):
            temporal_split(pd.DataFrame({"ts": ts}), "2027-01-01")


class TestMutual:
    def test_known_only_when_both_decided(self):
        said = pd.DataFrame(
            [("a", "b", 1), ("b", "a", 0), ("a", "c", 1), ("c", "a", 1), ("b", "c", 1)],
            columns=["viewer_id", "candidate_id", "label"],
        )
        labels = mutual_labels(said).set_index(["viewer_id", "candidate_id"])["label"].to_dict()
        assert labels == {("a", "b"): 0, ("b", "a"): 0, ("a", "c"): 1, ("c", "a"): 1}

    def test_a_pair_twice(self):
        said = pd.DataFrame({"viewer_id": ["a", "a"], "candidate_id": ["b", "b"], "label": [0, 1]})
        with pytest.raises(InputError, match="stands twice"):
            mutual_labels(said)
