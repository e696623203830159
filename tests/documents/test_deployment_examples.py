"""The examples for containers and systemd, as far as they can be held here: commands, secrets, rights.

Planted and seen caught: a setting that no section of a unit has.
"""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from recsys.pipeline.service_home import make_home
from recsys.safety.keys import ENVIRONMENT
from recsys.safety.keys import ENVIRONMENT_FILE as KEY_FILE
from tests.documents.test_commands import accepted
from tests.pipeline.nights import ROOT

EXAMPLES = ROOT / "docs" / "examples"
DOCKERFILE = (EXAMPLES / "Dockerfile").read_text("utf-8")
COMPOSE = (EXAMPLES / "compose.yaml").read_text("utf-8")
PROJECT = yaml.safe_load(COMPOSE)
SERVICES: dict[str, dict[str, Any]] = PROJECT["services"]
OURS = sorted(name for name, one in SERVICES.items() if one["image"] == PROJECT["name"])


def commands() -> list[str]:
    """Return every command of the package that the two files run or tell an operator to run."""
    run = [shlex.join(one["command"]) for one in SERVICES.values() if "command" in one]
    scripts = [one["command"][-1].replace("$$", "$") for one in SERVICES.values() if "command" in one]
    [started] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    built = re.findall(r"^RUN \S*/bin/(recsys .*)$", DOCKERFILE, re.MULTILINE)
    told = re.findall(r"(?:run --rm (?:--no-deps )?night) (recsys [^,\n]+)", COMPOSE)
    lines = [line.strip() for script in scripts for line in script.splitlines()]
    found = [*run, *lines, *built, *told, shlex.join(yaml.safe_load(started))]
    return [one for one in found if one.startswith("recsys ")]


def test_every_command_is_one_of_the_command_line() -> None:
    found = commands()
    assert {one.split()[1] for one in found} == {"init", "night", "serve", "warm"}
    for command in found:
        accepted(command)


def test_the_store_is_made_by_a_call_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    import recsys.safety

    made = []
    monkeypatch.setattr(
        recsys.safety, "open_safety", lambda address, *, create: made.append((address, create))
    )
    python, option, code = SERVICES["store"]["command"]
    assert (python, option) == ("python", "-c")
    exec(compile(code, "compose.yaml", "exec"), {})
    address = f"--safety={made[0][0]}"
    assert made[0][1] is True
    assert address in SERVICES["service"]["command"]


def test_the_night_publishes_what_the_service_serves() -> None:
    script = SERVICES["night"]["command"][-1]
    [home] = set(re.findall(r"--home (\S+)", script))
    assert f"--published={home}/data/published" in SERVICES["service"]["command"]
    assert any(home.startswith(volume.split(":")[1]) for volume in SERVICES["night"]["volumes"])
    assert "-eq 30" in script
    done = re.sub(r"\$\$", "$", script)
    assert done.count("do\n") == done.count("done") == 2


def test_no_secret_stands_in_the_files() -> None:
    assert not re.search(r"\b[0-9a-f]{32,}\b", DOCKERFILE + COMPOSE)
    assert not re.search(r"//[^/@\s]+:[^/@\s]+@", DOCKERFILE + COMPOSE)
    assert not re.search(r"KEY|PASSWORD|SECRET", DOCKERFILE)
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"KEY|PASSWORD|SECRET", name):
                assert re.fullmatch(r"\$\{[A-Z]+(_[A-Z]+)*:\?[^}]+\}", value), name
    assert ENVIRONMENT in SERVICES["service"]["environment"]
    assert KEY_FILE not in SERVICES["service"]["environment"]


@pytest.mark.parametrize("name", OURS)
def test_a_container_has_few_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["user"].split(":")[0] == re.search(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)[1] != "0"
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["tmpfs"] == ["/tmp"]


def test_only_this_machine_reaches_the_service_and_nobody_the_database() -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["service"]["ports"])
    assert "ports" not in SERVICES["database"]


def test_the_image_is_built_from_what_is_there_with_extras_that_exist() -> None:
    import tomllib

    build = SERVICES["service"]["build"]
    assert (EXAMPLES / build["context"]).resolve() == ROOT
    assert ROOT / build["dockerfile"] == EXAMPLES / "Dockerfile"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    [asked] = re.findall(r"/src\[([a-z,]+)\]", DOCKERFILE)
    assert set(asked.split(",")) <= extras.keys()
    for line in re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        assert all((ROOT / source).exists() for source in sources)
    assert re.findall(r"RECSYS_CACHE=(\S+)", DOCKERFILE) == ["/opt/recsys/cache"] * 2


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "operate.md"
VERIFY = shutil.which("systemd-analyze")


def units() -> dict[str, str]:
    """Return the units of the page by file name."""
    [block] = re.findall(r"```ini\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    parts = re.split(r"^# (\S+\.(?:service|timer))$", block, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def complaints(folder: Path, found: dict[str, str]) -> str:
    """Return what systemd says of the units, with a command and a user that every machine has."""
    for name, text in found.items():
        here = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text).replace("User=recsys", "User=root")
        (folder / name).write_text(here)
    (folder / "recsys-alert.service").write_text("[Service]\nExecStart=/bin/true\n")
    command = [str(VERIFY), "verify", "--man=no", *(str(folder / name) for name in found)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "\n".join(line for line in done.stderr.splitlines() if "recsys-" in line)


def test_the_units_have_a_user_and_can_be_enabled() -> None:
    found = units()
    assert "User=recsys" in found["recsys-night.service"]
    assert "[Install]" in found["recsys-night.timer"]


@pytest.mark.skipif(VERIFY is None, reason="no systemd on this machine")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    assert complaints(tmp_path, units()) == ""
    make_home(tmp_path / "home")
    made = {path.name: path.read_text() for path in (tmp_path / "home").rglob("recsys-night.*")}
    assert set(made) == set(units())
    assert complaints(tmp_path, made) == ""
    wrong = {name: text.replace("Persistent=", "Persists=") for name, text in units().items()}
    assert "Persists" in complaints(tmp_path, wrong)
