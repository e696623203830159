"""Metrics of a whole market: matches, who is reached, envy, parity, and what other lists would do."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.examination import EXAMINATIONS
from recsys.errors import InputError, TableError
from recsys.evaluation import (
    Snips,
    cohort_parity,
    envy,
    expected_matches,
    matches_by_person,
    min_parity,
    reach,
    snips,
)


def lists(*rows):
    return pd.DataFrame(rows, columns=["viewer_id", "candidate_id", "rank", "p_mutual"])


class TestSnips:
    def test_lists_that_show_what_was_shown_get_the_mean_outcome(self):
        assert snips([1, 0, 0, 1] * 10, [0.5] * 40, [1] * 40) == 0.5

    def test_it_undoes_a_log_that_showed_the_good_too_often(self):
        rng = np.random.default_rng(0)
        good = rng.random(200_000) < 0.5
        chance = np.where(good, 0.8, 0.2)
        shown = rng.random(len(good)) < chance
        rate = np.where(good, 0.3, 0.1)
        liked = rng.random(len(good)) < rate
        estimate = snips(liked[shown], chance[shown], np.ones(shown.sum()))
        assert estimate == pytest.approx(0.2, abs=0.005)
        assert liked[shown].mean() > 0.25

    def test_no_support_gives_nan(self):
        assert np.isnan(snips([1], [0.5], [0]))
        assert Snips.of([1], [0.5], [0]).effective_size == 0.0

    def test_even_weights_count_in_full_and_a_cut_makes_them_even(self):
        assert Snips.of([1, 0], [0.5, 0.5], [1, 1]).effective_size == pytest.approx(2.0)
        assert Snips.of([1, 0], [0.5, 0.001], [1, 1]).effective_size < 1.1
        assert Snips.of([1, 0], [0.5, 0.001], [1, 1], most=2.0).effective_size == pytest.approx(2.0)

    @pytest.mark.parametrize("propensity", [0.0, 1.7, -0.1])
    def test_an_impossible_propensity_is_an_error(self, propensity):
        with pytest.raises(InputError, match=r"not in \(0, 1\]"):
            snips([1], [propensity], [1])


class TestMatches:
    def test_a_pair_listed_by_both_meets_once(self):
        both = lists(("a", "b", 1, 0.5), ("b", "a", 1, 0.5))
        assert expected_matches(both) == 0.5
        assert matches_by_person(both).to_dict() == {"a": 0.5, "b": 0.5}

    @pytest.mark.parametrize(("name", "second"), [("inverse", 0.5), ("log", 0.6309), ("exponential", 0.3679)])
    def test_a_lower_place_is_looked_at_less(self, name, second):
        curve = EXAMINATIONS[name]
        assert curve([1])[0] == 1.0
        assert expected_matches(lists(("a", "b", 2, 1.0)), examination=curve) == pytest.approx(
            second, abs=1e-4
        )

    @settings(max_examples=30)
    @given(st.integers(2, 6), st.integers(0, 10_000))
    def test_it_is_the_sum_over_pairs_worked_out_one_by_one(self, n, seed):
        rng = np.random.default_rng(seed)
        chance = rng.random((n, n))
        chance = (chance + chance.T) / 2
        rank = np.array([rng.permutation(n) for _ in range(n)])
        rows = [
            (f"p{i}", f"p{j}", rank[i, j] + 1, chance[i, j]) for i in range(n) for j in range(n) if i != j
        ]
        expected = 0.0
        for i in range(n):
            for j in range(i):
                e, f = 1 / (rank[i, j] + 1), 1 / (rank[j, i] + 1)
                expected += (1 - (1 - e) * (1 - f)) * chance[i, j]
        assert expected_matches(lists(*rows)) == pytest.approx(expected)

    def test_nobody_is_reached_without_lists(self):
        assert reach(matches_by_person(lists()), ["a", "b"]) == 0.0
        with pytest.raises(InputError, match="nobody to reach"):
            reach(pd.Series(dtype=float), [])

    def test_a_missing_column_is_named(self):
        with pytest.raises(TableError, match="'p_mutual' is missing"):
            expected_matches(lists().drop(columns="p_mutual"))


class TestEnvy:
    def test_nobody_with_the_best_places_is_envious(self):
        shown = lists(("v", "a", 1, 1.0), ("w", "b", 1, 1.0))
        chances = lists(("v", "a", 1, 0.9), ("v", "b", 2, 0.1), ("w", "a", 2, 0.1), ("w", "b", 1, 0.9))
        assert envy(shown, chances) == 0.0

    def test_swapped_places_make_everybody_envious(self):
        shown = lists(("v", "b", 1, 1.0), ("w", "a", 1, 1.0))
        chances = lists(("v", "a", 1, 0.9), ("v", "b", 2, 0.1), ("w", "a", 2, 0.1), ("w", "b", 1, 0.9))
        assert envy(shown, chances) == 1.0

    def test_who_may_not_meet_a_viewer_does_not_want_their_places(self):
        assert envy(lists(("v", "a", 1, 1.0)), lists(("v", "a", 1, 0.9), ("w", "b", 1, 0.9))) == 0.0


class TestParity:
    def test_equal_cohorts_are_at_parity(self):
        table = cohort_parity(pd.Series({"a": 1.0, "b": 1.0}), pd.Series({"a": "x", "b": "y"}))
        assert table["ratio"].tolist() == [1.0, 1.0]
        assert min_parity(table) == 1.0

    def test_people_without_a_cohort_count_in_the_mean_alone(self):
        table = cohort_parity(pd.Series({"a": 1.0, "b": 3.0}), pd.Series({"a": "x"}))
        assert table[["cohort", "people", "ratio"]].to_numpy().tolist() == [["x", 1, 0.5]]

    def test_unknown_people_are_refused(self):
        with pytest.raises(InputError, match="nobody has a cohort"):
            cohort_parity(pd.Series({"a": 1.0}), pd.Series({"z": "x"}))
