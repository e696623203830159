import warnings

import numpy as np
import pandas as pd
import pytest

from recsys.errors import InputError, TableError
from recsys.evaluation import (
    compare,
    count_interactions,
    coverage,
    evaluate,
    evaluate_probabilities,
    exposure,
    gini,
    interaction_slice,
    snips,
)
from recsys.evaluation.probability import auc


@pytest.fixture(scope="module")
def town():
    """Forty viewers with ten judged candidates each; the lists know something of the truth."""
    rng = np.random.default_rng(2)
    viewer = np.repeat([f"v{at:02d}" for at in range(40)], 10).astype(object)
    candidate = np.concatenate([rng.choice(50, 10, replace=False) for _ in range(40)])
    frame = pd.DataFrame({"viewer_id": viewer, "candidate_id": [f"c{at:02d}" for at in candidate]})
    p = rng.random(400)
    truth = frame.assign(label=(rng.random(400) < p).astype(int))
    frame["p_mutual"] = p
    frame["rank"] = frame.groupby("viewer_id")["p_mutual"].rank(ascending=False, method="first").astype(int)
    return frame, truth


def value(table, metric, column="value", **where):
    rows = table[(table["metric"] == metric) & (table["slice"] == where.get("slice", "all"))]
    if "model" in where:
        rows = rows[rows["model"] == where["model"]]
    assert len(rows) == 1
    return rows.iloc[0][column]


class TestEvaluate:
    def test_every_row_has_an_interval_around_its_value(self, town):
        table = evaluate(*town, n_resamples=100)
        data = table[~table["metric"].isin(["coverage", "exposure_gini"])]
        assert (data["lo"] <= data["value"]).all()
        assert (data["value"] <= data["hi"]).all()
        assert list(table.columns) == ["slice", "metric", "value", "lo", "hi", "n", "random", "of"]

    def test_informed_lists_beat_random_order(self, town):
        table = evaluate(*town, n_resamples=100)
        for metric in ("precision@5", "recall@5", "ndcg@5", "auc"):
            assert value(table, metric, "lo") > value(table, metric, "random")
        assert value(table, "log_loss", "hi") < value(table, "log_loss", "random")

    def test_random_lists_reach_the_random_column(self, town):
        lists, truth = town
        rng = np.random.default_rng(4)
        reached = []
        for _ in range(60):
            rank = np.concatenate([rng.permutation(10) + 1 for _ in range(40)])
            reached.append(evaluate(lists.assign(rank=rank), truth, k=(5,), n_resamples=1))
        mean = pd.concat(reached).groupby("metric")["value"].mean()
        for metric in ("precision@5", "recall@5", "ndcg@5"):
            assert mean[metric] == pytest.approx(value(reached[0], metric, "random"), abs=0.02)

    def test_short_lists_of_a_large_pool(self, town):
        lists, truth = town
        short = lists[lists["rank"] <= 3]
        positives = truth[truth["label"] == 1]
        with pytest.warns(UserWarning, match="no pair that did not work.*with_sampled_negatives"):
            table = evaluate(short, positives, k=(3,), n_resamples=5)
        seen = set(short["candidate_id"]) | set(positives["candidate_id"])
        share = positives.groupby("viewer_id").size() / len(seen)
        assert value(table, "precision@3", "random") == pytest.approx(share.mean())
        wide = evaluate(short.drop(columns="p_mutual"), positives, k=(3,), n_resamples=5, pool=500)
        assert value(wide, "precision@3", "random") == pytest.approx(share.mean() * len(seen) / 500)

    def test_only_judged_pairs_judge_probabilities(self, town):
        lists, truth = town
        half = truth.sample(150, random_state=0)
        joined = half.merge(lists, on=["viewer_id", "candidate_id"])
        table = evaluate(lists, half, n_resamples=5)
        assert value(table, "auc", "n") == 150
        assert value(table, "auc") == pytest.approx(auc(joined["label"], joined["p_mutual"]))

    def test_lists_without_probabilities(self, town):
        lists, truth = town
        table = evaluate(lists.drop(columns="p_mutual"), truth, n_resamples=5)
        assert "auc" not in set(table["metric"])

    def test_slices_are_judged_apart(self, town):
        lists, truth = town
        viewers = lists["viewer_id"].unique()
        slices = pd.Series(np.where(np.arange(40) < 10, "0", "1-5"), index=viewers)
        table = evaluate(lists, truth, slices=slices, n_resamples=10)
        few = lists["viewer_id"].isin(viewers[:10])
        alone = evaluate(lists[few], truth[few], n_resamples=10)
        assert value(table, "ndcg@5", slice="0") == pytest.approx(value(alone, "ndcg@5"))
        assert value(table, "ndcg@5", "n", slice="1-5") == 30

    def test_a_viewer_who_got_no_list_counts_as_zero(self, town):
        lists, truth = town
        table = evaluate(lists[lists["viewer_id"] != "v00"], truth, k=(5,), n_resamples=5)
        assert value(table, "precision@5", "n") == 40

    def test_inputs_stay_as_they_are(self, town):
        lists, truth = (frame.copy() for frame in town)
        evaluate(lists, truth, n_resamples=5)
        pd.testing.assert_frame_equal(lists, town[0])
        pd.testing.assert_frame_equal(truth, town[1])

    def test_all_problems_of_a_table_at_once(self, town):
        with pytest.raises(TableError) as caught:
            evaluate(town[0].drop(columns=["rank", "candidate_id"]), town[1])
        assert len(caught.value.problems) == 2

    def test_duplicate_pairs_are_refused(self, town):
        with pytest.raises(TableError, match="stand twice"):
            evaluate(pd.concat([town[0], town[0].head(1)]), town[1])

    def test_lists_without_judged_pairs_are_refused(self, town):
        with pytest.raises(InputError, match="no pair is judged"):
            evaluate(town[0], town[1].head(0))


