"""Experiments in small towns whose effect is known: coverage, bias beside the naive one, false alarms, power.

`python -m tests.benchmarks.experiments --json OUT` takes some minutes: 200 towns of 600 people in 24
neighbourhoods, six candidates in a hundred from another one. The arm is the allocator, the other the order by
what each viewer likes; the true effect is what everybody has under the one less under the other, by 400
nights of each. Every design runs 14 nights after 14 without arms. With `--kept DIR` each town is kept there
when it is done, and what is there is not played again: a run that was stopped goes on where it was.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from recsys.evaluation.bootstrap import of_groups
from recsys.experiments import ExperimentSettings, Outcomes, analyse, assign, neighbourhoods, plan
from recsys.experiments.assignment import night_blocks
from tests.benchmarks.command import Result, keep_argument, kept, run
from tests.benchmarks.experiments_market import Market

UNITS = ("person", "neighbourhood", "both_sides", "night")
NIGHTS, BEFORE = 14, 14
EFFECT = 0.25
LOOKS = range(4, 29, 4)
ARMS = {"liked": {"share": 0.5}, "allocated": {"share": 0.5}}


def design(unit: str, town: int, nights: int = NIGHTS) -> ExperimentSettings:
    """Return the settings of one experiment."""
    return ExperimentSettings(
        name=f"town{town}",
        unit=unit,
        starts="2026-03-02",
        nights=nights,
        mature_nights=0,
        effect=EFFECT,
        arms=ARMS,
    )


def measure(args: argparse.Namespace) -> Result:
    """Run every town and put the figures together."""
    towns = args.towns if args.people is None else 2
    size = args.people or 600
    played: list[_Town] = [
        kept(args.kept, f"{args.seed}-{size}-{town}", partial(_played, args, town)) for town in range(towns)
    ]
    found, alarms, powers = (list(chain.from_iterable(parts)) for parts in zip(*played, strict=True))
    rows = pd.concat(found, ignore_index=True)
    table = _summed(rows, np.random.default_rng(args.seed))
    summary = _summary(table, rows) | _false_alarms(pd.DataFrame(alarms)) | _power(pd.DataFrame(powers), rows)
    return Result(
        table.to_dict("records"), summary | {"towns": towns, "true_effect": float(rows["true"].mean())}
    )


_Town = tuple[list[pd.DataFrame], list[dict[str, Any]], list[dict[str, Any]]]
"""Effects of every design, false alarms, and what was planned, in a tenth of the towns."""


def _played(args: argparse.Namespace, town: int) -> _Town:
    rng = np.random.default_rng([args.seed, town])
    market = Market.drawn(rng) if args.people is None else Market.drawn(rng, homes=12, size=12)
    groups = neighbourhoods(_pairs(market), count=24 if args.people is None else 12).table
    true = market.value(market.lists[1], rng) - market.value(market.lists[0], rng)
    found = [
        _with_effect(market, groups, design(unit, town), rng).assign(town=town, true=true) for unit in UNITS
    ]
    alarms = list(_without_effect(market, groups, town, rng))
    return found, alarms, [_planned(market, groups, town, rng)] if town % 10 == 0 else []


def _pairs(market: Market) -> pd.DataFrame:
    graph, ids = market.graph, market.ids
    ends = {"viewer_id": graph.viewer, "candidate_id": graph.candidate}
    return pd.DataFrame({name: ids.iloc[rows].to_numpy() for name, rows in ends.items()})


def _with_effect(
    market: Market, groups: pd.DataFrame, one: ExperimentSettings, rng: np.random.Generator
) -> pd.DataFrame:
    people = assign(one, market.ids, groups)
    before = [(market.lists[0], -BEFORE, BEFORE)]
    if one.unit == "night":
        arm = night_blocks(one)[1] == "allocated"
        during = [(market.lists[int(is_treated)], night, 1) for night, is_treated in enumerate(arm)]
    else:
        treated = (people["arm"] == "allocated").to_numpy()[market.graph.viewer]
        if one.unit == "both_sides":
            treated &= (people["arm_as_candidate"] == "allocated").to_numpy()[market.graph.candidate]
        during = [(market.mixed(treated), 0, one.nights)]
    return analyse(one, people, market.outcomes(before + during, rng)).effects.assign(design=one.unit)


def _without_effect(
    market: Market, groups: pd.DataFrame, town: int, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Look every fourth night at arms that are the same: does one of the looks find something?"""
    last = LOOKS[-1]
    played = market.outcomes([(market.lists[0], -BEFORE, BEFORE + last)], rng)
    for unit in UNITS:
        one = design(unit, town, last)
        people = assign(one, market.ids, groups)
        once, always = [], []
        for look in LOOKS:
            row = analyse(one, people, played.between(-BEFORE, look)).decisive("allocated")
            once.append(bool(row["lo"] > 0.0 or row["hi"] < 0.0))  # of too few units there is no interval
            always.append(bool(row["always_lo"] > 0.0 or row["always_hi"] < 0.0))
        yield {"design": unit, "last": once[-1], "any_once": any(once), "any_always": any(always)}


