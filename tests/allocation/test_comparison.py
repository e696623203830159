"""Tables of lists are judged as the graphs they stand for."""

import numpy as np
import pandas as pd
import pytest

from recsys.allocation import baseline_rankings, graph_from_lists, simulate_lists
from recsys.allocation.comparison import compare_lists
from recsys.errors import InputError


@pytest.fixture(scope="module")
def pool() -> pd.DataFrame:
    draw_outcomes = np.random.default_rng(4)
    viewer, candidate = np.divmod(np.arange(144), 12)
    apart = viewer != candidate
    like, back = draw_outcomes.random((2, int(apart.sum())))
    table = pd.DataFrame(
        {"viewer_id": [f"p{v:02d}" for v in viewer[apart]], "p_like": like, "p_liked_back": back}
    )
    table.insert(1, "candidate_id", [f"p{c:02d}" for c in candidate[apart]])
    order = table.assign(both=like * back).sort_values(["viewer_id", "both"], ascending=[True, False])
    return table.assign(rank=order.groupby("viewer_id").cumcount() + 1)


def test_tables_and_graphs_give_the_same_figures(pool):
    top = pool[pool["rank"] <= 3]
    shuffled = top.sample(frac=1.0, random_state=1)
    found = simulate_lists(
        pool, {"top": top, "again": shuffled}, reference="top", rng=np.random.default_rng(2)
    )
    graph, _ = graph_from_lists(pool)
    (expected,) = compare_lists(
        graph, {"top": baseline_rankings.product(graph, 3)}, reference="top", rng=np.random.default_rng(2)
    )
    assert found.loc[0, "matches"] == found.loc[1, "matches"] == expected.matches
    assert found["gain"].tolist() == [0.0, 0.0]


def test_longer_lists_bring_more(pool):
    lists = {f"{k}": pool[pool["rank"] <= k] for k in (1, 5)}
    found = simulate_lists(pool, lists, reference="1", rng=np.random.default_rng(2)).set_index("name")
    assert found.loc["5", "gain_lo"] > 0


def test_pairs_outside_the_pool_are_refused(pool):
    stranger = pool.head(1).assign(candidate_id="nobody")
    with pytest.raises(InputError, match=r"a pair is not in the pool in odd: got .*nobody"):
        simulate_lists(pool, {"odd": stranger}, reference="odd", rng=np.random.default_rng(0))
    with pytest.raises(InputError, match=r"did you mean 'top'"):
        simulate_lists(pool, {"top": pool}, reference="tob", rng=np.random.default_rng(0))
