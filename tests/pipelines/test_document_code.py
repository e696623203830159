"""Every Python block of the documents runs, beside the files a night wrote."""

import re
from contextlib import chdir
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from tests.pipelines.nights import ROOT, Folder

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "data/README.md")


BLOCKS = [
    pytest.param(code, id=f"{name}-{number}")
    for name in DOCUMENTS
    for number, code in enumerate(BLOCK.findall(Path(ROOT / name).read_text()), start=1)
]


@pytest.mark.parametrize("code", BLOCKS)
def test_the_block_runs(code, golden: Folder, tmp_path, capsys):
    mpl.use("agg")
    source = tmp_path / "block.py"
    source.write_text(code)
    with chdir(golden.root):
        exec(compile(code, str(source), "exec"), {"__name__": "block"})
    plt.close("all")
