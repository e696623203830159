"""Every listed viewer stands in one part, and cells stay together where they can."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.pipeline.candidates import Partition, partition
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass

worlds = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=40)


@given(worlds, st.integers(1, 12))
def test_parts_hold_every_viewer_once(world: list[tuple[bool, int]], size: int) -> None:
    listed = np.array([person[0] for person in world], bool)
    cells = np.array([person[1] for person in world], np.uint64)
    cut = partition(listed, cells, size)
    parts = [cut.part(number) for number in range(len(cut))]
    assert sorted(np.concatenate([np.zeros(0, np.int32), *parts]).tolist()) == np.flatnonzero(listed).tolist()
    for part in parts:
        assert 0 < len(part) <= size
        assert (np.diff(part) > 0).all()
    for cell in set(cells[listed].tolist()):
        where = [p for p, part in enumerate(parts) if (cells[part] == cell).any()]
        people = int((cells[listed] == cell).sum())
        assert len(where) == 1 or people > size


def test_a_partition_is_read_back(tmp_path: Path) -> None:
    cut = partition(np.ones(7, bool), np.arange(7, dtype=np.uint64), 3)
    save_dataclass(tmp_path, cut)
    again = load_dataclass(Partition, tmp_path)
    assert [again.part(p).tolist() for p in range(len(again))] == [[0, 1, 2], [3, 4, 5], [6]]
