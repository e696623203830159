"""docs/how-to/extend.md as a package called `ours`: its files, metadata, settings, and a program."""

import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "extend.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (ours/\w+\.py)\n")
BLOCKS: list[tuple[str, str]] = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def files() -> dict[str, str]:
    """The files of the package by name."""
    return {found[1]: code for kind, code in BLOCKS if kind == "python" and (found := _FILE.match(code))}


def program() -> str:
    """Everything else in Python, in one piece."""
    return "\n".join(code for kind, code in BLOCKS if kind == "python" and not _FILE.match(code))


def settings() -> dict[str, Any]:
    """The settings that name the plugins of the package."""
    (block,) = (code for kind, code in BLOCKS if kind == "yaml")
    return yaml.safe_load(block)


def project() -> dict[str, Any]:
    """The metadata of the package."""
    (block,) = (code for kind, code in BLOCKS if kind == "toml")
    return tomllib.loads(block)["project"]


def install(folder: Path, *, version: str = "1.0", name: str = "ours", **changed: dict[str, str]) -> Path:
    """Lay the package out in `folder` as an installer does, and return the folder.

    changed: entry points by group (models, constraints, ...), instead of those of the page.
    """
    for path, code in files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(code, encoding="utf-8")
    metadata = folder / f"{name}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = {f"recsys.{group}": points for group, points in changed.items()}
    groups = groups or project()["entry-points"]
    text = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
        for group, points in groups.items()
    )
    (metadata / "entry_points.txt").write_text(textwrap.dedent(text))
    return folder
