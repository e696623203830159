"""recsys recommend."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, Params, Published, Source, app


@app.command()
def recommend(
    viewers: Annotated[list[str] | None, typer.Argument(help="Whose lists; everybody's by default.")] = None,
    *,
    source: Source = None,
    model: Annotated[Path, typer.Option(metavar="DIR", help="A model that `recsys train` saved.")] = Path(
        "data/work/model"
    ),
    k: Annotated[int | None, typer.Option("--k", "-k", help="People in a list.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the lists to this Parquet file.")
    ] = None,
    published: Published = Path("data/published"),
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Make lists of people, with reasons in words.

    Only people who may be shown to the viewer, best first; a short list is not filled up. Whom the safety
    ledger beside publications stops or keeps apart, and who was erased, stands in none.

    Example: recsys recommend u0000007 --k 5 --lang ja
    """
    import sys

    from recsys.catalogue.columns import Columns as C
    from recsys.cli.app import language, opened, say
    from recsys.messaging.reasons import reason_text
    from recsys.pipeline.from_settings import load_model
    from recsys.pipeline.list_files import write_lists
    from recsys.pipeline.publish_night import lists_of_now
    from recsys.ranking.recommend import recommend as recommended

    night = opened(source, as_of, params)
    spoken = language(lang, night.settings)
    chosen = night.settings.recommend
    lists = recommended(
        load_model(night.settings.model, model),
        night.people,
        night.policy,
        viewers=viewers or None,
        k=chosen.k if k is None else k,
        combiner=chosen.combiner,
        progress=sys.stderr.isatty(),
    )
    lists = lists_of_now(lists, night.people, published)
    if out is not None:
        write_lists(out, lists)
        people = lists[C.VIEWER].nunique()
        say("lists_written", spoken, rows=f"{len(lists):,}", people=f"{people:,}", out=out)
        return
    for viewer, rows in lists.groupby(C.VIEWER, sort=False):
        typer.echo(str(viewer))
        for row in rows.to_dict("records"):
            words = "; ".join(
                reason_text(code, spoken, catalogue=night.people.catalogue) for code in row[C.REASONS]
            )
            typer.echo(f"  {row[C.RANK]:>3}  {row[C.CANDIDATE]}  {row[C.P_MUTUAL]:.3f}  {words}")


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
    evaluation: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What `recsys evaluate` wrote; evaluation.json beside the lists."),
    ] = None,
    allocation: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Prices of attention; the folder allocation beside the lists."),
    ] = None,
    published: Published = Path("data/published"),
    as_of: AsOf = None,
    params: Params = None,
) -> None:
    """Put lists to the gates and serve them.

    This is the last step of a night: people erased since the lists were made are left out, and what a
    backend opens is written beside them. When a gate blocks, what is served stays.

    Exit codes: 0 published, 10 published with warnings, 20 refused by a gate, 30 try again.

    Example: recsys publish --lists lists.parquet --source parquet:members
    """
    from recsys.cli.app import language, opened, say
    from recsys.pipeline.publish_night import PublicationInputs, publish_night
    from recsys.report.gate_messages import gate_advice, gate_message
    from recsys.report.localization import Texts

    night = opened(source, as_of, params)
    texts = Texts(language(None, night.settings))
    beside = {"evaluation": lists.with_name("evaluation.json"), "allocation": lists.with_name("allocation")}
    found = {name: path if path.exists() else None for name, path in beside.items()}
    inputs = PublicationInputs(
        lists, model, evaluation or found["evaluation"], allocation or found["allocation"]
    )
    outcome = publish_night(night, inputs, published=published)
    for name in ("evaluation", "allocation"):
        if getattr(inputs, name) is None:
            say(f"published_without_{name}", texts.lang, path=beside[name])
    for result in outcome.gates:
        typer.echo(f"  {result.level.name:<5} {result.gate:<14} {gate_message(result, texts)}")
        if result.level:
            typer.echo(f"  {'':<20} {gate_advice(result, texts)}")
    say("published" if outcome.published else "refused", texts.lang, folder=outcome.folder)
    raise typer.Exit(outcome.exit_code)


@app.command()
def rollback(
    run: Annotated[
        str | None, typer.Argument(help="A run id; the run before the one that is served by default.")
    ] = None,
    *,
    published: Published = Path("data/published"),
    without_newest: Annotated[
        bool,
        typer.Option(
            "--without-newest",
            help="Go back although the newest publication cannot be read: whom it left out is shown again.",
        ),
    ] = False,
) -> None:
    """Serve an earlier publication again.

    Its files are checked first. One that still names somebody who asked to be erased is written anew without
    them. Whom the newest publication lists no more, or keeps apart, stays out until a night is published,
    whatever comes by day.

    Example: recsys rollback
    """
    from recsys.cli.app import language, say, settings_if_sound
    from recsys.pipeline.rollback import rollback as rolled_back

    found = rolled_back(published, run, without_newest=without_newest)
    spoken = language(None, settings_if_sound())
    say("rolled_back", spoken, run=found.run_id, as_of=found.manifest.data_as_of)


@app.command()
def export(
    target: Annotated[str, typer.Argument(help="postgresql://user@host/db; the password in PGPASSWORD.")],
    *,
    published: Published = Path("data/published"),
) -> None:
    """Serve what is published from a database as well.

    The lists replace those served there before, in one transaction; grants and views stay. Who was erased,
    held, banned or separated since they were made, as the safety ledger says, does not enter. A backend then
    asks recsys.page(viewer, k) and recsys.inbox(viewer, k), with the safety store in the same database.

    Exit codes: 0 served, 30 the database is away or another export is at work, 40 it refused.

    Example: recsys export postgresql://recsys@db/service
    """
    from recsys.cli.app import language, say, settings_if_sound
    from recsys.pipeline.publish_night import export_publication

    served = export_publication(published, target)
    say(
        "exported",
        language(None, settings_if_sound()),
        run=served.run_id,
        viewers=f"{served.viewers:,}",
        suggestions=f"{served.suggestions:,}",
    )
