"""Which modules of the project a module may load, read from the sources without running them.

    python -m tests.pipeline.imports

writes what each stage of dvc.yaml reads, what it may load and its settings, as the stages declare them.
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from recsys.batch.stage_order import stage_of

ROOT = Path(__file__).parents[2]
OURS = ("recsys", "pipelines")


def module_file(name: str) -> Path | None:
    """Return the file of a module of the project, None when there is none."""
    path = ROOT.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


@cache
def imported_files(file: Path) -> frozenset[Path]:
    """Return the files of the project that a file imports itself, also late, with their packages."""
    names = set(_names(ast.parse(file.read_text(encoding="utf-8"))))
    parents = {
        ".".join(parts[:n]) for name in names for parts in [name.split(".")] for n in range(1, len(parts))
    }
    return frozenset(found for name in names | parents if (found := module_file(name)) is not None)


def reached_files(file: Path) -> set[Path]:
    """Return every file of the project that running a file may load."""
    reached: set[Path] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached.add(current)
            waiting.extend(imported_files(current))
    return reached


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the absolute names of what a syntax tree imports, except for type checking alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names if alias.name.startswith(OURS))
        elif isinstance(child, ast.ImportFrom) and child.module and child.module.startswith(OURS):
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from _names(child)


def code_dependencies(stage: str) -> list[str]:
    """Return the code a stage may load, as dvc.yaml names it: packages of recsys, files of pipelines."""
    found = set()
    for file in reached_files(ROOT / "pipelines" / f"{stage}.py"):
        path = file.relative_to(ROOT)
        if path.name != "__init__.py" or len(path.parts) > 2:
            found.add("/".join(path.parts[: 3 if path.parts[1] == "batch" else 2]))
    return sorted(found)


def with_dependencies(text: str) -> str:
    """Return the content of dvc.yaml with the data, the code and the settings of each stage."""

    def deps(found: re.Match[str]) -> str:
        stage = stage_of(found["stage"])
        data = [path.as_posix() for path in stage.reads] or (["params.yaml"] if not stage.settings else [])
        lines = textwrap.fill(", ".join([*data, *code_dependencies(stage.name)]), 194)
        return f"{found['head']}[\n{textwrap.indent(lines, ' ' * 6)}\n    ]"

    def params(found: re.Match[str]) -> str:
        return f"{found['head']}[{', '.join(stage_of(found['stage']).settings)}]"

    start = r"(?P<head>^  (?P<stage>[a-z]+):\n(?:    .*\n)*?"
    text = re.sub(start + r"    deps: )\[[^\]]*\]", deps, text, flags=re.MULTILINE)
    return re.sub(start + r"      - data/work/settings.yaml: )\[[^\]]*\]", params, text, flags=re.MULTILINE)


if __name__ == "__main__":
    file = ROOT / "dvc.yaml"
    file.write_text(with_dependencies(file.read_text(encoding="utf-8")), encoding="utf-8")
