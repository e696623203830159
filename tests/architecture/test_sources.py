"""Rules about the text of the repository itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED = {"__pycache__", "build", "dist", "mlruns", "node_modules"}
KEPT_HIDDEN = {
    ".ci",
    ".dvc",
    ".dvcignore",
    ".editorconfig",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
}
PICKLING = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "skops"}

MACHINE = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:home|root|Users|mnt)/\w",
            r"(?<![\w.)}-])/work/",
            r"\b[A-Z]:\\\\?Users",
            r"/tmp/" + "bash",
        ]
    )
)
REGISTRY = re.compile(
    "|".join(["pypi" + r"\.org", "pythonhosted" + r"\.", "anaconda" + r"\.org", "/simp" + "le/"])
)


def texts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every text file of the repository that is not made by running it."""
    for path in sorted(folder.iterdir()):
        name = path.name
        if (
            name in SKIPPED
            or name.endswith(".egg-info")
            or (name.startswith(".") and name not in KEPT_HIDDEN)
        ):
            continue
        if path.is_dir():
            if path == ROOT / "data":
                yield path / "README.md", (path / "README.md").read_text(encoding="utf-8")
            elif path != ROOT / ".dvc" / "tmp":
                yield from texts(path)
        else:
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def found(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match.group() for match in pattern.finditer(text)]


def test_no_file_names_a_machine_or_a_registry() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {hits[:3]}"
        for path, text in texts(ROOT)
        if path != Path(__file__) and (hits := found(MACHINE, text) + found(REGISTRY, text))
    ]
    assert not wrong


@pytest.mark.parametrize("text", ["/home/" + "ann/x", "see /work/" + "main", "https://pypi" + ".org/x"])
def test_such_a_name_is_found(text: str) -> None:
    assert found(MACHINE, text) + found(REGISTRY, text)


@pytest.mark.parametrize("text", ["data/work/tables", "docs/home/x", "$(VENV)/work/"])
def test_a_path_inside_the_project_is_fine(text: str) -> None:
    assert not found(MACHINE, text)


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def pickles(text: str) -> list[str]:
    """What in a Python source could read or write a pickle."""
    if not any(word in text for word in PICKLING):  # each of these names stands in the text, or it has none
        return []
    tree = ast.parse(text)
    wrong = [name for name in imported(tree) if name in PICKLING]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"read_pickle", "to_pickle"}:
            wrong.append(node.attr)
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            value = node.value
            if not (isinstance(value, ast.Constant) and value.value is False):
                wrong.append("allow_pickle")
    return wrong


@pytest.mark.parametrize("folder", ["recsys", "pipelines"])
def test_nothing_reads_or_writes_a_pickle(folder: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): hits
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (hits := pickles(path.read_text(encoding="utf-8")))
    }
    assert not wrong


@pytest.mark.parametrize(
    "text",
    ["import pickle", "from joblib import dump", "pd.read_pickle(x)", "np.load(x, allow_pickle=True)"],
)
def test_a_pickle_is_found(text: str) -> None:
    assert pickles(text)


def test_no_module_is_named_for_nothing() -> None:
    names = {path.stem for path in (ROOT / "recsys").rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}
