"""The rules of the guard as data: words, however they are spaced, and patterns made of them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from recsys.explain.guard.finding import KINDS
from recsys.schema.catalogue.entries import LANGUAGES, Label
from recsys.schema.catalogue.yaml_file import YamlFile
from recsys.schema.text import KATAKANA_TO_HIRAGANA

GAP: Final = r"[\s・.\-_*/|,、'’]{0,2}"
_NAME: Final = re.compile(r"<([a-z_]+)>")
_LATIN: Final = re.compile("[a-z]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern of a kind; `cased` ones read capitals. `unless` takes a match away where it overlaps."""

    kind: str
    pattern: re.Pattern[str]
    cased: bool


@dataclass(frozen=True, eq=False)
class Rules:
    """Every rule, what excuses each kind, and what to answer; `version` names the content."""

    version: str
    rules: tuple[Rule, ...]
    unless: Mapping[str, tuple[re.Pattern[str], ...]]
    labels: Mapping[str, Label]
    advice: Mapping[str, Label]


def loose(word: str) -> str:
    """Return a pattern for a word that may be spaced out or dotted; Latin words stand alone.

    >>> [bool(re.search(loose("line"), text)) for text in ("l i n e", "l.i.n.e", "online", "lines")]
    [True, True, False, False]
    """
    letters = [re.escape(letter) for letter in word.lower().translate(KATAKANA_TO_HIRAGANA) if letter != " "]
    pattern = GAP.join(letters)
    if _LATIN.match(word.lower()):
        return rf"(?<![a-z0-9]){pattern}(?![a-z])"
    return pattern


def read_rules(file: YamlFile, version: str) -> Rules:
    """Read the rules; raises InputError naming file and key for an unknown kind, word or a broken pattern."""
    words = {name: _alternatives(file, name, raw) for name, raw in _mapping(file, "words").items()}
    kinds = file.section(file.content, "kinds", (*LANGUAGES, "advice", "rules", "cased", "unless"))
    for name in {*kinds} ^ {*KINDS}:
        raise file.error("every kind has rules, and no other", "kinds", got=name)
    rules: list[Rule] = []
    unless: dict[str, tuple[re.Pattern[str], ...]] = {}
    for kind, raw in kinds.items():
        for source, cased in (("rules", False), ("cased", True)):
            rules += [
                Rule(kind, p, cased) for p in _patterns(file, f"{kind}.{source}", raw.get(source), words)
            ]
        unless[kind] = _patterns(file, f"{kind}.unless", raw.get("unless"), words)
    return Rules(
        version=version,
        rules=tuple(rules),
        unless=unless,
        labels={kind: file.label(kind, raw) for kind, raw in kinds.items()},
        advice={
            kind: file.label(kind, file.mapping(f"{kind}.advice", raw.get("advice"), LANGUAGES))
            for kind, raw in kinds.items()
        },
    )


def _mapping(file: YamlFile, name: str) -> dict[str, Any]:
    raw = file.content.get(name)
    return file.mapping(name, raw, raw if isinstance(raw, dict) else ())


def _alternatives(file: YamlFile, name: str, raw: object) -> str:
    if not isinstance(raw, list) or not all(isinstance(word, str) and word for word in raw):
        raise file.error("not a list of words", name, got=raw)
    return "(?:" + "|".join(loose(word) for word in raw) + ")"


def _patterns(file: YamlFile, key: str, raw: object, words: Mapping[str, str]) -> tuple[re.Pattern[str], ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(source, str) for source in raw):
        raise file.error("not a list of patterns", key, got=raw)
    found = []
    for source in raw:
        for name in _NAME.findall(source):
            if name not in words:
                raise file.error("unknown word", key, got=name)
        whole = _NAME.sub(lambda match: words[match[1]], source.translate(KATAKANA_TO_HIRAGANA))
        try:
            found.append(re.compile(whole))
        except re.error as broken:
            raise file.error("a broken pattern", key, got=source, remedy=str(broken)) from broken
    return tuple(found)


@lru_cache(maxsize=1)
def load_rules() -> Rules:
    """Return the rules that come with the package, read once."""
    content = (files("recsys.schema.catalogue") / "guard.yaml").read_bytes().replace(b"\r\n", b"\n")
    return read_rules(YamlFile("guard", content), hashlib.sha256(content).hexdigest()[:12])
