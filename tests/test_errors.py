"""Messages that name what is missing."""

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.errors import MissingColumnError, MissingExtraError, RecsysError, imported, need_columns
from recsys.models.content import ContentConfig
from recsys.models.hybrid import HybridConfig


def test_a_missing_package_names_its_extra():
    with pytest.raises(MissingExtraError, match=r"nowhere is not installed; .*recsys\[report\]") as caught:
        imported("nowhere.at.all", extra="report")
    assert caught.value.extra == "report"
    assert isinstance(caught.value, RecsysError)
    assert isinstance(caught.value, ImportError)


def test_an_import_error_inside_a_package_is_not_masked(tmp_path, monkeypatch):
    (tmp_path / "half_there.py").write_text("import something_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_it_needs") as caught:
        imported("half_there", extra="report")
    assert not isinstance(caught.value, MissingExtraError)


def town_and_model():
    town = recsys.make_town(40, np.random.default_rng(7))
    people = recsys.load_population(town.tables)
    return people, recsys.PopularityModel().fit(people, recsys.Events.none(), rng=np.random.default_rng(7))


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda people, model: recsys.HybridMode, "did you mean 'HybridModel'"),
        (lambda people, model: model.score_pairs(pairs(["viewer", "candidate_id"])), "rename 'viewer' to"),
        (
            lambda people, model: model.score_pairs(pairs()),
            "unknown id: got 'u000000a'; did you mean 'u00000",
        ),
        (lambda people, model: model.explain_pair("u0000001", "u0000001x"), "did you mean 'u0000001'"),
        (lambda people, model: recommended(people, model, viewers=["u0000001x"]), "did you mean 'u0000001'"),
        (lambda people, model: recommended(people, model, combiner="prodct"), "did you mean 'product'"),
        (lambda people, model: recommended(people, model, exclude=pairs(["viewerid", "x"])), "'viewerid' to"),
        (lambda people, model: recsys.Policy.default(verification="agee"), "did you mean 'age'"),
        (lambda people, model: recsys.Policy.default().summary("fr"), "use ja or en"),
        (lambda people, model: people.has_word("channels", "in_app_vidoe"), "did you mean 'in_app_video'"),
        (lambda people, model: people.is_word("gender", "womn"), "did you mean 'woman'"),
        (lambda people, model: people.codes("gendr"), "did you mean 'gender'"),
        (lambda people, model: people.known("max_distance"), "did you mean 'max_distance_km'"),
        (lambda people, model: recsys.load_population("parqet:x"), "did you mean 'parquet'"),
        (lambda people, model: recsys.load_population({"profile": pairs()}), "did you mean 'profiles'"),
        (lambda people, model: recsys.evaluate(LISTS, LISTS.rename(columns={"label": "lable"})), "'lable'"),
        (lambda people, model: recsys.evaluate(LISTS, LISTS, probability="p_mutul"), "'p_mutual'"),
        (lambda people, model: recsys.compare({"mine": LISTS}, LISTS, against="mien"), "did you mean 'mine'"),
        (lambda people, model: HybridConfig(content={"foldz": 2}), "'content.foldz'; did you mean 'folds'"),
        (lambda people, model: ContentConfig(fold=3), "in ContentConfig: got 'fold'; did you mean 'folds'"),
    ],
)
def test_did_you_mean_names_the_nearest(use, said):
    with pytest.raises((RecsysError, AttributeError, TypeError), match=said):
        use(*town_and_model())


def pairs(columns=("viewer_id", "candidate_id")):
    return pd.DataFrame([["u000000a", "u0000002"]], columns=list(columns))


def recommended(people, model, **given):
    return recsys.recommend(model, people, recsys.Policy.default(), **given)


LISTS = pairs().assign(rank=1, label=1, p_mutual=0.5)


def test_columns_that_are_missing_are_named_before_those_that_are_there() -> None:
    with pytest.raises(MissingColumnError) as caught:
        need_columns(["viewer_id", "candidate_id"], ["user", "item"], where="pairs")
    assert str(caught.value) == (
        "columns 'viewer_id', 'candidate_id' are missing in pairs: got 'user, item'; "
        "add 'viewer_id', 'candidate_id', or rename what holds it"
    )
    with pytest.raises(
        MissingColumnError, match=r"column 'viewer_id' is missing .*rename 'viewer' to 'viewer_id'"
    ):
        need_columns(["viewer_id"], ["viewer"], where="pairs")


@pytest.mark.parametrize(
    ("name", "found"), [("CrossedEffects", "models"), ("Questionnaire", "features"), ("ece", "evaluation")]
)
def test_a_name_of_another_namespace_is_said_with_it(name: str, found: str) -> None:
    with pytest.raises(AttributeError, match=rf"use recsys\.{found}\.{name}$"):
        getattr(recsys, name)
