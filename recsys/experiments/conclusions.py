"""What may and may not be concluded from an experiment, in sentences for those who decide."""

from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import LANGUAGES, Language
from recsys.config import ExperimentSettings
from recsys.data.events import Events
from recsys.errors import InputError
from recsys.experiments.analysis import NAIVE, ExperimentResult, analyse
from recsys.experiments.assignment import ARM, arm_of_night, night_number, served
from recsys.experiments.logged_arms import LoggedArms
from recsys.experiments.night_arms import NightArms
from recsys.experiments.outcomes import outcomes


def night_reading(arms: NightArms, events: Events, as_of: pd.Timestamp) -> dict[str, list[str]]:
    """Return the sentences about an experiment on the night `as_of`, by language."""
    experiment, found = arms.experiment, outcomes(events, arms.experiment, now=as_of)
    logged = LoggedArms.of(experiment, arms.assignment, found)
    if not logged.agree:
        values = {"name": experiment.name, "wrong": f"{logged.wrong:,}", "shown": f"{logged.shown:,}"}
        return {lang: [load_catalogue().text("experiment.other", lang, **values)] for lang in LANGUAGES}
    try:
        result = analyse(experiment, arms.assignment, found)
    except InputError:  # it has not begun, or nobody takes part
        return {lang: [_waits(experiment, lang)] for lang in LANGUAGES}
    return {lang: conclusions(result, lang) for lang in LANGUAGES}


def _waits(experiment: ExperimentSettings, lang: Language) -> str:
    values = {"name": experiment.name, "mature": experiment.mature_nights}
    return load_catalogue().text("experiment.waits", lang, **values)


def standing(
    experiment: ExperimentSettings, assignment: pd.DataFrame, as_of: pd.Timestamp, lang: Language = "en"
) -> list[str]:
    """Return where an experiment stands: its nights, who is in which arm, and from when it can be read."""
    night, texts = night_number(experiment, as_of), load_catalogue()
    key = "before" if night < 0 else "during" if night < experiment.nights else "after"
    first = experiment.starts + timedelta(days=experiment.mature_nights + 1)
    values = {
        "name": experiment.name,
        "starts": experiment.starts,
        "ends": experiment.starts + timedelta(days=experiment.nights - 1),
        "night": night + 1,
        "nights": experiment.nights,
        "as_of": as_of.strftime("%Y-%m-%d"),
    }
    counts = assignment[ARM].value_counts()
    if experiment.unit == "night":
        drawn = pd.Series([arm_of_night(experiment, night)])
        arms = texts.text("experiment.by_night", lang, arm=served(experiment, drawn, night)[0])
    else:
        named = (f"{arm} {int(counts.get(arm, 0)):,}" for arm in experiment.arms)
        arms = texts.text("experiment.by_arm", lang, arms=", ".join(named))
    said = [texts.text(f"experiment.{key}", lang, **values), arms]
    if experiment.ended:
        since = (
            texts.text("experiment.ended_arm", lang, arm=arm, ended=end)
            for arm, end in experiment.ended.items()
        )
        said.append(texts.text("experiment.ended", lang, arms=", ".join(since)))
    readable = night > experiment.mature_nights
    return said if readable else [*said, texts.text("experiment.readable", lang, first=first)]


_DOUBT: Final = 10.0
"""How many times likelier counts are with other shares before a look says so; right shares, one in ten."""


