"""The stages of dvc.yaml name everything that decides what they write."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from recsys.batch.stage_order import NAMES, stage_of
from recsys.pipeline.paths import PATHS, PUBLISHED
from recsys.settings import Settings
from tests.pipeline.imports import ROOT, reached_files

STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
ORDER = list(NAMES)


def outputs(stage: str) -> dict[str, dict[str, Any]]:
    kinds = ("outs", "metrics")
    return {
        path: options
        for kind in kinds
        for out in STAGES[stage].get(kind, ())
        for path, options in out.items()
    }


def covered(file: Path, deps: list[str]) -> bool:
    return any(file == ROOT / dep or (ROOT / dep) in file.parents for dep in deps)


def uncovered(stage: str, deps: list[str]) -> list[str]:
    reached = reached_files(ROOT / "pipelines" / f"{stage}.py")
    packages = {ROOT / "recsys" / "__init__.py", ROOT / "pipelines" / "__init__.py"}
    missing = [file for file in reached - packages if not covered(file, deps)]
    return sorted(str(file.relative_to(ROOT)) for file in missing if file.read_text().count('"""') != 2 or
                  file.name != "__init__.py")  # fmt: skip


def test_the_stages_are_those_of_a_night() -> None:
    assert list(STAGES) == ORDER


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_runs_its_own_file(stage: str) -> None:
    assert STAGES[stage]["cmd"] == f"python -m pipelines.{stage}"


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_names_the_code_it_uses(stage: str) -> None:
    assert not uncovered(stage, STAGES[stage]["deps"])


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_names_nothing_that_is_not_there(stage: str) -> None:
    code = [dep for dep in STAGES[stage]["deps"] if not dep.startswith("data/")]
    assert [dep for dep in code if not (ROOT / dep).exists()] == []


def test_a_forgotten_folder_is_found() -> None:
    deps = [dep for dep in STAGES["recommend"]["deps"] if dep != "recsys/retrieval"]
    assert "recsys/retrieval/top_k.py" in uncovered("recommend", deps)


def test_what_a_stage_reads_an_earlier_one_writes() -> None:
    written: set[str] = set()
    for stage in ORDER:
        read = {dep for dep in STAGES[stage]["deps"] if dep.startswith("data/")}
        assert read <= written
        written |= set(outputs(stage))


@pytest.mark.parametrize("stage", ORDER)
def test_dvc_knows_of_a_stage_what_the_package_declares(stage: str) -> None:
    declared, found = stage_of(stage), STAGES[stage]
    assert {dep for dep in found["deps"] if dep.startswith("data/")} == {
        path.as_posix() for path in declared.reads
    }
    assert set(outputs(stage)) == {path.as_posix() for path in declared.writes}
    settings = next(iter(found["params"][0].values())) if "params" in found else []
    assert tuple(settings) == declared.settings
    assert found.get("always_changed", False) == declared.always


@pytest.mark.parametrize("stage", ORDER)
def test_nothing_about_a_person_is_kept_in_a_cache(stage: str) -> None:
    kept = {path for path, options in outputs(stage).items() if options["cache"]}
    assert kept == (
        {PATHS.dvc_metrics.as_posix(), PATHS.dvc_plots.as_posix()} if stage == "evaluate" else set()
    )


def test_publications_outlive_the_next_night() -> None:
    [persistent] = [path for s in ORDER for path, options in outputs(s).items() if options.get("persist")]
    assert persistent == PUBLISHED.as_posix()


def test_paths_are_those_of_the_library() -> None:
    names = {value.as_posix() for name in dir(PATHS) if isinstance(value := getattr(PATHS, name), Path)}
    assert {path for stage in ORDER for path in outputs(stage)} <= names | {PUBLISHED.as_posix()}


@pytest.mark.parametrize("stage", ORDER[1:])
def test_settings_are_named_and_known(stage: str) -> None:
    [given] = STAGES[stage]["params"]
    [(file, keys)] = given.items()
    assert file == PATHS.settings.as_posix()
    assert {key.partition(".")[0] for key in keys} <= Settings.model_fields.keys()


def test_every_setting_is_named_by_some_stage() -> None:
    named = {
        key.partition(".")[0]
        for stage in ORDER[1:]
        for key in STAGES[stage]["params"][0][PATHS.settings.as_posix()]
    }
    assert named == Settings.model_fields.keys()
