"""recsys guard."""

import json
import sys
from typing import Annotated

import typer

from recsys.cli.app import Lang, Params, app


@app.command()
def guard(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The draft, or - to read it from the input.")],
    *,
    lang: Lang = None,
    params: Params = None,
) -> None:
    """Say what should not be in a message draft or a profile text, one JSON object a finding.

    Kinds and places alone are printed; nothing is kept.

    Example: recsys guard "LINE交換しませんか"
    """
    from recsys.cli.opening import language, settings
    from recsys.explain.guard import check
    from recsys.explain.guard.rules import load_rules

    spoken, rules = language(lang, settings(params)), load_rules()
    draft = sys.stdin.read() if text == "-" else text
    for found in check(draft):
        said = {"kind": found.kind, "start": found.start, "end": found.end}
        typer.echo(json.dumps(said | {"label": rules.labels[found.kind].text(spoken)}, ensure_ascii=False))
