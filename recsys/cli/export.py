"""recsys export."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import app


@app.command()
def export(
    target: Annotated[str, typer.Argument(help="postgresql://user@host/db; the password in PGPASSWORD.")],
    *,
    published: Annotated[Path, typer.Option(metavar="DIR", help="Where publications are.")] = Path(
        "data/published"
    ),
) -> None:
    """Serve what is published from a database as well.

    The lists replace those served there before, in one transaction. Who asked to be erased since they
    were made does not enter.

    Exit codes: 0 served, 30 the database is away or another export is at work, 40 it refused.

    Example: recsys export postgresql://recsys@db/service
    """
    from recsys.cli.opening import language, settings_if_sound
    from recsys.cli.say import say
    from recsys.storage.erasures import ErasureList
    from recsys.storage.postgres import load_publication
    from recsys.storage.published import read_publication

    erased = ErasureList.of(published).now()
    served = load_publication(read_publication(published), target, erased=erased)
    say(
        "exported",
        language(None, settings_if_sound()),
        run=served.run_id,
        viewers=f"{served.viewers:,}",
        suggestions=f"{served.suggestions:,}",
    )
