"""Searches for a text in every file, whatever it is; shares no code with the package."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq


def files_with(root: Path, text: str) -> list[str]:
    """Return the files under `root` that hold `text` in their bytes or in any cell of a table."""
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and (text.encode() in path.read_bytes() or _in_cells(path, text))
    ]


def _in_cells(path: Path, text: str) -> bool:
    if path.read_bytes()[:4] != b"PAR1":
        return False
    table = pq.ParquetFile(path).read()
    said = str(table.schema.metadata) + table.to_pandas().to_csv()
    dictionaries = (pd.Series(column.to_pylist()).astype(str).str.contains(text) for column in table.columns)
    return text in said or any(found.any() for found in dictionaries)
