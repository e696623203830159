"""recsys evaluate."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Params, Source, app


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

    from recsys.cli.opening import language, opened
    from recsys.cli.say import say
    from recsys.publication.judging import judge
    from recsys.storage.durable import write_durably

    night = opened(source, as_of, params)
    found = judge(night)
    if out is not None:
        write_durably(out, json.dumps(found, indent=1, ensure_ascii=False).encode() + b"\n")
    if "not_judged" in found:
        say("not_judged", language(None, night.settings))
    for key, value in found.items():
        if not isinstance(value, list) and key != "not_judged":
            typer.echo(f"{key}: {value}")
    if "measures" in found:
        table = pd.DataFrame(found["measures"])
        shown = ["target", "metric", "model", "value", "lo", "hi", "random", "n"]
        table = table.loc[table["slice"] == "all", shown].astype({"n": int})
        typer.echo("\n" + table.to_string(index=False, float_format="{:.3f}".format))
