"""recsys night, recsys warm."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import Lang, app


@app.command()
def night(
    *,
    home: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder with params.yaml; all it writes is in DIR/data.")
    ] = Path(),
    params: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings; params.yaml of the home by default.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting for this run; may be repeated."),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="postgresql://user@host/db that serves the lists as well."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Run one night: from the tables of a service to published lists and a page about them.

    Relative paths of the settings are taken from the home, wherever this is called. A stage for which
    nothing changed is left out, and a night that was cut short goes on where it ended.

    Exit codes: 0 published, 10 published with warnings, 20 refused by a gate, 30 try again,
    40 broken input or setting.

    Example: recsys night --home /srv/recsys/production --export postgresql://recsys@db/service
    """
    from recsys.batch.night import run_night
    from recsys.cli.app import language, settings_if_sound
    from recsys.settings import PARAMS_FILE

    spoken = language(lang, settings_if_sound(params or home / PARAMS_FILE, changes or ()))
    raise typer.Exit(run_night(home, params=params, changes=changes or (), export=export, lang=spoken))


@app.command()
def warm() -> None:
    """Compile the kernels, once after an installation or for an image, so that no page and no night waits.

    Compiled kernels go to the folder of RECSYS_CACHE, else beside the package or into the home of the user.
    Where the night is not installed, those of serving alone are compiled.

    Example: recsys warm
    """
    from importlib.util import find_spec

    from recsys.retrieval.top_k import warm_up

    typer.echo(f"{warm_up():.1f} s")
    if find_spec("implicit") is not None and find_spec("sklearn") is not None:
        from recsys.batch.warm import warm as compiled

        compiled()