class TestCompare:
    def test_differences_are_paired(self, town):
        lists, truth = town
        worst = lists.assign(rank=11 - lists["rank"], p_mutual=1 - lists["p_mutual"])
        models = {"good": lists, "bad": worst, "same": lists}
        table = compare(models, truth, against="good", n_resamples=100)
        assert value(table, "ndcg@5", "more_hi", model="bad") < 0
        assert value(table, "ndcg@5", "more_lo", model="same") == 0
        assert value(table, "ndcg@5", "more_hi", model="same") == 0

    def test_one_model_alone_gets_the_same_row(self, town):
        lists, truth = town
        both = compare({"a": lists, "b": lists.assign(rank=11 - lists["rank"])}, truth, n_resamples=20)
        alone = evaluate(lists, truth, n_resamples=20)
        for column in ("value", "lo", "hi", "n", "random"):
            expected = value(alone, "ndcg@10", column)
            assert value(both, "ndcg@10", column, model="a") == pytest.approx(expected)

    def test_unknown_reference(self, town):
        with pytest.raises(InputError, match="did you mean 'random'"):
            compare({"random": town[0]}, town[1], against="randon")


class TestListLevelMetrics:
    def test_coverage(self):
        assert coverage(["a", "a", "b"], 8) == 0.25
        with pytest.raises(InputError, match="fewer people than are listed"):
            coverage(["a", "b"], 1)

    def test_gini_by_mean_difference(self):
        x = np.random.default_rng(0).exponential(size=50)
        by_definition = np.abs(x[:, None] - x[None, :]).sum() / (2 * 50 * x.sum())
        assert gini(x) == pytest.approx(by_definition)
        with pytest.raises(InputError, match="negative or missing"):
            gini([1.0, -1.0])

    def test_exposure_of_ids_as_categories_is_that_of_ids(self):
        rng = np.random.default_rng(3)
        candidate, rank = rng.choice(list("dabc"), 50), rng.integers(1, 9, 50)
        coded = pd.Series(candidate, index=range(50, 100), dtype=pd.CategoricalDtype(list("abcdx")))
        seen, plain = exposure(coded, rank, list("cabe")), exposure(candidate, rank, list("cabe"))
        pd.testing.assert_series_equal(seen, plain, check_exact=True)

    def test_exposure_takes_any_examination(self):
        seen = exposure(["a", "b"], [1, 3], ["a", "b"], examination=lambda rank: 0.5**rank)
        assert seen.tolist() == [0.5, 0.125]


class TestSlices:
    def test_edges(self):
        assert interaction_slice([0, 1, 5, 6, 20, 21]).tolist() == ["0", "1-5", "1-5", "6-20", "6-20", ">20"]

    def test_made_and_received_both_count(self):
        assert count_interactions(["a", "b"], ["a", "b"], ["b", "a"]).tolist() == [2, 2]

    def test_negative(self):
        with pytest.raises(InputError, match="negative number"):
            interaction_slice([-1])


def test_probabilities_of_scored_pairs(town):
    lists, truth = town
    table = evaluate_probabilities(
        lists["viewer_id"], lists["candidate_id"], truth["label"], lists["p_mutual"], n_resamples=50
    ).set_index("metric")
    assert table.loc["auc", "lo"] > 0.5
    assert table.loc["ece", "value"] < 0.15
    assert table.loc["log_loss", "value"] < table.loc["log_loss", "random"]


def test_texts_beside_whole_numbers_are_refused():
    truth = pd.DataFrame({"viewer_id": [1], "candidate_id": [2], "label": [1]})
    lists = pd.DataFrame({"viewer_id": ["1"], "candidate_id": ["2"], "rank": [1]})
    with pytest.raises(InputError, match=r"viewer_id is of two kinds.*string there, integer in the truth"):
        evaluate(lists, truth)


@pytest.mark.parametrize(("lists", "truth"), [(None, "kept"), ("kept", None), ("lists.csv", "kept")])
def test_what_is_no_table_is_refused(town, lists, truth):
    given = [kept if asked == "kept" else asked for asked, kept in zip((lists, truth), town, strict=True)]
    with pytest.raises(InputError, match=r"must be a DataFrame in evaluate: .*pass a table .*read_csv"):
        evaluate(*given)


