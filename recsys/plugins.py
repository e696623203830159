"""Plugins: models, rules, feature blocks, metrics and stores of other packages, by entry point.

A package registers its plugins in its `pyproject.toml`; nothing of this package is touched:

    [project.entry-points."recsys.models"]
    same_age = "our_recsys.same_age:SameAgeModel"

Groups: `recsys.models`, `recsys.constraints`, `recsys.blocks`, `recsys.metrics`, `recsys.stores` (of
tables) and `recsys.safety` (safety stores). Looking names up imports no plugin; only the one that is
asked for is imported.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from recsys.errors import PluginError, SettingsError, did_you_mean, explained

Group = Literal["models", "constraints", "blocks", "metrics", "stores", "safety"]
GROUPS: Final[tuple[Group, ...]] = get_args(Group)
_SOURCES: Final = (".py", ".yaml", ".yml", ".json", ".npy", ".so")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One registered plugin, not imported yet.

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
        """Import the plugin and return it.

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
    """Return the installed plugins of one group, in the order of names.

    Raises PluginError when two packages register the same name.

    >>> plugins("models").get("not installed") is None
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
                    "two packages register one name",
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
    here, installed = list(own), plugins(group)
    for name in here:
        if name in installed:
            raise PluginError(
                explained(
                    "a plugin takes a name of this package",
                    where=f"recsys.{group}",
                    got=str(installed[name]),
                    remedy=f"register it under another name, or uninstall {installed[name].package}",
                )
            )
    return [*here, *installed]


def unknown_name(group: Group, name: str, own: Iterable[str]) -> str | None:
    """Return what is wrong with a name, None when this package or a plugin has it.

    >>> print(unknown_name("models", "hybird", ["hybrid", "content"]))
    did you mean 'hybrid'?
    """
    known = known_names(group, own)
    if name in known:
        return None
    return did_you_mean(name, known) if known else "install the package that registers it"


def load_plugin(group: Group, name: str, *, what: str, base: type | None = None) -> Any:
    """Import a plugin by name and return it.

    what: the kind asked for, in words. base: the class it must be a subclass of; anything that can be
    called will do when None.

    Raises PluginError when no package registers it, it cannot be imported, is of another kind, or calls
    itself by another name than the one it is registered under.
    """
    installed = plugins(group)
    if name not in installed:
        remedy = did_you_mean(name, installed) if installed else "install the package that registers it"
        raise PluginError(
            explained(f"no plugin registers {what}", where=f"recsys.{group}", got=name, remedy=remedy)
        )
    plugin = installed[name]
    found = plugin.load()
    fits = callable(found) if base is None else isinstance(found, type) and issubclass(found, base)
    if not fits:
        raise PluginError(explained(f"a plugin is not {what}", where=str(plugin), got=found))
    called = getattr(found, "name", name)
    if called != name:
        remedy = "register it under the name it calls itself"
        raise PluginError(explained("a plugin has two names", where=str(plugin), got=called, remedy=remedy))
    return found


def build_plugin(
    group: Group, name: str, options: Mapping[str, Any], *, what: str, base: type, where: str
) -> Any:
    """Return an instance of a plugin class, constructed with its settings.

    where: the key the settings stand under.

    Raises PluginError as `load_plugin` does, SettingsError for settings it does not take.
    """
    kind = load_plugin(group, name, what=what, base=base)
    try:
        return kind(**options)
    except (TypeError, ValueError) as error:
        raise SettingsError(explained("impossible value", where=f"{where}.{name}", got=str(error))) from error


def plugin_versions() -> dict[str, str]:
    """Return every package that registers a plugin, with its `version source-hash`.

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
