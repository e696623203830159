"""Tiles shared out among one thread, several threads, or spawned processes."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from recsys.retrieval.index import Layout
from recsys.retrieval.shortlist import Best, Chunks
from recsys.retrieval.tile_search import Search, Workspace, tile_best
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import Int32Array

Found = Iterator[tuple[Int32Array, Best]]

_AHEAD = 4
"""Tiles in work or finished and not yet taken, for each worker: so that results do not pile up."""


def in_this_thread(layout: Layout, tiles: Sequence[Int32Array], search: Search, chunks: Chunks) -> Found:
    """Yield each tile's rows and lists, in order."""
    work = Workspace(chunks, layout, search.wanted.k)
    for rows in tiles:
        yield rows, tile_best(layout, rows, search, work)


def in_threads(
    layout: Layout, tiles: Sequence[Int32Array], search: Search, chunks: Chunks, workers: int
) -> Found:
    """Yield the same from several threads; kernels run without the interpreter's lock."""
    spaces: SimpleQueue[Workspace] = SimpleQueue()
    for _ in range(workers):
        spaces.put(Workspace(chunks, layout, search.wanted.k))

    def one(rows: Int32Array) -> Best:
        work = spaces.get()
        try:
            return tile_best(layout, rows, search, work)
        finally:
            spaces.put(work)

    with ThreadPoolExecutor(workers) as pool:
        yield from _in_order(pool, one, tiles, workers)


def in_processes(
    layout: Layout, tiles: Sequence[Int32Array], search: Search, chunks: Chunks, workers: int
) -> Found:
    """Yield the same from spawned processes, which share the layout through memory-mapped files."""
    spawn = multiprocessing.get_context("spawn")
    with TemporaryDirectory(prefix="retrieval-") as folder:
        save_dataclass(folder, layout)
        given = (folder, search, chunks)
        with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start, initargs=given) as pool:
            yield from _in_order(pool, _tile_of_this_process, tiles, workers)


def _in_order(pool: Executor, one: Any, tiles: Sequence[Int32Array], workers: int) -> Found:
    """Yield results in the order of `tiles`, keeping a few tiles a worker under way."""
    under_way = [pool.submit(one, rows) for rows in tiles[: _AHEAD * workers]]
    for at, rows in enumerate(tiles):
        best = under_way[at].result()
        under_way[at] = None  # type: ignore[call-overload]
        if len(under_way) < len(tiles):
            under_way.append(pool.submit(one, tiles[len(under_way)]))
        yield rows, best


class _Process:
    """What a spawned process holds: set once, when it starts."""

    layout: Layout
    search: Search
    work: Workspace


def _start(folder: str, search: Search, chunks: Chunks) -> None:
    _Process.layout = load_dataclass(Layout, folder, mmap="c", verify=False)
    _Process.search = search
    _Process.work = Workspace(chunks, _Process.layout, search.wanted.k)


def _tile_of_this_process(rows: Int32Array) -> Best:
    return tile_best(_Process.layout, rows, _Process.search, _Process.work)
