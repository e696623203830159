"""What a package of somebody else's may do wrong, and what is said then."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import structlog
from typer.testing import CliRunner

import recsys
from recsys.cli import app
from recsys.constraints import Constraint, Gate, Refusals, check_constraint
from recsys.constraints.plugin import check_plugin_constraints
from recsys.errors import InputError, PluginError, SettingsError, SourceError
from recsys.features.feature_map import FeatureMap
from recsys.pipeline.fingerprint import code_fingerprint
from recsys.pipeline.from_settings import model_from_settings, model_kind
from recsys.pipeline.night import policy_from_settings
from recsys.plugins import plugins
from recsys.safety import open_safety
from recsys.settings import ModelSettings, PolicySettings, Settings
from recsys.storage.dataclass_codec import dataclass_from_arrays
from recsys.storage.load import load_population
from recsys.testing.people import make_people
from tests.plugins.documented_plugins import install


@pytest.fixture
def ours(elsewhere: Path) -> Path:
    """The package of the page, for one test."""
    return install(elsewhere)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            {"model": {"name": "same_agee"}},
            "'model.name' in settings: got 'same_agee'; did you mean 'same_age'",
        ),
        ({"evaluate": {"beside": ["same"]}}, "'evaluate.beside' in settings: got 'same'"),
        ({"policy": {"constraints": ["videos_only"]}}, "got 'videos_only'; did you mean 'video_only'"),
        ({"model": {"blocks": {"weekend": {}}}}, "in settings: got 'weekend'; did you mean 'weekends'"),
        (
            {"evaluate": {"metrics": ["last_like"]}},
            "'evaluate.metrics' in settings: got 'last_like'; did you mean",
        ),
        ({"source": "ledgers:1"}, "use town, parquet:DIR"),
    ],
)
def test_an_unknown_plugin_name_is_refused(ours: Path, raw: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said.replace("(", r"\(")):
        Settings.from_mapping(raw)


def test_without_any_plugin_the_remedy_is_to_install_one() -> None:
    with pytest.raises(SettingsError, match="'video_only'; install the package that registers it"):
        Settings.from_mapping({"policy": {"constraints": ["video_only"]}})
    assert code_fingerprint() == code_fingerprint()


def test_a_plugin_may_not_take_a_name_of_this_package(elsewhere: Path) -> None:
    install(
        elsewhere,
        models={"hybrid": "ours.same_age:SameAgeModel"},
        constraints={"distance": "ours.video_only:VideoOnly"},
        blocks={"talk": "ours.weekends:Weekends"},
        stores={"parquet": "ours.ledger:read"},
        safety={"sqlite": "ours.watch:open_watch"},
    )
    taken = (
        r"a name of this package in recsys.models: got 'hybrid \(models\) from ours 1.0'; .*uninstall ours"
    )
    with pytest.raises(PluginError, match=taken):
        Settings.from_mapping({"model": {"name": "content"}})
    for use in (
        lambda: model_kind("content"),
        lambda: policy_from_settings(PolicySettings.model_construct(constraints={"distance": {}})),
        lambda: model_from_settings(ModelSettings.model_construct(name="content", blocks={"talk": {}})),
        lambda: load_population("ledger:5"),
        lambda: open_safety("other:x"),
    ):
        with pytest.raises(PluginError, match="takes a name of this package"):
            use()
    assert CliRunner().invoke(app, ["doctor"]).output.count("BAD  plugins") == 1


def test_two_packages_may_not_register_one_name(elsewhere: Path) -> None:
    install(elsewhere, models={"same_age": "ours.same_age:SameAgeModel"})
    install(elsewhere, name="theirs", models={"same_age": "ours.same_age:SameAgeModel"})
    with pytest.raises(PluginError, match="got 'same_age from ours and theirs'; uninstall one of them"):
        plugins("models")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("ours.nowhere:Model", "cannot be loaded in same_age .* from ours 1.0, .*ModuleNotFoundError"),
        ("ours.same_age:Nothing", "AttributeError.*repair or uninstall ours"),
        ("broken_one:Model", "ZeroDivisionError"),
        ("ours.ledger:read", "a plugin is not a model"),
        ("ours.weekends:Weekends", "a plugin is not a model"),
        ("recsys.models.popularity:PopularityModel", "a plugin has two names .*got 'popularity'"),
    ],
)
def test_a_plugin_that_is_no_model_is_refused(elsewhere: Path, value: str, said: str) -> None:
    install(elsewhere, models={"same_age": value})
    (elsewhere / "broken_one.py").write_text("1 / 0")
    settings = Settings.from_mapping({"model": {"name": "same_age"}})
    with pytest.raises(PluginError, match=said):
        model_from_settings(settings.model)


def test_settings_a_plugin_does_not_take_are_refused(ours: Path) -> None:
    with pytest.raises(SettingsError, match=r"settings.model.options: got 'weigth'; did you mean 'weight'"):
        model_from_settings(ModelSettings(name="same_age", options={"weigth": 2}))
    with pytest.raises(SettingsError, match=r"settings.policy.constraints.video_only: got .*loudness"):
        policy_from_settings(PolicySettings(constraints={"video_only": {"loudness": 1}}))
    with pytest.raises(SettingsError, match=r"settings.model.blocks.weekends"):
        model_from_settings(ModelSettings(name="content", blocks={"weekends": {"x": 1}}))


def test_a_store_without_tables_is_refused(elsewhere: Path) -> None:
    (elsewhere / "broken_one.py").write_text(
        "def read(address):\n    return {'a': {'profile': 1}, 'b': 3}[address]\n"
    )
    install(elsewhere, stores={"shelf": "broken_one:read"})
    with pytest.raises(PluginError, match="a store gave no tables in shelf: got 'int'"):
        load_population("shelf:b")
    with pytest.raises(SourceError, match="unknown table in shelf: got 'profile'; did you mean 'profiles'"):
        load_population("shelf:a")


def test_a_safety_store_without_its_methods_is_refused(elsewhere: Path) -> None:
    (elsewhere / "broken_one.py").write_text("def watch(address, *, create):\n    return object()\n")
    install(elsewhere, safety={"watch": "broken_one:watch"})
    with pytest.raises(PluginError, match="a safety store lacks methods in watch: got 'exclusions, "):
        open_safety("watch:here")


@dataclass(frozen=True)
class Early(Constraint):
    """Keeps the later half of all people out; each way of being wrong is a setting."""

    wrong: str = ""
    name = "early"

    def allows(self, people, i, j):
        half = len(people) // 2
        if self.wrong == "one-sided":
            return i < half
        both = (i < half) & (j < half)
        return {"numbers": both.astype(int), "one": bool(both.all())}.get(self.wrong, both)

    def clauses(self, people):
        listed = np.arange(len(people)) < len(people) // 2
        if self.wrong == "lax":
            listed[:] = True
        if self.wrong == "strict":
            listed[::3] = False
        if self.wrong == "refuses":
            return [Refusals.of(np.ones((len(people), 1), bool), ~listed[:, None])]
        return [Gate(listed)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("lax", "the compiled one allows more in early: got .* the first at rows"),
        ("strict", "the two forms of a rule differ in early"),
        ("one-sided", "not the same both ways in early"),
        ("numbers", "'allows' of a rule is no mask in early: got 'int64"),
        ("one", "'allows' of a rule is no mask in early: got 'bool'"),
    ],
)
def test_an_inconsistent_constraint_is_refused(wrong: str, said: str) -> None:
    people = make_people(60, np.random.default_rng(3))
    check_plugin_constraints(recsys.Policy.default() & Early(), people)
    with pytest.raises(PluginError, match=said):
        check_plugin_constraints(recsys.Policy.default() & Early(wrong), people)
    check_constraint(Early(), people)
    with pytest.raises(PluginError, match=said):
        check_constraint(Early(wrong), people)


def test_a_lax_constraint_is_caught_by_the_recheck() -> None:
    town = recsys.make_town(150, np.random.default_rng(7))
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(1))
    with structlog.testing.capture_logs() as logs:
        lists = recsys.recommend(model, people, recsys.Policy.default() & Early("lax"), k=20)
    assert [entry["constraints"] for entry in logs] == [["early"]]
    assert lists.attrs["dropped_by_recheck"] > 0
    assert (people.ids.rows(lists["candidate_id"]) < 75).all()


def test_the_documented_pair_rule_agrees_in_plain_and_compiled_form(ours: Path) -> None:
    from ours.near_in_age import NearInAge

    people = make_people(80, np.random.default_rng(3), unknown=0.2)
    band = people.codes("age_band").astype(int)
    i, j = (index.ravel() for index in np.indices((80, 80)))
    by_hand = (band[i] >= 0) & (band[j] >= 0) & (abs(band[i] - band[j]) <= 2) & (i != j)
    policy = recsys.Policy((NearInAge(most=2),))
    assert np.array_equal(policy.may_meet(people, i, j), by_hand)
    assert np.array_equal(policy.compile(people).may_meet(i, j), by_hand)
    assert 0 < by_hand.mean() < 1
    assert (band < 0).any()


def test_plugin_constraints_apply_to_newcomers_through_gates_alone() -> None:
    from recsys.constraints.cold_start import ColdStartVocabulary

    people = make_people(30, np.random.default_rng(3))
    for wrong in ("", "refuses"):
        policy = recsys.Policy.default() & Early(wrong)
        vocabulary = ColdStartVocabulary.of(policy, people, policy.compile(people))
        if wrong:
            with pytest.raises(InputError, match="newcomers cannot be held against in early: got 'Refusals'"):
                vocabulary.compile(policy, people.take([1]))
        else:
            assert not vocabulary.compile(policy, people.take([1])).listed[0]


def test_an_unknown_saved_block_is_refused(ours: Path) -> None:
    with pytest.raises(SourceError, match="unknown feature block in a saved model: got 'weekendz'"):
        dataclass_from_arrays(FeatureMap, {}, {"blocks": 1, "blocks.0": "weekendz"})


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (lambda pairs: 3, "prepares nothing callable in mine: got 'int'"),
        (lambda pairs: lambda i, j: "much", "gives no number in mine: got 'much'"),
    ],
)
def test_an_invalid_metric_is_refused(metric, said: str) -> None:
    truth = pd.DataFrame({"viewer_id": ["a", "a"], "candidate_id": ["b", "c"], "label": [0, 1]})
    with pytest.raises(InputError, match=said):
        recsys.evaluate(truth.assign(rank=[2, 1]), truth, metrics={"mine": metric})
    for taken in ("auc", "ndcg@5", "coverage"):
        with pytest.raises(InputError, match="there already"):
            recsys.evaluate(truth.assign(rank=[2, 1]), truth, metrics={taken: metric})


def test_a_plugin_metric_has_a_random_baseline() -> None:
    """One like among four, on the first place: random order finds it a quarter of the time."""

    def first(pairs):
        good = ((pairs["rank"] == 1) & (pairs["label"] == 1)).to_numpy(float)
        return lambda i, j: float((good * i * j).sum() / len(set(pairs["viewer_id"])))

    viewers = [f"v{n:03d}" for n in range(100)]
    truth = pd.DataFrame([(v, f"c{k}", float(k == 0)) for v in viewers for k in range(4)])
    truth.columns = pd.Index(["viewer_id", "candidate_id", "label"])
    lists = truth.assign(rank=np.tile([1, 2, 3, 4], 100))
    table = recsys.evaluate(lists, truth, k=(1,), metrics={"mine": first}, n_resamples=20).set_index("metric")
    assert table.loc["mine", "value"] == 1.0
    assert table.loc["mine", "random"] == pytest.approx(table.loc["precision@1", "random"], abs=0.03)


def failing_store(folder: Path, body: str) -> None:
    """Register the store `ledgers`, whose reader does what `body` says."""
    install(folder, stores={"ledgers": "ours.failing:read"})
    (folder / "ours/failing.py").write_text(f"def read(address):\n    {body}\n")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return {}['ago_years']", "KeyError: 'ago_years'"),
        ("raise ValueError(f\"no table at {address} for 'Taro Yamada'\")", "no table at ... for ..."),
        ("raise OSError(2, 'no such file')", "No such file"),
    ],
)
def test_an_error_of_a_store_is_broken_input(elsewhere: Path, body: str, said: str) -> None:
    """Seen to fail while the error came through as it was: a defect, exit code 1, with the address in it."""
    failing_store(elsewhere, body)
    with pytest.raises(PluginError) as caught:
        load_population("ledgers:user:password@db")
    assert caught.value.exit_code == 40
    assert "in ledgers, failing.py line 2" in str(caught.value)
    assert said in str(caught.value)
    assert "password" not in str(caught.value)


def test_a_store_that_fills_the_disk_is_no_broken_input(elsewhere: Path) -> None:
    failing_store(elsewhere, "raise OSError(28, 'no space')")
    with pytest.raises(OSError, match="no space"):
        load_population("ledgers:1")
