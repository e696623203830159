"""Short identities: equal when the bytes behind them are equal."""

import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from recsys.config import Settings
from recsys.constraints.policy import Policy
from recsys.plugins import plugin_versions
from recsys.storage.atomic_write import sha256_of
from recsys.storage.manifest import MadeFrom
from recsys.storage.sources import source_files

_SOURCE_ENDINGS: Final = (".py", ".yaml", ".yml", ".json")
_PACKAGES: Final = ("numpy", "pandas", "pyarrow", "numba", "scikit-learn", "h3")
_LENGTH: Final = 16


def text_id(text: str) -> str:
    """Return the identity of a text, 16 hexadecimal digits.

    >>> text_id("a")
    'ca978112ca1bbdca'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def files_id(folder: Path, endings: Iterable[str] = ("",)) -> str:
    """Return the identity of a file, or of the files under a folder by name and content."""
    if folder.is_file():
        return sha256_of(folder)[:_LENGTH]
    endings = tuple(endings)
    lines = [
        f"{path.relative_to(folder).as_posix()} {sha256_of(path)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name.endswith(endings) and "__pycache__" not in path.parts
    ]
    return text_id("\n".join(lines))


def source_id(source: str) -> str:
    """Return the identity of the files a named source is read from."""
    files = source_files(source)
    return text_id("\n".join(f"{path.name} {files_id(path)}" for path in files))


def code_id(*parts: str) -> str:
    """Return the identity of the source of this package and of every plugin, or of some of its own parts."""
    package = Path(__file__).parents[1]
    if not parts:
        own, installed = files_id(package, _SOURCE_ENDINGS), plugin_versions()
        return text_id(f"{own} {installed}") if installed else own
    return text_id("\n".join(f"{part} {files_id(package / part, _SOURCE_ENDINGS)}" for part in parts))


def schema_id() -> str:
    """Return the identity of the tables, their words and the catalogue."""
    return files_id(Path(__file__).parents[1] / "schema", _SOURCE_ENDINGS)


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages whose numerics a list depends on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def made_from(settings: Settings, policy: Policy, *, source: str, model: Path) -> MadeFrom:
    """Return the identities of everything that decides tonight's lists.

    source: the tables, as a source; model: the folder of the fitted model.
    """
    return MadeFrom(
        table_schema=schema_id(),
        model=files_id(model),
        data=source_id(source),
        policy=policy.version,
        code=code_id(),
        params=text_id(settings.as_yaml()),
    )
