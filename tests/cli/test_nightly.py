"""recsys init: a home that a night can read, with keys nobody else can, and never written over."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys.cli import app
from recsys.mapping.project import Mapping
from recsys.safety.keys import read_keys
from recsys.settings import read_settings

MEMBERS = "id,birth_date,gender,city\n" + "".join(
    f"{n},19{60 + n % 40}-03-04,{'FM'[n % 2]},London\n" for n in range(60)
)


def init(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "110", "LC_ALL": "C.UTF-8"}).invoke(app, ["init", *arguments])


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "members.csv").write_text(MEMBERS, encoding="utf-8")
    return tmp_path / "export"


def keys_of(home: Path) -> dict[str, str]:
    lines = (home / "keys.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_a_home_holds_what_a_night_needs(export: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = init(str(home), "--source", str(export), "--as-of", "2026-06-30T23:59:59+00:00")
    assert done.exit_code == 0, done.output
    settings = read_settings(home / "params.yaml")
    platform = settings.publish.platform
    assert settings.source == platform.declared_for == "mapping:mapping"
    assert not any(value is True for value in platform.model_dump().values()), "nothing is declared unasked"
    assert Mapping.read(home / "mapping").settings.source == "../../export"
    unit = (home / "units" / "recsys-night.service").read_text()
    assert f"night --home {home}\n" in unit
    assert f"EnvironmentFile={home}/keys.env\n" in unit
    assert "1960-03-04" not in "".join(path.read_text() for path in (home / "mapping").iterdir())


def test_the_keys_are_new_long_and_for_the_owner_alone(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("staging", "production")]
    outputs = [init(str(home)).output for home in homes]
    secrets = [value for home in homes for value in keys_of(home).values()]
    assert len(set(secrets)) == 4
    assert not any(secret in text for secret in secrets for text in outputs)
    for home in homes:
        assert stat.S_IMODE((home / "keys.env").stat().st_mode) == 0o600
        assert len(read_keys(keys_of(home))) == 1
        assert "keys.env" in (home / ".gitignore").read_text()


@pytest.mark.parametrize("there", ["params.yaml", "keys.env", "mapping", "units/recsys-night.timer"])
def test_nothing_that_is_there_is_written_over(there: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / there).parent.mkdir(parents=True)
    (home / there).write_text("mine")
    before = sorted(home.rglob("*"))
    done = init(str(home))
    assert (done.exit_code, sorted(home.rglob("*"))) == (40, before)
    assert (home / there).read_text() == "mine"
    assert "never written over" in done.output


def test_a_source_that_cannot_be_read_leaves_no_half_home(tmp_path: Path) -> None:
    done = init(str(tmp_path / "home"), "--source", str(tmp_path / "nowhere"))
    assert done.exit_code == 40
    assert not (tmp_path / "home").exists()
