"""The public call on tables."""

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.allocation import CandidateGraph
from recsys.errors import InputError, SettingsError


def pool(seed: int = 1, n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    chance = rng.random((n, n)).astype(np.float32) * np.linspace(0.2, 1.0, n, dtype=np.float32)
    i, j = np.nonzero(rng.random((n, n)) < 0.5)
    i, j = i[i != j], j[i != j]
    return pd.DataFrame({
        "viewer_id": [f"u{x:02}" for x in i],
        "candidate_id": [f"u{x:02}" for x in j],
        "rank": 1,
        "p_like": chance[i, j],
        "p_liked_back": chance[j, i],
        "p_mutual": (chance * chance.T)[i, j],
        "reasons": [["circle"]] * len(i),
    })  # fmt: skip


def test_allocate_keeps_all_columns_and_adds_exposure_and_propensity() -> None:
    given = pool()
    before = given.copy(deep=True)
    lists = recsys.allocate(given, k=5)
    assert list(lists) == [*given, "exposure", "propensity"]
    pd.testing.assert_frame_equal(given, before)
    assert (lists.groupby("viewer_id").size() <= 5).all()
    assert lists["viewer_id"].is_monotonic_increasing
    assert (lists["rank"] == lists.groupby("viewer_id").cumcount() + 1).all()
    assert lists["exposure"].to_numpy() == pytest.approx(1.0 / lists["rank"])
    joined = lists.merge(given, on=["viewer_id", "candidate_id"], suffixes=("", "_given"))
    assert len(joined) == len(lists)
    assert (joined["p_like"] == joined["p_like_given"]).all()
    assert lists.attrs["expected_matches"] > 0
    assert lists.attrs["unplaced"] == 0


def test_allocation_is_invariant_to_the_order_of_rows() -> None:
    given = pool()
    shuffled = given.sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(recsys.allocate(given, k=5), recsys.allocate(shuffled, k=5))


def test_a_graph_and_a_table_give_the_same_allocation() -> None:
    graph = CandidateGraph.of([0, 0, 1], [1, 2, 0], p=[0.5, 0.4, 0.9], q=[0.9, 0.9, 0.5], n_people=3)
    lists = recsys.allocate(graph, k=1)
    assert lists[["viewer_id", "candidate_id"]].to_numpy().tolist() == [[0, 2], [1, 0]]  # 1 sees 0 already


def test_budgets_are_aligned_by_id() -> None:
    given = pool()
    ids = sorted(set(given["viewer_id"]) | set(given["candidate_id"]))
    caps = pd.Series(0.5, index=ids)
    values_by_id = recsys.allocate(given, k=5, budget=caps)
    pd.testing.assert_frame_equal(values_by_id, recsys.allocate(given, k=5, budget=0.5))
    pd.testing.assert_frame_equal(values_by_id, recsys.allocate(given, k=5, budget=caps.to_dict()))
    likes = (
        (values_by_id["p_like"].astype(float) / values_by_id["rank"])
        .groupby(values_by_id["candidate_id"])
        .sum()
    )
    assert (likes <= 0.5).all()
    with pytest.raises(InputError, match="has no number in budget"):
        recsys.allocate(given, budget=caps.iloc[1:])


def test_people_who_never_open_lists_send_no_likes() -> None:
    given = pool()
    ids = sorted(set(given["viewer_id"]) | set(given["candidate_id"]))
    lists = recsys.allocate(given, k=5, opens=pd.Series([0.0] + [0.5] * 29, index=ids))
    exposure = lists.groupby("viewer_id")["exposure"].sum()
    assert exposure.get("u00", 0.0) == 0.0
    assert lists["exposure"].max() == 0.5
    with pytest.raises(InputError, match="not a probability in opens"):
        recsys.allocate(given, opens=pd.Series(1.5, index=ids))


def test_minimum_exposure_is_deterministic_given_the_generator() -> None:
    given = pool()
    one, other = (
        recsys.allocate(given, k=2, minimum_exposure=True, rng=np.random.default_rng(5)) for _ in range(2)
    )
    pd.testing.assert_frame_equal(one, other)
    assert set(one["candidate_id"]) == set(given["candidate_id"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="p_like"), "column 'p_like' is missing"),
        (lambda t: pd.concat([t, t.head(1)]), "stands twice"),
        (lambda t: t.assign(p_like=2.0), "not a probability"),
        (lambda t: t.assign(viewer_id=None), "an id is missing"),
        (lambda t: t.to_dict(), "lists must be a DataFrame"),
    ],
)
def test_a_broken_table_is_refused(change, message: str) -> None:
    with pytest.raises(InputError, match=message):
        recsys.allocate(change(pool()))


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="did you mean 'steps'"):
        recsys.allocate(pool(), step=3)
