"""Japanese pages keep in step with the English ones, and one thing has one word in all Japanese texts."""

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


KEPT = {
    "行動記録": "出来事",
    "マッチ": "両思い|結ばれた",
    "段階": "工程",
    "隔離": "取り分け",
    "引き合わせてはならない": "約束に反|約束違反|ルールに反",
    "線引き": "約束ごと",
    "公開前の検査": "公開前の確認|すべての確認に合格",
    "夜間処理": "一晩|夜の数|何夜|夜を実行",
    "消去": "削除を求め",
    "実行ID": "公開物の番号",
}
"""The word, and what is written nowhere for it."""
TEXTS = sorted(
    [
        *(ROOT / "docs").rglob("*.ja.md"),
        ROOT / "README.ja.md",
        *(ROOT / "recsys" / "catalogue" / "texts").iterdir(),
        ROOT / "recsys" / "cli" / "help.ja.yaml",
        *(ROOT / "recsys").rglob("*.j2"),
    ]
)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_second_word_is_used(path: Path) -> None:
    text = path.read_text("utf-8")
    found = {other: kept for kept, words in KEPT.items() for other in re.findall(words, text)}
    assert found == {}


def test_the_words_themselves_are_used() -> None:
    everything = "".join(path.read_text("utf-8") for path in TEXTS)
    assert [kept for kept in KEPT if kept not in everything] == []
