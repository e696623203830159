"""The parts of the site that are made from the code are complete."""

import re
from importlib import import_module, util
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

import recsys
from recsys.cli import app
from recsys.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOT_IN_THE_API = {"cli"}
"""Their reference is the command line, and the page they draw."""


def module_of(path: Path) -> ModuleType:
    """The module in a file that belongs to no package."""
    pytest.importorskip("mkdocs")
    spec = util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    return module_of(DOCS / "hooks.py")


def keys(model: type) -> set[str]:
    """Every key of the settings and of the sections below."""
    found = set()
    for key, field in model.model_fields.items():
        below = hasattr(field.annotation, "model_fields")
        found |= keys(field.annotation) if below else {key}
    return found


def test_the_settings_reference_has_every_key(hooks: ModuleType) -> None:
    table = hooks.settings()
    assert len(keys(Settings)) > 50
    assert {key for key in keys(Settings) if f"| `{key}` |" not in table} == set()


def test_the_command_reference_has_every_command_and_option(hooks: ModuleType) -> None:
    page = hooks.commands()
    for name, command in get_command(app).commands.items():
        assert f"## `recsys {name}`" in page
        for option in command.params:
            assert (
                option.name == "help" or f"`{option.opts[0]}`" in page or f"`{option.name.upper()}`" in page
            )


def test_every_module_of_the_api_reference_exists() -> None:
    named = {
        name
        for page in (DOCS / "reference" / "api").glob("*.md")
        for name in re.findall(r"^::: ([\w.]+)$", page.read_text("utf-8"), re.MULTILINE)
    }
    for name in sorted(named):
        import_module(name)
    packages = {path.parent.name for path in Path(recsys.__file__).parent.glob("*/__init__.py")}
    assert packages - {name.split(".")[1] for name in named} == NOT_IN_THE_API


def test_a_page_that_loads_from_another_host_is_refused(hooks: ModuleType) -> None:
    foreign = '<script src="https://cdn.example.org/x.js"></script>'
    assert hooks.FROM_ELSEWHERE.findall(foreign) == ["https://cdn.example.org/x.js"]
    assert not hooks.FROM_ELSEWHERE.findall(
        '<a href="https://example.org">x</a><script src="../x.js"></script>'
    )


def test_a_notebook_becomes_a_page_with_its_pictures(hooks: ModuleType) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# One\n", "[two](02_two.ipynb)"]},
        {
            "cell_type": "code",
            "source": ["1 + 1"],
            "outputs": [
                {"data": {"text/plain": ["2"]}},
                {"data": {"image/png": "AAAA"}},
                {"data": {"text/html": ["<style>x</style><table>\n\n<tr></tr></table>"]}},
            ],
        },
    ]
    text, pictures = hooks.notebook({"cells": cells}, "01_one")
    assert "[two](02_two.md)" in text
    assert "```python\n1 + 1\n```" in text
    assert "```text\n2\n```" in text
    assert pictures == {"01_one-1.png": b"\x00\x00\x00"}
    assert "<style>" not in text
    assert "\n\n<tr>" not in text


@pytest.mark.parametrize(
    ("docstring", "page"),
    [
        ("Adds.\n\n>>> 1 + 1\n2\n\nMore.", "Adds.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore."),
        ("Adds.\n\na: one\nb, c: two\nand more", "Adds.\n\n- `a`: one\n- `b, c`: two\nand more"),
        ("Features: what people are.", "Features: what people are."),
    ],
)
def test_a_docstring_becomes_markdown(docstring: str, page: str) -> None:
    assert module_of(DOCS / "docstrings.py").as_markdown(docstring) == page
