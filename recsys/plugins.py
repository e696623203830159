"""Pieces other packages bring, known by name through their entry points and loaded when used.

A package registers what it brings in its `pyproject.toml`; nothing of this package is touched:

    [project.entry-points."recsys.models"]
    same_age = "our_recsys.same_age:SameAgeModel"

Groups: `recsys.models`, `recsys.constraints`, `recsys.blocks`, `recsys.metrics`, `recsys.stores` (of
tables) and `recsys.safety` (safety stores). Looking names up imports nothing of the package that brings
them; only a piece that is asked for is imported.
"""

import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from recsys.errors import PluginError, did_you_mean, explained

Group = Literal["models", "constraints", "blocks", "metrics", "stores", "safety"]
GROUPS: Final[tuple[Group, ...]] = ("models", "constraints", "blocks", "metrics", "stores", "safety")
_SOURCES: Final = (".py", ".yaml", ".yml", ".json", ".npy", ".so")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One piece another package brings.

    group, name: what it is and what settings call it. value: where it is, as `module:attribute`.
    package, version: of the distribution that registers it.
    """

    group: Group
    name: str
    value: str
    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} ({self.group}) from {self.package} {self.version}"

    def load(self) -> Any:
        """Import and return the piece.

        Raises PluginError when it cannot be imported, whatever it raises.
        """
        module, _, attribute = self.value.partition(":")
        try:
            found: Any = __import__(module.strip(), fromlist=["*"])
            for part in filter(None, attribute.strip().split(".")):
                found = getattr(found, part)
        except Exception as error:  # code of others may raise anything
            got = f"{type(error).__name__}: {error}"
            remedy = f"repair or uninstall {self.package}"
            raise PluginError(
                explained("a plugin cannot be loaded", where=f"{self}, {self.value}", got=got, remedy=remedy)
            ) from error
        return found


def plugins(group: Group) -> Mapping[str, Plugin]:
    """Return what is installed of one group, by name, in the order of names.

    Raises PluginError when two packages bring the same name.

    >>> plugins("models").get("nobody brings this") is None
    True
    """
    found: dict[str, Plugin] = {}
    for plugin in sorted(_installed(tuple(sys.path)), key=lambda one: (one.name, one.package)):
        if plugin.group != group:
            continue
        if plugin.name in found:
            packages = f"{found[plugin.name].package} and {plugin.package}"
            raise PluginError(
                explained(
                    "two packages bring one name",
                    where=f"recsys.{group}",
                    got=f"{plugin.name} from {packages}",
                    remedy="uninstall one of them",
                )
            )
        found[plugin.name] = plugin
    return MappingProxyType(found)


def known_names(group: Group, own: Iterable[str]) -> list[str]:
    """Return the names of this package, `own`, and of plugins.

    Raises PluginError when a plugin takes a name of this package.
    """
    here, brought = list(own), plugins(group)
    for name in here:
        if name in brought:
            raise PluginError(
                explained(
                    "a plugin takes a name that is taken",
                    where=f"recsys.{group}",
                    got=str(brought[name]),
                    remedy=f"register it under another name, or uninstall {brought[name].package}",
                )
            )
    return [*here, *brought]


def unknown_name(group: Group, name: str, own: Iterable[str]) -> str | None:
    """Return what is wrong with a name, None when this package or a plugin has it.

    >>> print(unknown_name("models", "hybird", ["hybrid", "content"]))
    did you mean 'hybrid'?
    """
    known = known_names(group, own)
    if name in known:
        return None
    return did_you_mean(name, known) if known else "install the package that brings it"


def load_plugin(group: Group, name: str, *, fits: Callable[[Any], bool], what: str) -> Any:
    """Import and return a piece by name.

    fits: says whether what was found is of the kind asked for, `what` in words.

    Raises PluginError when no package brings it, it cannot be imported, is something else, or calls
    itself by another name than the one it is registered under.
    """
    brought = plugins(group)
    if name not in brought:
        remedy = did_you_mean(name, brought) if brought else "install the package that brings it"
        raise PluginError(
            explained(f"nobody brings {what}", where=f"recsys.{group}", got=name, remedy=remedy)
        )
    plugin = brought[name]
    found = plugin.load()
    if not fits(found):
        raise PluginError(explained(f"a plugin is not {what}", where=str(plugin), got=found))
    called = getattr(found, "name", name)
    if called != name:
        remedy = "register it under the name it calls itself"
        raise PluginError(explained("a plugin has two names", where=str(plugin), got=called, remedy=remedy))
    return found


def plugin_versions() -> dict[str, str]:
    """Return every package that brings something, as `version source-hash`; nothing when none does.

    The hash is over the source files of what it registers, so that a change without a new version counts.
    """
    packages: dict[str, set[str]] = {}
    versions: dict[str, str] = {}
    for plugin in _installed(tuple(sys.path)):
        versions[plugin.package] = plugin.version
        packages.setdefault(plugin.package, set()).add(plugin.value.partition(":")[0].strip())
    return {
        package: f"{versions[package]} {_source_hash(modules)}"
        for package, modules in sorted(packages.items())
    }


@lru_cache(maxsize=8)
def _installed(path: tuple[str, ...]) -> tuple[Plugin, ...]:
    """Return everything installed on a search path; the first of two equal packages counts."""
    del path  # part of the key: what is installed depends on it
    found: dict[str, list[Plugin]] = {}
    for distribution in distributions():
        package = distribution.metadata["Name"]
        if package is None or package in found:
            continue
        found[package] = [
            Plugin(group, entry.name, entry.value, package, distribution.version)
            for entry in distribution.entry_points
            for group in GROUPS
            if entry.group == f"recsys.{group}"
        ]
    return tuple(plugin for several in found.values() for plugin in several)


def _source_hash(modules: Iterable[str]) -> str:
    """Return a hash of the source files of the top-level packages of `modules`, 16 hexadecimal digits."""
    lines: list[str] = []
    for name in sorted({module.partition(".")[0] for module in modules}):
        for place, file in _source_files(name):
            lines.append(f"{place} {hashlib.sha256(file.read_bytes()).hexdigest()}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _source_files(name: str) -> list[tuple[str, Path]]:
    try:
        spec: ModuleSpec | None = find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return []
    if not spec.submodule_search_locations:
        return [(name, Path(spec.origin))] if spec.origin and Path(spec.origin).is_file() else []
    return [
        (f"{name}/{path.relative_to(folder).as_posix()}", path)
        for folder in map(Path, spec.submodule_search_locations)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _SOURCES and "__pycache__" not in path.parts
    ]
