"""recsys review."""

from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, Params, Source, app


@app.command()
def review(
    *,
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="How many rows to show.")] = 20,
) -> None:
    """Show what people have to look at, gravest first.

    For operators: it names members. The engine flags; people decide.

    Example: recsys review --lang ja
    """
    from recsys.cli.opening import language, opened
    from recsys.explain.review import load_policy, review_queue
    from recsys.schema.columns import Columns as C
    from recsys.storage.load import events_of, load_tables

    night, policy = opened(source, as_of, params), load_policy()
    spoken = language(lang, night.settings)
    tables = load_tables(night.source, night.settings.as_of)  # the events of a night have no ids to name
    queue = review_queue(events_of(tables), as_of=tables.as_of, policy=policy)
    for row in queue.head(most).to_dict("records"):
        what = policy.kinds[row["kind"]].label.text(spoken)
        evidence = " ".join(row["evidence"][:3])
        typer.echo(f"{row['gravity']}  {row[C.USER]}  {what}  {row['reporters']}  {evidence}")
    typer.echo(f"{len(queue)} / {policy.version}")