def _planned(market: Market, groups: pd.DataFrame, town: int, rng: np.random.Generator) -> dict[str, Any]:
    past: Outcomes = market.outcomes([(market.lists[0], -2 * BEFORE, 2 * BEFORE)], rng)
    one = design("neighbourhood", town)
    found = plan(one, market.ids, past, neighbourhoods=groups, nights=[NIGHTS], draws=40).iloc[0]
    return {"error": found["error"], "power": found["power"]}


def _summed(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return a row an estimator: bias over the true effect with its interval, coverage, power."""
    rows = rows.assign(off=rows["effect"] - rows["true"])
    table = []
    for (unit, name), part in rows.groupby(["design", "estimator"], sort=False):
        bias = of_groups(part["off"] / rows["true"].mean(), rng=rng)
        inside = (part["lo"] <= part["true"]) & (part["true"] <= part["hi"])
        table.append(
            {
                "design": unit,
                "estimator": name,
                "decisive": bool(part["decisive"].iloc[0]),
                "bias": bias.value,
                "bias_lo": bias.lo,
                "bias_hi": bias.hi,
                "spread": part["off"].std() / rows["true"].mean(),
                "error": part["error"].mean() / rows["true"].mean(),
                "coverage": inside.mean(),
                "always_coverage": (
                    (part["always_lo"] <= part["true"]) & (part["true"] <= part["always_hi"])
                ).mean(),
                "power": (part["lo"] > 0.0).mean(),
                "always_power": (part["always_lo"] > 0.0).mean(),
            }
        )
    return pd.DataFrame(table)


def _summary(table: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Any]:
    naive = float(table.loc[(table["design"] == "person") & (table["estimator"] == "naive"), "bias"].iloc[0])
    found: dict[str, Any] = {"bias_naive": naive}
    for row in table[table["decisive"]].to_dict("records"):
        unit = row["design"]
        found |= {
            f"bias_{unit}": row["bias"],
            f"coverage_{unit}": row["coverage"],
            f"power_{unit}": row["power"],
        }
        found[f"bias_{unit}_over_naive"] = abs(row["bias"] / naive)
    found["relative_effect"] = float((rows["true"] / rows["control"]).mean())
    return found


def _false_alarms(alarms: pd.DataFrame) -> dict[str, Any]:
    named = {"last": "one look", "any_once": "looks as if one", "any_always": "looks"}
    means = alarms.groupby("design")[list(named)].mean()
    found = {
        f"false_alarms_{unit}_{column.removeprefix('any_')}": float(means.loc[unit, column])
        for unit in means.index
        for column in named
    }
    return found | {"false_alarms_looks": float(alarms["any_always"].mean())}


def _power(planned: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Any]:
    decisive = rows[(rows["design"] == "neighbourhood") & rows["decisive"]]
    return {
        "planned_error": float(planned["error"].mean()),
        "observed_error": float((decisive["effect"] - decisive["true"]).std()),
        "planned_power": float(planned["power"].mean()),
        "observed_power": float((decisive["lo"] > 0.0).mean()),
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--towns", type=int, default=200, help="small towns (default 200)")
    keep_argument(parser)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "Designs of experiments in small towns whose effect is known."
    return run("experiments", measure, about=about, argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
