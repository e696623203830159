"""The blocks of docs/how-to/talk-to-members.md run, one after the other."""

import re
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "how-to" / "talk-to-members.md"


def test_every_block_runs(capsys: Any) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    space: dict[str, Any] = {"__name__": "words"}
    for block in blocks:
        exec(compile(block, str(DOCUMENT), "exec"), space)
    assert "example.org/help" in capsys.readouterr().out
