"""What a catalogue of another size costs: whole nights with the questions of the package and with others.

    python -m tests.benchmarks.questions --people 10000 --questions 5 500 --json OUT

Each town is made anew with its own questions, of which a member answers `--answers` on average at most; the
night runs from its tables, which hold the catalogue, without a line of code. Seconds are of the clock and of
the processors; a first small night compiles the kernels and is not counted.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import recsys
from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.simulation.settings import TownSettings
from recsys.storage.table_files import write_tables
from tests.benchmarks.command import Result, run
from tests.pipeline.nights import Folder

_OPTIONS = ("never", "rarely", "sometimes", "often")


def questions_of(count: int) -> Catalogue:
    """Return a catalogue with `count` questions of four ordered options, on scales that are learned.

    >>> len(questions_of(5).questions)
    5
    """
    ids = [f"q{at:04d}" for at in range(count)]
    options = [
        {"question_id": question, "option_id": word, "label": word, "score": score}
        for question in ids
        for word, score in zip(_OPTIONS, (-1, -1 / 3, 1 / 3, 1), strict=True)
    ]
    rows = [{"question_id": question, "label": f"Question {question}"} for question in ids]
    return Catalogue.of(questions=rows, options=options)


def measure(args: argparse.Namespace) -> Result:
    """Run a night for each catalogue."""
    people = args.people or 10_000
    catalogues = [load_catalogue(), *(questions_of(count) for count in args.questions)]
    with tempfile.TemporaryDirectory() as folder:
        _night(Path(folder) / "warm", load_catalogue(), 300, args)
        rows = [_night(Path(folder) / str(at), one, people, args) for at, one in enumerate(catalogues)]
    for row in rows:
        row["times"] = round(row["seconds"] / rows[0]["seconds"], 2)
        row["times_processor"] = round(row["processor_seconds"] / rows[0]["processor_seconds"], 2)
    last = {key: rows[-1][key] for key in ("questions", "times", "times_processor")}
    return Result(rows, {"people": people, **last})


def _night(folder: Path, catalogue: Catalogue, people: int, args: argparse.Namespace) -> dict[str, Any]:
    """Run a night on a town that answers the questions of a catalogue, and return what it took."""
    share = min(0.9, args.answers / len(catalogue.questions))
    settings = TownSettings.from_mapping({"content": {"answer_share": share}})
    rng = np.random.default_rng(args.seed)
    town = recsys.make_town(people, rng, settings=settings, catalogue=catalogue)
    folder.mkdir()
    source = f"parquet:{folder / 'tables'}"
    write_tables(town.tables, source, catalogue=catalogue)
    used, start = _processor_seconds(), time.perf_counter()
    changes = f"source={source}", f"publish.platform.declared_for={source}", f"as_of={town.as_of.isoformat()}"
    codes = Folder(folder / "home").run(*changes)
    return {
        "questions": len(catalogue.questions),
        "answers": len(town.tables["answers"]),
        "exit": max(codes.values()),
        "stages": len(codes),
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(_processor_seconds() - used, 1),
    }


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--questions", type=int, nargs="+", default=[5, 500], help="sizes of catalogues")
    parser.add_argument("--answers", type=float, default=60.0, help="answers of a member, on average at most")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run("questions", measure, about=__doc__ or "", argv=argv, arguments=_arguments)


if __name__ == "__main__":
    sys.exit(main())
