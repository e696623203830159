"""Feature blocks are scikit-learn transformers, though no scikit-learn class is among their bases."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, StandardScaler
from sklearn.utils import estimator_checks as checks
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from recsys.data.events import Events
from recsys.errors import InputError, SettingsError
from recsys.features import (
    Interests,
    Numeric,
    Responsiveness,
    Scales,
    Topics,
    default_blocks,
    population_table,
)
from recsys.models import ContentModel
from recsys.testing.people import make_people
from tests.features.test_responsiveness import some_events

CHECKS = (
    checks.check_estimator_cloneable,
    checks.check_estimator_repr,
    checks.check_estimator_tags_renamed,
    checks.check_valid_tag_types,
    checks.check_no_attributes_set_in_init,
    checks.check_do_not_raise_errors_in_init_or_set_params,
    checks.check_get_params_invariance,
    checks.check_set_params,
    checks.check_parameters_default_constructible,
    checks.check_mixin_order,
)
"""The checks of scikit-learn that call no `fit`.

Every other check fits a matrix of random numbers; X of a block is a `Population`, so these say nothing
here. What they are about is asked of populations in `BlockContract`: fitting twice, unfitted use, one
person and nobody, order of rows, subsets of people, inputs left unchanged.
`Numeric` is left out, because its first parameter has no default.
"""


@pytest.fixture(scope="module")
def people():
    return make_people(40, np.random.default_rng(1))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("block", default_blocks(), ids=lambda block: block.name)
def test_block_passes_the_check_of_scikit_learn(block, check):
    check(type(block).__name__, clone(block))


def test_clone_has_equal_parameters_and_is_not_fitted(people):
    block = Interests(rank=4).fit(people)
    twin = clone(block)
    assert twin.get_params() == block.get_params()
    check_is_fitted(block)
    assert not hasattr(twin, "fitted_")


def test_set_params_of_an_unknown_name_suggests_the_nearest():
    assert Interests().set_params(rank=3).rank == 3
    with pytest.raises(ValueError, match="did you mean 'rank'"):
        Interests().set_params(ranks=3)


def test_pipeline_passes_people_on_as_one_matrix(people):
    block = Scales()
    pipeline = make_pipeline(block, PCA(3, random_state=0))
    expected = PCA(3, random_state=0).fit_transform(np.asarray(Scales().fit_transform(people)))
    np.testing.assert_allclose(pipeline.fit_transform(people), expected)
    np.testing.assert_allclose(pipeline.transform(people), expected, atol=1e-5)
    assert len(pipeline[:-1].get_feature_names_out()) == pipeline[-1].n_features_in_


def test_feature_union_puts_blocks_side_by_side_and_passes_events(people):
    events = Events.of(some_events(people, np.random.default_rng(0)))
    union = make_union(Responsiveness(), Topics())
    matrix = union.fit_transform(people, events=events)
    alone = [block.fit_transform(people, events=events) for block in (Responsiveness(), Topics())]
    np.testing.assert_array_equal(matrix, np.hstack([np.asarray(rows) for rows in alone]))
    names = union.get_feature_names_out()
    assert matrix.shape[1] == len(names) == len(set(names))
    assert names[0] == "responsiveness__responsiveness:speed:preference"
    without = make_union(Responsiveness(), Topics()).fit_transform(people)
    assert not np.array_equal(matrix, without)


def test_parameters_of_a_block_are_set_through_a_pipeline():
    pipeline = Pipeline([("features", FeatureUnion([("interests", Interests())]))])
    pipeline.set_params(features__interests__rank=5)
    assert pipeline.get_params()["features__interests"].rank == 5
    assert clone(pipeline).get_params()["features__interests__rank"] == 5


def test_notebooks_show_blocks_and_pipelines_of_blocks(people):
    block = Interests(rank=4)
    assert repr(block) == "Interests(rank=4)"
    assert "not fitted" in block._repr_html_()
    assert "fitted, 21 columns" in block.fit(people)._repr_html_()
    assert "Interests" in make_pipeline(block, PCA())._repr_html_()


def test_tags_say_that_x_is_no_matrix():
    tags = get_tags(Topics())
    assert tags.transformer_tags is not None
    assert tags.no_validation
    assert not tags.input_tags.two_d_array


def test_a_matrix_is_refused():
    with pytest.raises(
        InputError, match=r"people must be a Population in Scales.fit: got ndarray; read tables"
    ):
        Scales().fit(np.zeros((3, 2)))


def test_blocks_give_tables_when_asked_to_and_pipelines_pass_the_wish_on(people):
    block = Scales().set_output(transform="pandas").fit(people)
    table = block.transform(people)
    assert table.index.tolist() == people.ids.ids(np.arange(40)).tolist()
    assert list(table.columns) == list(block.get_feature_names_out())
    np.testing.assert_array_equal(
        table.to_numpy(), np.asarray(clone(block).set_output().fit_transform(people))
    )
    union = make_union(Topics(), Scales()).set_output(transform="pandas")
    whole = union.fit_transform(people)
    assert list(whole.columns) == list(union.get_feature_names_out())
    assert whole.index.equals(table.index)
    ends = (
        make_pipeline(Scales(), PCA(2, random_state=0)).set_output(transform="pandas").fit_transform(people)
    )
    assert list(ends.columns) == ["pca0", "pca1"]
    with pytest.raises(SettingsError, match="unknown output: got 'panda'; did you mean 'pandas'"):
        Scales().set_output(transform="panda")


def test_a_column_transformer_reads_the_table_of_a_population(people):
    names = ["age_band", "max_distance_km", "intents"]
    table = population_table(people, names)
    assert table.index.tolist() == people.ids.values.tolist()
    columns = ColumnTransformer(
        [
            ("age", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), ["age_band"]),
            (
                "km",
                make_pipeline(
                    FunctionTransformer(np.log1p, feature_names_out="one-to-one"), StandardScaler()
                ),
                ["max_distance_km"],
            ),
            ("intents", SimpleImputer(), make_column_selector("^intents:")),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    made = make_pipeline(FunctionTransformer(population_table, kw_args={"columns": names}), columns)
    found = made.fit_transform(people)
    assert found.index.tolist() == people.ids.values.tolist()
    assert len(found.columns) == 2 + len(people.coded_sets["intents"].words)
    known = people.known("max_distance_km")
    np.testing.assert_allclose(found["max_distance_km"][known].std(ddof=0), 1.0)
    model = ContentModel(blocks=[Numeric(found.reset_index())]).fit(people, Events.none(), rng=1)
    assert model.fitted.taste.shape[0] == len(people)


def test_a_table_says_of_everybody_what_the_population_says(people):
    table = population_table(people)
    assert table.notna().any().all()
    for name in people.coded:
        if name in table:
            assert (table[name].notna().to_numpy() == people.known(name)).all()
    for row, user in enumerate(table.index[:10]):
        held = {
            column.partition(": ")[2]
            for column in table.filter(regex="^channels: ")
            if table.loc[user, column] == 1
        }
        assert held == (people.words("channels", row) or set())
    with pytest.raises(
        InputError, match="unknown column in population_table: got 'ageband'; did you mean 'age_band'"
    ):
        population_table(people, ["ageband"])
