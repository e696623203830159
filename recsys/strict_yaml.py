"""The strict YAML reader: duplicate keys, deep nesting and alias bombs are errors that name file and key.

Plain YAML keeps the last of two equal keys, so that a rule written twice is silently lost; and a file of
a few lines whose aliases point at each other expands to more than memory holds. The settings, the
catalogue, the draft guard's rules and the review policy are all read here.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import yaml

from recsys.errors import InputError, did_you_mean, explained

MAX_DEPTH: Final = 30
MAX_NODES: Final = 200_000
"""Keys and values a file may hold once its aliases are written out."""

_SAFE: Final = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class _Loader(_SAFE):  # type: ignore[misc, valid-type]
    """A safe loader that refuses a duplicate key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key '{name}'", key.start_mark)
            seen.add(name)
        return dict(super().construct_mapping(node, deep))


def parse_yaml(text: str | bytes, *, where: str, error: type[InputError] = InputError) -> Any:
    r"""Return the plain values of a YAML text.

    where: what errors call the text. error: the kind to raise.

    Raises `error` when the text is not YAML, holds a key twice, is nested deeper than
    `MAX_DEPTH` or is larger than `MAX_NODES` once its aliases are written out.

    >>> parse_yaml("{k: 3, names: [a, b]}", where="params.yaml")
    {'k': 3, 'names': ['a', 'b']}
    >>> parse_yaml("k: 3\nk: 4", where="params.yaml")
    Traceback (most recent call last):
    recsys.errors.InputError: cannot read YAML in params.yaml line 2; duplicate key 'k'
    """
    try:
        _check_size(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, see above
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError) as broken:
        mark = getattr(broken, "problem_mark", None)
        place = f"{where} line {mark.line + 1}" if mark else where
        reason = " ".join(str(getattr(broken, "problem", None) or broken).split())
        if "nesting depth" in reason:  # newer versions of libyaml count too, before the first event
            reason = f"more than {MAX_DEPTH} levels deep"
        raise error(explained("cannot read YAML", where=place, remedy=reason)) from broken


def flat(listed: list[Any]) -> list[Any]:
    """Return what stands in a list and in the lists in it, in order; long lists are written in several lines.

    >>> flat(["a", ["b", "c"]])
    ['a', 'b', 'c']
    """
    return [one for part in listed for one in (part if isinstance(part, list) else [part])]


def _check_size(text: str | bytes) -> None:
    """Raise YAMLError for a text that is too deep or too large once its aliases are written out."""
    sizes: dict[str | None, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=_SAFE):
        if isinstance(event, yaml.AliasEvent):
            total += sizes.get(event.anchor, MAX_NODES)  # an anchor that is still open contains itself
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, total))
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            sizes[anchor] = total - before
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            sizes[event.anchor] = 1
        if len(open_nodes) > MAX_DEPTH:
            raise yaml.YAMLError(f"more than {MAX_DEPTH} levels deep")
        if total >= MAX_NODES:
            raise yaml.YAMLError(f"more than {MAX_NODES} keys and values once its aliases are written out")


class YamlFile:
    """A YAML mapping and checks of its entries; each check names file and key when it fails.

    Raises InputError when the text is not a mapping, and as `parse_yaml` does.

    >>> file = YamlFile("limits", b"numbers: {days: 3}")
    >>> file.number("numbers", file.content["numbers"], "days", 1, 365)
    3.0
    """

    def __init__(self, name: str, text: bytes) -> None:
        self.name = f"{name}.yaml"
        loaded = parse_yaml(text, where=self.name)
        if not isinstance(loaded, dict):
            raise InputError(explained("not a mapping of keys", where=self.name, got=loaded))
        self.content: dict[str, Any] = {str(key): value for key, value in loaded.items()}

    def error(self, what: str, key: str, got: object = None, remedy: str = "") -> InputError:
        """Return the error that says what is wrong with `key`."""
        return InputError(explained(what, where=f"{self.name}: {key}", got=got, remedy=remedy))

    def mapping(self, key: str, raw: object, allowed: Iterable[str]) -> dict[str, Any]:
        """Return `raw` as a mapping that holds no field but the allowed ones."""
        if not isinstance(raw, dict):
            raise self.error("not a mapping", key, got=raw)
        allowed = tuple(allowed)
        for name in raw:
            if name not in allowed:
                raise self.error("unknown field", key, got=str(name), remedy=did_you_mean(str(name), allowed))
        return raw

    def section(self, content: Mapping[str, Any], name: str, fields: Iterable[str]) -> dict[str, Any]:
        """Return the entries of one section, each a mapping of `fields`."""
        raw = content.get(name)
        if not isinstance(raw, dict):
            raise self.error("not a section of entries", name, got=raw)
        fields = tuple(fields)
        return {str(key): self.mapping(f"{name}.{key}", entry, fields) for key, entry in raw.items()}

    def number(self, key: str, raw: Mapping[str, object], name: str, least: float, most: float) -> float:
        """Return one number of `raw`, which must lie in `[least, most]`."""
        value = raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise self.error(f"'{name}' is not a number", key, got=value)
        if not least <= value <= most:
            raise self.error(f"'{name}' is not from {least} to {most}", key, got=value)
        return float(value)
