"""recsys experiment: plan an experiment, say who is in which arm, and read what it has come to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recsys.cli.app import AsOf, Lang, Params, Replace, Source, app
from recsys.errors import SettingsError, explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from recsys.catalogue.entries import Language
    from recsys.config import ExperimentSettings
    from recsys.experiments.rehearsal import Rehearsal
    from recsys.pipeline.night import Night
    from recsys.settings import Settings

MOST_CUT: Final = 0.25
"""With a larger share of pairs between neighbourhoods a plan says that they hide much of an effect."""

experiment_app = typer.Typer(
    name="experiment",
    help="Compare ways to make lists on members, with intervals that respect shared attention.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(experiment_app)


@experiment_app.command("plan")
def plan(
    *,
    nights: Annotated[
        list[int] | None, typer.Option(help="Numbers of nights to plan for; 7, 14, 28 and 56 by default.")
    ] = None,
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Say what effect the experiment of the settings would find after so many nights.

    Arms are drawn again and again over the nights that have passed, which were the same for everybody.

    Example: recsys experiment plan --source parquet:members
    """
    from recsys.cli.app import language, opened, say
    from recsys.experiments import nights_needed, nights_of_past, outcomes
    from recsys.experiments import plan as planned

    night = opened(source, as_of, params)
    experiment, spoken = _experiment(night, params), language(lang, night.settings)
    today = night.people.as_of.tz_convert("UTC").date()
    before = experiment.changed(
        starts=min(today, experiment.starts), ended={}
    )  # nights of two arms are no past
    past = outcomes(night.events_of_types("impression", "like"), before, now=night.people.as_of)
    groups, cut = _neighbourhoods(night, experiment)
    _say_neighbourhoods(groups, cut, spoken)
    people = _people(night)
    hidden = cut if cut > 0.0 else 0.0
    table = planned(before, people, past, neighbourhoods=groups, nights=nights or (7, 14, 28, 56), cut=hidden)
    typer.echo(table_text(table, spoken))
    effect = f"{experiment.effect:.0%}"
    say("experiment_planned", spoken, effect=effect, nights=len(nights_of_past(past)))
    if hidden > 0.0:
        say("experiment_diluted", spoken, effect=effect, seen=f"{experiment.effect * (1.0 - hidden):.0%}")
    needed = nights_needed(table, experiment.effect) if len(table) > 1 else None
    if needed is not None:
        say("experiment_needs", spoken, effect=effect, nights=f"{needed:,}")
    elif len(table) > 1:
        last = table.iloc[-1]
        more = (last["smallest_relative"] / experiment.effect) ** 2
        values = {"nights": int(last["nights"]), "units": f"{int(last['units']):,}"}
        values |= {"smallest": f"{last['smallest_relative']:.0%}", "times": f"{more:,.0f}"}
        say("experiment_never", spoken, effect=effect, **values)


@experiment_app.command("assign")
def assign(
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Parquet file for user_id, unit and arm.")],
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Write who is in which arm; neighbourhoods are made once and kept in the file of the settings.

    Example: recsys experiment assign --out assignment.parquet
    """
    from recsys.cli.app import language, opened, say
    from recsys.experiments import assign as assigned
    from recsys.storage.atomic_write import write_atomically

    night = opened(source, as_of, params)
    experiment, spoken = _experiment(night, params), language(lang, night.settings)
    groups, cut = _neighbourhoods(night, experiment)
    if groups is not None and experiment.neighbourhoods and not Path(experiment.neighbourhoods).exists():
        file = Path(experiment.neighbourhoods)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, groups.to_parquet(index=False))
        say("written", spoken, path=experiment.neighbourhoods)
    _say_neighbourhoods(groups, cut, spoken)
    table = assigned(experiment, _people(night), groups)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, table.to_parquet(index=False))
    counts = table["arm"].value_counts().sort_index()
    for arm, number in counts.items():
        typer.echo(f"{arm}: {number:,}")
    say("written", spoken, path=str(out))


@experiment_app.command("rehearse")
def rehearse(
    *,
    people: Annotated[int, typer.Option(help="How many people the town has.")] = 500,
    nights: Annotated[
        int | None,
        typer.Option(help="Nights to play; those of the experiment and mature_nights more by default."),
    ] = None,
    out: Annotated[
        str, typer.Option(metavar="TARGET", help="Where the town's tables go: parquet:DIR or duckdb:FILE.")
    ] = "parquet:rehearsal",
    replace: Replace = False,
    seed: Annotated[int | None, typer.Option(help="Seed; params.yaml's by default.")] = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Play the experiment of the settings in a synthetic town, night by night, without members or keys.

    Its tables can be planned from and read like your own, as of any night. Every arm is also played for
    everybody, so that you know what the report should find. Tables that are there already are left alone,
    unless --replace says that they may go.

    Example: recsys experiment rehearse --people 500
    """
    import sys

    from tqdm import tqdm

    from recsys.cli.app import language, say, settings
    from recsys.experiments import rehearse as rehearsed
    from recsys.pipeline.arm_lists import allocation_config
    from recsys.pipeline.from_settings import town_from_settings
    from recsys.storage.atomic_write import write_atomically
    from recsys.storage.table_files import require_no_tables, write_tables

    chosen = settings(params)
    experiment, spoken = _needed(chosen.experiment), language(lang, chosen)
    file = _new_file_of_neighbourhoods(experiment)
    require_no_tables(out, replace=replace)
    played = experiment.nights + experiment.mature_nights if nights is None else nights
    begins = f"{experiment.starts}T{experiment.hour or 3:02}:00:00Z"  # noon in Japan unless it is said
    chosen = _of_town(chosen, {"people": people, "as_of": begins, "seed": seed})
    town = town_from_settings(chosen, nights_ahead=played)
    total = played * (len(experiment.arms) + 1)
    with tqdm(total=total, desc="nights", unit="list", disable=not sys.stderr.isatty()) as bar:
        found = rehearsed(
            town,
            experiment,
            nights=played,
            config=allocation_config(chosen),
            seed=chosen.seed,
            progress=lambda _: bar.update(1),
        )
    write_tables(found.town.tables, out)
    if found.neighbourhoods is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, found.neighbourhoods.to_parquet(index=False))
        say("written", spoken, path=str(file))
    say("experiment_rehearsed", spoken, nights=played, people=f"{people:,}", out=out)
    _say_what_is_true(experiment, found, spoken)
    say("experiment_read_rehearsal", spoken, out=out, begins=begins, ends=_moment(found.town.as_of))