def conclusions(result: ExperimentResult, lang: Language = "en") -> list[str]:
    """Return the sentences of one look: what was found for each arm, what ends it, and what is not known.

    An effect counts as found when the interval that holds at any number of looks leaves out 0. While no night
    is complete, only what ends an arm is said.
    """
    texts, experiment = load_catalogue(), result.experiment

    def text(key: str, **values: object) -> str:
        return texts.text(f"experiment.{key}", lang, **values)

    if not result.nights:
        ends = [sentence for arm in experiment.others for sentence in _ends(result, arm, lang)]
        return [_waits(experiment, lang), *_sample_ratio(result, lang), *(ends or [text("no_guard_rail")])]
    unit = text(f"unit_{experiment.unit}")
    values = {"nights": len(result.nights), "planned": experiment.nights, "name": experiment.name}
    found = [text("nights", unit=unit, **values), *_sample_ratio(result, lang)]
    for arm in experiment.others:
        if arm in experiment.ended:
            nights = result.nights_of(arm)
            found.append(text("read_before_end", arm=arm, ended=experiment.ended[arm], nights=nights))
        found += [_effect(result, arm, lang), *_ends(result, arm, lang)]
        naive = result.effects[(result.effects[ARM] == arm) & (result.effects["estimator"] == NAIVE)]
        if len(naive):
            row = naive.iloc[0]
            found.append(text("naive", effect=f"{row['effect']:+.3f}", relative=_percent(row["relative"])))
    found.append(text(f"limits_{experiment.unit}"))
    return [*found, text("not_concluded")]


def _effect(result: ExperimentResult, arm: str, lang: Language) -> str:
    """Return what the decisive estimator says of an arm, or what is missing before it can say something."""
    texts, experiment, row = load_catalogue(), result.experiment, result.decisive(arm)
    if not np.isfinite(row["always_lo"]):
        key = f"few_{experiment.unit}" if experiment.unit in {"night", "neighbourhood"} else "nothing_known"
        values = {"units": int(row["units"])} if key != "nothing_known" else {}
        return texts.text(f"experiment.{key}", lang, arm=arm, **values)
    found = {name: float(row[name]) for name in ("effect", "always_lo", "always_hi")}
    found["always_lo"] = max(found["always_lo"], -float(row["control"]))  # no arm has fewer than no matches
    numbers = {name: f"{value:+.3f}" for name, value in found.items()}
    numbers |= {f"{name}_share": _percent(value / row["control"]) for name, value in found.items()}
    numbers["level"] = f"{row['control']:.3f}"
    more, fewer = row["always_lo"] > 0.0, row["always_hi"] < 0.0
    key = "more" if more else "fewer" if fewer else "open"
    return texts.text(f"experiment.{key}", lang, arm=arm, control=experiment.control, **numbers)


def _percent(share: float) -> str:
    """Return a share of the first arm's level, such as +12 %.

    >>> _percent(0.1234), _percent(float("nan"))
    ('+12 %', '-')
    """
    return f"{100.0 * share:+.0f} %" if np.isfinite(share) else "-"


def _sample_ratio(result: ExperimentResult, lang: Language) -> list[str]:
    """Return whether as many people of each arm were shown anybody as its share says, if anybody was."""
    table, texts = result.sample_ratio, load_catalogue()
    if not len(table):
        return []
    by_night = result.experiment.unit == "night"
    key = "viewers_a_night" if by_night else "viewers"
    arms = ("、" if lang == "ja" else ", ").join(
        texts.text(
            f"experiment.{key}",
            lang,
            arm=row[ARM],
            viewers=f"{row['viewers']:,}",
            people=f"{row['people']:,}",
            expected=f"{row['expected']:,.0f}",
        )
        for row in table.to_dict("records")
    )
    unlikely = float(table["evidence"].max()) >= _DOUBT
    fits = "sample_mismatch" if table["mismatch"].any() else "sample_doubtful" if unlikely else "sample_fits"
    return [texts.text(f"experiment.{fits}", lang, arms=arms)]


def _ends(result: ExperimentResult, arm: str, lang: Language) -> list[str]:
    """Return a sentence for each guard-rail that an arm has crossed and is not ended for yet."""
    rails, texts = result.guard_rails, load_catalogue()
    if arm not in result.to_end:
        return []
    crossed = rails.loc[(rails[ARM] == arm) & rails["stop"], "guard_rail"]
    named = (texts.text(f"experiment.value_{name.replace(' ', '_')}", lang) for name in crossed)
    return [texts.text("experiment.end", lang, arm=arm, guard_rail=name) for name in named]
