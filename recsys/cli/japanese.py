"""The help of the command line in Japanese, where the locale of the terminal is Japanese."""

import os
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

_LOCALES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Environment variables that say the language, the first that is set counts."""


def speaks_japanese(environment: Mapping[str, str] | None = None) -> bool:
    """Say whether the locale is Japanese.

    >>> speaks_japanese({"LANG": "ja_JP.UTF-8"}), speaks_japanese({"LC_ALL": "C", "LANG": "ja_JP.UTF-8"})
    (True, False)
    """
    known = os.environ if environment is None else environment
    first = next((known[name] for name in _LOCALES if known.get(name)), "")
    return first.partition("_")[0].partition(".")[0] == "ja"


def help_texts() -> dict[str, Any]:
    """Return the Japanese texts: of the program, of its commands, of their options."""
    import yaml

    text = (files("recsys.cli") / "help.ja.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def in_japanese(group: Any) -> None:
    """Put Japanese in place of the help of a group of commands, its commands and their options."""
    texts = help_texts()
    group.help = texts["program"]
    for name, command in group.commands.items():
        command.help = texts["commands"].get(name, command.help)
        for parameter in command.params:
            known = texts["options"]
            said = known.get(f"{name}.{parameter.name}", known.get(parameter.name))
            parameter.help = said or getattr(parameter, "help", None)
