"""Four services' own databases, by SQL alone: who is listed, golden facts, taste, what a draft guesses.

    python -m tests.benchmarks.services --json OUT

Expectations are those of `expected.json` beside each database. Each mapping is the source of a whole night,
whose published lists and served pages are held against the raw files by readers that use pandas alone; see
`tests.benchmarks.services_night`. How well the last fifth of the decisions is told is in
`tests.benchmarks.services_taste`.
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h3
import pandas as pd

from recsys.mapping import MappingCheck
from tests.benchmarks.command import Result, run
from tests.benchmarks.services_night import PUBLISHED, check_seconds, night_of
from tests.benchmarks.services_taste import taste_of
from tests.services.needed import NEEDED, draft_of
from tests.services.test_services import DATA, HERE, SERVICES, checked, expected

WITHOUT_TIMES = ("commonground",)
"""Services whose decisions have no times; which fifth is judged is drawn."""


def measure(arguments: argparse.Namespace) -> Result:
    """Return one row a service."""
    names = arguments.services or SERVICES
    rows = [
        of_service(name) | _taste(name, arguments) | ({} if arguments.no_nights else night_of(name))
        for name in names
    ]
    summary = {
        "services": len(rows),
        "golden_broken": sum(len(row["golden_broken"]) for row in rows),
        "listed_equal": all(row["listed_equal"] for row in rows),
        "most_check_seconds": max(row["check_seconds"] for row in rows),
        "most_check_cpu_seconds": max(row["check_cpu_seconds"] for row in rows),
        "least_draft_share": min(row["draft_share"] for row in rows),
        "draft_unflagged": sum(len(row["draft_unflagged"]) for row in rows),
        "least_auc_over_expected": min(
            round(row["auc_hybrid"][0] - row["auc_logistic_expected"], 3) for row in rows
        ),
    }
    if not arguments.no_nights:
        summary |= {
            "nights_published": sum(row["night_exit"] in PUBLISHED for row in rows),
            "violations": sum(
                sum(row.get(which, {}).values())
                for row in rows
                for which in ("night_violations", "page_violations")
            ),
        }
    return Result(rows, summary)


def of_service(name: str) -> dict[str, Any]:
    """Return the figures of one service."""
    want, check = expected(name), checked(name)
    sure = set(map(str, want["listable"]))
    listed, either = set(check.listed), set(map(str, want.get("two_bands_possible", ())))
    counts = check.loaded.counts.set_index("table")["accepted"].to_dict()
    broken, held = golden(check, want["golden"])
    with tempfile.TemporaryDirectory() as folder:
        draft = draft_of(DATA, name, Path(folder) / name, check)
    return {
        "service": name,
        "people_in": want["people"]["distinct"],
        "yaml_lines": _lines(name, "*.yaml"),
        "sql_lines": _lines(name, "*.sql"),
        "accepted": check.people,
        "accepted_expected": want["people"]["accepted"],
        "set_aside": dict(check.tables.set_aside["profiles"]),
        "listed": len(listed),
        "listed_equal": sure <= listed <= sure | either,
        "blocks": counts.get("blocks", 0),
        "reports": counts.get("reports", 0),
        "events": check.tables.tables["events"]["type"].value_counts().to_dict(),
        "events_set_aside": dict(check.tables.set_aside.get("events", {})),
        "golden_held": held,
        "golden_broken": broken,
        **check_seconds(name),
        "draft_share": round(len(draft.right) / len(NEEDED[name]), 3),
        "draft_wrong": sorted(draft.wrong),
        "draft_unflagged": sorted(draft.unflagged),
    }


def _taste(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the areas under the curve beside those that the service's own file names."""
    known = expected(name)["auc"]
    return {
        **taste_of(checked(name), has_times=name not in WITHOUT_TIMES, seed=arguments.seed),
        "auc_logistic_expected": known["logistic_on_visible_features_last_fifth"],
        "auc_true_chances": known["true_chances_last_fifth"],
    }


