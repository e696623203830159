"""What importing the package and its command line pulls in."""

import subprocess
import sys

import pytest

HEAVY = {"mlflow", "implicit", "sklearn", "pyspark", "dvc", "matplotlib"}


def loaded_after(statement: str) -> set[str]:
    """Return the names of everything that is loaded, packages and modules."""
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_itself_is_light() -> None:
    assert not loaded_after("import recsys") & (HEAVY | {"numpy", "pandas", "numba", "pydantic"})


def test_a_policy_loads_no_compiler() -> None:
    assert "numba" not in loaded_after("import recsys.constraints.policy")


def test_the_command_line_starts_light() -> None:
    loaded = loaded_after("import recsys.cli")
    assert "typer" in loaded
    assert not loaded & (HEAVY | {"numpy", "pandas", "numba", "pydantic", "pyarrow", "duckdb"})


@pytest.mark.parametrize(
    "statement",
    [
        "from recsys import Policy",
        "from recsys import Population",
        "from recsys import load_population",
        "from recsys.storage.publication import read_publication",
        "from recsys.retrieval.top_k import mutual_top_k",
        "from recsys.models.content import ContentModel",
        "from recsys import Ranker",
    ],
)
def test_what_serving_uses_needs_no_learner(statement: str) -> None:
    assert not loaded_after(statement) & HEAVY


def test_a_backend_loads_no_metrics() -> None:
    assert "recsys.evaluation" not in loaded_after("from recsys import Ranker")


def test_the_check_sees_a_loaded_module() -> None:
    assert "json" in loaded_after("import json")