def test_intervals_stay_in_range_and_hold_their_value(town):
    """Perfect lists of few people: moved draws would pass 1 and miss the value."""
    truth = town[1]
    ordered = truth.sort_values(["viewer_id", "label"], ascending=[True, False])
    perfect = ordered.assign(rank=ordered.groupby("viewer_id").cumcount() + 1)
    perfect["p_mutual"] = ordered["label"].astype(float)
    for each in (perfect, perfect.assign(rank=11 - perfect["rank"], p_mutual=1 - perfect["p_mutual"])):
        table = evaluate(each, truth, k=(1, 5, 10), n_resamples=40).dropna(subset=["lo"])
        assert (table["lo"] <= table["value"]).all()
        assert (table["value"] <= table["hi"]).all()
        assert (table["lo"] >= 0).all()
        assert (table.loc[table["metric"] != "log_loss", "hi"] <= 1).all()


class TestSamePairs:
    """What one model lists must not choose the pairs that judge it, nor the pool of anybody else."""

    def test_listing_fewer_gains_no_auc(self, town):
        """On each own pairs, the same scores gained .09 of AUC by listing their ends."""
        lists, truth = town
        sure = lists[(lists["p_mutual"] < 0.3) | (lists["p_mutual"] > 0.7)]
        joined = truth.merge(sure, on=["viewer_id", "candidate_id"])
        assert auc(joined["label"], joined["p_mutual"]) > auc(truth["label"], lists["p_mutual"]) + 0.05
        table = compare({"all": lists, "sure": sure}, truth, against="all", n_resamples=5)
        assert value(table, "auc", "more", model="sure") == 0.0
        assert value(table, "auc", "n", model="all") == value(table, "auc", "n", model="sure") == len(sure)

    def test_one_pair_that_is_not_judged_changes_the_pool_of_its_viewer_alone(self, town):
        """Once it made all candidates seen the pool of everybody: random order fell from .5 to a tenth."""
        lists, truth = town
        before = value(evaluate(lists, truth, n_resamples=1), "ndcg@5", "random")
        extra = pd.DataFrame({"viewer_id": ["v00"], "candidate_id": ["new"], "rank": [11], "p_mutual": [0.1]})
        after = evaluate(pd.concat([lists, extra]), truth, n_resamples=1)
        assert value(after, "ndcg@5", "random") == pytest.approx(before, abs=0.01)

    def test_the_pool_is_what_was_stated(self, town):
        lists, truth = town
        rate = truth.groupby("viewer_id")["label"].sum().mean()
        wide = evaluate(
            lists,
            truth,
            k=(5,),
            pool="everybody",
            everybody=[f"c{at:02d}" for at in range(50)] + [f"x{at}" for at in range(951)],
            n_resamples=1,
        )
        assert value(wide, "precision@5", "random") == pytest.approx(rate / 1000)
        with pytest.raises(InputError, match="did you mean 'judged'"):
            evaluate(lists, truth, pool="juged")

    @pytest.mark.parametrize("rank", [0, np.nan, np.inf])
    def test_a_rank_that_is_no_place_is_refused(self, town, rank):
        lists = town[0].astype({"rank": float})
        lists.loc[3, "rank"] = rank
        with pytest.raises(TableError, match="1 ranks are no place from 1 on"):
            evaluate(lists, town[1])


def test_few_impressions_estimate_nothing_and_missing_support_is_said():
    """Five impressions and one match once said 1.0 [1.0, 1.0]; lists the log could not show said nothing."""
    assert np.isnan(snips([1, 0, 0, 0, 0], [0.5] * 5, [1, 0, 0, 0, 0]))
    shown = np.ones(40)
    with pytest.warns(UserWarning, match="could have shown about 40% of the pairs"):
        snips(shown, np.full(40, 0.5), shown, n_listed=200)


LIKES = [("a", "b", 1), ("b", "a", 0), ("a", "c", 1), ("c", "a", 1), ("b", "c", 0), ("c", "b", 1)]
LIKES_BACK = [(one, other, 1) for one, other, _ in LIKES]


@pytest.mark.parametrize(
    ("by", "outcome", "said", "warns"),
    [
        ("mutual", "like", LIKES, True),
        ("p_mutual", "like", LIKES, True),
        ("like", "like", LIKES, False),
        ("mutual", "mutual", LIKES, False),
        ("mutual", "like", LIKES_BACK, False),
        (None, "like", LIKES, False),
    ],
)
def test_an_order_for_both_sides_judged_by_likes_of_one_is_said(by, outcome, said, warns):
    truth = pd.DataFrame(said, columns=["viewer_id", "candidate_id", "label"])
    lists = truth.drop(columns="label").assign(rank=[1, 1, 2, 1, 2, 2], p_like=0.5, p_mutual=0.25)
    truth.attrs["outcome"] = outcome
    lists.attrs["order"] = by
    with warnings.catch_warnings(record=True, action="always") as caught:
        evaluate(lists, truth, n_resamples=2)
    assert any("by='like'" in str(one.message) for one in caught) == warns
