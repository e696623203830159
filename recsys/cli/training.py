"""recsys train."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, Params, Source, app


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
    from recsys.cli.app import language, opened, say
    from recsys.pipeline.from_settings import model_from_settings
    from recsys.random import generator

    night = opened(source, as_of, params)
    model = model_from_settings(night.settings.model)
    model.fit(night.people, night.events, rng=generator(night.settings, "train")).save(out)
    spoken = language(None, night.settings)
    say("trained", spoken, model=model.name, people=f"{len(night.people):,}", out=out)


@app.command()
def evaluate(
    source: Source = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all measures to this JSON file.")
    ] = None,
    as_of: AsOf = None,
    params: Params = None,
) -> None:
    """Judge the model on what came after it learned.

    The model of the settings and two baselines learn from the earlier part of what happened, and what
    followed judges them. Intervals are over people; random order is printed beside.

    Example: recsys evaluate --source parquet:members --out evaluation.json
    """
    import json

    import pandas as pd

    from recsys.cli.app import language, opened, say
    from recsys.pipeline.evaluation import evaluate_night
    from recsys.storage.atomic_write import write_atomically

    night = opened(source, as_of, params)
    found = evaluate_night(night)
    if out is not None:
        write_atomically(out, json.dumps(found, indent=1, ensure_ascii=False).encode() + b"\n")
    if "not_evaluated" in found:
        say("not_evaluated", language(None, night.settings))
    for key, value in found.items():
        if not isinstance(value, list) and key != "not_evaluated":
            typer.echo(f"{key}: {value}")
    if "measures" in found:
        table = pd.DataFrame(found["measures"])
        shown = ["target", "metric", "model", "value", "lo", "hi", "random", "n"]
        table = table.loc[table["slice"] == "all", shown].astype({"n": int})
        typer.echo("\n" + table.to_string(index=False, float_format="{:.3f}".format))


@app.command()
def promote(params: Params = None, lang: Lang = None) -> None:
    """Make the model of the last night the champion, if it is no worse.

    It has to state honest chances, and its lists must not be worse than the champion's beyond the
    interval, on pairs that neither had seen.

    Exit codes: 0 promoted, or champion already; 20 refused; 40 nothing to promote.

    Example: recsys promote --lang ja
    """
    from recsys.catalogue.catalogue import load_catalogue
    from recsys.cli.app import language, settings
    from recsys.errors import EXIT_REFUSED
    from recsys.tracking.promotion import promote as promoted

    chosen = settings(params)
    spoken, texts = language(lang, chosen), load_catalogue()

    def text(key: str, **values: object) -> str:
        return texts.text(f"promotion.{key}", spoken, **values)

    outcome = promoted(chosen.tracking)
    for answer in outcome.answers:
        typer.echo(f"  {text('good' if answer.good else 'bad')}  {text(answer.reason, **answer.figures)}")
    ended = "promoted" if outcome.promoted else "refused" if outcome.refused else "already"
    typer.echo(text(ended, version=outcome.challenger.number))
    if outcome.refused:
        raise typer.Exit(EXIT_REFUSED)
