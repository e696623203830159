"""What the first page of somebody the publication does not know costs, by the form their profile has."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time
from typing import Any

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.data.exclusions import Relations
from recsys.models.content import ContentModel
from recsys.ranking.newcomer_limits import NewcomerLimits
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.storage.load import load_population
from recsys.testing.people import EASY_TO_LIST, make_tables
from tests.benchmarks.command import Result, run
from tests.ranking.published_world import NOW, World
from tests.ranking.test_cold_start import likes

_PEOPLE = 2_000
_WARM = 5
"""First pages that are not counted: what is compiled and mapped once is no newcomer's."""


def measure(args: argparse.Namespace) -> Result:
    """Publish a community, and ask for the first page of people who come as a population, tables and JSON."""
    rng = np.random.default_rng(args.seed)
    unlimited = NewcomerLimits(page=1000, day=10_000, share=1.0, profiles=1000)
    with TemporaryDirectory() as name:
        _publish(Path(name), args.people or _PEOPLE, rng)
        ranker = Ranker.open(name, safety=MemorySafety(), poll_s=0, newcomers=unlimited)
        forms = {form: _pages(ranker, args.newcomers, make) for form, make in _FORMS.items()}
        ranker.close()
    rows = [{"profile": form, **found} for form, found in forms.items()]
    summary = {f"newcomer_{form}_ms": found["first_p50_ms"] for form, found in forms.items()}
    return Result(rows, summary, notes=["milliseconds of processor time a page of ten, one thread"])


def _publish(folder: Path, n_people: int, rng: np.random.Generator) -> None:
    tables = make_tables(n_people, rng, unknown=0.0, **EASY_TO_LIST)
    people = replace(load_population(tables, as_of=NOW), relations=Relations.none(n_people))
    model = ContentModel().fit(people, likes(people.ids.values[:300].tolist(), rng), rng=rng)
    world = replace(World.of(people), directed=model.directed(people))
    world.publish(folder, model=model)


def _tables(at: int) -> tuple[str, dict[str, Any]]:
    user, tables = f"new-{at}", make_tables(1, np.random.default_rng(1_000 + at), unknown=0.0, **EASY_TO_LIST)
    return user, {name: table.assign(**{C.USER: user}) for name, table in tables.items() if C.USER in table}


def _as_json(at: int) -> tuple[str, Any]:
    user, tables = _tables(at)
    user = f"json-{at}"
    rows = {
        name: json.loads(table.assign(**{C.USER: user}).to_json(orient="records", date_format="iso"))
        for name, table in tables.items()
    }
    return user, rows


def _as_population(at: int) -> tuple[str, Any]:
    user, tables = _tables(at)
    user = f"read-{at}"
    return user, load_population({name: table.assign(**{C.USER: user}) for name, table in tables.items()})


_FORMS: dict[str, Callable[[int], tuple[str, Any]]] = {
    "population": _as_population,
    "tables": _tables,
    "json": _as_json,
}


def _pages(ranker: Ranker, n_newcomers: int, make: Callable[[int], tuple[str, Any]]) -> dict[str, float]:
    profiles = [make(at) for at in range(n_newcomers + _WARM)]
    first, again, people = [], [], 0
    for user, profile in profiles:
        for times in (first, again):
            start = thread_time()
            page = ranker.rank(user, 10, NOW, profile=profile)
            times.append((thread_time() - start) * 1e3)
        people += len(page.items)
    counted = np.array(first[_WARM:])
    return {
        "people_a_page": round(people / len(profiles), 1),
        "first_p50_ms": round(float(np.median(counted)), 2),
        "first_p90_ms": round(float(np.quantile(counted, 0.9)), 2),
        "again_p50_ms": round(float(np.median(again[_WARM:])), 2),
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--newcomers", type=int, default=25, help="people of each form (default 25)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("newcomers", measure, about=__doc__ or "", argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
