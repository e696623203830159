"""Labelled drafts in Japanese and English, in two halves.

`unseen` is the part of `frozen` that was written without sight of the rules.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

HALVES: Final = ("dev", "frozen")
FILES: Final = {"dev": ("dev",), "frozen": ("frozen", "unseen"), "unseen": ("unseen",)}


@dataclass(frozen=True)
class Draft:
    """One draft with the kinds a careful reader would flag; `also` are arguable."""

    lang: str
    text: str
    kinds: frozenset[str]
    also: frozenset[str]


def load_drafts(part: str) -> list[Draft]:
    """Return the drafts of `dev`, of `frozen`, or of `unseen`, which is in `frozen` too."""
    return [
        Draft(lang, row["text"], frozenset(row["kinds"]), frozenset(row.get("also", ())))
        for name in FILES[part]
        for lang, rows in yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text("utf-8")).items()
        for row in rows
    ]
