"""The pages about other people's data are programs, and they run."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-your-own-interactions.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


TUTORIAL = PAGE.parents[1] / "tutorials" / "lists-from-your-own-log.md"


def test_lists_of_the_tutorial_are_ahead_of_als(capsys):
    """The page asserts that it is so; here it runs."""
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    exec(compile("\n".join(blocks), str(TUTORIAL), "exec"), {"__name__": "page"})
    assert "more_lo" in capsys.readouterr().out


def test_the_page_runs_from_top_to_bottom(capsys, tmp_path):
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 5
    exec(compile("\n".join(blocks), str(PAGE), "exec"), {"__name__": "page"})
    said = capsys.readouterr().out
    assert "2 rows set aside" not in said.splitlines()[1]
    assert "outcome.missing" in said
    assert "ndcg@5" in said
