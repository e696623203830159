"""Which numbers of the committed notebooks are no longer what their code gives.

    python -m tests.notebooks.changed [NOTEBOOK...]

runs notebooks as they were committed, in memory, and prints every number in the text of an output that moved by
more than a thousandth; it ends with 1 when there is one. Pictures are not compared, the numbers beside them are.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
TOLERANCE = 1e-3
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?%?")


def changed_numbers(path: Path) -> list[str]:
    """Run a notebook and return a line for each cell whose numbers are not the committed ones."""
    committed = nbformat.read(path, as_version=4)
    anew = nbformat.read(path, as_version=4)
    NotebookClient(anew, timeout=1800, kernel_name="python3", resources={"metadata": {"path": FOLDER}}).execute()
    return list(differences(committed, anew))


def differences(committed: Any, anew: Any) -> Iterator[str]:
    """Yield a line for each cell of which the numbers differ, with the first that does."""
    for old, new in zip(committed.cells, anew.cells, strict=True):
        if old.cell_type != "code":
            continue
        before, now = numbers_of(old), numbers_of(new)
        first = old.source.partition("\n")[0]
        if len(before) != len(now):
            yield f"[{old.execution_count}] {first}: {len(before)} numbers were {len(now)}"
        for was, found in zip(before, now, strict=False):
            if abs(was - found) > TOLERANCE * max(abs(was), abs(found), 1.0):
                yield f"[{old.execution_count}] {first}: {was:g} is now {found:g}"
                break


def numbers_of(cell: Any) -> list[float]:
    """Return the numbers in the text of a cell's outputs, in their order; those of HTML stand in the text too."""
    texts = [out.get("text") or out.get("data", {}).get("text/plain", "") for out in cell.get("outputs", ())]
    told = [text for text in texts if "object at 0x" not in text and not text.startswith("<Figure")]
    found = (number for text in told for number in _NUMBER.findall(text))
    return [float(number.rstrip("%").replace(",", "")) for number in found]


def main(names: list[str]) -> int:
    """Compare the notebooks named, all without a name; return how many changed."""
    changed = 0
    for path in [Path(name) for name in names] or sorted(FOLDER.glob("*.ipynb")):
        lines = changed_numbers(path)
        changed += bool(lines)
        print(f"{path.name}: {len(lines)} cells changed", *lines, sep="\n  ")
    return changed


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
