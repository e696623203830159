"""The blocks of these pages run, one after the other, from top to bottom of a page."""

import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from recsys.config import TOKEN_SECRET
from recsys.mapping.functions import function_names
from recsys.safety.keys import ENVIRONMENT

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shown_by(page: str, capsys: Any) -> str:
    """Run the blocks of a page and return what they print."""
    blocks = _BLOCK.findall((DOCS / page).read_text("utf-8"))
    assert blocks
    space: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, page, "exec"), space)
    return str(capsys.readouterr().out)


def test_talk_to_members(capsys: Any) -> None:
    assert "example.org/help" in shown_by("how-to/talk-to-members.md", capsys)


def test_lists_from_your_own_log(capsys: Any) -> None:
    """The page asserts that its lists are ahead of those of ALS; here it runs."""
    assert "more_lo" in shown_by("tutorials/lists-from-your-own-log.md", capsys)


def test_use_your_own_interactions(capsys: Any) -> None:
    said = shown_by("how-to/use-your-own-interactions.md", capsys)
    assert "2 rows set aside" not in said.splitlines()[1]
    assert "outcome.missing" in said
    assert "ndcg@5" in said


def test_your_service(tmp_path: Path, capsys: Any) -> None:
    with pytest.MonkeyPatch.context() as patch, chdir(tmp_path):
        for name in (ENVIRONMENT, TOKEN_SECRET):  # the lesson sets them; given back as they were
            patch.setenv(name, "x")
        shown = shown_by("tutorials/your-service.md", capsys)
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
