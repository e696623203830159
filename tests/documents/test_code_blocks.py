"""Every Python block of the documents runs, beside the files a night wrote."""

import re
import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from tests.pipeline.nights import ROOT, Folder

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_ONE_PIECE = {
    "docs/how-to/use-your-own-interactions.md",
    "docs/how-to/talk-to-members.md",
    "docs/how-to/extend.md",
    "docs/tutorials/lists-from-your-own-log.md",
    "docs/tutorials/your-service.md",
}
"""Pages whose blocks are one program; they have a test of their own."""
DOCUMENTS = sorted(
    {
        path.relative_to(ROOT).as_posix()
        for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
        if not path.name.endswith(".ja.md")  # kept in step with the English page by test_japanese_pages
    }
    - IN_ONE_PIECE
    | {"data/README.md"}
)


BLOCKS = [
    pytest.param(code, id=f"{name}-{number}")
    for name in DOCUMENTS
    for number, code in enumerate(BLOCK.findall(Path(ROOT / name).read_text()), start=1)
]


@pytest.fixture(scope="module")
def folder(golden: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder of their own with a night in it: some blocks leave files behind."""
    root = tmp_path_factory.mktemp("documents") / "night"
    shutil.copytree(golden.root, root)
    return Folder(root)


@pytest.mark.parametrize("code", BLOCKS)
def test_the_block_runs(code, folder: Folder, tmp_path, capsys):
    mpl.use("agg")
    source = tmp_path / "block.py"
    source.write_text(code)
    with chdir(folder.root):
        exec(compile(code, str(source), "exec"), {"__name__": "block"})
    plt.close("all")


def test_the_readme_goes_from_a_publication_to_a_page(folder: Folder, capsys):
    (code,) = [block for block in BLOCK.findall((ROOT / "README.md").read_text()) if "Ranker.open" in block]
    assert len(code.splitlines()) <= 14
    names: dict[str, Any] = {"__name__": "block"}
    with chdir(folder.root):
        exec(compile(code, "README.md", "exec"), names)
    assert len(names["page"].items) == len(names["events"]) == 3
    assert "listed" in capsys.readouterr().out
    again = {item.candidate_id for item in names["ranker"].rank(names["viewer"], k=20).items}
    assert not again & {item.candidate_id for item in names["page"].items}
    names["ranker"].close()
