"""The blocks of docs/tutorials/your-service.md run, one after the other, in an empty folder."""

import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from recsys.config import TOKEN_SECRET
from recsys.mapping.functions import function_names
from recsys.safety.keys import ENVIRONMENT

DOCS = Path(__file__).parents[2] / "docs"


def test_every_block_of_the_lesson_runs(tmp_path: Path, capsys: Any) -> None:
    page = DOCS / "tutorials" / "your-service.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    space: dict[str, Any] = {"__name__": "service"}
    with pytest.MonkeyPatch.context() as patch, chdir(tmp_path):
        for name in (ENVIRONMENT, TOKEN_SECRET):  # the lesson sets them; given back as they were
            patch.setenv(name, "x")
        for block in blocks:
            exec(compile(block, str(page), "exec"), space)
    shown = capsys.readouterr().out
    assert "59 of 60 people could be listed" in shown
    assert "mail.example" not in shown


def test_the_reference_names_every_function_and_no_other() -> None:
    text = (DOCS / "reference" / "mapping.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)\(", text, re.MULTILINE)
    assert sorted(set(named)) == sorted(function_names())


def test_the_consent_kit_has_every_form_text_in_both_languages() -> None:
    text = (DOCS / "how-to" / "ask-for-consent.md").read_text(encoding="utf-8")
    forms = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert len(forms) >= 12
    for _, ja, en in forms:
        assert re.search("[ぁ-ん]", ja)
        assert re.search("[a-z]", en)
