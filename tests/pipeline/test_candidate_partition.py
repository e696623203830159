"""Every listed viewer stands in one part, and tiles stay together where they can."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.pipeline.candidates import Partition, partition
from recsys.retrieval.tile_order import TileOrder
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass


def tiles_of(lengths: list[int], seed: int = 0) -> TileOrder:
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    return TileOrder(np.random.default_rng(seed).permutation(int(starts[-1])).astype(np.int32), starts)


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_parts_hold_every_viewer_once_and_whole_tiles(lengths: list[int], size: int, seed: int) -> None:
    order = tiles_of(lengths, seed)
    cut = partition(order, size)
    parts = [cut.part(number) for number in range(len(cut))]
    everybody = np.concatenate([np.zeros(0, np.int32), *parts])
    assert sorted(everybody.tolist()) == list(range(len(order.rows)))
    for part in parts:
        assert 0 < len(part) <= size
        assert (np.diff(part) > 0).all()
    for start, stop in pairwise(order.starts):
        in_parts = sum(bool(np.isin(order.rows[start:stop], part).any()) for part in parts)
        assert in_parts == 1 or stop - start > size
    fewest = [len(a) + len(b) > size for a, b in pairwise(parts)]
    assert all(fewest) or max(lengths) > size


def test_a_partition_is_read_back(tmp_path: Path) -> None:
    cut = partition(TileOrder(np.arange(7, dtype=np.int32), np.array([0, 3, 6, 7])), 3)
    save_dataclass(tmp_path, cut)
    again = load_dataclass(Partition, tmp_path)
    assert [again.part(p).tolist() for p in range(len(again))] == [[0, 1, 2], [3, 4, 5], [6]]
