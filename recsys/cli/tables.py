"""recsys validate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.app import AsOf, Lang, Params, Replace, Source, app

if TYPE_CHECKING:
    from recsys.catalogue.entries import Language
    from recsys.settings import Settings
    from recsys.simulation.policies import NightsConfig
    from recsys.simulation.policy_summary import NightsSummary


@app.command()
def validate(
    source: Source = None,
    as_of: AsOf = None,
    quarantine: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the refused rows to this CSV file.")
    ] = None,
    params: Params = None,
) -> None:
    """Check tables and count refused rows by reason.

    Every row is accepted or refused, never lost; a table that cannot be used ends with 40.

    Example: recsys validate --source parquet:members --quarantine refused.csv
    """
    from recsys.cli.app import language, opened, say
    from recsys.data.quarantine import CODES, without_formulas

    night = opened(source, as_of, params)
    tables, spoken = night.tables, language(None, night.settings)
    typer.echo(tables.counts.to_string(index=False))
    refused = tables.quarantine
    if len(refused):
        reasons = refused.assign(**{CODES: refused[CODES].str.split("|")}).explode(CODES)
        counted = reasons.groupby(["table", CODES]).size().rename("rows").reset_index()
        typer.echo()
        say("by_reason", spoken)
        typer.echo(counted.to_string(index=False))
    if quarantine is not None:
        without_formulas(refused).to_csv(quarantine, index=False)
        typer.echo()
        say("refused_rows", spoken, rows=f"{len(refused):,}", path=quarantine)


@app.command()
def simulate(
    people: Annotated[
        int | None, typer.Option(help="How many people; params.yaml's number by default.")
    ] = None,
    out: Annotated[
        str, typer.Option(metavar="TARGET", help="parquet:DIR or duckdb:FILE.")
    ] = "parquet:data/town",
    seed: Annotated[int | None, typer.Option(help="Seed; params.yaml's by default.")] = None,
    *,
    replace: Replace = False,
    nights: Annotated[
        int | None, typer.Option(help="Play so many nights and compare policies; no tables are written.")
    ] = None,
    policy: Annotated[
        str,
        typer.Option(
            help="Of random, popularity, naive, product, welfare, nash; the first is compared with."
        ),
    ] = "product,welfare,nash,random",
    scores: Annotated[
        str, typer.Option(help="hybrid, content or popularity, which learn; or oracle, the hidden truth.")
    ] = "hybrid",
    noise: Annotated[float, typer.Option(help="Logits of noise on the truth, with --scores oracle.")] = 0.0,
    refit: Annotated[int, typer.Option(help="Nights between two fits of the model; 0 for one fit.")] = 10,
    k: Annotated[int, typer.Option("--k", "-k", help="People in a list of the nights.")] = 10,
    towns: Annotated[int, typer.Option(help="Towns to play in, each with a seed of its own.")] = 1,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page about the nights, HTML.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all figures, JSON; data/work/nights.json joins the report."),
    ] = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Make a synthetic town, or play many nights in it.

    People, answers, boundaries, and what has happened between them so far. With --nights every policy
    lives through the same nights in its own copy of the town, with the same random numbers. Tables that are
    there already are left alone, unless --replace says that they may go.

    Example: recsys simulate --people 500 --out parquet:data/town

    Example: recsys simulate --people 500 --nights 5 --policy product,welfare --report nights.html
    """
    from recsys.cli.app import language, settings
    from recsys.settings import Settings

    changes = {"people": people, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    chosen = Settings.from_mapping(settings(params).model_dump(exclude_unset=True) | given, where="options")
    spoken = language(lang, chosen)
    if nights is None:
        _write_town(chosen, out, spoken, replace=replace)
        return
    plan = {"nights": nights, "scores": scores, "noise": noise, "refit": refit, "k": k}
    summary = _played(chosen, _nights_config(policy, plan), towns)
    _show(summary, spoken)
    _write(summary, report, json, spoken)


def _write_town(chosen: "Settings", out: str, lang: "Language", *, replace: bool) -> None:
    from recsys.catalogue.columns import Tables as T
    from recsys.cli.app import say
    from recsys.pipeline.from_settings import town_from_settings
    from recsys.storage.table_files import require_no_tables, write_tables

    require_no_tables(out, replace=replace)
    town = town_from_settings(chosen)
    write_tables(town.tables, out)
    known = {"people": f"{len(town.ids):,}", "events": f"{len(town.tables[T.EVENTS]):,}"}
    say("town", lang, **known, as_of=f"{town.as_of:%Y-%m-%d %H:%M} UTC", out=out)


def _nights_config(policies: str, plan: dict[str, Any]) -> "NightsConfig":
    from recsys.simulation.policies import NightsConfig

    names = tuple(name.strip() for name in policies.split(",") if name.strip())
    return NightsConfig(policies=names, baseline=names[0] if names else "", **plan)


def _played(chosen: "Settings", config: "NightsConfig", towns: int) -> "NightsSummary":
    import sys

    import numpy as np
    from tqdm import tqdm

    from recsys.pipeline.from_settings import town_from_settings
    from recsys.simulation.policy_nights import play_nights
    from recsys.simulation.policy_summary import summarise

    outcomes = []
    total = towns * config.nights * len(config.policies)
    with tqdm(total=total, desc="nights", unit="list", disable=not sys.stderr.isatty()) as bar:
        for number in range(towns):
            seed = chosen.seed + number
            town = town_from_settings(chosen.model_copy(update={"seed": seed}), nights_ahead=config.nights)
            outcomes.append(play_nights(town, config, seed=seed, progress=lambda _: bar.update(1)))
    return summarise(outcomes, rng=np.random.default_rng([chosen.seed, 3]))


def _show(summary: "NightsSummary", lang: "Language") -> None:
    from recsys.cli.app import say

    about = summary.about
    named = {name: about[name] for name in ("nights", "n_towns", "scores", "forbidden")}
    say("nights", lang, **named, members=f"{about['n_members']:,}")
    for measure in dict.fromkeys(summary.measures["measure"]):
        typer.echo(f"\n{measure}")
        for name in summary.policies:
            value, gain = summary.value(name, measure), summary.gain(name, measure)
            line = f"  {name:<12}{value['value']:>9.3f}  ({value['lo']:.3f} – {value['hi']:.3f})"
            if name != about["baseline"]:
                line += f"   {gain['value']:+.1%} ({gain['lo']:+.1%} – {gain['hi']:+.1%})"
            typer.echo(line)


def _write(summary: "NightsSummary", report: Path | None, json: Path | None, lang: "Language") -> None:
    from json import dumps

    from recsys.cli.app import say
    from recsys.report.page import render_nights

    texts: dict[Path, str] = {}
    if report is not None:
        texts[report] = render_nights(summary, lang)
    if json is not None:
        texts[json] = dumps(summary.as_json(), indent=1) + "\n"
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        say("written", lang, path=path)
