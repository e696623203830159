"""Fingerprints: 16 hexadecimal digits, equal when the bytes behind them are equal.

DVC decides which stages of a night run again. Within a stage a fingerprint decides: validated tables are
used again when `validation_fingerprint` is that of the night, finished parts of the candidates when
`candidates_fingerprint` is. The manifest of a publication names what it was made from by `made_from`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.files import CATALOGUE_JSON
from recsys.constraints.policy import Policy
from recsys.errors import SourceError, explained
from recsys.plugins import plugin_versions
from recsys.settings import Settings
from recsys.storage.atomic_write import sha256_of
from recsys.storage.manifest import MadeFrom
from recsys.storage.postgres_tables import is_postgres
from recsys.storage.source_snapshot import snapshot_source, take_snapshot
from recsys.storage.sources import is_plugin_source, parse_source, source_files

_SOURCE_ENDINGS: Final = (".py", ".yaml", ".yml", ".json")
_PACKAGES: Final = ("numpy", "pandas", "pyarrow", "numba", "scikit-learn", "h3")
_LENGTH: Final = 16
_SCHEMA: Final = ("catalogue", "data")
_VALIDATION: Final = (*_SCHEMA, "storage")
"""Packages of recsys that decide which rows are accepted and what they become."""


def text_fingerprint(text: str) -> str:
    """Return the fingerprint of a text.

    >>> text_fingerprint("a")
    'ca978112ca1bbdca'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def files_fingerprint(folder: Path, endings: Iterable[str] = ("",)) -> str:
    """Return the fingerprint of a file, or of the files under a folder by name and content.

    Raises SourceError when there is no such file or folder: nothing would then be equal to anything.
    """
    if folder.is_file():
        return sha256_of(folder)[:_LENGTH]
    if not folder.is_dir():
        raise SourceError(explained("no such file or folder", got=str(folder)))
    endings = tuple(endings)
    lines = [
        f"{path.relative_to(folder).as_posix()} {sha256_of(path)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name.endswith(endings) and "__pycache__" not in path.parts
    ]
    return text_fingerprint("\n".join(lines))


def source_fingerprint(source: str) -> str:
    """Return the fingerprint of the files a named source is read from, its catalogue among them.

    Of a database, a mapping or another store that is no file, the tables it gives now are looked at.
    """
    if is_postgres(source) or is_plugin_source(source):
        with TemporaryDirectory() as folder:
            take_snapshot(source, Path(folder) / "tables")
            return source_fingerprint(snapshot_source(source, Path(folder) / "tables"))
    files = source_files(source)
    beside = parse_source(source)[1] / CATALOGUE_JSON
    files += [beside] if beside.is_file() else []
    return text_fingerprint("\n".join(f"{path.name} {files_fingerprint(path)}" for path in files))


def code_fingerprint(*packages: str) -> str:
    """Return the fingerprint of the source of `recsys` and of every plugin, or of some packages of recsys."""
    root = Path(__file__).parents[1]
    if not packages:
        own, plugins = files_fingerprint(root, _SOURCE_ENDINGS), plugin_versions()
        return text_fingerprint(f"{own} {plugins}") if plugins else own
    lines = (f"{package} {files_fingerprint(root / package, _SOURCE_ENDINGS)}" for package in packages)
    return text_fingerprint("\n".join(lines))


def schema_fingerprint() -> str:
    """Return the fingerprint of the tables, their vocabularies and the catalogue."""
    return code_fingerprint(*_SCHEMA)


def validation_fingerprint(source: str, as_of: str | None, catalogue: Catalogue | None = None) -> str:
    """Return the fingerprint of what decides whom and what the validation accepts.

    catalogue: the one of the settings; None for the one beside the source, or of the package.
    """
    own = "" if catalogue is None else f" {catalogue.version}"
    return text_fingerprint(f"{source_fingerprint(source)} {as_of} {code_fingerprint(*_VALIDATION)}{own}")


def candidates_fingerprint(settings: Settings, policy: Policy, *, validated: str, model: Path) -> str:
    """Return the fingerprint of everything that decides the candidates of one part of the viewers.

    validated: the fingerprint of the validated tables; model: the folder of the fitted model.
    """
    parts = {
        "accepted": validated,
        "code": code_fingerprint(),
        "model": files_fingerprint(model),
        "policy": policy.version,
        "recommend": settings.recommend.model_dump(mode="json"),
        "people_a_part": settings.execution.people_a_part,
        "packages": dict(package_versions()),
    }
    return text_fingerprint(json.dumps(parts, sort_keys=True))


@cache
def package_versions() -> Mapping[str, str]:
    """Return the installed versions of the packages whose numerics a list depends on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return MappingProxyType(found)


def made_from(settings: Settings, policy: Policy, *, source: str, model: Path) -> MadeFrom:
    """Return the fingerprints of everything that decides tonight's lists.

    source: the tables, as a source; model: the folder of the fitted model.
    """
    return MadeFrom(
        table_schema=schema_fingerprint(),
        model=files_fingerprint(model),
        data=source_fingerprint(source),
        policy=policy.version,
        code=code_fingerprint(),
        params=text_fingerprint(settings.as_yaml()),
    )
