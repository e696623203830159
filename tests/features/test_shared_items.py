import numpy as np
import pandas as pd
import pytest

from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import InputError, TableError
from recsys.features import SharedItems
from recsys.models import ContentModel, HybridModel

AS_OF = "2026-01-05"


@pytest.fixture(scope="module")
def heard():
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"user_id": rng.integers(0, 30, 300), "artist": rng.integers(0, 25, 300)})
    table = table.drop_duplicates().assign(plays=lambda one: rng.integers(1, 50, len(one)))
    return table.assign(user_id=[f"u{number:02}" for number in table["user_id"]])


def everybody(n=30):
    return Population.of_ids([f"u{number:02}" for number in range(n)], as_of=AS_OF)


def test_the_score_of_few_items_is_the_cosine_of_rarity_weighted_amounts(heard):
    block = SharedItems(heard, item="artist", amount="plays").fit(everybody())
    matrix = heard.pivot_table("plays", "user_id", "artist", fill_value=0).reindex(everybody().ids.values)
    counts = matrix.fillna(0).to_numpy()
    weighted = np.log1p(counts) * np.log(30 / (counts > 0).sum(axis=0))
    unit = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-12)
    i, j = np.divmod(np.arange(900), 30)
    scores = block.transform(everybody()).pair_scores(i, j)
    np.testing.assert_allclose(scores, (unit @ unit.T).ravel(), atol=1e-5)


def test_of_many_items_the_leading_directions_are_kept(heard):
    exact = SharedItems(heard, item="artist").fit_transform(everybody())
    few = SharedItems(heard, item="artist", max_columns=12).fit_transform(everybody())
    assert few.n_columns == 12 < exact.n_columns
    i, j = np.divmod(np.arange(900), 30)
    assert np.corrcoef(exact.pair_scores(i, j), few.pair_scores(i, j))[0, 1] > 0.9


def test_rarity_is_of_the_fitted_people_and_others_have_rows(heard):
    few = everybody(10)
    block = SharedItems(heard, item="artist").fit(few)
    of_others = heard["user_id"] >= "u10"
    new = heard[of_others].assign(artist=lambda one: one["artist"] + 1000)
    again = SharedItems(pd.concat([heard[~of_others], new]), item="artist").fit(few)
    np.testing.assert_allclose(block.transform(few).attributes, again.transform(few).attributes, atol=1e-6)
    assert np.abs(block.transform(everybody()).attributes[20:]).sum() > 0
    stranger = Population.of_ids(["nobody"], as_of=AS_OF)
    assert not block.transform(stranger).attributes.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"artist": None}, "a row has no 'user_id' or no 'artist'"),
        ({"plays": -1}, "no number of 0 or more, the first"),
        ({"plays": "many"}, "no number of 0 or more, the first"),
    ],
)
def test_bad_rows_are_refused_by_name(heard, change, message):
    wrong = heard.astype({"artist": object, "plays": object}).copy()
    for column, value in change.items():
        wrong.loc[wrong.index[0], column] = value
    with pytest.raises(TableError, match=message):
        SharedItems(wrong, item="artist", amount="plays").fit(everybody())
    with pytest.raises(TableError, match="column 'film' is missing"):
        SharedItems(heard, item="film").fit(everybody())


@pytest.mark.parametrize("kind", [ContentModel, HybridModel])
def test_before_anybody_decided_pairs_are_in_the_order_of_the_cosine(heard, kind):
    block = SharedItems(heard, item="artist", amount="plays")
    model = kind(blocks=[block]).fit(everybody(), Events.none(), rng=0)
    i, j = np.divmod(np.arange(900), 30)
    i, j = i[i != j], j[i != j]
    cosine = block.fit_transform(everybody()).pair_scores(i, j)
    ids = everybody().ids
    pairs = model.score_pairs(pd.DataFrame({"viewer_id": ids.ids(i), "candidate_id": ids.ids(j)}))
    chance = pairs["p_like"].to_numpy()
    assert np.ptp(chance) > 0.05
    assert np.corrcoef(np.log(chance / (1 - chance)), cosine)[0, 1] > 0.999
    none = kind(blocks=[SharedItems(heard, item="artist", weight=0.0)]).fit(everybody(), Events.none(), rng=0)
    assert np.ptp(none.score_pairs(pairs[["viewer_id", "candidate_id"]])["p_like"]) < 1e-6


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_an_impossible_weight_is_refused(heard, weight):
    with pytest.raises(InputError, match="impossible weight"):
        SharedItems(heard, item="artist", weight=weight).fit(everybody())
