"""Fingerprints change with what they stand for, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from recsys.constraints.policy import Policy
from recsys.errors import SourceError
from recsys.pipeline import fingerprint
from recsys.pipeline.fingerprint import (
    code_fingerprint,
    files_fingerprint,
    made_from,
    package_versions,
    schema_fingerprint,
    source_fingerprint,
    validation_fingerprint,
)
from recsys.random import generator
from recsys.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.parquet").write_bytes(b"1")
    (tmp_path / "inner" / "b.py").write_bytes(b"2")
    return tmp_path


def test_content_and_names_decide(folder: Path) -> None:
    first = files_fingerprint(folder)
    assert files_fingerprint(folder) == first
    (folder / "a.parquet").write_bytes(b"9")
    assert files_fingerprint(folder) != first
    (folder / "a.parquet").write_bytes(b"1")
    assert files_fingerprint(folder) == first
    (folder / "a.parquet").rename(folder / "c.parquet")
    assert files_fingerprint(folder) != first


def test_where_a_folder_lies_does_not_matter(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    first = files_fingerprint(folder)
    moved = folder.rename(tmp_path_factory.mktemp("elsewhere") / "folder")
    assert files_fingerprint(moved) == first


def test_compiled_files_do_not_count(folder: Path) -> None:
    first = files_fingerprint(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "b.pyc").write_bytes(b"3")
    assert files_fingerprint(folder) == first


def test_endings_choose_the_files(folder: Path) -> None:
    first = files_fingerprint(folder, (".py",))
    (folder / "a.parquet").write_bytes(b"9")
    assert files_fingerprint(folder, (".py",)) == first


def test_every_id_follows_its_own_cause(folder: Path, tmp_path: Path) -> None:
    tables, model = tmp_path / "tables", tmp_path / "model"
    for path in (tables / "profiles.parquet", model / "taste.npy"):
        path.parent.mkdir()
        path.write_bytes(b"1")

    def ids(settings: Settings = Settings(), policy: Policy = Policy.default()) -> dict[str, str]:  # noqa: B008
        return made_from(settings, policy, source=f"parquet:{tables}", model=model).model_dump()

    first = ids()
    assert ids() == first

    def changed(now: dict[str, str]) -> set[str]:
        return {name for name in first if now[name] != first[name]}

    assert changed(ids(settings=Settings(seed=1))) == {"params"}
    assert changed(ids(policy=Policy.default(verification="id"))) == {"policy"}
    (tables / "profiles.parquet").write_bytes(b"2")
    assert changed(ids()) == {"data"}
    (tables / "profiles.parquet").write_bytes(b"1")
    (model / "taste.npy").write_bytes(b"2")
    assert changed(ids()) == {"model"}


def test_a_database_has_an_id(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    path.write_bytes(b"1")
    first = source_fingerprint(f"duckdb:{path}")
    path.write_bytes(b"2")
    assert source_fingerprint(f"duckdb:{path}") != first


def test_this_package_has_an_id() -> None:
    assert len(code_fingerprint()) == 16
    assert {"numpy", "pandas"} <= package_versions().keys()


def test_the_schema_and_the_validation_follow_the_code_that_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(fingerprint.__file__).parents[1]
    package = tmp_path / "recsys"
    shutil.copytree(root, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "__file__", str(package / "pipeline" / "fingerprint.py"))
    tables = tmp_path / "tables"
    tables.mkdir()

    def now() -> tuple[str, str]:
        return schema_fingerprint(), validation_fingerprint(f"parquet:{tables}", None)

    before = now()
    with (package / "ranking" / "ranker.py").open("a") as file:
        file.write("# nothing\n")
    assert now() == before
    with (package / "data" / "labels.py").open("a") as file:
        file.write("# nothing\n")
    assert all(after != first for after, first in zip(now(), before, strict=True))


def test_nothing_has_no_fingerprint(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file or folder"):
        files_fingerprint(tmp_path / "none")


def test_each_step_draws_its_own_stream() -> None:
    settings = Settings()
    draws = [generator(settings, step).random() for step in ("train", "simulate", "train")]
    assert draws[0] == draws[2] != draws[1]
    assert generator(replace_seed(settings), "train").random() != draws[0]


def replace_seed(settings: Settings) -> Settings:
    return settings.model_copy(update={"seed": settings.seed + 1})
