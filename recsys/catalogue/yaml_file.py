"""One YAML file of the catalogue, and errors that name the file and the key."""

import math
from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any

import yaml

from recsys.catalogue.entries import LANGUAGES, Label
from recsys.errors import InputError, did_you_mean, explained


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            word = self.construct_object(key, deep=True)
            if word in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{word}' stands twice", key.start_mark)
            seen.add(word)
        return dict(super().construct_mapping(node, deep))


def names_in(text: str) -> frozenset[str]:
    """Return the `{names}` a text wants filled in.

    >>> sorted(names_in("{a} and {b}"))
    ['a', 'b']
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


class YamlFile:
    """A mapping of keys, read safely; `content` holds it. Every check names file and key when it fails.

    Raises InputError when the text is not YAML, not a mapping, or holds a key twice.
    """

    def __init__(self, name: str, text: bytes) -> None:
        self.name = f"{name}.yaml"
        try:
            loaded = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, see above
        except (yaml.YAMLError, UnicodeDecodeError, TypeError) as broken:
            why = " ".join(str(broken).split())
            raise InputError(explained("cannot read YAML", where=self.name, remedy=why)) from broken
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

    def label(self, key: str, raw: Mapping[str, object]) -> Label:
        """Return the text of `raw` in both languages, which must name the same values."""
        for lang in LANGUAGES:
            text = raw.get(lang)
            if not isinstance(text, str) or not text.strip():
                raise self.error(f"no text in '{lang}'", key, got=text, remedy="write both ja and en")
        label = Label(ja=str(raw["ja"]).strip(), en=str(raw["en"]).strip())
        if names_in(label.ja) != names_in(label.en):
            raise self.error("the two languages name different values", key, got=sorted(names_in(label.ja)))
        return label

    def number(self, key: str, raw: Mapping[str, object], name: str, least: float, most: float) -> float:
        """Return one number of `raw`, which must lie in `[least, most]`."""
        value = raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise self.error(f"'{name}' is not a number", key, got=value)
        if not least <= value <= most:
            raise self.error(f"'{name}' is not from {least} to {most}", key, got=value)
        return float(value)
