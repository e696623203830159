"""The layers of the package, as import-linter sees them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_is_kept() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("data/ids.py", "import recsys.ranking", "one-way layers"),
        ("evaluation/market.py", "import recsys.models", "one-way layers"),
        ("models/als.py", "import recsys.models.hybrid", "no circles, in no package"),
        ("ranking/__init__.py", "import implicit", "implicit is imported by one file"),
        ("models/base.py", "import mlflow", "mlflow is imported by the tracker alone"),
        ("tracking/registry.py", "import mlflow", "mlflow is imported by the tracker alone"),
        ("retrieval/__init__.py", "import sklearn", "serving needs no scikit-learn"),
        ("pipeline/lock.py", "import pyspark", "pyspark is imported by one executor"),
        ("simulation/town.py", "import recsys.models", "the town knows no ranker"),
    ],
)
def test_a_planted_import_is_found(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "recsys", tmp_path / "recsys", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "recsys" / file
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout
