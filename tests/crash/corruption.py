"""Every file of a publication, damaged in every way a disk or a hand can: none may be taken for good."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recsys.errors import RecsysError
from recsys.storage.manifest import MANIFEST
from recsys.storage.publication import CURRENT, RUNS, current_run


@dataclass
class Tried:
    """How many damaged publications were opened, and which of them were taken for good."""

    tried: int = 0
    loaded: list[str] = field(default_factory=list)


def damages(content: bytes, rng: np.random.Generator, flips: int) -> Iterator[tuple[str, bytes | None]]:
    """Yield ways to damage a file: gone, cut short in several places, grown, single bits turned."""
    yield "gone", None
    if content:
        yield from ((f"cut at {at}", content[:at]) for at in sorted({0, len(content) // 2, len(content) - 1}))
    yield "grown", content + b"\0"
    for at in rng.integers(0, max(len(content), 1), flips).tolist() if content else ():
        bit = int(rng.integers(8))
        yield f"bit {bit} of byte {at}", content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def try_all(
    published: Path, open_it: Callable[[], object], rng: np.random.Generator, *, flips: int = 3
) -> Tried:
    """Damage the pointer and every file of what is served, one at a time, and try to open it each time."""
    run_id = current_run(published)
    files = [published / CURRENT, *sorted((published / RUNS / str(run_id)).rglob("*"))]
    open_it()  # undamaged, it opens
    found = Tried()
    for path in (path for path in files if path.is_file()):
        content = path.read_bytes()
        for how, damaged in damages(content, rng, flips):
            found.tried += 1
            path.unlink() if damaged is None else path.write_bytes(damaged)
            try:
                if not _says_the_same(path, damaged, content):
                    open_it()
                    found.loaded.append(f"{path.relative_to(published)}: {how}")
            except RecsysError:
                pass
            finally:
                path.write_bytes(content)
    open_it()
    return found


def _says_the_same(path: Path, damaged: bytes | None, content: bytes) -> bool:
    """Say whether a damaged pointer or manifest still says the same: space around it means nothing."""
    if damaged is None or path.name not in {CURRENT, MANIFEST}:
        return False
    return damaged.strip(b" \n\r\t\v\f") == content.strip()
