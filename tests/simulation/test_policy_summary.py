import json

import numpy as np
import pytest

from recsys.data.ids import IdIndex
from recsys.errors import InputError
from recsys.simulation.policies import NightsConfig
from recsys.simulation.policy_nights import PolicyHistory, PolicyNights
from recsys.simulation.policy_summary import (
    NIGHT_METRICS,
    SHARE_METRICS,
    NightsSummary,
    PooledTowns,
    summarise,
)


def history(*, lasting: list[list[int]], sent: list[list[int]], exposure: list[float]) -> PolicyHistory:
    found = PolicyHistory(IdIndex(["a", "b", "c", "d"]), 0.5)
    found.lasting, found.matches = [np.array(lasting).reshape(-1, 3)], [np.array(lasting).reshape(-1, 3)]
    found.sent, found.exposure = [np.array(sent).reshape(-1, 3)], np.array(exposure)
    found.listed[:] = 1
    found.there[:] = np.arange(4) < 2 + len(lasting)
    return found


@pytest.fixture
def by_hand() -> PolicyNights:
    """Two nights of four people; d is new. Under `welfare` a-b last from night 0, c-d from night 1."""
    welfare = history(
        lasting=[[0, 0, 1], [1, 2, 3]], sent=[[0, 0, 1], [0, 2, 1], [1, 3, 2]], exposure=[1.0, 1.0, 1.0, 1.0]
    )
    product = history(
        lasting=[[1, 0, 1]], sent=[[0, 0, 1], [0, 2, 1], [0, 3, 1]], exposure=[0.0, 4.0, 0.0, 0.0]
    )
    config = NightsConfig(nights=2, policies=("product", "welfare"))
    return PolicyNights(
        config, 4, np.array([False, False, False, True]), {"product": product, "welfare": welfare}
    )


def test_metrics_match_a_hand_worked_history(by_hand: PolicyNights) -> None:
    product, welfare = (
        PooledTowns.of([by_hand], name).measures(np.ones(4)) for name in ("product", "welfare")
    )
    assert list(product) == list(NIGHT_METRICS)
    assert (product["lasting_per_1000"], welfare["lasting_per_1000"]) == (250.0, 500.0)
    assert (product["someone"], welfare["someone"]) == (0.5, 1.0)
    assert (product["answered"], welfare["answered"]) == pytest.approx((1 / 3, 2 / 3))
    assert (product["exposure_gini"], welfare["exposure_gini"]) == (0.75, 0.0)
    assert (product["stayed"], welfare["stayed"]) == (0.75, 1.0)
    assert (product["top_load"], welfare["top_load"]) == (1.5, 1.0)
    assert (product["cold_someone"], welfare["cold_someone"]) == (0.0, 1.0)


def test_people_count_as_often_as_they_are_drawn(by_hand: PolicyNights) -> None:
    """A pair counts the product of its two, everybody once for each draw."""
    found = PooledTowns.of([by_hand], "welfare").measures(np.array([2.0, 1.0, 1.0, 0.0]))
    assert found["lasting_per_1000"] == 1000.0 * 2 / 4
    assert found["someone"] == 1.0
    assert np.isnan(found["cold_someone"])


def test_curves_end_at_the_final_metric(by_hand: PolicyNights) -> None:
    curves = PooledTowns.of([by_hand], "welfare").curves(np.ones(4))
    assert curves["lasting_per_1000"].tolist() == [250.0, 500.0]
    assert curves["someone"].tolist() == [0.5, 1.0]


def test_lorenz_curve_matches_a_hand_worked_one(by_hand: PolicyNights) -> None:
    assert PooledTowns.of([by_hand], "welfare").lorenz(5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert PooledTowns.of([by_hand], "product").lorenz(5).tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_gains_are_shares_of_the_baseline(by_hand: PolicyNights) -> None:
    summary = summarise([by_hand], rng=np.random.default_rng(0), n_resamples=20)
    assert summary.gain("welfare", "lasting_per_1000")["value"] == 1.0
    assert summary.gain("product", "someone").tolist() == [0.0, 0.0, 0.0]
    assert summary.about["interval"] == "people"


def test_intervals_stay_in_the_range_of_their_metric(by_hand: PolicyNights) -> None:
    summary = summarise([by_hand], rng=np.random.default_rng(1), n_resamples=40)
    assert (summary.measures[["lo", "hi"]].stack() >= 0.0).all()
    shares = summary.measures[summary.measures["measure"].isin(SHARE_METRICS)]
    assert (shares["hi"].dropna() <= 1.0).all()
    assert (summary.gains["lo"].dropna() >= -1.0).all()


def test_with_many_towns_the_interval_is_over_towns(outcome: PolicyNights) -> None:
    summary = summarise([outcome] * 3, rng=np.random.default_rng(0))
    line = summary.value("product", "someone")
    assert summary.about["interval"] == "towns"
    assert line["lo"] == pytest.approx(line["value"]) == pytest.approx(line["hi"])  # three equal towns
    assert summary.value("product", "matches_per_1000")["value"] == pytest.approx(
        summarise([outcome], rng=np.random.default_rng(0), n_resamples=2).value(
            "product", "matches_per_1000"
        )["value"]
    )


def test_a_summary_survives_a_json_round_trip(outcome: PolicyNights) -> None:
    summary = summarise([outcome], rng=np.random.default_rng(0), n_resamples=5)
    text = json.dumps(summary.as_json(), allow_nan=False)
    again = NightsSummary.from_json(json.loads(text))
    assert again.as_json() == json.loads(text)
    assert again.gain("welfare", "someone").tolist() == summary.gain("welfare", "someone").tolist()
    assert again.policies == ["product", "random", "welfare"]


def test_a_summary_without_nights_is_refused(by_hand: PolicyNights) -> None:
    with pytest.raises(InputError, match="no nights"):
        summarise([], rng=np.random.default_rng(0))
    summary = summarise([by_hand], rng=np.random.default_rng(0), n_resamples=2)
    with pytest.raises(InputError, match="no such figure"):
        summary.gain("nash", "someone")
