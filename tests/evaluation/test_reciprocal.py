import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.errors import SettingsError
from recsys.evaluation.reciprocal import reciprocal_metrics

N, K = 12, 3


@pytest.fixture(scope="module")
def market():
    """Return random likes of everybody, and lists of three places."""
    rng = np.random.default_rng(4)
    i, j = np.divmod(np.arange(N * N), N)
    i, j = i[i != j], j[i != j]
    truth = pd.DataFrame({"viewer_id": i, "candidate_id": j, "label": (rng.random(len(i)) < 0.4).astype(int)})
    places = truth.assign(score=rng.random(len(truth))).sort_values(["viewer_id", "score"])
    lists = places.assign(rank=places.groupby("viewer_id").cumcount() + 1).query("rank <= @K")
    return truth, lists[["viewer_id", "candidate_id", "rank"]]


def test_joint_metrics_are_those_counted_one_match_after_another(market):
    truth, lists = market
    liked = {(r.viewer_id, r.candidate_id) for r in truth.itertuples() if r.label}
    place = {(r.viewer_id, r.candidate_id): r.rank for r in lists.itertuples()}
    found = {(a, b) for a, b in liked if a < b and (b, a) in liked}
    one = sum((a, b) in place or (b, a) in place for a, b in found)
    two = sum((a, b) in place and (b, a) in place for a, b in found)
    gains = []
    for viewer in range(N):
        own = {b if a == viewer else a for a, b in found if viewer in (a, b)}
        gain = sum(1 / np.log2(1 + place[viewer, c]) for c in own if (viewer, c) in place)
        if own:
            gains.append(gain / sum(1 / np.log2(2 + at) for at in range(min(K, len(own)))))
    expected = {
        "crecall": one / len(found),
        "cprecision": one / (K * N),
        "srecall": two / len(found),
        "sprecision": 2 * two / (K * N),
        "rndcg": np.mean(gains),
    }
    assert 0 < two < one < len(found)
    table = recsys.compare({"lists": lists}, truth, k=K, metrics=reciprocal_metrics(K)).set_index("metric")
    for name, value in expected.items():
        row = table.loc[f"{name}@{K}"]
        assert row["value"] == pytest.approx(value), name
        assert row["lo"] <= row["value"] <= row["hi"], name
        assert 0.0 < row["random"] < 1.0, name


def test_without_a_match_no_share_of_matches_is_a_number(market):
    truth, lists = market
    nobody = recsys.compare(
        {"lists": lists}, truth.assign(label=0), k=K, metrics=reciprocal_metrics(K)
    ).set_index("metric")
    assert np.isnan(nobody.loc[[f"crecall@{K}", f"srecall@{K}", f"rndcg@{K}"], "value"]).all()
    assert (nobody.loc[[f"cprecision@{K}", f"sprecision@{K}"], "value"] == 0.0).all()


def test_a_list_without_places_is_refused():
    with pytest.raises(SettingsError, match="whole number from 1"):
        reciprocal_metrics([5, 0])
