"""The built wheel holds the package, the whole package, and nothing else."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_it_holds_every_file_of_the_package(wheel: Path) -> None:
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "recsys").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == here


@pytest.mark.slow
def test_it_works_where_the_repository_is_not(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import recsys; "
        "from recsys.catalogue import load_catalogue; "
        "print(recsys.__file__); print(len(load_catalogue().interests))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    file, interests = done.stdout.split()
    assert Path(file).is_relative_to(tmp_path)
    assert int(interests) >= 120


@pytest.mark.slow
def test_it_holds_what_people_read_and_no_test(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("texts/reasons", "places", "interests", "draft_guard_rules", "review", "openers"):
        assert f"recsys/catalogue/{name}.yaml" in names
    assert {"recsys/py.typed", "recsys/__init__.pyi", "recsys/report/style.css"} <= names
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"recsys"}


@pytest.mark.slow
def test_the_source_archive_holds_the_package_and_what_describes_it(wheel: Path) -> None:
    [path] = wheel.parent.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    beside = {name for name in names if not name.startswith("recsys/")}
    assert beside == {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("recsys/")}
    assert names - beside == packed


@pytest.mark.slow
def test_the_package_works_without_any_extra(tmp_path: Path) -> None:
    """Extras are hidden here; `make wheel` does the same with the wheel alone in an empty environment."""
    script = ROOT / "tests" / "architecture" / "alone.py"
    command = [sys.executable, "-P", script, "--hide"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("recsys publish", "Ranker.rank", "without [pg]", "without [metrics]"):
        assert f"ok   {line}\n" in done.stdout


@pytest.mark.slow
def test_the_wheel_has_its_program(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    [info] = (tmp_path / "site").glob("*.dist-info")
    assert "recsys = recsys.cli:app" in (info / "entry_points.txt").read_text()
    code = "from recsys.cli import app; app()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "--help"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "why-not" in done.stdout