def _of_town(chosen: "Settings", changes: "Mapping[str, object]") -> "Settings":
    """Return settings of a town, with changes of which None are none."""
    from recsys.settings import TOWN, Settings

    given = {name: value for name, value in changes.items() if value is not None} | {"source": TOWN}
    return Settings.from_mapping(chosen.model_dump(exclude_unset=True) | given, where="options")


def _moment(at: "pd.Timestamp") -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _say_what_is_true(experiment: "ExperimentSettings", found: "Rehearsal", spoken: "Language") -> None:
    from recsys.cli.app import say

    first = found.matches[experiment.control]
    say("experiment_level", spoken, arm=experiment.control, matches=f"{first:.4f}")
    for arm in experiment.others:
        share = f"{found.effect(arm) / first:+.1%}" if first else "-"
        say("experiment_true", spoken, arm=arm, effect=f"{found.effect(arm):+.4f}", share=share)


def _new_file_of_neighbourhoods(experiment: "ExperimentSettings") -> Path:
    """Return where a rehearsal writes neighbourhoods; raise SettingsError where a file is there already."""
    file = Path(experiment.neighbourhoods or "neighbourhoods.parquet")
    if experiment.unit == "neighbourhood" and file.exists():
        what = "a file of neighbourhoods is there, which an experiment on members may need"
        remedy = "rehearse in another folder, or delete it when it is of a rehearsal"
        raise SettingsError(explained(what, where=str(file), remedy=remedy))
    return file


