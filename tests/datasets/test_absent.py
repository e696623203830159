from pathlib import Path

import pytest

from tests.benchmarks import okcupid, speed_dating, young_people
from tests.datasets import VARIABLE, data_folder, needs


def test_the_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert data_folder() == tmp_path
    assert needs("okcupid").args == (True,)


def test_without_the_variable_the_data_lie_beside_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert data_folder().parts[-2:] == ("shared", "data")


@pytest.mark.parametrize("benchmark", [okcupid, speed_dating, young_people])
def test_a_benchmark_without_data_says_so(
    benchmark, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert benchmark.main([]) == 1
    assert f"set {VARIABLE} to their folder" in capsys.readouterr().err
