"""recsys rollback."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import app


@app.command()
def rollback(
    run: Annotated[
        str | None, typer.Argument(help="A run id; the run before the one that is served by default.")
    ] = None,
    *,
    published: Annotated[Path, typer.Option(metavar="DIR", help="Where publications are.")] = Path(
        "data/published"
    ),
) -> None:
    """Serve an earlier publication again.

    Its files are checked first. A publication that still names somebody who asked to be erased is refused.

    Example: recsys rollback
    """
    from recsys.cli.opening import language, settings_if_sound
    from recsys.cli.say import say
    from recsys.publication.rollback import rollback as rolled_back

    found = rolled_back(published, run)
    spoken = language(None, settings_if_sound())
    say("rolled_back", spoken, run=found.run_id, as_of=found.manifest.data_as_of)
