"""Labelled drafts in Japanese and English, in two halves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

HALVES: Final = ("dev", "frozen")


@dataclass(frozen=True)
class Draft:
    """One draft with the kinds a careful reader would flag; `also` are arguable."""

    lang: str
    text: str
    kinds: frozenset[str]
    also: frozenset[str]


def load_drafts(half: str) -> list[Draft]:
    """Return the drafts of `dev` or `frozen`."""
    content = yaml.safe_load((Path(__file__).parent / f"{half}.yaml").read_text("utf-8"))
    return [
        Draft(lang, row["text"], frozenset(row["kinds"]), frozenset(row.get("also", ())))
        for lang, rows in content.items()
        for row in rows
    ]
