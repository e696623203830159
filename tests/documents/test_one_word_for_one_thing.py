"""In the operator's Japanese one thing has one word: no text says it in another."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
