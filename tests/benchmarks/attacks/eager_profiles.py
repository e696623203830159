"""Profiles that say yes to everything: every interest and topic, the commonest answers, any answer accepted.

Whoever meets anybody at any hour may be shown to more people: that is what boundaries are for. So
judged is what the pretence adds to a night in which the same people have such boundaries and own tastes.
"""

from functools import lru_cache, partial
from typing import Any, Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ENUMERATIONS
from tests.benchmarks.attacks import Verdict, attack
from tests.benchmarks.attacks.abuse import MOST_EXPOSURE, attackers, kind_of_list
from tests.benchmarks.attacks.towns import (
    SEEDS,
    Looks,
    Tables,
    judged,
    looks,
    market,
    ratio_over_towns,
    usual,
)

_N_PEOPLE: Final = 4
_N_INTERESTS, _HIGHEST_LEVEL, _HIGHEST_WEIGHT = 40, 5, 3
_WIDE: Final = (
    *(C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS, C.ACCEPTS_HOUSEHOLD_STATUS, C.INTENTS),
    *(C.CHANNELS, C.CONTACT_WINDOWS, C.MEETING_SETTINGS),
)


def _with_wide_boundaries(tables: Tables, who: tuple[str, ...]) -> Tables:
    """Return the tables where some people meet anybody, anywhere and at any hour."""
    found = dict(tables)
    for name in (T.PROFILES, T.BOUNDARIES):
        table = found[name].copy()
        at = table[C.USER].isin(who)
        for column in {*_WIDE} & {*table}:
            words = list(ENUMERATIONS[column].words)
            table[column] = pd.Series(
                [words if chosen else told for chosen, told in zip(at, table[column], strict=True)],
                table.index,
                dtype=object,
            )
        found[name] = table
    found[T.PROFILES].loc[found[T.PROFILES][C.USER].isin(who), C.MAX_DISTANCE_KM] = 300
    return found


def _with_pretence(tables: Tables, who: tuple[str, ...]) -> Tables:
    """Return the tables where some people share every interest and topic, and accept every answer."""
    tags = tables[T.INTERESTS][C.TAG].value_counts().index[:_N_INTERESTS]
    topics = tables[T.TALK_TOPICS][C.TOPIC].unique()
    answers = tables[T.ANSWERS]
    said = answers.groupby(C.QUESTION)[C.ANSWER].agg([lambda told: told.value_counts().index[0], "unique"])
    rows: dict[str, list[dict[str, Any]]] = {T.INTERESTS: [], T.TALK_TOPICS: [], T.ANSWERS: []}
    for user in who:
        rows[T.INTERESTS] += [
            {C.USER: user, C.TAG: tag, C.LEVEL: _HIGHEST_LEVEL, C.SHARE_MODE: "both"} for tag in tags
        ]
        rows[T.TALK_TOPICS] += [
            {C.USER: user, C.TOPIC: topic, C.ROLE: role, C.WEIGHT: _HIGHEST_WEIGHT}
            for topic in topics
            for role in ("talks", "listens")
        ]
        rows[T.ANSWERS] += [
            answers.iloc[0].to_dict()
            | {C.USER: user, C.QUESTION: question, C.ANSWER: usual, C.ACCEPTED: list(every)}
            | {C.IMPORTANCE: 1, C.MANDATORY: False, C.VISIBILITY: "public"}
            for question, usual, every in said.itertuples()
        ]
    others = {name: tables[name][~tables[name][C.USER].isin(who)] for name in rows}
    return tables | {
        name: pd.concat([others[name], pd.DataFrame(mine)], ignore_index=True) for name, mine in rows.items()
    }


@lru_cache(maxsize=1)
def _nights() -> list[tuple[dict[bool, Looks], dict[bool, Looks]]]:
    """Return the looks with wide boundaries alone, and with the pretence as well, of every town."""
    found = []
    for seed in SEEDS:
        (tables, as_of), who = market(seed), attackers(seed, _N_PEOPLE)
        wide = _with_wide_boundaries(tables, who)
        found.append((looks(wide, as_of), looks(_with_pretence(wide, who), as_of)))
    return found


def _pretending(*, allocated: bool) -> Verdict:
    who = [attackers(seed, _N_PEOPLE) for seed in SEEDS]
    wide, after = (
        [night[at][allocated].at(some) for night, some in zip(_nights(), who, strict=True)] for at in (0, 1)
    )
    before = sum(usual(seed)[allocated].at(some) for seed, some in zip(SEEDS, who, strict=True))
    name = f"exposure_yes_{kind_of_list(allocated)}"
    evidence = f"; x{sum(after) / before:.2f} of what they had with narrower boundaries"
    return judged(ratio_over_towns(after, wide), MOST_EXPOSURE, name, evidence)


for _allocated in (True, False):
    attack(
        "abuse",
        f"{_N_PEOPLE} profiles say yes to everything, {kind_of_list(_allocated)}",
        partial(_pretending, allocated=_allocated),
    )
