"""The contracts of layers find what breaks them; `make lint` asks them of the package itself."""

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
