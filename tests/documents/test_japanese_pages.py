"""A page in Japanese keeps in step with its English one: headings, blocks of code and figures."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAIRS = sorted(
    (path.with_name(path.name.replace(".ja.md", ".md")), path)
    for folder in (ROOT, *(ROOT / "docs").rglob("*"))
    if folder.is_dir()
    for path in folder.glob("*.ja.md")
)
_BLOCK = re.compile(r"```.*?```", re.DOTALL)
_FIGURE = re.compile(r"(?<![\w/.-])\d*[.,]?\d+(?:,\d{3})*(?![\w/-])", re.ASCII)


def sections(text: str) -> list[tuple[int, str]]:
    """Return the level and the content of each section; a line within a block of code begins none."""
    hidden = _BLOCK.sub(lambda block: block[0].replace("\n#", "\n\0"), text)
    parts = re.split(r"^(#{1,4}) .*$", hidden, flags=re.MULTILINE)[1:]
    return [
        (len(level), content.replace("\0", "#"))
        for level, content in zip(parts[::2], parts[1::2], strict=True)
    ]


def figures(content: str) -> list[str]:
    """Return the figures of two digits and more outside code and links."""
    plain = re.sub(r"\]\([^)]*\)|`[^`]*`|<!--.*?-->", "", _BLOCK.sub("", content))
    return sorted(
        found.replace(",", "") for found in _FIGURE.findall(plain) if len(re.sub(r"\D", "", found)) > 1
    )


def lagging(english: str, japanese: str) -> list[str]:
    """Return what is out of step, section by section, with the heading's number."""
    ours, theirs = sections(english), sections(japanese)
    if [level for level, _ in ours] != [level for level, _ in theirs]:
        return [f"headings: {[level for level, _ in ours]} and {[level for level, _ in theirs]}"]
    names = re.findall(r"^#{1,4} (.*)$", _BLOCK.sub("", english), flags=re.MULTILINE)
    found = []
    for name, (_, mine), (_, other) in zip(names, ours, theirs, strict=True):
        if _BLOCK.findall(mine) != _BLOCK.findall(other):
            found.append(f"code under '{name}'")
        if figures(mine) != figures(other):
            found.append(f"figures under '{name}': {figures(mine)} and {figures(other)}")
    return found


@pytest.mark.parametrize(("english", "japanese"), PAIRS, ids=lambda path: str(path.relative_to(ROOT)))
def test_both_languages_are_in_step(english: Path, japanese: Path) -> None:
    assert english.exists()
    assert lagging(english.read_text("utf-8"), japanese.read_text("utf-8")) == []


def test_what_lags_is_named() -> None:
    page = "# A\n\n12 people\n\n```sh\n# run\nmake a\n```\n\n## B\n\n.379 of 551\n"
    assert lagging(page, page.replace("people", "人")) == []
    assert lagging(page, page.replace("make a", "make b")) == ["code under 'A'"]
    assert lagging(page, page.replace("551", "552"))[0].startswith("figures under 'B'")
    assert lagging(page, page.replace("## B", "### B"))[0].startswith("headings")
    assert PAIRS
