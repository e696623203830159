"""What every benchmark command shares: arguments, a table for people, one JSON object."""

import argparse
import json
import math
import os
import pickle
import platform
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.errors import RecsysError
from tests.datasets import VARIABLE, data_folder

VERSION = 1
"""Version of the JSON object; it rises when a key changes its meaning."""


@dataclass(frozen=True)
class Result:
    """What a benchmark found: one row a line of its table, the figures by name, and remarks."""

    rows: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]
    notes: Sequence[str] = field(default=())


def run(
    name: str,
    measure: Callable[[argparse.Namespace], Result],
    *,
    about: str,
    argv: Sequence[str] | None = None,
    data: str | None = None,
    arguments: Callable[[argparse.ArgumentParser], object] | None = None,
) -> int:
    """Run one benchmark command and return its exit code: 0, or 1 when it could not be run."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.benchmarks.{name}", description=about)
    parser.add_argument("--people", type=int, help="people to run on (everybody by default)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything drawn (default 0)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file")
    if arguments is not None:
        arguments(parser)
    args = parser.parse_args(argv)
    if data is not None and not (data_folder() / data).is_dir():
        print(f"error: no {data} data in {data_folder()}; set {VARIABLE} to their folder", file=sys.stderr)
        return 1
    try:
        result = measure(args)
    except RecsysError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    _print(name, result)
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(as_json(name, args, result), indent=1) + "\n", encoding="utf-8")
    return 0


def kept(folder: Path | None, name: str, play: Callable[[], Any]) -> Any:
    """Return what `play` returns, from its file in a folder where it was kept; None keeps nothing.

    A run of many parts that was stopped goes on where it was.
    """
    file = None if folder is None else folder / f"{name}.pickle"
    if file is not None and file.is_file():
        return pickle.loads(file.read_bytes())
    played = play()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickle.dumps(played))
    return played


def keep_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--kept DIR`, the folder of `kept`."""
    parser.add_argument("--kept", type=Path, metavar="DIR", help="keep each part, and go on from those there")


def as_json(name: str, args: argparse.Namespace, result: Result) -> dict[str, Any]:
    """Return the JSON object of a run; a figure that is no number becomes null."""
    given = {key: value for key, value in vars(args).items() if key not in {"json", "kept"}}
    return {
        "name": name,
        "version": VERSION,
        "machine": machine(),
        "args": given,
        "rows": [_plain(row) for row in result.rows],
        "summary": _plain(result.summary),
    }


def machine() -> dict[str, Any]:
    """Return what is needed to read timings: processors, memory, versions; nothing that names it."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cpus": os.cpu_count(),
        "memory_gb": round(pages / 2**30),
        "python": platform.python_version(),
    }


def peak_mb() -> float:
    """Return the most memory this process ever held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _print(name: str, result: Result) -> None:
    print(f"\n{name}\n")
    with pd.option_context("display.width", 160, "display.max_columns", None, "display.max_rows", None):
        print(pd.DataFrame(list(result.rows)).to_string(index=False, float_format="{:.3f}".format))
    print()
    for key, value in result.summary.items():
        print(f"{key:32} {value:.4g}" if isinstance(value, float) else f"{key:32} {value}")
    for note in result.notes:
        print(f"\n{note}")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _number(value) for key, value in values.items()}


def _number(value: Any) -> Any:
    found = value.item() if hasattr(value, "item") else value
    return None if isinstance(found, float) and not math.isfinite(found) else found
