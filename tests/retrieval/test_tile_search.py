"""Threads and spawned processes give the bytes that one thread gives, within the memory allowed."""

from pathlib import Path

import numpy as np
import pytest

from recsys.errors import SettingsError
from recsys.retrieval import Retriever, mutual_top_k
from recsys.retrieval.index import TileIndex, build_index
from recsys.retrieval.memory_limit import COLUMNS, BlockShape, block_shape_within, index_bytes, scratch_bytes
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from tests.retrieval.test_top_k import same_bytes
from tests.retrieval.worlds import compiled_world, directed_world


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_spawned_processes_change_no_byte(workers: int) -> None:
    rng = np.random.default_rng(1)
    compiled, directed = compiled_world(rng, 120), directed_world(rng, 120, 9)
    retriever, done = Retriever(directed, compiled, tile=16), []
    usual = retriever.top_k(k=6, exclude=[[0, 1], [5, 7]])
    found = retriever.top_k(
        k=6, exclude=[[0, 1], [5, 7]], workers=workers, processes=True, progress=done.append
    )
    assert same_bytes(usual, found)
    assert sum(done) == len(found)


def test_processes_with_nobody_to_search_for() -> None:
    rng = np.random.default_rng(2)
    compiled, directed = compiled_world(rng, 3), directed_world(rng, 3)
    assert len(mutual_top_k(directed, compiled, viewers=[], k=2, workers=2, processes=True)) == 0


def test_mapped_layouts_hold_the_same_and_cannot_change_the_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    layout = build_index(directed_world(rng, 40), compiled_world(rng, 40), 8)
    save_dataclass(tmp_path, layout)
    opened = load_dataclass(TileIndex, tmp_path, mmap="c", verify=False)
    assert np.array_equal(opened.people.taste, layout.people.taste)
    assert np.array_equal(opened.sparse.separated.indices, layout.sparse.separated.indices)
    assert opened.words.starts.tolist() == layout.words.starts.tolist()
    opened.people.taste[:] = 7.0
    assert np.array_equal(load_dataclass(TileIndex, tmp_path).people.taste, layout.people.taste)


def test_a_saved_retriever_finds_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    retriever = Retriever(directed_world(rng, 90), compiled_world(rng, 90), tile=16)
    for _ in range(2):  # the second time over the first
        retriever.save(tmp_path / "laid_out")
    opened = Retriever.opened(tmp_path / "laid_out")
    left_out = [[0, 1], [5, 7]]
    assert len(retriever.top_k(k=6)) > 0
    assert same_bytes(opened.top_k(k=6, exclude=left_out), retriever.top_k(k=6, exclude=left_out))


def test_memory_mapped_factors_are_not_written(tmp_path: Path) -> None:
    from recsys.models.directed import Directed

    rng = np.random.default_rng(4)
    compiled, directed = compiled_world(rng, 60), directed_world(rng, 60)
    for name in ("taste", "appeal"):
        np.save(tmp_path / f"{name}.npy", getattr(directed, name))
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    taste, appeal = (np.load(tmp_path / f"{name}.npy", mmap_mode="r+") for name in ("taste", "appeal"))
    mapped = Directed(directed.ids, taste, appeal, directed.distance_decay, directed.cell)
    assert same_bytes(mutual_top_k(directed, compiled, k=5), mutual_top_k(mapped, compiled, k=5, workers=2))
    taste.flush()
    appeal.flush()
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


class TestMemory:
    def test_any_budget_that_is_accepted_changes_no_byte(self) -> None:
        rng = np.random.default_rng(5)
        compiled, directed = compiled_world(rng, 200), directed_world(rng, 200)
        usual = mutual_top_k(directed, compiled, k=7)
        least = None
        for memory_mb in np.geomspace(0.05, 20, 30):
            try:
                found = mutual_top_k(directed, compiled, k=7, workers=2, memory_mb=memory_mb)
            except SettingsError:
                assert least is None, "a larger budget was refused"
            else:
                least = memory_mb if least is None else least
                assert same_bytes(usual, found)
        assert least is not None
        assert 0.05 < least < 5

    def test_the_copy_alone_may_be_too_large(self) -> None:
        rng = np.random.default_rng(6)
        with pytest.raises(SettingsError, match="too little memory"):
            Retriever(directed_world(rng, 500, 64), compiled_world(rng, 500), memory_mb=0.1)

    def test_chunks_shrink_until_they_fit(self) -> None:
        def chunks(memory_mb: float, k: int = 100) -> BlockShape:
            return block_shape_within(
                memory_mb, taken=0, n_viewers=0, n_people=10_000, n_factors=128, k=k, workers=2, tile=128
            )

        assert chunks(1000) == BlockShape(128, COLUMNS)
        for memory_mb in (4.0, 3.0, 1.5):
            smaller = chunks(memory_mb)
            assert smaller < BlockShape(128, COLUMNS)
            assert 2 * scratch_bytes(smaller, 10_000, 128, 100) <= memory_mb * 2**20
        with pytest.raises(SettingsError, match="at least"):
            chunks(0.5)

    @pytest.mark.parametrize("near", [False, True])
    def test_the_stated_size_of_a_layout_is_about_its_size(self, near: bool) -> None:
        rng = np.random.default_rng(7)
        compiled, directed = compiled_world(rng, 3000), directed_world(rng, 3000, 32, near=near)

        def size(value: object) -> int:
            return value.nbytes if isinstance(value, np.ndarray) else sum(map(size, value))  # type: ignore[call-overload]

        found, stated = size(build_index(directed, compiled, 128)), index_bytes(directed, compiled)
        assert 0.7 * found < stated < 1.5 * found
