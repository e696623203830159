"""recsys publish."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Params, Source, app


@app.command()
def publish(
    lists: Annotated[Path, typer.Option(metavar="FILE", help="Lists that `recsys recommend` wrote.")] = Path(
        "data/work/lists.parquet"
    ),
    *,
    source: Source = None,
    model: Annotated[Path, typer.Option(metavar="DIR", help="The model they were made with.")] = Path(
        "data/work/model"
    ),
    published: Annotated[Path, typer.Option(metavar="DIR", help="Where publications are.")] = Path(
        "data/published"
    ),
    as_of: AsOf = None,
    params: Params = None,
) -> None:
    """Put lists to the gates and serve them.

    What a backend opens is written beside them. When a gate blocks, what is served stays.

    Exit codes: 0 published, 10 published with warnings, 20 refused by a gate, 30 try again.

    Example: recsys publish --lists lists.parquet --source parquet:members
    """
    from recsys.cli.opening import language, opened
    from recsys.cli.say import say
    from recsys.publication.identity import made_from
    from recsys.publication.publish import publish as published_as
    from recsys.publication.serving import serving_writer
    from recsys.report.sections.gates import said
    from recsys.report.sections.todo import advice
    from recsys.report.words import Words
    from recsys.storage.published import read_lists

    night = opened(source, as_of, params)
    outcome = published_as(
        read_lists(lists),
        night.people,
        night.policy,
        published=published,
        settings=night.settings.publish,
        source=night.settings.source,
        made_from=made_from(night.settings, night.policy, source=night.source, model=model),
        serving=serving_writer(night, model),
    )
    words = Words(language(None, night.settings))
    for result in outcome.gates:
        typer.echo(f"  {result.level.name:<5} {result.gate:<14} {said(result, words)}")
        if result.level:
            typer.echo(f"  {'':<20} {advice(result, words)}")
    say("published" if outcome.published else "refused", words.lang, folder=outcome.folder)
    raise typer.Exit(outcome.exit_code)
