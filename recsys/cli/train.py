"""recsys train."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Params, Source, app


@app.command()
def train(
    source: Source = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the model goes.")] = Path("data/work/model"),
    as_of: AsOf = None,
    params: Params = None,
) -> None:
    """Fit the model and save it as plain arrays.

    Example: recsys train --source parquet:members --out model
    """
    from recsys.cli.opening import language, opened
    from recsys.cli.say import say
    from recsys.publication.chance import generator
    from recsys.publication.chosen_model import chosen_model

    night = opened(source, as_of, params)
    model = chosen_model(night.settings.model)
    model.fit(night.people, night.events, rng=generator(night.settings, "train")).save(out)
    spoken = language(None, night.settings)
    say("trained", spoken, model=model.name, people=f"{len(night.people):,}", out=out)