@experiment_app.command("report")
def report(
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write effects and guard-rails to this JSON file.")
    ] = None,
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Read the experiment of the settings: effects with intervals, guard-rails, and what they mean.

    It may be read every night: what it calls found is found at any number of looks. An arm that a guard-rail
    ends is named; put it with the next night's date under experiment.ended (nash: 2026-03-10) and from then
    on its people get the first arm's lists.

    Example: recsys experiment report --lang ja
    """
    import json

    from recsys.cli.app import language, opened, say
    from recsys.experiments import analyse, outcomes
    from recsys.experiments import assign as assigned
    from recsys.experiments.conclusions import conclusions, standing
    from recsys.storage.atomic_write import write_atomically

    night = opened(source, as_of, params)
    experiment, spoken = _experiment(night, params), language(lang, night.settings)
    groups, _ = _neighbourhoods(night, experiment)
    happened = night.events_of_types("impression", "like", "report", "block")
    found = outcomes(happened, experiment, now=night.people.as_of)
    assignment = assigned(experiment, _people(night), groups)
    for sentence in standing(experiment, assignment, night.people.as_of, spoken):
        typer.echo(sentence)
    if found.until <= 0.0:
        return
    typer.echo("")
    result = analyse(experiment, assignment, found)
    tables = {
        "effects": result.effects,
        "guard_rails": result.guard_rails,
        "exposures": result.exposures,
        "sample_ratio": result.sample_ratio,
    }
    for name, table in tables.items():
        if len(table):
            typer.echo(f"{table_title(name, spoken)}\n{table_text(table, spoken)}\n")
    for sentence in conclusions(result, spoken):
        typer.echo(sentence)
    if out is not None:
        content = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        text = json.dumps(content | {"nights": list(result.nights), "end": result.to_end}, indent=1)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, text.encode() + b"\n")
        say("written", spoken, path=str(out))


def _experiment(night: "Night", params: Path | None) -> "ExperimentSettings":
    """Return the experiment of the parameter file, which may be planned newly since the last night."""
    from recsys.cli.app import settings
    from recsys.settings import PARAMS_FILE

    there = params is not None or Path(PARAMS_FILE).exists()
    return _needed(settings(params).experiment if there else night.settings.experiment)


def _needed(experiment: "ExperimentSettings | None") -> "ExperimentSettings":
    if experiment is None:
        remedy = "describe one under 'experiment' in params.yaml"
        raise SettingsError(explained("the settings hold no experiment", remedy=remedy))
    return experiment


def _say_neighbourhoods(groups: "pd.DataFrame | None", cut: float, lang: "Language") -> None:
    from recsys.cli.app import say

    if groups is not None:
        count, share = groups["neighbourhood"].nunique(), f"{cut:.0%}" if cut >= 0.0 else "?"
        say("experiment_neighbourhoods", lang, count=count, people=f"{len(groups):,}", cut=share)
        if cut > MOST_CUT:
            say("experiment_cut", lang, cut=share)


def _people(night: "Night") -> "pd.Series":
    import pandas as pd

    return pd.Series(night.people.ids.values, dtype="str")


def _neighbourhoods(night: "Night", experiment: "ExperimentSettings") -> "tuple[pd.DataFrame | None, float]":
    """Return the neighbourhoods of the settings' file, or those of whom people were shown so far.

    The second is the share of pairs shown that lie between two of them, NaN where nobody was shown.
    """
    import pandas as pd

    from recsys.catalogue.columns import Columns as C
    from recsys.experiments import neighbourhoods
    from recsys.experiments.night_arms import read_neighbourhoods

    if experiment.unit != "neighbourhood":
        return None, float("nan")
    seen = night.events_of_types("impression").frame[[C.ACTOR, C.TARGET]].astype("str")
    if experiment.neighbourhoods and Path(experiment.neighbourhoods).exists():
        known = read_neighbourhoods(experiment)
        home = known.set_index(C.USER)["neighbourhood"]
        ends = (seen[column].map(home) for column in (C.ACTOR, C.TARGET))
        pairs = pd.concat(list(ends), axis=1, keys=["one", "other"]).dropna()
        return known, float((pairs["one"] != pairs["other"]).mean())
    if not len(seen):
        remedy = "use unit: person, or make a file of user_id and neighbourhood"
        raise SettingsError(explained("nobody was shown to anybody yet", remedy=remedy))
    made = neighbourhoods(seen.set_axis([C.VIEWER, C.CANDIDATE], axis=1))
    return made.table, made.cut


_NAMED: Final = ("estimator", "guard_rail")
"""Columns whose values are names of the package."""


def table_title(name: str, lang: "Language") -> str:
    """Return the line above a table: the name it has in `--out` as well, and in Japanese what it is called.

    >>> table_title("effects", "en"), table_title("sample_ratio", "ja")
    ('effects', '人数の比 (sample_ratio)')
    """
    from recsys.catalogue.catalogue import load_catalogue

    return load_catalogue().text(f"experiment.table_{name}", lang)


def table_text(table: "pd.DataFrame", lang: "Language") -> str:
    """Return a table as lines of text; in English its heads are the names of the columns themselves.

    >>> import pandas as pd
    >>> print(table_text(pd.DataFrame({"arm": ["nash"], "effect": [0.25], "decisive": [True]}), "ja"))
       群   効果 決め手
     nash 0.2500   はい
    """
    import pandas as pd

    from recsys.catalogue.catalogue import load_catalogue

    if lang != "en":
        texts = load_catalogue()
        yes, no = (texts.text(f"experiment.value_{one}", lang) for one in ("yes", "no"))
        table = table.copy()
        for name in table.columns:
            if name in _NAMED:
                values = table[name].astype(object)
                table[name] = [texts.text(f"experiment.value_{_key(value)}", lang) for value in values]
            elif table[name].dtype == bool:
                table[name] = [yes if value else no for value in table[name]]
        table.columns = pd.Index([texts.text(f"experiment.column_{name}", lang) for name in table.columns])
    with pd.option_context("display.unicode.east_asian_width", True):
        return table.to_string(index=False, float_format=_number)


def _number(value: float) -> str:
    """Return a number with four digits, and a count, such as that of people who report, without any."""
    return f"{value:.0f}" if value.is_integer() else f"{value:.4f}"


def _key(value: str) -> str:
    return value.replace(", ", "_").replace(" ", "_")
