"""recsys recommend."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, Params, Source, app


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
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Make lists of people, with reasons in words.

    Only people who may be shown to the viewer, best first; a short list is not filled up.

    Example: recsys recommend u0000007 --k 5 --lang ja
    """
    import sys

    from recsys.cli.opening import language, opened
    from recsys.cli.say import say
    from recsys.explain.reasons import reason_text
    from recsys.publication.chosen_model import load_model
    from recsys.publication.list_table import write_lists
    from recsys.ranking.recommend import recommend as recommended
    from recsys.schema.columns import Columns as C

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
    if out is not None:
        write_lists(out, lists)
        people = lists[C.VIEWER].nunique()
        say("lists_written", spoken, rows=f"{len(lists):,}", people=f"{people:,}", out=out)
        return
    for viewer, rows in lists.groupby(C.VIEWER, sort=False):
        typer.echo(str(viewer))
        for row in rows.to_dict("records"):
            words = "; ".join(reason_text(code, spoken) for code in row[C.REASONS])
            typer.echo(f"  {row[C.RANK]:>3}  {row[C.CANDIDATE]}  {row[C.P_MUTUAL]:.3f}  {words}")
