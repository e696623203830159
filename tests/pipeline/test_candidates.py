"""The pool of a night read some whole lists at a time."""

from pathlib import Path

import numpy as np
import pytest

from recsys.data.population import Population
from recsys.errors import UnknownIdError
from recsys.pipeline import allocation
from recsys.pipeline import list_files as list_table
from recsys.pipeline.allocation import read_pool
from recsys.pipeline.list_files import list_table as table_of
from recsys.pipeline.list_files import write_table
from recsys.pipeline.paths import NightPaths
from recsys.ranking.ranked_pairs import RankedPairs

PEOPLE = Population.of_ids([f"u{row:02d}" for row in range(20)], as_of="2026-01-05")


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[NightPaths, RankedPairs]:
    rng, viewer = np.random.default_rng(8), np.repeat(np.arange(20, dtype=np.int32), 7)
    p, q = rng.random((2, 140), np.float32)
    pairs = RankedPairs(
        viewer,
        (viewer + np.tile(np.arange(1, 8), 20)).astype(np.int32) % 20,
        p,
        q,
        (p * q).astype(np.float64),
    )
    monkeypatch.setattr(list_table, "ROWS_A_GROUP", 2)
    write_table(tmp_path / "pool.parquet", [table_of(pairs, PEOPLE, None)])
    return NightPaths(tmp_path), pairs


@pytest.mark.parametrize("people_a_group", [1_000, 5])
def test_pieces_are_whole_lists_and_together_everything(
    pool: tuple[NightPaths, RankedPairs], people_a_group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocation, "_PEOPLE_A_GROUP", people_a_group)
    work, pairs = pool
    pieces = list(read_pool(work, PEOPLE.ids))
    assert len(pieces) > 5
    viewers = [viewer for piece in pieces for viewer in np.unique(piece.viewer)]
    assert viewers == sorted(set(viewers))
    found = RankedPairs.joined(pieces)
    for name in ("viewer", "candidate", "p_like", "p_liked_back"):
        assert getattr(found, name).tobytes() == getattr(pairs, name).tobytes()
    assert np.array_equal(found.p_mutual.astype(np.float32), pairs.p_mutual.astype(np.float32))
    assert np.array_equal(np.concatenate([piece.rank() for piece in pieces]), pairs.rank())


def test_a_pool_of_other_people_is_refused(pool: tuple[NightPaths, RankedPairs]) -> None:
    fewer = Population.of_ids(PEOPLE.ids.values[:-1].tolist(), as_of="2026-01-05")
    with pytest.raises(UnknownIdError, match="u19"):
        list(read_pool(pool[0], fewer.ids))
