"""One absurdly long field must not cost the whole file: it is cut before the file is parsed."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

LONGEST: Final = 1 << 20
"""Bytes between two separators, quotes or line ends that are left alone."""

KEPT: Final = 1 << 14
"""Bytes kept of a longer run: still too long for any column, so its row is quarantined."""

_CHUNK: Final = 1 << 26
_MARKS: Final = np.frombuffer(b',"\r\n', np.uint8)


def shortened(path: Path) -> bytes:
    r"""Return the content of a CSV file with every run longer than `LONGEST` cut to `KEPT` bytes.

    A run is what stands between commas, quotes and line ends. Cut inside a character, the rest of
    that character goes too, so UTF-8 stays UTF-8.
    """
    content = np.memmap(path, np.uint8, "r")
    parts: list[bytes] = []
    written = 0
    for start, end in _long_runs(content):
        kept = content[start : start + KEPT].tobytes().decode("utf-8", "ignore").encode()
        parts += [content[written:start].tobytes(), kept]
        written = end
    return b"".join([*parts, content[written:].tobytes()])


def _long_runs(content: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return where each long run starts and ends, in order."""
    runs: list[tuple[int, int]] = []
    begin = 0
    for offset in range(0, len(content), _CHUNK):
        chunk = content[offset : offset + _CHUNK]
        ends = np.flatnonzero(np.isin(chunk, _MARKS)).astype(np.int64) + offset
        starts = np.concatenate([[begin], ends[:-1] + 1]) if len(ends) else ends
        long = ends - starts > LONGEST
        runs += zip(starts[long].tolist(), ends[long].tolist(), strict=True)
        begin = int(ends[-1]) + 1 if len(ends) else begin
    if len(content) - begin > LONGEST:
        runs.append((begin, len(content)))
    return runs
