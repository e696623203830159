import numpy as np
import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.features.factor_analysis import FactorModel, fit_factor_model
from recsys.features.scales import Scales, spearman_brown, split_half
from recsys.testing.people import make_people
from tests.features.pairs import assert_is


def plain_standing(fitted, people, row, scale):
    """Posterior mean of one factor with a standard normal prior, question by question."""
    catalogue, table = load_catalogue(), people.long.answers
    given = {a[C.QUESTION]: a[C.ANSWER] for a in table[table[C.ROW] == row].to_dict("records")}
    precision, pull = 1.0, 0.0
    for at, question in enumerate(fitted.questions):
        if fitted.scales[fitted.scale_of[at]] != scale or question not in given:
            continue
        score = {o.id: o.score for o in catalogue.questions[question].options}[given[question]]
        precision += fitted.loading[at] ** 2 / fitted.noise[at]
        pull += fitted.loading[at] * (score - fitted.mean[at]) / fitted.noise[at]
    return pull / precision


def test_pair_scores_equal_the_definition():
    people = make_people(20, np.random.default_rng(3))
    block = Scales().fit(people)
    scales = block.fitted_.scales
    stands = np.tanh([[plain_standing(block.fitted_, people, row, s) for s in scales] for row in range(20)])
    assert_is(block, people, lambda i, j: sum(stands[i] * stands[j]) / len(scales))


def test_sensitive_questions_are_not_used():
    catalogue = load_catalogue()
    fitted = Scales().fit(make_people(20, np.random.default_rng(3))).fitted_
    assert not [q for q in fitted.questions if catalogue.questions[q].sensitive]


def test_reliability_is_reported_for_every_scale():
    block = Scales().fit(make_people(60, np.random.default_rng(3)))
    assert set(block.reliability_) == set(block.fitted_.scales)


def test_up_to_max_people_all_people_are_used():
    people = make_people(60, np.random.default_rng(3))
    usual, just_enough = Scales().fit(people).fitted_, Scales(max_people=60).fit(people).fitted_
    np.testing.assert_array_equal(usual.loading, just_enough.loading)
    np.testing.assert_array_equal(usual.noise, just_enough.noise)


def test_subsampling_is_deterministic():
    people = make_people(60, np.random.default_rng(3))
    some, again = Scales(max_people=25).fit(people), Scales(max_people=25).fit(people)
    np.testing.assert_array_equal(some.fitted_.loading, again.fitted_.loading)
    assert not np.array_equal(some.fitted_.loading, Scales().fit(people).fitted_.loading)
    assert len(some.transform(people)) == len(people)


def simulated(n, loadings, rng, missing=0.3):
    factors = rng.normal(size=(n, loadings.shape[1]))
    items = 0.2 + factors @ loadings.T + rng.normal(scale=0.5, size=(n, len(loadings)))
    items[rng.random(items.shape) < missing] = np.nan
    return items, factors


def test_em_recovers_loadings_through_missing_answers():
    loadings = np.array([[0.9], [0.6], [0.3], [0.7], [-0.5]])
    items, factors = simulated(4000, loadings, np.random.default_rng(0))
    model = fit_factor_model(items)
    np.testing.assert_allclose(model.loadings, loadings, atol=0.08)
    np.testing.assert_allclose(model.noise, 0.25, atol=0.05)
    assert np.corrcoef(model.posterior_mean(items)[:, 0], factors[:, 0])[0, 1] > 0.8


def test_reconstruction_loss_falls_with_rounds_of_em():
    """With two factors, each round of EM explains held-in answers at least as well."""
    rng = np.random.default_rng(1)
    items, _ = simulated(600, rng.normal(size=(8, 2)), rng)
    errors = []
    for rounds in (1, 3, 10, 40):
        model = fit_factor_model(items, 2, rounds=rounds)
        errors.append(np.nanmean((items - model.reconstruct(items)) ** 2 / model.noise + np.log(model.noise)))
    assert errors == sorted(errors, reverse=True)


def test_reconstruction_beats_column_means_on_hidden_answers():
    rng = np.random.default_rng(2)
    items, _ = simulated(800, rng.normal(size=(10, 2)), rng, missing=0.0)
    hidden = rng.random(items.shape) < 0.2
    shown = np.where(hidden, np.nan, items)
    model = fit_factor_model(shown, 2)
    ours = np.sqrt(np.mean((model.reconstruct(shown) - items)[hidden] ** 2))
    means = np.sqrt(np.mean((np.nanmean(shown, axis=0) - items)[hidden] ** 2))
    assert ours < 0.75 * means


def test_posterior_mean_equals_the_value_worked_by_hand():
    model = FactorModel(
        mean=np.array([1.0, 0.0]), loadings=np.array([[2.0], [1.0]]), noise=np.array([4.0, 0.5])
    )
    both = (2 * (3 - 1) / 4 + 1 * 1 / 0.5) / (1 + 4 / 4 + 1 / 0.5)
    assert model.posterior_mean(np.array([[3.0, 1.0]]))[0, 0] == pytest.approx(both)


@pytest.mark.parametrize("n", [0, 1])
def test_factor_model_without_answers_is_the_prior(n):
    model = fit_factor_model(np.full((n, 3), np.nan))
    np.testing.assert_allclose(model.loadings, 0.4)
    np.testing.assert_allclose(model.noise, 0.4)


def test_split_half_separates_a_reliable_scale_from_noise():
    rng = np.random.default_rng(4)
    factor = rng.normal(size=(2000, 1))
    good = factor + rng.normal(size=(2000, 10))
    assert split_half(good) == pytest.approx(10 / 11, abs=0.02)
    assert split_half(good, rng=np.random.default_rng(0)) == pytest.approx(10 / 11, abs=0.02)
    assert abs(split_half(rng.normal(size=(2000, 10)))) < 0.1


def test_split_half_is_nan_with_fewer_than_two_items_or_people():
    assert np.isnan(split_half(np.ones((10, 1))))
    assert np.isnan(split_half(np.full((10, 4), np.nan)))
    assert np.isnan(split_half(np.ones((10, 4))))


def test_spearman_brown_at_minus_one_zero_and_one():
    assert spearman_brown(1.0) == 1.0
    assert spearman_brown(0.0) == 0.0
    assert spearman_brown(-1.0) == -np.inf
