"""Limits of files, functions and names of the package; see decision 41."""

import ast
import io
import re
import tokenize
from collections import Counter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "recsys"
MOST_LINES, MOST_IN_A_FUNCTION, MOST_OF_A_NAME = 300, 60, 2
EVERYWHERE = {"__init__", "base"}
_BLANK = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}


def lines_of_code(source: str) -> int:
    """Return how many lines hold code; docstrings, comments and blank lines do not count."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {n for one in tokens if one.type not in _BLANK for n in range(one.start[0], one.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        text = node.value if isinstance(node, ast.Expr) else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            code -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return len(code)


def too_large(source: str) -> list[str]:
    """Return what of a file is larger than it may be."""
    is_long = source.count("\n") > MOST_LINES  # or its lines of code need no counting
    found = [f"{n} lines of code"] if is_long and (n := lines_of_code(source)) > MOST_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            found += [f"{node.name}: {length} lines"] if length > MOST_IN_A_FUNCTION else []
    return found


def classes_twice(sources: list[str]) -> list[str]:
    """Return the names that more than one class of these files has; private ones do not count."""
    classes = re.compile(r"^class ([A-Za-z]\w*)", re.MULTILINE)
    return [name for name, n in Counter(classes.findall("\n".join(sources))).items() if n > 1]


def test_no_file_and_no_function_is_too_large() -> None:
    found = {path.name: too_large(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    assert {name: parts for name, parts in found.items() if parts} == {}


def test_a_class_stands_once_and_a_file_name_at_most_twice() -> None:
    paths = [*PACKAGE.rglob("*.py")]
    files = Counter(path.stem for path in paths)
    assert classes_twice([path.read_text(encoding="utf-8") for path in paths]) == []
    assert {name for name, n in files.items() if n > MOST_OF_A_NAME} == EVERYWHERE


def test_a_second_class_of_a_name_is_found() -> None:
    twice = ["class Settings: ...", "class Settings: ...", "class _Own: ...", "class _Own: ..."]
    assert classes_twice(twice) == ["Settings"]


@pytest.mark.parametrize(
    ("source", "large"),
    [
        ("x = 1\n" * 300 + "\n# why\n" * 300, []),
        ('"""About\nit."""\n' + "x = 1\n" * 301, ["301 lines of code"]),
        ("def f():\n" + "    x = 1\n" * 60, ["f: 61 lines"]),
    ],
)
def test_what_is_too_large_is_seen(source: str, large: list[str]) -> None:
    assert too_large(source) == large
