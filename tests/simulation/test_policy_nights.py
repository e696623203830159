import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys.simulation.policies as scores_module
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.data.events import Events
from recsys.errors import SettingsError
from recsys.simulation.policies import ModelScores, NightsConfig, OracleScores, best, list_policy, opens_of
from recsys.simulation.policy_nights import NightView, PolicyNights, members_of, play_nights
from recsys.simulation.town import Town
from tests.simulation.conftest import CONFIG

POOL = pd.DataFrame(
    {
        C.VIEWER: ["a", "a", "a", "b", "b"],
        C.CANDIDATE: ["x", "y", "z", "x", "y"],
        C.RANK: [1, 2, 3, 1, 2],
        C.P_LIKE: [0.9, 0.5, 0.8, 0.2, 0.6],
        C.P_LIKED_BACK: [0.1, 0.9, 0.2, 0.9, 0.5],
    }
)


NOBODY = pd.Series(dtype=float)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("product", ["y", "z", "y", "x"]),
        ("naive", ["x", "z", "y", "x"]),
        ("popularity", ["z", "x", "x", "y"]),
    ],
)
def test_policies_match_hand_worked_lists(name: str, expected: list[str], dense_town: Town) -> None:
    lists = list_policy(name, NightsConfig(k=2), dense_town.settings.funnel)(
        POOL, NOBODY, np.random.default_rng(0)
    )
    assert lists[C.CANDIDATE].tolist() == expected
    assert lists[C.RANK].tolist() == [1, 2, 1, 2]


def test_open_rates_follow_the_activity_of_the_profile(dense_town: Town) -> None:
    members = members_of(dense_town)
    opens = opens_of(members)
    assert opens[members.ids.ids(np.arange(len(members)))[members.is_word(C.ACTIVITY, "today")]].unique() == [
        0.9
    ]
    assert (
        opens[members.ids.ids(np.arange(len(members)))[members.is_word(C.ACTIVITY, "dormant")]].max() == 0.0
    )


def test_ties_keep_the_order_of_the_pool() -> None:
    assert best(POOL, pd.Series(1.0, index=POOL.index), 1)[C.CANDIDATE].tolist() == ["x", "x"]


def test_policies_with_equal_lists_have_equal_histories(dense_town: Town) -> None:
    """Common random numbers: the same lists lead to the same life, other lists to another."""
    product = list_policy("product", CONFIG, dense_town.settings.funnel)
    shuffled = list_policy("random", CONFIG, dense_town.settings.funnel)
    makers = {
        "one": product,
        "other": lambda pool, opens, rng: product(pool.sample(frac=1.0, random_state=0), opens, rng),
        "random": shuffled,
    }
    histories = play_nights(dense_town, CONFIG, seed=2, policies=makers).histories
    for field in ("matches", "lasting", "sent"):
        one, other, random = (np.concatenate(getattr(histories[name], field)) for name in makers)
        assert np.array_equal(np.unique(one, axis=0), np.unique(other, axis=0))
        assert not np.array_equal(one, random)
    assert np.allclose(histories["one"].exposure, histories["other"].exposure)


def test_the_same_seed_gives_the_same_nights(dense_town: Town, outcome: PolicyNights) -> None:
    again = play_nights(dense_town, CONFIG, seed=1)
    other = play_nights(dense_town, CONFIG, seed=7)
    for name, history in outcome.histories.items():
        assert np.array_equal(np.concatenate(history.sent), np.concatenate(again.histories[name].sent))
        assert not np.array_equal(np.concatenate(history.sent), np.concatenate(other.histories[name].sent))


def test_no_pair_is_shown_against_the_rules(outcome: PolicyNights) -> None:
    assert all(history.forbidden == 0 for history in outcome.histories.values())


def test_forbidden_pairs_are_counted(dense_town: Town) -> None:
    view = NightView.of(dense_town, members_of(dense_town), Policy.default())
    listed = np.flatnonzero(view.compiled.listed)
    allowed = view.compiled.may_show_block(listed, listed)
    ids = view.people.ids
    for wanted, found in ((False, 1), (True, 0)):
        a, b = next((a, b) for a, b in np.argwhere(allowed == wanted) if a != b)
        pair = pd.DataFrame({C.VIEWER: ids.ids(listed[[a]]), C.CANDIDATE: ids.ids(listed[[b]])})
        assert view.forbidden(pair) == found


def test_partial_compilation_equals_full_compilation(dense_town: Town) -> None:
    town = dense_town.after(dense_town.tables[T.EVENTS].iloc[:0], dense_town.as_of + pd.Timedelta(days=2))
    members, policy = members_of(town), Policy.default()
    whole, quick = (
        NightView.of(town, members, policy, rules).compiled for rules in (None, policy.compile(members))
    )
    everybody = np.arange(len(members))
    assert np.array_equal(
        whole.may_show_block(everybody, everybody), quick.may_show_block(everybody, everybody)
    )
    assert len(whole.separated_indices) > 100


def test_policies_by_mutual_probability_make_more_matches(outcome: PolicyNights) -> None:
    """Lists by (noisy) truth lead to more matches than random ones, or nothing here measures anything."""
    matches = {name: len(np.concatenate(history.matches)) for name, history in outcome.histories.items()}
    assert matches["product"] > 1.2 * matches["random"] > 0
    assert matches["welfare"] > 1.2 * matches["random"]


def test_matches_are_pairs_who_like_each_other(outcome: PolicyNights) -> None:
    for history in outcome.histories.values():
        matches = np.concatenate(history.matches)[:, 1:]
        assert len(np.unique(matches, axis=0)) == len(matches)
        assert (matches[:, 0] < matches[:, 1]).all()
        lasting = {tuple(pair) for pair in np.concatenate(history.lasting)[:, 1:]}
        assert lasting <= {tuple(pair) for pair in matches}


def test_learners_never_see_the_truth(dense_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model is given holds no hidden field, and a town without truth teaches the same."""
    given = {}

    def learned(name: str, people: object, events: Events, rng: np.random.Generator) -> object:
        given.update(people=people, events=events)
        return OracleScores(dense_town, 0.0, 0)

    monkeypatch.setattr(ModelScores, "fitted", staticmethod(learned))
    play_nights(dense_town, NightsConfig(nights=1, policies=("random",), k=3), seed=1)
    for value in given.values():
        assert not {"truth", "residents", "minds", "harm"} & set(vars(value))
    last = dense_town.as_of
    assert (given["events"].frame[C.TS] <= last).all()
    joined = dense_town.arrivals.joined <= last.timestamp()
    assert list(given["people"].ids.values) == list(dense_town.ids.ids(np.flatnonzero(joined)))


def test_truth_is_read_by_the_oracle_alone() -> None:
    """Nothing in the package but the oracle asks for `.truth`."""
    for path in Path(scores_module.__file__).parent.glob("polic*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name == "OracleScores":
                node.body = []
        asked = [
            n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in ("truth", "residents")
        ]
        assert not asked, path.name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"policies": ("produkt",)}, "did you mean 'product'"),
        ({"policies": ("nash", "nash")}, "once"),
        ({"scores": "truth"}, "unknown scores"),
        ({"nights": 0}, "nights"),
        ({"pool": 3, "k": 5}, "pool"),
        ({"noise": 1.0}, "truth alone"),
        ({"noise": float("nan"), "scores": "oracle"}, "noise"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        NightsConfig(**wrong)
