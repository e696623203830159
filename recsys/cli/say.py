"""Prints texts of the catalogue."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from recsys.schema.catalogue import Language


def say(key: str, lang: "Language", **values: object) -> None:
    """Print the text `cli.KEY` in one language.

    >>> say("written", "en", path="page.html")
    written: page.html
    """
    from recsys.schema.catalogue import load_catalogue

    typer.echo(load_catalogue().text(f"cli.{key}", lang, **values))
