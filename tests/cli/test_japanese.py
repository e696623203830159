"""The help of the command line in Japanese says all that the English one does."""

import re
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from recsys.cli import app
from recsys.cli.app import help_texts

JAPANESE = re.compile("[ぁ-ヿ一-鿿]")
ENGLISH = get_command(app)
TEXTS = help_texts()


def every_command(group: Any = ENGLISH, prefix: str = "") -> dict[str, Any]:
    """Return every command by its full name, groups and what is in them."""
    found = {}
    for name, command in group.commands.items():
        full = f"{prefix} {name}".strip()
        found[full] = command
        if hasattr(command, "commands"):
            found |= every_command(command, full)
    return found


COMMANDS = every_command()


def said(*arguments: str, lang: str = "ja_JP.UTF-8") -> str:
    done = CliRunner(env={"LC_ALL": lang, "COLUMNS": "110"}).invoke(app, [*arguments, "--help"])
    assert done.exit_code == 0
    return done.output


def test_every_command_and_option_has_a_text_and_no_text_is_left_over() -> None:
    assert set(TEXTS["commands"]) == set(COMMANDS)
    used = set()
    for name, command in COMMANDS.items():
        for parameter in command.params:
            own = f"{name}.{parameter.name}"
            used.add(own if own in TEXTS["options"] else parameter.name)
    assert used == set(TEXTS["options"])


def test_every_text_is_japanese() -> None:
    for text in (TEXTS["program"], *TEXTS["commands"].values(), *TEXTS["options"].values()):
        assert JAPANESE.search(text) or text.startswith("parquet:"), text


@pytest.mark.parametrize("name", list(COMMANDS))
def test_examples_and_exit_codes_are_the_same(name: str) -> None:
    english, japanese = COMMANDS[name].help or "", TEXTS["commands"][name]
    examples = re.findall(r"^Example: (.*)$", english, re.MULTILINE)
    assert examples == re.findall(r"^例：(.*)$", japanese, re.MULTILINE)
    prose = [re.sub(r"^(Example: |例：).*$", "", text, flags=re.MULTILINE) for text in (english, japanese)]
    assert set(re.findall(r"\d+", prose[0])) == set(re.findall(r"\d+", prose[1]))


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_the_locale_chooses(name: str | None) -> None:
    command = name.split() if name else []
    assert JAPANESE.search(said(*command))
    assert not JAPANESE.search(said(*command, lang="C.UTF-8").replace("LINE交換しませんか", ""))
