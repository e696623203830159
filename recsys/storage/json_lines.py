"""Files of JSON lines: each line is one value, ended by a line feed, and added with one write."""

import os
from pathlib import Path

_OWNER_ALONE = 0o600


def read_json_lines(path: Path) -> list[str]:
    r"""Return the lines of a file, none where it is not there.

    A line feed alone ends a line: other separators, such as U+2028, stand in texts. What follows the last one
    was cut short by a crash or a full disk and is left out.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.jsonl")
    ...     _ = path.write_text('"a\u2028b"\n"c', encoding="utf-8")
    ...     before = read_json_lines(path)
    ...     add_json_line(path, '"d"')
    ...     before, read_json_lines(path)
    (['"a\u2028b"'], ['"a\u2028b"', '"c', '"d"'])
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]


def add_json_line(path: Path, line: str, *, mode: int = _OWNER_ALONE, wait: bool = False) -> None:
    """Add a line at the end of a file that is made when it is not there.

    It is one write, so lines of two processes do not mix. A line before it that was cut short is ended first,
    and stays as it is.

    mode: of a file that is made; readable by its owner alone unless said. wait: until it is on the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    try:
        size = os.fstat(file).st_size
        is_cut = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        os.write(file, ("\n" * is_cut + line + "\n").encode())
        if wait:
            os.fsync(file)
    finally:
        os.close(file)


def remove_unfinished_line(path: Path) -> None:
    """Take away what a crash left of a last line; for whoever alone writes to the file."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)
