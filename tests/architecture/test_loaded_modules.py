"""What importing the package and its command line pulls in.

Planted and seen caught: scikit-learn in a module of serving, numba in one that a policy needs, metrics in one
of a backend, and numpy in the package itself.
"""

import json
import subprocess
import sys

import pytest

HEAVY = {"mlflow", "implicit", "sklearn", "pyspark", "dvc", "matplotlib"}
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
    return loaded_after("import recsys", NO_COMPILER, *SERVING)


def test_the_package_itself_is_light(loaded: dict[str, set[str]]) -> None:
    assert not loaded["import recsys"] & (HEAVY | {"numpy", "pandas", "numba", "pydantic"})


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