def golden(check: MappingCheck, facts: list[Mapping[str, Any]]) -> tuple[list[str], int]:
    """Return the golden facts that do not hold, and how many hold; facts about answers are not held here."""
    profiles = check.tables.tables["profiles"].set_index("user_id")
    kept = {
        frozenset(map(str, pair))
        for table in ("blocks", "reports")
        if table in check.tables.tables
        for pair in check.tables.tables[table][["actor", "target"]].itertuples(index=False)
    }
    broken, held = [], 0
    for fact in facts:
        found = [*_of_member(fact, check, profiles), *_of_pair(fact, check, kept)]
        if found and not all(found):
            broken.append(fact["fact"])
        held += bool(found) and all(found)
    return broken, held


def _of_member(fact: Mapping[str, Any], check: MappingCheck, profiles: pd.DataFrame) -> list[bool]:
    member = str(fact.get("member", ""))
    found = []
    if fact.get("expect") in {"listed", "never"}:
        found.append((member in check.listed) == (fact["expect"] == "listed"))
    if member not in profiles.index:
        return found
    row = profiles.loc[member]
    same = {
        "band": "age_band",
        "gender": "gender",
        "household": "household_status",
        "discretion": "discretion",
    }
    found += [row[column] == fact[key] for key, column in {**same, "zone": "tz"}.items() if key in fact]
    if "max_distance_km" in fact:
        allowed = fact["max_distance_km"]
        # Where two distances are named, what was chosen lies between them and is kept to the km.
        least, most = (min(allowed), max(allowed)) if isinstance(allowed, list) else (allowed, allowed)
        found.append(least <= row["max_distance_km"] <= most)
    if "near" in fact:
        latitude, longitude, km = fact["near"]
        found.append(_km(row["cell"], latitude, longitude) <= km)
    if "not_near" in fact and row["cell"] is not None:
        latitude, longitude, km = fact["not_near"]
        found.append(_km(row["cell"], latitude, longitude) > km)
    for key, column in (("accepts_bands", "accepts_age_bands"), ("languages", "languages")):
        if key in fact:
            found.append(sorted(row[column]) == sorted(fact[key]))
    if isinstance(fact.get("interests"), int) or (fact.get("expect") == "interests" and "count" in fact):
        interests = check.loaded.accepted["interests"]
        wanted = fact.get("interests", fact.get("count"))
        found.append(interests.query("user_id == @member")["tag"].nunique() == wanted)
    return found


def _of_pair(fact: Mapping[str, Any], check: MappingCheck, kept: set[frozenset[str]]) -> list[bool]:
    pair = frozenset(map(str, fact.get("pair", ())))
    expect = fact.get("expect")
    if expect in {"blocked", "reported"}:
        return [pair in kept]
    if expect in {"not_blocked", "pass"}:
        return [pair not in kept]
    if expect == "same_employer":
        tokens = check.tables.tables["tokens"].query("namespace == 'employer' and user_id in @pair")
        return [tokens.groupby("hmac")["user_id"].nunique().max() == len(pair)]
    if "event" in fact:
        frame = check.tables.tables["events"].set_index(["actor", "target"]).sort_index()
        events = frame.loc[[tuple(map(str, fact["event"]))]]
        return [pd.Timestamp(fact["utc"]) in set(pd.to_datetime(events["ts"], utc=True))]
    return []


def _km(cell: str, latitude: float, longitude: float) -> float:
    """Return how far a place is from the nearest point of a cell's middle circle."""
    radius = h3.average_hexagon_edge_length(h3.get_resolution(cell), unit="km")
    return max(0.0, h3.great_circle_distance(h3.cell_to_latlng(cell), (latitude, longitude)) - radius)


def _lines(name: str, pattern: str) -> int:
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in (HERE / name).rglob(pattern))


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-nights", action="store_true", help="leave out the nights, some minutes each")
    parser.add_argument("--services", nargs="*", choices=SERVICES)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    run("services", measure, about=__doc__ or "", argv=argv, arguments=_arguments)


if __name__ == "__main__":
    main()
