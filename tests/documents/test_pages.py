"""What the documents say is true: columns, links, commands."""

import re
from pathlib import Path

import pytest

import recsys
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.tables import CONTRACTS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"]
    + [path for folder in ("docs", "data", "requirements") for path in (ROOT / folder).rglob("*.md")]
)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert not missing


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
