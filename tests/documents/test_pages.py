"""What the documents say is true: columns, links, commands."""

import re
from pathlib import Path

import pytest

import recsys
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data import restricting_words
from recsys.data.tables import CONTRACTS
from tests.benchmarks.attacks.__main__ import ATTACKS
from tests.safety.restriction_doors import FORMS, KINDS
from tests.safety.test_restriction_matrix import DOORS, PLACES

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"]
    + [path for folder in ("docs", "data", "requirements") for path in (ROOT / folder).rglob("*.md")]
)
MOST = {"en": (1200, 800), "ja": (650, 500)}
"""Characters that a paragraph or point of a list may have, and a cell of a table: more is read by nobody."""
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert not missing


def too_long(text: str, language: str) -> list[str]:
    """Return how paragraphs, points of lists and cells begin that are longer than one reads at once."""
    paragraph, cell = MOST[language]
    found = []
    for block in re.split(r"\n\s*\n", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if block.lstrip().startswith("|"):
            found += [one for line in block.splitlines() for one in line.split("|") if len(one) > cell]
        else:
            points = re.split(r"\n(?=\s*(?:[-*]|\d+\.)\s)", block)
            found += [point for point in points if len(point) > paragraph]
    return [one[:60] for one in found]


def test_a_wall_of_text_is_seen() -> None:
    assert too_long("a" * 1201, "en")
    assert too_long("| " + "a" * 801 + " |", "en")
    assert not too_long("\n".join(["- " + "a" * 700] * 3), "en")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_paragraph_or_cell_is_a_wall(document: Path) -> None:
    if "decisions" not in document.parts:
        assert not too_long(document.read_text(), "ja" if document.name.endswith(".ja.md") else "en")


@pytest.mark.parametrize("table", sorted(CONTRACTS))
def test_the_data_document_names_every_column_and_word(table):
    text = (ROOT / "docs" / "reference" / "tables.md").read_text()
    assert table in text
    for column in CONTRACTS[table].columns:
        assert re.search(rf"\b{column}\b", text), column
        if column in ENUMERATIONS and len(ENUMERATIONS[column].words) < 28:
            for word in ENUMERATIONS[column].words:
                assert word in text, f"{column}: {word}"


def test_the_commands_of_the_readme_exist():
    from typer.main import get_command

    from recsys.cli import app

    known = set(get_command(app).commands)
    used = set(re.findall(r"^recsys ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert used
    assert used <= known


def test_every_page_is_in_the_navigation():
    pages = {
        path.relative_to(ROOT / "docs").as_posix()
        for path in (ROOT / "docs").rglob("*.md")
        if not re.match(r"\d{4}-", path.name)
    }
    assert pages <= set(re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text()))


def test_the_citation_names_the_version() -> None:
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited is not None
    assert cited[1] == recsys.__version__
    assert f"## [{cited[1]}]" in (ROOT / "CHANGELOG.md").read_text()


def test_what_the_safety_page_counts_is_what_is_there() -> None:
    """Seen to fail: a place was added where somebody could be shown, and the page still counted thirteen."""
    kinds, doors, forms, places = map(len, (KINDS, DOORS, FORMS, PLACES))
    english = {"seven": 7, "six": 6, "fourteen": 14}
    japanese = {"七": 7, "六": 6, "十四": 14}
    page = (ROOT / "docs/explanation/safety.md").read_text()
    told = re.search(r"(\d+) kinds of restriction, (\w+) doors .*?, (\w+) forms .*? and (\w+) places", page)
    assert told is not None
    assert [int(told[1]), *(english[told[at]] for at in (2, 3, 4))] == [kinds, doors, forms, places]
    japanese_page = (ROOT / "docs/explanation/safety.ja.md").read_text()
    told = re.search(
        r"(\d+) 種類の制限、(\w)つの入口.*?、(\w)つの書き方.*?、\n?だれかが表示されうる(\w+)の場所",
        japanese_page,
    )
    assert told is not None
    assert [int(told[1]), *(japanese[told[at]] for at in (2, 3, 4))] == [kinds, doors, forms, places]
    for text in (page, japanese_page):
        assert f" {len(ATTACKS)} " in text
    patterns = (getattr(restricting_words, one) for one in ("SEPARATES", "PAUSES", "LEAVES", "STOPS"))
    parts = {part for one in patterns for part in re.split(r"[|()]", one.pattern) if part}
    assert 650 < len(parts) < 750


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", one).strip().lower()) for one in headings}


def test_a_link_into_a_page_names_a_heading_that_it_has() -> None:
    """Seen to fail: four links named headings of the page about safety that had another name by then."""
    pages = [
        ROOT / "README.md",
        ROOT / "README.ja.md",
        ROOT / "SECURITY.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    links = [
        (page, target, anchor)
        for page in pages
        for target, anchor in re.findall(r"\]\(([\w./-]*\.md)?#([^)\s]+)\)", page.read_text())
    ]
    assert len(links) > 20
    lacking = []
    for page, target, anchor in links:
        named = (page.parent / target).resolve() if target else page
        if anchor not in _anchors(named):
            lacking.append(f"{page.relative_to(ROOT)}: {target}#{anchor}")
    assert lacking == []
