"""The units of the page on operating, and those of a new home, are taken by systemd, where there is one.

Planted and seen caught: a setting that no section has.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from recsys.pipeline.service_home import make_home

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
