"""What may and may not be concluded from an experiment, in sentences for those who decide."""

from datetime import timedelta

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import LANGUAGES, Language
from recsys.config import ExperimentSettings
from recsys.data.events import Events
from recsys.errors import InputError
from recsys.experiments.analysis import NAIVE, ExperimentResult, analyse
from recsys.experiments.assignment import ARM, arm_of_night, night_number, served
from recsys.experiments.night_arms import NightArms
from recsys.experiments.outcomes import outcomes


def night_reading(arms: NightArms, events: Events, as_of: pd.Timestamp) -> dict[str, list[str]]:
    """Return the sentences about an experiment on the night `as_of`, by language."""
    experiment = arms.experiment
    try:
        result = analyse(experiment, arms.assignment, outcomes(events, experiment, now=as_of))
    except InputError:  # no night is complete, or nobody takes part
        texts, values = load_catalogue(), {"name": experiment.name, "mature": experiment.mature_nights}
        return {lang: [texts.text("experiment.waits", lang, **values)] for lang in LANGUAGES}
    return {lang: conclusions(result, lang) for lang in LANGUAGES}


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
    readable = pd.Timestamp(first, tz="UTC") <= as_of
    return said if readable else [*said, texts.text("experiment.readable", lang, first=first)]


def conclusions(result: ExperimentResult, lang: Language = "en") -> list[str]:
    """Return the sentences of one look: what was found for each arm, what ends it, and what is not known.

    An effect counts as found when the interval that holds at any number of looks leaves out 0.
    """
    texts, experiment = load_catalogue(), result.experiment

    def text(key: str, **values: object) -> str:
        return texts.text(f"experiment.{key}", lang, **values)

    found = [text("nights", nights=len(result.nights), planned=experiment.nights, name=experiment.name)]
    for arm in experiment.others:
        if arm in experiment.ended:
            nights = result.nights_of(arm)
            found.append(text("read_before_end", arm=arm, ended=experiment.ended[arm], nights=nights))
        row = result.decisive(arm)
        numbers = {name: f"{row[name]:+.3f}" for name in ("effect", "always_lo", "always_hi")}
        known = bool(np.isfinite(row["always_lo"]))
        if not known:
            found.append(text("nothing_known", arm=arm))
        elif row["always_lo"] > 0.0 or row["always_hi"] < 0.0:
            key = "more" if row["always_lo"] > 0.0 else "fewer"
            found.append(text(key, arm=arm, control=experiment.control, **numbers))
        else:
            found.append(text("open", arm=arm, control=experiment.control, **numbers))
        rails = result.guard_rails
        if arm in result.to_end:
            ended = rails[(rails[ARM] == arm) & rails["stop"]]
            found += [text("end", arm=arm, guard_rail=name) for name in ended["guard_rail"]]
        naive = result.effects[(result.effects[ARM] == arm) & (result.effects["estimator"] == NAIVE)]
        if len(naive):
            found.append(text("naive", effect=f"{float(naive['effect'].iloc[0]):+.3f}"))
    found.append(text(f"limits_{experiment.unit}"))
    return [*found, text("not_concluded")]
