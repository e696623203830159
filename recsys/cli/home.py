"""recsys init: make the home of one service."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, app


@app.command("init")
def init(
    home: Annotated[Path, typer.Argument(metavar="DIR", help="New folder of one service.")],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE", help="The service's tables, to draft a mapping of: a folder, file or address."
        ),
    ] = None,
    as_of: AsOf = None,
    lang: Lang = None,
) -> None:
    """Make a home: settings, keys that only you can read, unit files, and drafts of a mapping.

    Nothing that stands there already is written over. The keys are made here and shown nowhere.

    Example: recsys init /srv/recsys/production --source exports/2026-06-30
    """
    from recsys.cli.app import language, say
    from recsys.cli.mapping import moment_of
    from recsys.mapping.project import unconfirmed
    from recsys.pipeline.service_home import make_home
    from recsys.safety.keys import KEY_FILE

    moment, spoken = None if as_of is None else moment_of(as_of), language(lang, None)
    files = make_home(home, source, as_of=moment)
    say("home_made", spoken, home=str(home), files=len(files), keys=KEY_FILE)
    drafts = [path.read_text(encoding="utf-8") for path in files if path.parent.name == "mapping"]
    if not drafts:
        say("home_without_mapping", spoken, home=str(home))
        return
    guesses, todo = map(sum, zip(*map(unconfirmed, drafts), strict=True))
    say("drafted", spoken, out=str(home / "mapping"), guesses=guesses, todo=todo)
