"""Rows below each other become one row a viewer, whatever the batches."""

import numpy as np
import pandas as pd
import pytest

from recsys.pipeline.list_files import write_lists
from recsys.pipeline.postgres_served_lists import viewer_rows


def some_lists(n_viewers: int, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    rows = [
        (
            f"v{viewer:04d}",
            f"c{draw.integers(1000)}",
            rank + 1,
            *draw.random(3),
            ["near", "circle"][: rank % 3],
        )
        for viewer in range(n_viewers)
        for rank in range(draw.integers(1, 8))
    ]
    columns = ["viewer_id", "candidate_id", "rank", "p_like", "p_liked_back", "p_mutual", "reasons"]
    return pd.DataFrame(rows, columns=columns).astype({"rank": "int32"})


@pytest.mark.parametrize("rows_at_once", [1, 7, 64, 1 << 20])
def test_every_suggestion_stands_in_its_viewers_row_in_order(tmp_path, rows_at_once):
    lists = with_propensity(some_lists(60))
    write_lists(tmp_path / "lists.parquet", lists)
    table = viewer_rows(tmp_path / "lists.parquet", rows_at_once=rows_at_once).read_all().to_pandas()
    assert table["viewer_id"].tolist() == sorted(lists["viewer_id"].unique())
    for _, row in table.iterrows():
        own = lists[lists["viewer_id"] == row["viewer_id"]]
        assert row["candidate_id"].tolist() == own["candidate_id"].tolist()
        np.testing.assert_allclose(row["p_like"], own["p_like"], rtol=1e-6)
        assert row["reasons"].tolist() == [",".join(codes) for codes in own["reasons"]]


def test_no_lists_are_no_rows(tmp_path):
    write_lists(tmp_path / "lists.parquet", with_propensity(some_lists(0)))
    reader = viewer_rows(tmp_path / "lists.parquet")
    assert reader.read_all().num_rows == 0
    assert "candidate_id" in reader.schema.names


def with_propensity(lists: pd.DataFrame) -> pd.DataFrame:
    """The columns of lists as they are published."""
    from recsys.pipeline.list_files import SCHEMA

    return lists.assign(**{name: 1.0 for name in SCHEMA.names if name not in lists})
