"""What imports what: contracts of layers find what breaks them, and what a start pulls in.

`make lint` asks the contracts of the package itself. Planted and seen caught: scikit-learn in a module of
serving, numba in one that a policy needs, metrics in one of a backend, and numpy in the package itself.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


PLANTED = [
    ("data/ids.py", "recsys.ranking", "one-way layers"),
    ("evaluation/market.py", "recsys.models", "one-way layers"),
    ("models/als.py", "recsys.models.hybrid", "no circles, in no package"),
    ("ranking/__init__.py", "implicit", "implicit is imported by one file"),
    ("models/base.py", "mlflow", "mlflow is imported by the tracker alone"),
    ("tracking/registry.py", "mlflow", "mlflow is imported by the tracker alone"),
    ("retrieval/__init__.py", "sklearn", "serving needs no scikit-learn"),
    ("pipeline/lock.py", "pyspark", "pyspark is imported by one executor"),
    ("simulation/town.py", "recsys.models", "the town knows no ranker"),
]


@pytest.mark.slow
def test_planted_imports_are_found(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "recsys", tmp_path / "recsys", ignore=shutil.ignore_patterns("__pycache__"))
    for file, imported, _ in PLANTED:
        with (tmp_path / "recsys" / file).open("a", encoding="utf-8") as module:
            module.write(f"\nimport {imported}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    parts = re.split(r"\n(.+)\n-+\n", done.stdout)
    broken = dict(zip(parts[1::2], parts[2::2], strict=True))
    for file, imported, contract in PLANTED:
        module = f"recsys/{file}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        line = "in recsys.models." if "circles" in contract else f"{module} -> {imported} "
        assert line in broken[contract], (contract, line)


HEAVY = {"mlflow", "implicit", "sklearn", "pyspark", "dvc", "matplotlib"}
A_MODULE = "from recsys import errors"
NO_COMPILER = "import recsys.constraints.policy"
SERVING = (
    "from recsys import Policy",
    "from recsys import Population",
    "from recsys import load_population",
    "from recsys.storage.publication import read_publication",
    "from recsys.retrieval.top_k import mutual_top_k",
    "from recsys import Ranker",
    "from recsys.models.content import ContentModel",
)
"""In one process, from what loads little to what loads more."""


def loaded_after(*statements: str) -> dict[str, set[str]]:
    """Return by statement the names of all modules that are loaded after it and those before it."""
    code = (
        "import json, sys\nfor one in sys.argv[1:]:\n  exec(one)\n  print(json.dumps([one, [*sys.modules]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *statements], capture_output=True, text=True, check=True
    )
    return {one: set(names) for one, names in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    return loaded_after("import recsys", A_MODULE, NO_COMPILER, *SERVING)


@pytest.mark.parametrize("statement", ["import recsys", A_MODULE])
def test_the_package_itself_is_light(loaded: dict[str, set[str]], statement: str) -> None:
    """Seen to fail: a module of the package was looked for as a name of models, metrics and figures first."""
    assert not loaded[statement] & (HEAVY | {"numpy", "pandas", "numba", "pydantic"})


def test_a_policy_loads_no_compiler(loaded: dict[str, set[str]]) -> None:
    assert "numba" not in loaded[NO_COMPILER]


def test_the_command_line_starts_light() -> None:
    loaded = loaded_after("import recsys.cli")["import recsys.cli"]
    assert "typer" in loaded
    assert not loaded & (HEAVY | {"numpy", "pandas", "numba", "pydantic", "pyarrow", "duckdb"})


@pytest.mark.parametrize("statement", SERVING)
def test_what_serving_uses_needs_no_learner(loaded: dict[str, set[str]], statement: str) -> None:
    assert not loaded[statement] & HEAVY


def test_a_backend_loads_no_metrics(loaded: dict[str, set[str]]) -> None:
    assert "recsys.evaluation" not in loaded["from recsys import Ranker"]


def test_the_check_sees_a_loaded_module() -> None:
    assert "decimal" in loaded_after("import decimal")["import decimal"]
    assert "decimal" not in loaded_after("import json")["import json"]
